import { Command } from 'commander';
import { freePins, pinNotes } from '../config/board.js';
import { type BoardDescription, boardNames, ConfigFault, readBoard, readConfig, schemaText, settingsOf } from '../config/index.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith } from './usage.js';

interface Values {
  board?: string;
  boards?: true;
  schema?: true;
}

const after = `
The configuration is checked against its board, and all that is wrong is told at once. The settings that the board would get go to stdout, with … in the
place of passwords and of what came from the environment or from the file of secrets.

Exit status: 0 nothing is wrong · 1 something is; stderr says what, where, and what to do

Example: twobyte config --board esp32-c3-devkitm
`;

export function configCommand(): Command {
  const command = discreet(new Command('config'))
    .description('Checks twobyte.config.json and prints the settings it stands for; or tells about boards.')
    .argument('[file]', 'the configuration', 'twobyte.config.json')
    .option('--board <name>', 'tell the pins of a board and what is on it; also the path of a file of your own')
    .option('--boards', 'list the boards')
    .option('--schema', 'print the JSON Schema of the configuration')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action((file: string, values: Values) => exitWith(command, async () => run(file, values)));
}

function run(file: string, { board, boards, schema }: Values): number {
  try {
    if (schema) process.stdout.write(schemaText('config'));
    else if (boards) process.stdout.write(boardNames().map(lineOf).join(''));
    else if (board !== undefined) process.stdout.write(describe(readBoard(board)));
    else {
      const config = readConfig(file, process.env);
      for (const warning of config.warnings) process.stderr.write(`twobyte config: ${warning}\n`);
      process.stdout.write(settingsOf(config, readBoard(config.board), { hidden: true }));
    }
    return EXIT_OK;
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    for (const fault of error.faults) process.stderr.write(`twobyte config: ${fault}\n`);
    return EXIT_FAILURE;
  }
}

function lineOf(name: string): string {
  const { title, chip } = readBoard(name);
  return `${name.padEnd(24)}${chip.name.padEnd(10)}${title}\n`;
}

function describe(board: BoardDescription): string {
  const { name, title, chip, flash, psram, i2c, onewire, adc, led, source } = board;
  const bus =
    typeof i2c === 'object'
      ? `SDA ${i2c.sda}, SCL ${i2c.scl}, ${i2c.hertz} Hz${i2c.connector === undefined ? '' : `, at ${i2c.connector}`}`
      : i2c;
  const facts: [string, string | undefined][] = [
    ['name', name],
    ['board', title],
    ['chip', chip.name],
    [
      'flash',
      chip.gpio.length ? `${flash} MB${psram === 'none' ? '' : `, PSRAM on ${psram === 'octal' ? 'eight' : 'four'} lines`}` : undefined,
    ],
    ['Wi-Fi', chip.wifi ? 'yes' : 'no'],
    ['brokers', chip.schemes.map((scheme) => `${scheme}://`).join(' ')],
    ['thermometer', chip.thermometer ? (board.thermometer ?? "the chip's own (driver board)") : 'none of its own'],
    ['I2C', bus ?? 'no usual pins'],
    ['1-wire', onewire === undefined ? 'no usual pin' : String(onewire)],
    ['ADC', adc === undefined ? 'no usual pins' : typeof adc === 'string' ? adc : adc.join(', ')],
    ['LED', led && `${led.pin} (${led.kind})`],
    ['source', source],
  ];
  const head = facts.flatMap(([what, text]) => (text === undefined ? [] : [`${what.padEnd(13)}${text}\n`]));
  const analog = freePins(board, 'analog');
  const output = freePins(board, 'output');
  const pins = board.pins.map((pin) => {
    const can = [...(output.includes(pin) ? ['1-wire, I2C, DHT22'] : []), ...(analog.includes(pin) ? ['NTC'] : [])].join(', ');
    const labels = Object.entries(board.labels).flatMap(([label, labelled]) => (labelled === pin ? [label] : []));
    const notes = pinNotes(board, pin);
    return `  ${`GPIO ${pin}`.padEnd(9)}${labels.join(' ').padEnd(6)}${(can || '–').padEnd(25)}${notes.join('; ')}`.trimEnd();
  });
  return [...head, ...(pins.length ? ['pins\n', `${pins.join('\n')}\n`] : [])].join('');
}
