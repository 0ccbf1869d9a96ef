// What every command needs first: the packages of the lock file, the generated constants, the modules, and the host in JavaScript.

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../', import.meta.url));

/** Tells people what is going on; stdout stays free for results. @param {string} text */
export function progress(text) {
  process.stderr.write(`· ${text}\n`);
}

/**
 * Runs a program; what it prints goes to stderr when it fails, or at once with `show`. Resolves with its stdout.
 * @param {string} command @param {string[]} args @param {{ show?: boolean }} [options]
 * @returns {Promise<string>}
 */
export function run(command, args, { show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', show ? 2 : 'pipe', show ? 2 : 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr?.on('data', (chunk) => {
      errors += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${[command, ...args].join(' ')} ended with status ${status}\n${output}${errors}`.trim()));
    });
  });
}

/** Whether `program` is in the path, or where Debian keeps servers. @param {string} program */
export function isThere(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } }).status === 0;
}

const lock = `${root}package-lock.json`;
const installedLock = `${root}node_modules/.twobyte-lock.json`;

/** Installs exactly what the lock file names, unless that was done. */
async function install() {
  if (existsSync(installedLock) && readFileSync(installedLock).equals(readFileSync(lock))) return;
  progress('installing packages (npm ci)');
  await run('npm', ['ci']);
  copyFileSync(lock, installedLock);
}

/** Names, sizes and times of all files below `paths`: what is made of them is made again when this changes. @param {string[]} paths */
function stateOf(paths) {
  const files = paths.flatMap((path) =>
    statSync(root + path).isDirectory()
      ? readdirSync(root + path, { recursive: true, encoding: 'utf8' }).map((name) => `${path}/${name}`)
      : [path],
  );
  return files
    .map((file) => {
      const { size, mtimeMs } = statSync(root + file);
      return `${file} ${size} ${mtimeMs}`;
    })
    .join('\n');
}

/** Runs `make` unless it was run with the same `sources`. @param {string} name @param {string[]} sources @param {() => Promise<unknown>} make */
async function unlessMade(name, sources, make) {
  const stamp = `${root}build/.${name}`;
  const state = stateOf(sources);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
  progress(`compiling the ${name}`);
  rmSync(stamp, { force: true });
  await make();
  writeFileSync(stamp, state); // as it was before: what changed meanwhile is compiled next time
}

const shared = ['package-lock.json', 'scripts', 'compiler'];

async function build() {
  const [{ writeContract }, { writeBoards }, { compileModule, modules }] = await Promise.all([
    import('./contract.js'),
    import('./boards.js'),
    import('../compiler/modules.js'),
  ]);
  mkdirSync(`${root}build`, { recursive: true });
  writeContract();
  writeBoards();
  await Promise.all([
    unlessMade('modules', [...shared, 'assembly', 'asconfig.json', 'docs/boundary.md'], () =>
      Promise.all(modules.map((module) => compileModule(module, root))),
    ),
    unlessMade('host', [...shared, 'host', 'test', 'bench', 'tsconfig.json'], async () => {
      rmSync(`${root}build/js`, { recursive: true, force: true }); // nothing stays of a source that is gone
      await run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.']);
      chmodSync(`${root}build/js/host/cli/twobyte.js`, 0o755); // npx runs it as a program
    }),
  ]);
}

export async function prepare() {
  await install();
  await build();
}

/** Runs a command's main function; what it throws is told in words, and the status says so. @param {() => Promise<number | undefined>} main */
export async function command(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
