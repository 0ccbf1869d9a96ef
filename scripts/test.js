// npm test: everything this machine can show, and by name what it cannot. The last line counts.

import { existsSync, readdirSync } from 'node:fs';
import { run as runTests } from 'node:test';
import { spec } from 'node:test/reporters';
import { command, isThere, prepare, progress, root, run } from './prepare.js';

/** What the tests use of the system, by the Debian packages that have it. */
const programs = {
  mosquitto: 'mosquitto',
  mosquitto_sub: 'mosquitto-clients',
  tshark: 'tshark',
  openssl: 'openssl',
  valgrind: 'valgrind',
  socat: 'socat',
  wasm2c: 'wabt',
  clang: 'clang libclang-rt-dev',
  'riscv64-unknown-elf-gcc': 'gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf',
  'qemu-system-riscv32': 'qemu-system-misc',
};

/** How long the process of one test file may take, in ms; the longest, of all rungs, takes half of it on two cores. One that a leaked handle keeps alive fails by its name. */
const FILE_DEADLINE = 480_000;

/** As root on Debian, missing programs are installed; elsewhere their tests are skipped and say what to install. */
async function installPrograms() {
  const missing = Object.entries(programs).flatMap(([program, name]) => (isThere(program) ? [] : name.split(' ')));
  if (isThere('cc') && !existsSync('/usr/include/psa/crypto.h')) missing.push('libmbedtls-dev'); // a library, which is no program
  if (missing.length === 0) return;
  const debian = isThere('apt-get') && process.getuid?.() === 0;
  if (!debian) return progress(`missing: ${missing.join(', ')}; on Debian: apt-get install ${missing.join(' ')}`);
  progress(`installing ${missing.join(', ')}`);
  process.env.DEBIAN_FRONTEND = 'noninteractive';
  await run('apt-get', ['update', '-q']);
  await run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...missing]);
}

/** Builds the images of the emulated board, and the posix board, with sanitizers, and with compiled modules; without a C compiler its tests are skipped, without wasm2c those of the last. */
async function buildBoards() {
  const [{ posixBoard }, { qemuImages }] = await Promise.all([import('./posix.js'), import('./qemu.js')]);
  for (const engine of /** @type {const} */ (['wasm3', 'aot'])) {
    const images = await qemuImages(progress, { engine });
    if ('missing' in images) progress(images.missing);
  }
  const board = await posixBoard(progress);
  if ('missing' in board) return progress(board.missing);
  await posixBoard(progress, { sanitize: true });
  const compiled = await posixBoard(progress, { engine: 'aot' });
  if ('missing' in compiled) progress(compiled.missing);
}

/** Fetches esptool and its peer; without Python their tests are skipped. */
async function fetchEsptool() {
  const { esptoolForTests } = await import('./esptool.js');
  const esptool = await esptoolForTests(progress);
  if ('missing' in esptool) progress(esptool.missing);
}

/** @param {string[]} files @returns {Promise<{ passed: number, failed: number, skipped: string[] }>} */
function runFiles(files) {
  return new Promise((resolve) => {
    const counts = { passed: 0, failed: 0, skipped: /** @type {string[]} */ ([]) };
    const stream = runTests({ files, concurrency: 2, timeout: FILE_DEADLINE });
    stream.on('test:pass', ({ name, skip, todo, details }) => {
      if (details.type === 'suite') return;
      if (skip !== undefined || todo !== undefined) counts.skipped.push(`${name}${typeof skip === 'string' ? `: ${skip}` : ''}`);
      else counts.passed++;
    });
    stream.on('test:fail', ({ details }) => {
      if (details.type !== 'suite') counts.failed++;
    });
    const report = stream.compose(spec);
    report.on('end', () => resolve(counts)); // so that the count is the last line
    report.pipe(process.stdout, { end: false });
  });
}

await command(async () => {
  await installPrograms();
  await prepare();
  await buildBoards();
  await fetchEsptool();
  const wanted = process.argv.slice(2);
  const sources = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'));
  const chosen = sources.filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
  const files = chosen.sort().map((file) => `${root}build/js/test/${file.replace(/\.ts$/, '.js')}`);
  const { passed, failed, skipped } = await runFiles(files);
  for (const name of skipped) process.stdout.write(`skipped: ${name}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
});
