import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import { boardNames, chips, readBoard, schemaText } from '../../host/config/index.js';
import * as contract from '../../host/contract.js';
import { root } from '../core/compile.js';
import { type Changes, changed, Project } from './project.js';

const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const generator = (await import(pathToFileURL(`${root}scripts/boards.js`).href)) as { generatedBoards(): Record<string, string> };

interface Schema {
  [key: string]: unknown;
  description?: string;
  properties?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
}

const parsed = (name: 'board' | 'config' | 'settings') => JSON.parse(schemaText(name)) as Schema;

describe('the schemas', () => {
  for (const name of ['board', 'config', 'settings'] as const) {
    test(`${name}.schema.json is one`, () => {
      const ajv = new Ajv({ discriminator: true });
      assert.ok(ajv.validateSchema(parsed(name)), JSON.stringify(ajv.errors));
    });

    test(`${name}.schema.json describes every key`, () => {
      const described = (schema: Schema, where: string): void => {
        for (const [key, inner] of Object.entries({ ...schema.properties, ...schema.definitions })) {
          const path = `${where}.${key}`;
          if (key !== 'i2c' && !('const' in inner)) assert.ok(inner.description ?? inner.$ref, path);
          described(inner, path);
        }
      };
      described(parsed(name), name);
    });
  }

  test('offer the boards that there are', () => {
    assert.deepEqual([...((parsed('config').properties?.board?.examples ?? []) as string[])].sort(), boardNames());
  });

  test('have ranges and defaults as assembly/contract.ts has them', () => {
    const { interval, qos } = parsed('config').properties ?? {};
    const source = read('assembly/contract.ts');
    const [, least, most, usual] = /ms: (\d+) to (\d+)\. Default (\d+)\. \*\/\nexport const CONFIG_INTERVAL/.exec(source) ?? [];
    assert.deepEqual([interval?.minimum, interval?.maximum, interval?.default].map(String), [least, most, usual]);
    assert.deepEqual([qos?.minimum, qos?.maximum], [-1, 2]);
  });

  test('have every setting of the firmware that the configuration does not say in its own words', () => {
    const own =
      /^(client_id|username|password|topic|qos|retain|interval|sensor|availability_topic|command_topic|protocol|discovery|sleep|journal|update_topic|will_\w+|reading_\d)$/;
    const settings = Object.values(contract.configNames).filter((name) => !own.test(name));
    assert.deepEqual(Object.keys(parsed('settings').properties ?? {}), settings);
  });
});

describe('the boards', () => {
  test('are those of the lower rungs and four with a chip', () => {
    assert.deepEqual(boardNames(), [
      'adafruit-qtpy-esp32c3',
      'esp32-c3-devkitm',
      'esp32-devkitc',
      'esp32-s3-devkitc',
      'posix',
      'qemu-rv32',
    ]);
    const files = readdirSync(`${root}boards`).filter((file) => file.endsWith('.json') && !file.endsWith('.schema.json'));
    assert.equal(files.length, boardNames().length);
  });

  for (const name of boardNames()) test(`${name} is as its chip allows`, () => assert.equal(readBoard(name).name, name));

  test('is one of these, or a file', () => {
    using project = new Project();
    assert.deepEqual(
      project.faults(() => readBoard('esp32-devkit')),
      ['there is no board "esp32-devkit"; did you mean "esp32-devkitc"?'],
    );
    assert.deepEqual(
      project.faults(() => readBoard(`${project.directory}/no.json`)),
      ['no.json: cannot be read: there is no such file; write it, or name another'],
    );
  });

  const own = {
    title: 'Mine',
    chip: 'esp32',
    source: 'its schematic',
    pins: [4, 13, 16, 17, 21, 22, 32, 33, 34],
    uses: { 33: 'the buzzer' },
    i2c: { sda: 21, scl: 22 },
    onewire: 4,
    adc: [34],
  };
  const cases: [what: string, changes: Changes, ...says: string[]][] = [
    ['nothing wrong', {}],
    ['no chip', { chip: undefined }, 'chip: is missing; add it: its chip: what the pins can do follows from it'],
    [
      'a chip that is none',
      { chip: 'esp8266' },
      'chip: "esp8266" is none of its values; write "esp32", "esp32c3", "esp32s3", "linux" or "rv32"',
    ],
    ['a key that is none', { i2s: {} }, 'i2s: no such key; did you mean "i2c"?'],
    ['a pin that the chip has not', { pins: [4, 13, 21, 22, 34, 40] }, 'pins[5]: GPIO 40 is no pin of esp32; remove it'],
    ['a label of no pin', { labels: { A0: 24 } }, 'labels.A0: GPIO 24 is no pin of esp32; remove it'],
    ['a label of another form', { labels: { 'A 0': 4 } }, 'labels["A 0"]: no such key: its form is another; see the schema'],
    ['a use of no pin', { uses: { 24: 'x' } }, 'uses.24: GPIO 24 is no pin of esp32; remove it'],
    [
      '1-wire on an input',
      { onewire: 34 },
      'onewire: GPIO 34 is input-only on esp32; 1-wire needs an output. Use 4, 13, 16, 17, 21, 22 or 32.',
    ],
    [
      '1-wire where something else is',
      { onewire: 33 },
      'onewire: GPIO 33 is the buzzer on mine; 1-wire needs another pin. Use 4, 13, 16, 17, 21, 22 or 32.',
    ],
    [
      '1-wire on no pin of the board',
      { onewire: 14 },
      'onewire: GPIO 14 is not brought out on mine; 1-wire needs another pin. Use 4, 13, 16, 17, 21, 22 or 32.',
    ],
    [
      'a pin of the PSRAM',
      { psram: 'quad', onewire: 16 },
      'onewire: GPIO 16 is wired to the PSRAM on esp32; 1-wire needs another pin. Use 4, 13, 21, 22 or 32.',
    ],
    [
      'I2C on the flash',
      { 'i2c.sda': 6 },
      'i2c.sda: GPIO 6 is wired to the flash on esp32; I2C needs another pin. Use 4, 13, 16, 17, 21, 22 or 32.',
    ],
    ['I2C on one pin', { 'i2c.sda': 22 }, 'i2c.scl: GPIO 22 is i2c.sda already; I2C needs two pins'],
    ['I2C without a clock line', { 'i2c.scl': undefined }, 'i2c.scl: is missing; add it'],
    [
      'measuring where there is no ADC',
      { adc: [34, 4] },
      'adc[1]: GPIO 4 is on ADC2 of esp32, which does not measure beside Wi-Fi; an ADC channel needs ADC1. Use 32 or 34.',
    ],
    ['a LED on an input', { led: { pin: 34, kind: 'plain' } }, 'led.pin: GPIO 34 is input-only on esp32; a LED needs an output'],
    ['a LED on a strapping pin', { led: { pin: 2, kind: 'plain' } }],
    ['PSRAM that the chip has not', { psram: 'octal' }, 'psram: esp32 has no PSRAM of that kind; write "none" or "quad"'],
    ['USB that the chip has not', { console: 'usb' }, 'console: esp32 has no USB of its own; write "uart"'],
    ['simulated buses on a chip', { onewire: 'simulated' }, 'onewire: esp32 has no simulated buses; write pins'],
    [
      'pins on a lower rung',
      { chip: 'linux', pins: undefined, uses: undefined, i2c: 'simulated', onewire: 'simulated', adc: [34] },
      'adc[0]: GPIO 34 is no pin of linux; an ADC channel needs another pin. None is left.',
      'adc: linux has no pins; write "simulated"',
    ],
    [
      'a thermometer of a lower rung',
      { thermometer: 'simulated:1' },
      'thermometer: is for the lower rungs; esp32 has none to choose from; remove it',
    ],
    ['a list with a text in it', { adc: [34, 'x'] }, 'adc[1]: a text stands there; write a whole number'],
  ];
  for (const [what, changes, ...says] of cases) {
    test(`a file of one’s own: ${what}`, () => {
      using project = new Project();
      const path = project.write('mine.json', changed(own, changes));
      assert.deepEqual(
        project.faults(() => readBoard(path)),
        says.map((each) => `mine.json: ${each}`),
      );
    });
  }
});

describe('the chips', () => {
  for (const chip of Object.values(chips)) {
    test(`${chip.name} has the pins that it has something to say of`, () => {
      const named = [
        ...chip.inputOnly,
        ...Object.keys(chip.strapping).map(Number),
        ...chip.flash,
        ...chip.psram.quad,
        ...chip.psram.octal,
        ...chip.usb,
        ...chip.uart,
        ...chip.adc1,
        ...chip.adc2,
      ];
      assert.deepEqual(
        named.filter((pin) => !chip.gpio.includes(pin)),
        [],
      );
      assert.equal(new Set(chip.gpio).size, chip.gpio.length);
      assert.deepEqual(
        chip.adc1.filter((pin) => chip.adc2.includes(pin)),
        [],
      );
    });
  }
});

describe('what the ESP-IDF project knows of boards', () => {
  const files = generator.generatedBoards();

  test('is in the generated files as boards/ and assembly/ have it', () => {
    assert.deepEqual(Object.keys(files), [
      'firmware/ports/esp-idf/Kconfig.projbuild',
      'firmware/ports/esp-idf/board_pins.h',
      'firmware/ports/esp-idf/built_in.h',
      'boards/settings.schema.json',
      'host/config/limits.ts',
    ]);
    for (const [path, text] of Object.entries(files)) assert.equal(read(path), text, `${path} drifted: npm run build`);
  });

  const symbolOf = (name: string) => `TWOBYTE_BOARD_${name.toUpperCase().replaceAll('-', '_')}`;

  test('Kconfig: each board once, for its target, and one usual board for each target', () => {
    const text = read('firmware/ports/esp-idf/Kconfig.projbuild');
    const entries = [...text.matchAll(/ {8}config (\w+)\n {12}bool "([^"]+)"\n {12}depends on (\w+)\n/g)].map(([, ...entry]) =>
      entry.join(' '),
    );
    const boards = boardNames()
      .map(readBoard)
      .filter(({ chip }) => chip.name !== 'rv32');
    assert.deepEqual(
      entries.sort(),
      boards.map(({ name, title, chip }) => `${symbolOf(name)} ${title} IDF_TARGET_${chip.name.toUpperCase()}`).sort(),
    );
    const usual = [...text.matchAll(/default (\w+) if (\w+)/g)].map(([, symbol, target]) => `${target} ${symbol}`);
    assert.deepEqual(usual, [
      'IDF_TARGET_ESP32 TWOBYTE_BOARD_ESP32_DEVKITC',
      'IDF_TARGET_ESP32C3 TWOBYTE_BOARD_ESP32_C3_DEVKITM',
      'IDF_TARGET_ESP32S3 TWOBYTE_BOARD_ESP32_S3_DEVKITC',
      'IDF_TARGET_LINUX TWOBYTE_BOARD_POSIX',
    ]);
    assert.equal(
      text
        .match(/^ *(menu|choice|endchoice|endmenu)\b/gm)
        ?.map((word) => word.trim())
        .join(' '),
      'menu choice endchoice endmenu',
    );
  });

  const skip = spawnSync('cc', ['--version']).error ? 'no C compiler: apt-get install gcc' : false;
  const preprocessed = (define: string, extra: string) => {
    using project = new Project();
    project.write('sdkconfig.h', define);
    const source = project.write('pins.c', `#include "board_pins.h"\n${extra}`);
    const include = [`-I${project.directory}`, `-I${root}firmware/ports/esp-idf`];
    return spawnSync('cc', ['-std=c11', '-Wall', '-Wextra', '-Werror', '-fsyntax-only', ...include, source], {
      encoding: 'utf8',
      timeout: 60_000,
    });
  };

  for (const name of boardNames().filter((each) => each !== 'qemu-rv32')) {
    test(`C: ${name} has its pins`, { skip }, () => {
      const { i2c, onewire, adc, led, chip } = readBoard(name);
      const { sda, scl, hertz } = typeof i2c === 'object' ? i2c : { sda: -1, scl: -1, hertz: 100_000 };
      const pins = Array.isArray(adc) ? (adc as number[]) : [];
      const expected: [string, number][] = [
        ['TWOBYTE_I2C_SDA', sda],
        ['TWOBYTE_I2C_SCL', scl],
        ['TWOBYTE_I2C_HERTZ', hertz],
        ['TWOBYTE_ONEWIRE', typeof onewire === 'number' ? onewire : -1],
        ['TWOBYTE_ADC_COUNT', pins.length],
        ['sizeof((int[])TWOBYTE_ADC_PINS) / sizeof(int)', Math.max(pins.length, 1)],
        ['TWOBYTE_LED', led?.pin ?? -1],
        ['TWOBYTE_LED_WS2812', led?.kind === 'ws2812' ? 1 : 0],
        ['sizeof TWOBYTE_BOARD_NAME', name.length + 1],
        ['sizeof TWOBYTE_CHIP', chip.name.length + 1],
      ];
      const asserts = expected.map(([macro, value]) => `_Static_assert(${macro} == ${value}, "${macro.replaceAll('"', '')}");`);
      const { status, stderr } = preprocessed(`#define CONFIG_${symbolOf(name)} 1\n`, `${asserts.join('\n')}\n`);
      assert.equal(status, 0, stderr);
    });
  }

  test('C: without a board it says what to do', { skip }, () => {
    assert.match(preprocessed('', '').stderr, /no board is chosen: idf\.py menuconfig, Twobyte, Board/);
  });
});
