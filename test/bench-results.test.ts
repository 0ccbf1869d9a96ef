// What is kept of a run of the bench in the repository: bench/results.json, and the chart of it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { chart } from '../bench/chart.js';
import { type Figure, under } from '../bench/figure.js';
import { frameFigures } from '../bench/frames.js';
import { resultsFile } from '../bench/results.js';

const results: Figure[] = JSON.parse(readFileSync(resultsFile, 'utf8'));

const path = 'Instructions from the return of temperature() to the call of link_send(), QoS 0';
const heap = 'Heap, all in: engine, translated code, linear memory';
const stack = 'Stack, most that was in use';

/** What was promised: table, name, where, bound. */
const promised: [string, string, string | null, number | null][] = [
  [path, 'sensor-mqtt over MQTT', 'rv32 wasm3', 6000],
  [path, 'sensor-mqttsn over MQTT-SN', 'rv32 wasm3', 4000],
  [path, 'sensor-mqtt over MQTT', 'rv32 aot', 1000],
  [path, 'sensor-mqttsn over MQTT-SN', 'rv32 aot', 1000],
  ['Instructions of encoding alone, x86-64', 'QoS 0 PUBLISH encoded, compiled', null, 173],
  [heap, 'sensor-mqtt-journal over MQTT', 'rv32 wasm3', 56 * 1024],
  [heap, 'sensor-mqttsn-journal over MQTT-SN', 'rv32 wasm3', 56 * 1024],
  [heap, 'sensor-journal over MQTT', 'rv32 wasm3', 88 * 1024],
  [heap, 'sensor-journal over MQTT', 'rv32 aot', 16 * 1024],
  [stack, 'sensor-journal over MQTT', 'rv32 wasm3', 6 * 1024],
  [stack, 'sensor-journal over MQTT', 'rv32 aot', 6 * 1024],
];

describe('bench/results.json', () => {
  for (const [table, name, on, bound] of promised) {
    test(`holds ${name}, ${on ?? 'x86-64'}, at most ${bound}: ${table}`, () => {
      const found = results.filter((figure) => figure.table === table && figure.name === name && figure.on === on);
      assert.deepEqual(
        found.map((figure) => figure.bound),
        [bound],
      );
    });
  }

  test('holds no allocation after start, on either engine and target', () => {
    const rows = results.filter(({ table }) => table.startsWith('Allocations after start'));
    assert.deepEqual([...new Set(rows.map(({ on }) => on))].sort(), ['rv32 aot', 'rv32 wasm3', 'x86-64 aot', 'x86-64 wasm3']);
    for (const { bound, value } of rows) assert.deepEqual([bound, value], [0, 0]);
  });

  test('holds a flat curve against messages in flight and against subscriptions on each engine and target', () => {
    for (const what of ['messages in flight', 'subscriptions']) {
      const rows = results.filter(({ growth, bound }) => growth?.with === what && bound !== null);
      assert.equal(rows.length, 4, what);
      for (const { growth, bound } of rows) assert.equal(bound, Math.floor(1.1 * Math.min(...(growth?.values ?? []))));
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
