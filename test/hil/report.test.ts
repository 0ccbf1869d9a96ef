import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { embeddedBroker } from '../../host/hil/embedded.js';
import { type Ground, NotHere } from '../../host/hil/ground.js';
import { junit } from '../../host/hil/junit.js';
import { summary, Table } from '../../host/hil/report.js';
import { type Outcome, tell } from '../../host/hil/runner.js';
import type { Scenario } from '../../host/hil/scenario.js';
import { startVirtual } from '../../host/rungs/virtual.js';

const began = new Date(Date.UTC(2026, 10, 21, 20, 0, 0));

/** Another's parser: Python's. Answers the tree as [tag, attributes, text, children]. */
const PARSE = `
import json, sys, xml.etree.ElementTree as tree
walk = lambda node: [node.tag, node.attrib, node.text or '', [walk(child) for child in node]]
print(json.dumps(walk(tree.fromstring(sys.stdin.buffer.read()))))
`;
type Node = [tag: string, attributes: Record<string, string>, text: string, children: Node[]];

const python = (script: string, input: string) => spawnSync('python3', ['-c', script], { input, encoding: 'utf8', timeout: 20_000 });
const skipPython = python('', '').status === 0 ? false : 'python3 is missing: apt-get install python3';

function parsed(xml: string): Node {
  const { status, stdout, stderr } = python(PARSE, xml);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Node;
}

/** What the common schema (the XSD of Jenkins' xUnit plug-in) allows: of each element its attributes, those that have to be there with a !, and its children. */
const schema: Readonly<Record<string, { attributes: string; children: string }>> = {
  testsuites: { attributes: 'name time tests failures errors skipped', children: 'testsuite' },
  testsuite: { attributes: '!name !tests failures errors skipped time timestamp', children: 'testcase' },
  testcase: { attributes: '!name !classname time', children: 'skipped failure system-out' },
  failure: { attributes: 'message type', children: '' },
  skipped: { attributes: 'message', children: '' },
  'system-out': { attributes: '', children: '' },
};

function check([tag, attributes, , children]: Node): void {
  const { attributes: allowed, children: within } = schema[tag] ?? assert.fail(`<${tag}>`);
  const words = allowed.split(' ').filter(Boolean);
  for (const name of Object.keys(attributes))
    assert.ok(
      words.some((word) => word.replace('!', '') === name),
      `${tag}: ${name}`,
    );
  for (const word of words) if (word.startsWith('!')) assert.ok(word.slice(1) in attributes, `${tag} without ${word}`);
  for (const name of ['tests', 'failures', 'errors', 'skipped']) if (name in attributes) assert.match(attributes[name] ?? '', /^\d+$/);
  if ('time' in attributes) assert.match(attributes.time ?? '', /^\d+\.\d{3}$/);
  const order = within.split(' ');
  const positions = children.map(([child]) => order.indexOf(child));
  assert.ok(!positions.includes(-1), `${tag} has ${children.map(([child]) => child)}`);
  assert.deepEqual(positions, positions.toSorted());
  for (const child of children) check(child);
}

const ugly = 'a <b> & "c" \'d\' \u0007\ud800 温度';

const outcomes: readonly Outcome[] = [
  { what: 'one', protocol: 'mqtt', status: 'passed', took: 1234.5 },
  {
    what: ugly,
    protocol: 'mqtt',
    status: 'failed',
    took: 10,
    why: `first ]]> line\n${ugly}`,
    timeline: ['   0.001  ]]> <x> \u001b[0m', '   0.002  y'],
  },
  { what: 'two', protocol: 'mqtt-sn', status: 'skipped', took: 0, why: ugly },
];

describe('the results of a run', () => {
  test('as JUnit XML are well-formed and of the common shape, whatever stands in names and errors', { skip: skipPython }, () => {
    const tree = parsed(junit('posix', outcomes, began));
    check(tree);
    const [, counts, , suites] = tree;
    assert.deepEqual([counts.tests, counts.failures, counts.skipped, counts.errors], ['3', '1', '1', '0']);
    assert.deepEqual(
      suites.map(([, { name, tests, timestamp }]) => [name, tests, timestamp]),
      [
        ['posix over mqtt', '2', '2026-11-21T20:00:00'],
        ['posix over mqtt-sn', '1', '2026-11-21T20:00:00'],
      ],
    );
    const readable = ugly.replace('\u0007', '\ufffd').replace('\ud800', '\ufffd');
    const failed = suites[0]?.[3][1];
    assert.equal(failed?.[1].name, readable);
    assert.deepEqual(
      failed?.[3].map(([tag, , text]) => [tag, text]),
      [
        ['failure', `first ]]> line\n${readable}`],
        ['system-out', '   0.001  ]]> <x> \ufffd[0m\n   0.002  y'],
      ],
    );
    assert.equal(suites[1]?.[3][0]?.[3][0]?.[1].message, readable);
  });

  test('as a table come in the order of the list, however they end', () => {
    const scenario = (what: string): Scenario => ({ what, run: async () => {} });
    const lines: string[] = [];
    const table = new Table(
      ['mqtt', 'mqtt-sn'],
      [
        { scenario: scenario('one'), protocols: ['mqtt', 'mqtt-sn'] },
        { scenario: scenario('two'), protocols: ['mqtt-sn'] },
      ],
      (line) => lines.push(line),
    );
    const outcome = (what: string, protocol: Outcome['protocol'], status: Outcome['status']) =>
      table.add({ what, protocol, status, took: 0 });
    outcome('two', 'mqtt-sn', 'skipped');
    outcome('one', 'mqtt-sn', 'failed');
    assert.deepEqual(lines, ['mqtt      mqtt-sn   scenario']);
    outcome('one', 'mqtt', 'passed');
    assert.deepEqual(lines.slice(1), ['passed    FAILED    one', '-         skipped   two']);
  });

  test('a scenario that fails shows the error, the words and events of its boards, and the frames around it', async (t) => {
    const broker = await embeddedBroker();
    t.after(() => broker.stop());
    const ground: Ground = {
      rung: 'virtual',
      protocol: 'mqtt',
      start: startVirtual,
      broker: { host: '127.0.0.1', port: broker.port },
      ownBroker: 'none here',
    };
    const ends: string[] = [];
    const fails: Scenario = {
      what: 'it fails',
      async run(world) {
        world.after(async () => void ends.push('first'));
        world.after(async () => void ends.push('second'));
        const wire = await world.wire();
        wire.lose('peer', 'PUBACK');
        const board = await world.board({ broker: wire.address, qos: 1 });
        await wire.until('peer', 'PUBACK', 2);
        await board.tells('published');
        assert.equal('this', 'that');
      },
    };
    const skips: Scenario = {
      what: 'it is not for here',
      run: async (world) => void (await world.place()),
    };
    const breaks: Scenario = { what: 'it breaks', run: () => Promise.reject(new NotHere('no such thing here')) };
    const told = await tell(
      [fails, skips, breaks].map((scenario) => ({ scenario, ground })),
      2,
      () => {},
    );
    const lines = summary('virtual', told, 1000);
    assert.deepEqual(ends, ['second', 'first']);
    assert.deepEqual(lines.slice(0, 2).toSorted(), [
      'skipped: it breaks (mqtt): no such thing here',
      'skipped: it is not for here (mqtt): none here',
    ]);
    assert.equal(lines.at(-1), 'virtual: 0 passed, 1 failed, 2 skipped in 1 s');
    const text = lines.join('\n');
    assert.match(text, /FAILED: it fails \(mqtt\)\n {2}Expected values to be strictly equal:/);
    const times = [...text.matchAll(/^ {2}\s*(\d+\.\d{3}) {2}/gm)].map(([, time]) => Number(time));
    assert.deepEqual(
      times,
      times.toSorted((one, other) => one - other),
    );
    assert.match(text, /board 1 {8}event {2}connected 0 0/);
    assert.match(text, /board → peer {3}1 {2}CONNECT {2}10 [0-9a-f]{2} 00 04 4d 51 54 54 04/);
    assert.match(text, /peer {2}→ board {2}1 {2}PUBACK \(lost\) {2}40 02/);
  });
});
