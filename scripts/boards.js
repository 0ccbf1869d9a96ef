// Makes what the ESP-IDF project knows of boards from boards/*.json and boards/cable.conf, and what configurations may hold from assembly/contract.ts and
// assembly/limits.ts, so that each fact stands in one place.

import { readdirSync, readFileSync } from 'node:fs';
import { readConstants, writeGenerated } from './contract.js';

const root = new URL('../', import.meta.url);
/** @param {string} path */
const read = (path) => readFileSync(new URL(path, root), 'utf8');

/**
 * @typedef {{ sda: number, scl: number, hertz?: number }} I2c
 * @typedef {{ name: string, title: string, chip: string, led?: { pin: number, kind: string }, i2c?: I2c | string, onewire?: number | string, adc?: number[] | string }} Board
 */

/** The targets of the IDF, by chip. */
const targets = /** @type {Readonly<Record<string, string>>} */ ({
  esp32: 'IDF_TARGET_ESP32',
  esp32c3: 'IDF_TARGET_ESP32C3',
  esp32s3: 'IDF_TARGET_ESP32S3',
  linux: 'IDF_TARGET_LINUX',
});

/** @returns {Board[]} those that the IDF can build for; of a target, the maker's own kit comes first */
function readBoards() {
  const names = readdirSync(new URL('boards/', root)).flatMap((file) => /^(.+)(?<!\.schema)\.json$/.exec(file)?.[1] ?? []);
  const boards = names.map((name) => ({ name, .../** @type {Omit<Board, 'name'>} */ (JSON.parse(read(`boards/${name}.json`))) }));
  const rank = (/** @type {Board} */ board) =>
    `${Object.keys(targets).indexOf(board.chip)} ${board.name.startsWith('esp32') ? 0 : 1} ${board.name}`;
  return boards.filter((board) => targets[board.chip]).sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

/** @param {Board} board */
const symbol = ({ name }) => `TWOBYTE_BOARD_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;

/** @param {Board[]} boards */
function kconfig(boards) {
  const lines = ['# Made from the JSON in boards/ by scripts/boards.js; do not edit.', '', 'menu "Twobyte"', ''];
  lines.push('    choice TWOBYTE_BOARD', '        prompt "Board"');
  const chips = new Set();
  for (const board of boards) {
    if (!chips.has(board.chip)) lines.push(`        default ${symbol(board)} if ${targets[board.chip]}`);
    chips.add(board.chip);
  }
  lines.push('        help', '            Gives the pins of the buses where the settings name none, and the name that the board tells.');
  for (const board of boards) {
    lines.push('', `        config ${symbol(board)}`, `            bool "${board.title}"`, `            depends on ${targets[board.chip]}`);
  }
  lines.push('    endchoice', '', 'endmenu');
  return `${lines.join('\n')}\n`;
}

/** @param {Board} board */
function macros({ name, chip, led, i2c, onewire, adc }) {
  const bus = typeof i2c === 'object' ? i2c : { sda: -1, scl: -1 };
  const channels = Array.isArray(adc) ? adc : [];
  const number = (/** @type {unknown} */ value) => (typeof value !== 'number' ? '(-1)' : value < 0 ? `(${value})` : String(value));
  return [
    `#define TWOBYTE_BOARD_NAME "${name}"`,
    `#define TWOBYTE_CHIP "${chip}"`,
    `#define TWOBYTE_I2C_SDA ${number(bus.sda)}`,
    `#define TWOBYTE_I2C_SCL ${number(bus.scl)}`,
    `#define TWOBYTE_I2C_HERTZ ${bus.hertz ?? 100000}`,
    `#define TWOBYTE_ONEWIRE ${number(onewire)}`,
    `#define TWOBYTE_ADC_COUNT ${channels.length}`,
    `#define TWOBYTE_ADC_PINS { ${channels.length ? channels.join(', ') : '-1'} }`,
    `#define TWOBYTE_LED ${number(led?.pin)}`,
    `#define TWOBYTE_LED_WS2812 ${led?.kind === 'ws2812' ? 1 : 0}`,
  ];
}

/** @param {Board[]} boards */
function header(boards) {
  const lines = [
    '/* Made from the JSON in boards/ by scripts/boards.js; do not edit.',
    ' *',
    ' * What the board that Kconfig names has where the settings say nothing: GPIO numbers, -1 for what it has not. Channel n of the ADC is the',
    ' * nth of TWOBYTE_ADC_PINS, an initializer of TWOBYTE_ADC_COUNT numbers. TWOBYTE_SENSOR_… are the numbers that `board:N` of a reading,',
    " * and so the import temperature, ask for: the chip's own thermometer, and the DHT22 of the setting dht22. */",
    '#ifndef TWOBYTE_BOARD_PINS_H',
    '#define TWOBYTE_BOARD_PINS_H',
    '',
    '#include "sdkconfig.h"',
    '',
    '#define TWOBYTE_SENSOR_CHIP 0',
    '#define TWOBYTE_SENSOR_DHT22 1',
    '',
  ];
  for (const [index, board] of boards.entries()) lines.push(`#${index ? 'elif' : 'if'} defined(CONFIG_${symbol(board)})`, ...macros(board));
  lines.push('#else', '#error "no board is chosen: idf.py menuconfig, Twobyte, Board"', '#endif', '', '#endif');
  return `${lines.join('\n')}\n`;
}

/** The settings of boards/cable.conf as a string of C, without what is said there to people. */
function builtIn() {
  const settings = read('boards/cable.conf')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const lines = [
    '/* Made from boards/cable.conf by scripts/boards.js; do not edit.',
    ' *',
    ' * The settings of a board that was not provisioned. */',
    '#ifndef TWOBYTE_BUILT_IN_H',
    '#define TWOBYTE_BUILT_IN_H',
    '',
    ['#define TWOBYTE_BUILT_IN', ...settings.map((line) => `    "${line.replaceAll(/["\\]/g, '\\\\$&')}\\n"`)].join(' \\\n'),
    '',
    '#endif',
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * What limits.ts gives a module with `flags`.
 * @param {string} name @param {string[]} flags
 */
function limit(name, flags) {
  const [, comment = '', declared = ''] =
    new RegExp(`/\\*\\* (.*) \\*/\nexport const ${name}: i32 =\\s+([^;]+);`).exec(read('assembly/limits.ts')) ?? [];
  const choice = /^isDefined\((\w+)\)\s+\?\s+(\d+)\s+:\s+(.+)$/s;
  let rest = declared.trim();
  while (choice.test(rest)) rest = rest.replace(choice, (_, flag, yes, no) => (flags.includes(flag) ? yes : no));
  if (!/^\d+$/.test(rest)) throw new Error(`assembly/limits.ts: ${name} is no number for ${flags.join(' and ')}: '${rest}'`);
  return { name, value: Number(rest), comment: comment.replace(/ Cost: .*/, '') };
}

const nodeFlags = ['MQTT', 'MQTTSN', 'JOURNAL', 'DRIVERS'];

function limits() {
  const lines = ['// Made from assembly/limits.ts by scripts/boards.js; do not edit. They are those of the modules with drivers.', ''];
  for (const name of ['TOPIC_BYTES', 'CONNECT_BYTES', 'CLIENT_ID_BYTES', 'UNIT_BYTES']) {
    const { value, comment } = limit(name, nodeFlags);
    lines.push(`/** ${comment} */`, `export const ${name} = ${value};`);
  }
  return `${lines.join('\n')}\n`;
}

/** CONFIG_… that a configuration says in its own words, or that the board derives. */
const elsewhere =
  /^CONFIG_(CLIENT_ID|USERNAME|PASSWORD|TOPIC|QOS|RETAIN|INTERVAL|SENSOR|AVAILABILITY_TOPIC|COMMAND_TOPIC|PROTOCOL|DISCOVERY|SLEEP|JOURNAL|UPDATE_TOPIC|WILL_\w+|READING_\d)$/;

/** The range that the comment of a key states. @param {string} name @param {string} comment */
function range(name, comment) {
  if (comment.includes("0 to the module's limit")) return { minimum: 0, maximum: limit('READING_ENTRIES', nodeFlags).value };
  const [, least, most] = /: (-?\d+)(?: \([^)]*\))? to (-?\d+)\b/.exec(comment) ?? [];
  if (least !== undefined) return { minimum: Number(least), maximum: Number(most) };
  const listed = [...(/: ([^.]*)/.exec(comment)?.[1] ?? '').matchAll(/\b\d+\b/g)].map(Number);
  if (listed.length < 2) throw new Error(`assembly/contract.ts: the comment of ${name} states no range: '${comment}'`);
  return { minimum: Math.min(...listed), maximum: Math.max(...listed) };
}

/** The schema of a configuration's `settings`: the keys of the firmware that have no other name there. */
function settingsSchema() {
  const isNumber = /static bool is_number\(int key\) \{.*?\n\}/s.exec(read('firmware/shell/settings.c'))?.[0] ?? '';
  /** @type {Record<string, unknown>} */
  const properties = {};
  for (const { name, comment } of readConstants()) {
    if (!name.startsWith('CONFIG_') || elsewhere.test(name)) continue;
    const usual = /Default (-?\d+)\b/.exec(comment)?.[1];
    properties[name.slice('CONFIG_'.length).toLowerCase()] = {
      description: comment,
      ...(isNumber.includes(`case ${name}:`)
        ? { type: 'integer', ...range(name, comment), ...(usual === undefined ? {} : { default: Number(usual) }) }
        : { type: 'string' }),
    };
  }
  const schema = {
    $comment: 'Made from assembly/contract.ts by scripts/boards.js; do not edit.',
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'settings.schema.json',
    title: 'Further settings of the firmware',
    description: 'Further settings of the firmware, by the names of its own settings.',
    type: 'object',
    additionalProperties: false,
    properties,
  };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** What each generated file should hold, by its path from the repository's root. */
export function generatedBoards() {
  const boards = readBoards();
  return {
    'firmware/ports/esp-idf/Kconfig.projbuild': kconfig(boards),
    'firmware/ports/esp-idf/board_pins.h': header(boards),
    'firmware/ports/esp-idf/built_in.h': builtIn(),
    'boards/settings.schema.json': settingsSchema(),
    'host/config/limits.ts': limits(),
  };
}

export function writeBoards() {
  writeGenerated(generatedBoards());
}
