// What is kept of a run of the bench in the repository: bench/results.json, and the chart of it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { chart } from '../bench/chart.js';
import { flashed, MEASURED_ONCE, over } from '../bench/costs.js';
import { type Figure, under } from '../bench/figure.js';
import { frameFigures } from '../bench/frames.js';
import { HEAP_TABLE } from '../bench/memory.js';
import { resultsFile } from '../bench/results.js';

const results: Figure[] = JSON.parse(readFileSync(resultsFile, 'utf8'));

const path = 'Instructions from the return of temperature() to the call of link_send(), QoS 0';
const stack = 'Stack, most that was in use';

const KIB = 1024;

/** What was promised: table, name, where, bound. */
const promised: [string, string, string | null, number][] = [
  ['Instructions of encoding alone, x86-64', 'QoS 0 PUBLISH encoded, compiled', null, 173],
  ...flashed.flatMap(([module, protocol]): [string, string, string, number][] => {
    const name = over(module, protocol);
    return [
      [path, name, 'rv32 wasm3', protocol === 'mqtt' ? 6000 : 4000],
      [path, name, 'rv32 aot', 1000],
      [HEAP_TABLE, name, 'rv32 wasm3', (/-mqtt/.test(module) ? 56 : 88) * KIB],
      [HEAP_TABLE, name, 'rv32 aot', 16 * KIB],
      [stack, name, 'rv32 wasm3', 6 * KIB],
      [stack, name, 'rv32 aot', 6 * KIB],
    ];
  }),
];

describe('bench/results.json', () => {
  for (const [table, name, on, bound] of promised) {
    test(`holds ${name}, ${on ?? 'x86-64'}, at most ${bound}: ${table}`, () => {
      const found = results.filter((figure) => figure.table === table && figure.name === name && figure.on === on);
      assert.deepEqual(
        found.map((figure) => figure.bound),
        [bound],
      );
      assert.ok(found.every(({ value }) => value <= bound));
    });
  }

  test('holds no allocation after start, on either engine and target', () => {
    const rows = results.filter(({ table }) => table.startsWith('Allocations after start'));
    assert.deepEqual([...new Set(rows.map(({ on }) => on))].sort(), ['rv32 aot', 'rv32 wasm3', 'x86-64 aot', 'x86-64 wasm3']);
    for (const { bound, value } of rows) assert.deepEqual([bound, value], [0, 0]);
  });

  test('holds a flat curve against messages in flight and against subscriptions on each engine and target', () => {
    for (const what of ['messages in flight', 'messages between PUBREC and PUBREL', 'subscriptions']) {
      const rows = results.filter(({ growth, bound }) => growth?.with === what && bound !== null);
      assert.equal(rows.length, 4, what);
      for (const { growth, bound, value } of rows) {
        assert.equal(bound, Math.floor(1.1 * Math.min(...(growth?.values ?? []))));
        assert.equal(value, Math.max(...(growth?.values ?? [])));
        assert.ok(value <= (bound ?? 0), `${what}: ${value}`);
      }
    }
  });

  test('holds both native peers for each operation of MQTT', () => {
    const rows = results.filter(({ table }) => table === 'Instructions an operation, client module, MQTT');
    const operations = new Set(rows.map(({ name }) => name));
    assert.equal(operations.size, 8);
    for (const peer of ['libmosquitto', 'Paho MQTT C']) {
      assert.equal(rows.filter(({ on }) => on === `${peer}, x86-64 native`).length, operations.size, peer);
    }
  });

  test('says of a peer that no run builds that it was measured once', () => {
    const rows = results.filter(({ peer }) => peer?.startsWith('Paho embedded C') || peer?.startsWith('Paho MQTT-SN embedded C'));
    assert.ok(rows.length > 0);
    for (const { peer } of rows) assert.ok(peer?.endsWith(MEASURED_ONCE), `${peer}`);
  });

  test('has the shape that the command prints, and the figures that need no counting', () => {
    const now: Figure[] = JSON.parse(JSON.stringify(under('Frames on the wire', frameFigures())));
    const then = results.filter(({ table, name }) => table === 'Frames on the wire' && name.startsWith('frame '));
    assert.deepEqual(now, then);
    const keys = Object.keys(now[0] ?? {});
    for (const { growth: _, ...figure } of results) assert.deepEqual(Object.keys(figure), keys);
  });

  test('each figure says truly whether it keeps its bound', () => {
    for (const { name, counted, value, bound, ok } of results) {
      assert.equal(ok, bound === null || (counted ? value <= bound : value >= bound), name);
    }
  });

  test('is what the chart in docs/ shows', () => {
    const shown = readFileSync(new URL('../../../docs/bench.svg', import.meta.url), 'utf8');
    assert.equal(chart(results), shown);
    for (const { on } of results.filter(({ table }) => table.startsWith('Instructions an operation')))
      assert.ok(on && shown.includes(on), `${on}`);
  });
});
