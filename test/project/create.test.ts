import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { startBroker } from '../../host/broker.js';
import { createCommand } from '../../host/cli/create.js';
import { boardNames, readBoard, readConfig, settingsOf } from '../../host/config/index.js';
import { createProject } from '../../host/create/create.js';
import { refusalOf } from '../cli/cli.js';
import { skipUnverifying } from '../deploy/world.js';
import { posixBoard, skipUnbuilt } from '../rungs/world.js';
import { folderWith, packageRoot, run, twobyte } from './project.js';

// twobyte create: what it makes for each board, what it refuses, and the whole way of a project, from an empty folder to a reading and a
// deployment, with the commands of the README.

describe('twobyte create', () => {
  test('makes a project whose configuration is good on every board', async (t) => {
    const folder = await folderWith(t);
    for (const board of boardNames()) {
      createProject({ folder: join(folder, board), board });
      const config = readConfig(join(folder, board, 'twobyte.config.json'), {});
      assert.match(settingsOf(config, readBoard(board)), /reading_1 = own humidity garden\/soil\/moisture\n/);
      for (const file of readdirSync(join(folder, board), { recursive: true, encoding: 'utf8', withFileTypes: true }))
        if (file.isFile()) assert.doesNotMatch(readFileSync(join(file.parentPath, file.name), 'utf8'), /\{\{/, file.name);
      const ignored = readFileSync(join(folder, board, '.gitignore'), 'utf8').split('\n');
      for (const name of ['twobyte.secrets.json', '*.key.pem', 'twobyte.journal', 'twobyte.modules'])
        assert.ok(ignored.includes(name), name);
      const { devDependencies } = JSON.parse(readFileSync(join(folder, board, 'package.json'), 'utf8'));
      assert.match(devDependencies.assemblyscript, /^\^0\.28\./);
    }
  });

  test('a folder that is there and empty is filled; its sensor has some twenty lines', async (t) => {
    const folder = join(await folderWith(t), 'my-node');
    await mkdir(folder);
    const { status, stdout, stderr } = await twobyte('create', folder);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^[\w.-]+ is there, for /);
    const lines = readFileSync(join(folder, 'index.ts'), 'utf8').split('\n');
    assert.ok(lines.length <= 24, `${lines.length}`);
  });

  for (const [what, name, args, says] of [
    ['a folder with a file in it', 'full', [], /full is not empty \(it has a\); choose another name, or empty it/],
    ['a file', 'full/a', [], /full\/a is a file; choose another name/],
    ['a name with capitals', 'MyNode', [], /'MyNode' cannot be a package's name: use lower-case letters/],
    ['a name that begins with a dot', '.node', [], /'\.node' cannot be a package's name/],
    ['node_modules', 'node_modules', [], /'node_modules' cannot be/],
    ['a board that nobody knows', 'new', ['--board', 'toaster'], /--board: 'toaster' is not known; take one of .*esp32-c3-devkitm.*posix/],
    ['a schema for a board', 'new', ['--board', 'board.schema'], /--board: 'board\.schema' is not known/],
  ] as const)
    test(`refuses ${what}, and makes nothing`, async (t) => {
      const folder = await folderWith(t);
      await mkdir(join(folder, 'full'));
      await writeFile(join(folder, 'full', 'a'), '');
      const { status, stderr } = await refusalOf(createCommand(), [join(folder, name), ...args]);
      assert.match(stderr, says);
      assert.equal(status, 1);
      assert.deepEqual([readdirSync(folder), readdirSync(join(folder, 'full'))], [['full'], ['a']]);
    });
});

const ok = async (program: string, args: readonly string[], cwd: string) => {
  const { status, stdout, stderr } = await run(program, args, cwd);
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stdout}\n${stderr}`);
  return stdout;
};

/** The README's commands of a deployment, in the project `my-node`: a posix board runs its module, and takes another sensor over MQTT. */
async function deploys(t: TestContext, folder: string): Promise<void> {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
  const [, keygen = '', start = '', deploy = ''] =
    /^(npx twobyte keygen .*)\n(npx twobyte config .*)\n(npx twobyte build .*)\n/m.exec(readme) ??
    assert.fail('the README has them no more');
  const [, updates = ''] = /`("updates": \{.*?\})`/.exec(readme) ?? [];
  const broker = await startBroker();
  t.after(() => broker.close());
  const sh = (command: string) => ok('sh', ['-c', command.replace('mqtt://127.0.0.1:1883', broker.url)], folder);
  const payloads: string[] = [];
  const published = (wanted: (payload: string) => boolean) =>
    new Promise<void>((resolve) =>
      broker.aedes.on('publish', ({ topic, payload }) => {
        if (topic !== 'garden/soil/moisture') return;
        payloads.push(String(payload));
        if (wanted(String(payload))) resolve();
      }),
    );

  await sh(keygen);
  const file = join(folder, 'twobyte.config.json');
  const config = {
    ...JSON.parse(readFileSync(file, 'utf8')),
    ...JSON.parse(`{ ${updates} }`),
    board: 'posix',
    broker: { url: broker.url },
  };
  writeFileSync(file, JSON.stringify(config));
  const first = published(() => true);
  const env = { ...process.env, TWOBYTE: packageRoot };
  const board = spawn('sh', ['-c', start.replace('&& $', '&& exec $')], { cwd: folder, env, stdio: 'ignore' });
  const ended = once(board, 'exit');
  t.after(() => board.kill('SIGKILL'));
  await Promise.race([first, ended.then(([status]) => assert.fail(`the board ended with status ${status}`))]);

  const index = join(folder, 'index.ts');
  writeFileSync(
    index,
    readFileSync(index, 'utf8').replace(
      'const microvolts = adc_read(0);',
      'if (DRY > 0) return 12_300;\n  const microvolts = adc_read(0);',
    ),
  );
  assert.notEqual(payloads[0], '12.3');
  const second = published((payload) => payload === '12.3');
  await sh(deploy);
  await Promise.race([second, ended.then(([status]) => assert.fail(`the board ended with status ${status}`))]);
  board.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
}

describe('a project of the packed package, from an empty folder', { timeout: 600_000 }, () => {
  const READING = /^garden\/soil\/moisture {2}\d+\.\d {2}QoS 1\n$/;
  test('create, install, build, test, and a reading on the virtual and on the posix board, another sensor deployed to that', async (t) => {
    // What the created project needs is installed once, above it: the second time it would take as long again.
    const ours = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).devDependencies as Record<string, string>;
    const devDependencies = { '@types/node': ours['@types/node'], assemblyscript: ours.assemblyscript, typescript: ours.typescript };
    const folder = await folderWith(t, { 'package.json': JSON.stringify({ name: 'empty', private: true, devDependencies }) });
    await ok('npm', ['pack', '--pack-destination', folder], packageRoot);
    const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund'];
    const { status, stderr } = await run('npm', [...install, `./${tarball}`], folder);
    if (status !== 0 && /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ENOTCACHED/.test(stderr))
      return t.skip('the registry cannot be reached: npm install');
    assert.equal(status, 0, stderr);
    const here = (name: string) => join(folder, name);
    assert.ok(!existsSync(here('node_modules/twobyte/test')), 'tests are not in the package');

    await ok('npx', ['twobyte', 'create', 'my-node'], folder);
    const needs = JSON.parse(readFileSync(here('my-node/package.json'), 'utf8'));
    assert.deepEqual(needs.dependencies, { twobyte: `file:../${tarball}` }); // where this one came from
    assert.deepEqual(needs.devDependencies, devDependencies);
    symlinkSync('../node_modules', here('my-node/node_modules'));
    assert.match(await ok('npm', ['test'], here('my-node')), /pass 5/);
    assert.match(await ok('npx', ['twobyte', 'config'], here('my-node')), /reading_1 = own humidity/);
    assert.match(await ok('npx', ['twobyte', 'run', '--readings', '1'], here('my-node')), READING);
    if (!skipUnbuilt(posixBoard))
      assert.match(await ok('npx', ['twobyte', 'run', '--readings', '1', '--posix', posixBoard], here('my-node')), READING);
    const unverifying = skipUnverifying(posixBoard);
    if (unverifying) t.diagnostic(`nothing is deployed: ${unverifying}`);
    else await deploys(t, here('my-node'));
  });
});
