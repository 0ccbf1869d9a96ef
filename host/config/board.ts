// What is on a board: boards/NAME.json, or a file of one's own.

import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Chip, type ChipName, chips, type PinPlace, type PinUse, whyNot } from './chips.js';
import { anyNumber, ConfigFault, Faults, nearest, type Path } from './faults.js';
import { type Json, JsonFault, parseJson } from './json.js';
import { boardsDirectory, checkSchema } from './schema.js';

export interface I2cPins {
  readonly sda: number;
  readonly scl: number;
  /** Clock in Hz. */
  readonly hertz: number;
  /** The connector that has the bus. */
  readonly connector?: string;
}

/** A board as its file describes it; pins are GPIO numbers. */
export interface BoardDescription extends PinPlace {
  /** Of its file, without .json. */
  readonly name: string;
  readonly title: string;
  readonly chip: Chip;
  /** Where its pins are known from. */
  readonly source: string;
  /** Flash in MB. */
  readonly flash: number;
  /** Brought out. */
  readonly pins: readonly number[];
  /** What is printed beside a pin. */
  readonly labels: Readonly<Record<string, number>>;
  /** What the board itself has connected, by pin. */
  readonly uses: Readonly<Record<number, string>>;
  readonly led?: { readonly pin: number; readonly kind: 'plain' | 'ws2812' };
  /** A text on the lower rungs: simulated, or a Linux device. */
  readonly i2c?: I2cPins | string;
  readonly onewire?: number | 'simulated';
  readonly adc?: readonly number[] | 'simulated';
  /** Of the lower rungs. */
  readonly thermometer?: string;
}

/** The file's own form, before what follows from the chip is filled in. */
interface BoardFile extends Omit<Partial<BoardDescription>, 'chip' | 'i2c'> {
  chip?: ChipName;
  i2c?: (Omit<I2cPins, 'hertz'> & { hertz?: number }) | string;
}

/** The names in boards/, in their order. */
export function boardNames(): string[] {
  return readdirSync(boardsDirectory)
    .flatMap((file) => /^(.+)(?<!\.schema)\.json$/.exec(file)?.[1] ?? [])
    .sort();
}

/** Whether a board is given by the path of its file, and not by a name of boards/. */
export function isBoardPath(nameOrPath: string): boolean {
  return /[/\\]|\.json$/.test(nameOrPath);
}

/** The file of a board: a name of boards/, or a path as it is. */
export function boardPath(nameOrPath: string): string {
  return isBoardPath(nameOrPath) ? nameOrPath : fileURLToPath(new URL(`${nameOrPath}.json`, boardsDirectory));
}

/** Why there is no board of that name in boards/; undefined when there is one. */
export function unknownBoard(name: string): string | undefined {
  const names = boardNames();
  if (names.includes(name)) return undefined;
  const near = nearest(name, names);
  return `there is no board "${name}"; ${near === undefined ? `write one of ${names.join(', ')}, or the path of a file of your own` : `did you mean "${near}"?`}`;
}

/** Reads a board: a name of boards/, or the path of a file. Throws a ConfigFault that says all that is wrong with it. */
export function readBoard(nameOrPath: string): BoardDescription {
  const isPath = isBoardPath(nameOrPath);
  const unknown = isPath ? undefined : unknownBoard(nameOrPath);
  if (unknown !== undefined) throw new ConfigFault([unknown]);
  const shown = isPath ? nameOrPath : `boards/${nameOrPath}.json`;
  const faults = new Faults(shown);
  const value = readJson(boardPath(nameOrPath), shown);
  checkSchema('board', value, faults);
  const board = described(basename(nameOrPath, '.json'), (value ?? {}) as unknown as BoardFile);
  if (board) checkBoard(board, faults);
  faults.throwAny();
  if (!board) throw new ConfigFault([`${shown}: is no board; see boards/board.schema.json`]);
  return board;
}

/** The JSON of a file; throws a ConfigFault that names it as `shown`, and of what is no JSON line and column. */
export function readJson(file: string, shown: string): Json {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new ConfigFault([`${shown}: is not UTF-8; save it so`]);
    throw new ConfigFault([`${shown}: cannot be read: ${reasons[code ?? ''] ?? code}`]);
  }
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonFault) throw new ConfigFault([`${shown}:${error.message}`]);
    throw error;
  }
}

/** Why a file cannot be read, and what to do. */
export const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; write it, or name another',
  EACCES: 'no permission; change its mode or owner',
  EISDIR: 'it is a directory; name a file in it',
  ENOTDIR: 'a part of its path is no directory; name another',
};

function described(name: string, file: BoardFile): BoardDescription | undefined {
  const { chip, i2c, ...rest } = file;
  if (chip === undefined) return undefined;
  return {
    title: name,
    source: '',
    flash: 4,
    psram: 'none',
    console: 'uart',
    pins: [],
    labels: {},
    uses: {},
    ...rest,
    name,
    chip: chips[chip],
    ...(i2c === undefined ? {} : { i2c: typeof i2c === 'string' ? i2c : { ...i2c, hertz: i2c.hertz ?? 100_000 } }),
  };
}

/** What a pin is for, as a sentence says it. */
export interface PinNeed {
  readonly use: PinUse;
  /** `1-wire`, `I2C`, `an NTC`. */
  readonly who: string;
}

/** Why `pin` of the board cannot be used so, with those that can; undefined when it can. `taken` have another user already. */
export function pinFault(board: BoardDescription, pin: number, { use, who }: PinNeed, taken: readonly number[] = []): string | undefined {
  const why = whyNot(board, pin, use) ?? usedByBoard(board, pin);
  if (why === undefined) return undefined;
  const needs =
    use === 'analog' && (board.chip.adc2.includes(pin) || /has no ADC/.test(why))
      ? `${who} needs ADC1`
      : /input-only/.test(why)
        ? `${who} needs an output`
        : `${who} needs another pin`;
  const good = freePins(board, use).filter((one) => !taken.includes(one));
  return `GPIO ${pin} ${why}; ${needs}. ${good.length ? `Use ${anyNumber(good)}.` : 'None is left.'}`;
}

function usedByBoard(board: BoardDescription, pin: number): string | undefined {
  const use = board.uses[pin];
  if (use !== undefined) return `is ${use} on ${board.name}`;
  return board.pins.includes(pin) ? undefined : `is not brought out on ${board.name}`;
}

/** The pins of a board that can be used so. */
export function freePins(board: BoardDescription, use: PinUse): number[] {
  return board.pins.filter((pin) => whyNot(board, pin, use) === undefined && usedByBoard(board, pin) === undefined);
}

/** What there is to know of a pin: why it is not free, and what uses it as a rule. */
export function pinNotes(board: BoardDescription, pin: number): string[] {
  const { i2c, onewire, adc } = board;
  const notes = [whyNot(board, pin, 'output'), board.uses[pin]].filter((note) => note !== undefined);
  if (typeof i2c === 'object' && pin === i2c.sda) notes.push('SDA');
  if (typeof i2c === 'object' && pin === i2c.scl) notes.push('SCL');
  if (pin === onewire) notes.push('usual for 1-wire');
  if (Array.isArray(adc) && pin === adc[0]) notes.push('usual for an NTC');
  return notes;
}

/** What a file of a board says against its chip. */
function checkBoard(board: BoardDescription, faults: Faults): void {
  const { chip, i2c, onewire, adc } = board;
  const named: [path: Path, pin: number][] = [
    ...board.pins.map((pin, index): [Path, number] => [['pins', index], pin]),
    ...Object.entries(board.labels).map(([label, pin]): [Path, number] => [['labels', label], pin]),
    ...Object.keys(board.uses).map((pin): [Path, number] => [['uses', pin], Number(pin)]),
  ];
  for (const [path, pin] of named)
    if (typeof pin === 'number' && !chip.gpio.includes(pin)) faults.add(path, `GPIO ${pin} is no pin of ${chip.name}; remove it`);
  if (board.psram !== 'none' && chip.psram[board.psram].length === 0)
    faults.add(
      ['psram'],
      `${chip.name} has no PSRAM of that kind; write "none"${chip.psram.octal.length ? ' or "octal"' : chip.psram.quad.length ? ' or "quad"' : ''}`,
    );
  if (board.console === 'usb' && chip.usb.length === 0) faults.add(['console'], `${chip.name} has no USB of its own; write "uart"`);
  const { led } = board;
  if (led) {
    // A LED may hang on a pin that is read at reset: whoever made the board has seen to that.
    const why = chip.strapping[led.pin] === undefined ? whyNot(board, led.pin, 'output') : undefined;
    if (why !== undefined) faults.add(['led', 'pin'], `GPIO ${led.pin} ${why}; a LED needs an output`);
  }
  const buses: [path: Path, pin: number, need: PinNeed][] = [];
  if (typeof i2c === 'object') {
    buses.push([['i2c', 'sda'], i2c.sda, { use: 'output', who: 'I2C' }], [['i2c', 'scl'], i2c.scl, { use: 'output', who: 'I2C' }]);
    if (i2c.sda === i2c.scl && i2c.sda !== undefined) faults.add(['i2c', 'scl'], `GPIO ${i2c.scl} is i2c.sda already; I2C needs two pins`);
  }
  if (typeof onewire === 'number') buses.push([['onewire'], onewire, { use: 'output', who: '1-wire' }]);
  for (const [index, pin] of Array.isArray(adc) ? adc.entries() : [])
    buses.push([['adc', index], pin, { use: 'analog', who: 'an ADC channel' }]);
  for (const [path, pin, need] of buses) {
    const fault = typeof pin === 'number' ? pinFault(board, pin, need) : undefined; // the schema has complained of what is no number
    if (fault !== undefined) faults.add(path, fault);
  }
  const simulated = chip.gpio.length === 0;
  for (const [key, value] of Object.entries({ i2c, onewire, adc })) {
    if (value === undefined || (typeof value === 'string') === simulated) continue;
    faults.add([key], simulated ? `${chip.name} has no pins; write "simulated"` : `${chip.name} has no simulated buses; write pins`);
  }
  if (board.thermometer !== undefined && !simulated)
    faults.add(['thermometer'], `is for the lower rungs; ${chip.name} has none to choose from; remove it`);
}
