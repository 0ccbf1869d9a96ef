import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { buildProject } from '../../host/build/build.js';
import { moduleFile, ProjectFault, readProject } from '../../host/build/project.js';
import { BUS_NONE } from '../../host/contract.js';
import { startNode } from '../../host/testing.js';
import { folderWith, packageRoot, run, twobyte } from './project.js';

// twobyte build: what it makes of a sensor, and how it tells what is wrong with one.

const begin = 'export function begin(_now: i32): i32 { return 0; }';
/** Of a sensor whose reading depends on its time, so that nothing of it is computed by the compiler. */
const keeps = 'let at: i32 = 0; export function begin(now: i32): i32 { at = now; return 0; }';
const finish = 'export function finish(): i32 { return 1234; }';

/** A project with this sensor. */
async function projectOf(t: TestContext, index: string | undefined, more: Readonly<Record<string, string>> = {}) {
  const folder = await folderWith(t, {
    'package.json': '{ "name": "@me/soil" }',
    ...(index !== undefined && { 'index.ts': index }),
    ...more,
  });
  const project = readProject(folder);
  return { folder, project, file: moduleFile(project) };
}

describe('twobyte build', () => {
  test('makes a module that publishes what the sensor reads', async (t) => {
    const { folder, file } = await projectOf(t, `${begin}\n${finish}`);
    const { status, stdout, stderr } = await twobyte('build', folder);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /build\/soil\.wasm: \d+ of at most \d+ bytes, for mqtt\n$/);
    const node = startNode({ module: file, settings: { reading_1: 'own value a/b' } });
    assert.deepEqual([node.next().topic, node.messages[0]?.payload], ['a/b', '1.2']);
    node.stop();
  });

  test('waits as long as begin says, and not longer', async (t) => {
    const slow = `let started: i32 = 0;
      export function begin(now: i32): i32 { started = now; return 750; }
      export function finish(): i32 { return started; }`;
    const { project, file } = await projectOf(t, slow);
    await buildProject(project);
    const node = startNode({ module: file, settings: { reading_1: 'own value a/b', interval: 10_000 } });
    assert.deepEqual([node.next().payload, node.messages[0]?.at], ['0.0', 750]);
    assert.equal(node.next().payload, '10.0');
    node.stop();
  });

  test('has other files of the project, and the board from twobyte/assembly', async (t) => {
    const sensor = `import { adc_read } from 'twobyte/assembly/board';
      import { SCALE } from './scale';
      ${begin}
      export function finish(): i32 { return adc_read(2) / SCALE; }`;
    const { project, file } = await projectOf(t, sensor, { 'scale.ts': 'export const SCALE: i32 = 100;' });
    await buildProject(project);
    const node = startNode({
      module: file,
      settings: { reading_1: 'own value a/b' },
      devices: { adc: { read: (channel) => channel * 1_000_000 } },
    });
    assert.equal(node.next().payload, '20.0');
    node.stop();
  });

  test('builds the example of docs/own-sensor.md', async (t) => {
    const page = readFileSync(join(packageRoot, 'docs', 'own-sensor.md'), 'utf8');
    const [, example] = /^```ts\n(.*?)^```/ms.exec(page) ?? [];
    const { project, file } = await projectOf(t, example);
    await buildProject(project);
    const devices = { adc: { read: () => 1_500_000 } };
    assert.equal(startNode({ module: file, settings: { reading_1: 'own value a/b' }, devices }).next().payload, '1.5');
    const missing = startNode({ module: file, settings: { reading_1: 'own value a/b' } });
    assert.deepEqual(
      missing.events.filter(({ event }) => event === 'reading_failed').map(({ a, b }) => [a, b]),
      [[BUS_NONE, 1]],
    );
  });

  test('speaks what the broker of the configuration speaks', async (t) => {
    const config = { 'twobyte.config.json': JSON.stringify({ broker: { url: 'mqtt-sn://h' } }) };
    const { project, file } = await projectOf(t, `${begin}\n${finish}`, config);
    assert.equal(project.protocol, 'mqtt-sn');
    await buildProject(project);
    assert.throws(() => startNode({ module: file, settings: { reading_1: 'own value a/b' } }), /does not start: setting 'protocol'/);
    await buildProject({ ...project, protocol: 'both' });
    startNode({ module: file, settings: { reading_1: 'own value a/b' } }).stop();
  });

  const refused: [what: string, index: string | undefined, ...says: RegExp[]][] = [
    ['no index.ts', undefined, /index\.ts is missing: the project's sensor is written there; it has to export begin\(now: i32\): i32 and/],
    [
      'a name that nobody knows, and a wrong type',
      `${begin}\nexport function finish(): i32 {\n  const a: i32 = "a";\n  return x + a;\n}`,
      /^index\.ts:4:10: Cannot find name 'x'\.$/m,
      /^index\.ts:3:18: Type 'string\/String' is not assignable to type 'i32'\.$/m,
    ],
    ['a brace too few', `export function begin(_now: i32): i32 {\n${finish}`, /^index\.ts:\d:\d+: /m],
    ['a file that is not there', `import { x } from './x';\n${begin}\n${finish}`, /^index\.ts:1:19: File 'x\.ts' not found\.$/m],
    [
      'no finish, and a begin without the time',
      'export function begin(): i32 { return 0; }',
      /^index\.ts: Property 'finish' does not exist .* It has to export begin\(now: i32\): i32 and finish\(\): i32/m,
      /^index\.ts: Expected 0 arguments, but got 1\. It has/m,
    ],
    [
      'more memory than there is',
      `const a = memory.data(70000);\n${begin}\nexport function finish(): i32 { return load<u8>(a) + store8(); }\nfunction store8(): i32 { store<u8>(a, 1); return 0; }`,
      /^index\.ts: the static memory of the module is over its 64 KB: ask memory\.data for less$/m,
    ],
    [
      'a module over its budget',
      `${keeps}\nconst table = memory.data<i32>([${Array.from({ length: 4000 }, (_, i) => 0x01010101 + i).join()}]);\nexport function finish(): i32 { return load<i32>(table + (at & 1023)); }`,
      /refused: it has \d+ bytes, the budget is \d+: leave out/,
    ],
  ];
  for (const [what, index, ...says] of refused)
    test(`refuses ${what} in words, without a module`, async (t) => {
      const { project, file } = await projectOf(t, index);
      await assert.rejects(buildProject(project), (error: Error) => {
        assert.ok(error instanceof ProjectFault, error.stack);
        for (const sentence of says) assert.match(error.message, sentence);
        assert.doesNotMatch(error.message, /~lib/);
        return true;
      });
      assert.ok(!existsSync(file));
    });

  // Whatever else a module may not be, test/core/module-check.test.ts shows of smaller ones.
  test('what a build before made is gone when the next is refused for floating point, and stays at bad usage', async (t) => {
    const { folder, file } = await projectOf(t, `${keeps}\nexport function finish(): i32 { return <i32>Math.sqrt(<f64>at); }`);
    await mkdir(dirname(file));
    await writeFile(file, 'a module');
    assert.equal((await twobyte('build', folder, '--protocol', 'semaphore')).status, 1);
    assert.ok(existsSync(file));
    const { status, stdout, stderr } = await twobyte('build', folder);
    assert.match(stderr, /refused: .*floating point.*whole numbers/);
    assert.deepEqual([status, stdout, existsSync(file)], [1, '', false]);
  });

  test('a folder that is no project, and a package.json that is no JSON or has a strange name, are named', async (t) => {
    const folder = await folderWith(t);
    assert.throws(() => readProject(folder), /package\.json is missing or has no name: .*'twobyte create my-node'/);
    const broken = await folderWith(t, { 'package.json': '{' });
    assert.throws(() => readProject(broken), /package\.json is no JSON: /);
    const strange = await folderWith(t, { 'package.json': '{ "name": "a b" }' });
    assert.throws(() => readProject(strange), /the name 'a b' cannot be a file's/);
  });
});

test('without the compiler installed it says how to install it', async (t) => {
  const folder = await folderWith(t, { 'package.json': '{ "name": "my-node" }', 'index.ts': '' });
  const other = join(folder, 'twobyte');
  for (const path of ['package.json', 'compiler', 'boards', 'build/js/host'])
    cpSync(join(packageRoot, path), join(other, path), { recursive: true });
  mkdirSync(join(other, 'node_modules'));
  for (const name of readdirSync(join(packageRoot, 'node_modules')))
    if (!/^\.|^assemblyscript$/.test(name)) symlinkSync(join(packageRoot, 'node_modules', name), join(other, 'node_modules', name));
  const { status, stderr } = await run(process.execPath, [join(other, 'build/js/host/cli/twobyte.js'), 'build'], folder);
  assert.deepEqual(
    [status, stderr],
    [1, 'twobyte build needs the compiler assemblyscript, which is not installed: npm install --save-dev assemblyscript\n'],
  );
});
