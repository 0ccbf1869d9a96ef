// docs/configuration.md: its examples are good, and its tables say what the schemas and the chips say.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { boardNames, chips, readBoard, schemaText } from '../../host/config/index.js';
import { root } from '../core/compile.js';
import { Project } from './project.js';

const text = readFileSync(`${root}docs/configuration.md`, 'utf8');
const section = (title: string) => text.slice(text.indexOf(`## ${title}`)).split('\n## ', 1)[0] ?? '';
const rows = (title: string) =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );

interface Schema {
  properties: Record<string, { properties?: Record<string, unknown>; items?: { oneOf: { $ref: string }[] } }>;
  definitions: Record<string, { properties: Record<string, unknown> }>;
}
const schema = JSON.parse(schemaText('config')) as Schema;
const words = (cell: string) => [...cell.matchAll(/`([\w.$-]+)`/g)].map(([, word = '']) => word);

describe('docs/configuration.md', () => {
  const examples = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, example = '']) => example);
  test('has an example', () => assert.ok(examples.length > 0));
  for (const [index, example] of examples.entries()) {
    test(`example ${index + 1} is good`, () => {
      using project = new Project();
      assert.deepEqual(project.faultsOf(example, { WIFI_PASSWORD: 'a long password', MQTT_PASSWORD: 'x' }), []);
    });
  }

  test('shows what is said', () => {
    const [, said = ''] = /\ntwobyte config: (twobyte\.config\.json: .*)\n/.exec(text) ?? [];
    using project = new Project();
    const example = (examples[0] ?? '').replace('"pin": 4', '"pin": 8');
    assert.deepEqual(project.faultsOf(example, { WIFI_PASSWORD: 'a long password', MQTT_PASSWORD: 'x' }), [said]);
  });

  test('has every key', () => {
    const listed = new Set(
      rows('Keys')
        .flatMap(([cell = '']) => words(cell))
        .map((word) => word.split('.')[0]),
    );
    const keys = Object.keys(schema.properties).filter((key) => key !== '$schema');
    assert.deepEqual(
      keys.filter((key) => !listed.has(key)),
      [],
    );
  });

  test('has every driver with its quantities and keys', () => {
    const drivers = (schema.properties.sensors?.items?.oneOf ?? []).map(({ $ref }) => $ref.split('/').at(-1) ?? '');
    const listed = rows('Sensors').slice(1);
    assert.deepEqual(
      listed.map(([name = '']) => words(name)[0]),
      drivers,
    );
    for (const [name = '', measured = '', further = ''] of listed) {
      const driver = words(name)[0] ?? '';
      const said = [...words(measured), ...words(further)];
      for (const key of Object.keys(schema.definitions[driver]?.properties ?? {}))
        if (key !== 'driver' && key !== 'channel') assert.ok(said.includes(key), `${driver}: ${key}`);
    }
  });

  test('has every board with its pins', () => {
    const listed = rows('Boards').slice(1, 1 + boardNames().length);
    assert.deepEqual(listed.map(([name = '']) => words(name)[0]).sort(), boardNames());
    for (const [name = '', chip, i2c = '', onewire = '', adc = ''] of listed) {
      const board = readBoard(words(name)[0] ?? '');
      assert.equal(chip, board.chip.name);
      const bus = typeof board.i2c === 'object' ? `SDA ${board.i2c.sda}, SCL ${board.i2c.scl}` : board.i2c;
      assert.ok(i2c.startsWith(bus ?? '?'), i2c);
      assert.ok(onewire.startsWith(String(board.onewire)), onewire);
      assert.ok(adc.startsWith(Array.isArray(board.adc) ? board.adc.join(', ') : String(board.adc)), adc);
    }
  });

  const facts = rows('Boards').slice(2 + boardNames().length);
  const numbers = (cell = '') =>
    [...cell.matchAll(/(\d+)(?:–(\d+))?/g)].flatMap(([, from, to]) =>
      Array.from({ length: Number(to ?? from) - Number(from) + 1 }, (_, index) => Number(from) + index),
    );
  for (const [column, chip] of [chips.esp32, chips.esp32c3, chips.esp32s3].entries()) {
    test(`has the pins of ${chip.name}`, () => {
      const said = (row: number) => numbers(facts[row]?.[column + 1]?.replace('with eight lines', '')).sort((a, b) => a - b);
      const sorted = (pins: readonly number[]) => [...pins].sort((a, b) => a - b);
      assert.deepEqual(said(0), sorted(chip.inputOnly));
      assert.deepEqual(said(1), sorted(Object.keys(chip.strapping).map(Number)));
      assert.deepEqual(said(2), sorted(chip.flash));
      assert.deepEqual(said(3), sorted([...chip.psram.quad, ...chip.psram.octal]));
      assert.deepEqual(said(4), sorted(chip.usb));
      assert.deepEqual(said(5), sorted(chip.uart));
      assert.deepEqual(said(6), sorted(chip.adc1));
      assert.equal(facts[7]?.[column + 1], chip.thermometer ? 'yes' : 'no');
    });
  }
});
