// Sensors against the board: buses, pins, addresses, and that no two want the same.

import { type BoardDescription, freePins, type I2cPins, type PinNeed, pinFault } from './board.js';
import { anyNumber, type Faults, type Path, pathText } from './faults.js';
import { type Checks, type ConfigFile, quantities, type SensorFile } from './file.js';
import { isModulePath } from './modules.js';
import { utf8Bytes } from './texts.js';

/** CONFIG_READING_1 to 8. */
const MOST_READINGS = 8;
/** SENSOR_TOPICS_BYTES of a module with drivers. */
export const TOPICS_BYTES = 640;
/** A DHT22 measures no more often, in ms. */
const DHT22_INTERVAL = 2000;

/** What the sensors have got. */
export interface Claims {
  /** GPIO numbers by the index of the sensor. */
  readonly pins: readonly (number | undefined)[];
  readonly i2c: I2cPins | undefined;
}

/** Checks `sensors`, `buses`, and `interval`, which a sensor may limit. */
export function sensorChecks(checks: Checks): Claims {
  const { file, faults } = checks;
  const { sensors = [] } = file;
  for (const [index, sensor] of sensors.entries()) if (sensor?.driver) oneSensor(checks, sensor, index);
  pairs(checks);
  topicsTogether(checks);
  const count = sensors.reduce((sum, sensor) => sum + quantities.filter((quantity) => sensor?.[quantity]).length, 0);
  if (count > MOST_READINGS) faults.add(['sensors'], `have ${count} readings together, and a board has ${MOST_READINGS}; leave some out`);
  const dht22 = sensors.findIndex((sensor) => sensor?.driver === 'dht22');
  if (dht22 >= 0 && file.interval !== undefined && file.interval >= 100 && file.interval < DHT22_INTERVAL)
    faults.add(['interval'], `${file.interval} is too short for sensors[${dht22}], a DHT22; write ${DHT22_INTERVAL} or more`);
  return checks.board ? new Pins(checks.board, checks).claim(file) : { pins: [], i2c: undefined };
}

/** The module keeps all topics in one place, and one unit for all quantities. */
function topicsTogether({ file, faults }: Checks): void {
  const { sensors = [], settings } = file;
  const readings = sensors.flatMap((sensor) =>
    quantities.flatMap((quantity) => (sensor?.[quantity] ? [{ quantity, topic: sensor[quantity].topic ?? '' }] : [])),
  );
  const bytes = readings.reduce((sum, { topic }) => sum + utf8Bytes(topic), 0);
  if (bytes > TOPICS_BYTES)
    faults.add(['sensors'], `have topics of ${bytes} bytes together, and the limit is ${TOPICS_BYTES}; shorten some`);
  if (settings?.unit !== undefined && new Set(readings.map(({ quantity }) => quantity)).size > 1)
    faults.add(['settings', 'unit'], 'would follow readings of several quantities; leave it out');
}

const isI2c = ({ driver }: SensorFile): boolean => driver === 'sht3x' || driver === 'bme280';

/** A sensor by itself: whether it measures anything, and whether the board and the module have it. */
function oneSensor({ file, board, faults, gone }: Checks, sensor: SensorFile, index: number): void {
  const path = ['sensors', index];
  const here = pathText(path);
  const measured = quantities.filter((quantity) => sensor[quantity]);
  if (measured.length === 0 && ![...gone].some((other) => other.startsWith(`${here}.`)))
    faults.add(path, 'measures nothing; add "temperature": { "topic": "…" }');
  if (sensor.driver === 'own') {
    if (measured.length > 1)
      faults.add(path, `has ${measured.length} readings, and a sensor of your own has one; leave out ${measured.slice(1).join(' and ')}`);
    if (!isModulePath(file.module ?? 'node-mqtt'))
      faults.add(
        [...path, 'driver'],
        'own needs a module of your own; build it, and write its path in module, build/my-node.wasm for example',
      );
  }
  if (!board) return;
  const { chip, name } = board;
  if (sensor.driver === 'board') {
    if (!chip.thermometer)
      faults.add([...path, 'driver'], `${chip.name} has no thermometer of its own; leave the sensor out, or connect another`);
    else if (chip.gpio.length && sensor.source !== undefined)
      faults.add([...path, 'source'], `${name} has one thermometer, its chip's; leave it out`);
  }
  if (isI2c(sensor) && board.i2c === undefined && file.buses?.i2c === undefined && !gone.has('buses') && !gone.has('buses.i2c'))
    faults.add([...path, 'driver'], `${name} has no I2C bus; add "buses": { "i2c": { "sda": …, "scl": … } }`);
  if (sensor.driver === 'dht22' && chip.gpio.length === 0)
    faults.add([...path, 'driver'], `${name} has no pin for a DHT22; leave the sensor out`);
  if (sensor.channel !== undefined && chip.gpio.length)
    faults.add([...path, 'channel'], `is for boards without pins; write "pin", ${name} has ADC at ${adcPins(board)}`);
}

const adcPins = (board: BoardDescription): string => anyNumber(freePins(board, 'analog'));

/** Sensors that cannot be told apart, or of which a board has only one. */
function pairs({ file, faults }: Checks): void {
  const { sensors = [] } = file;
  const seen = new Map<string, number>();
  const wires = sensors.filter((sensor) => sensor?.driver === 'ds18b20').length;
  sensors.forEach((sensor, index) => {
    if (!sensor?.driver) return;
    const { driver, rom } = sensor;
    const address = sensor.address ?? (driver === 'sht3x' ? '0x44' : '0x76');
    const [identity, key, what] = isI2c(sensor)
      ? [address, 'address', `${address} is the address of`]
      : driver === 'ds18b20'
        ? [rom?.toLowerCase(), 'rom', 'is the ROM code of']
        : driver === 'ntc' || driver === 'adc'
          ? [undefined, '', '']
          : [
              driver,
              'driver',
              driver === 'own' ? 'a module has one sensor of your own, and that is' : `a board has one ${driver}, and that is`,
            ];
    if (rom !== undefined && crcOf(rom) !== 0)
      faults.add(
        ['sensors', index, 'rom'],
        'has a checksum, its last two digits, that does not fit; compare it with what is printed or was read',
      );
    if (driver === 'ds18b20' && rom === undefined && wires > 1)
      faults.add(['sensors', index, 'rom'], `is missing; ${wires} DS18B20 are on the wire, and their ROM codes tell them apart`);
    if (identity === undefined) return;
    const other = seen.get(identity);
    if (other === undefined) seen.set(identity, index);
    else if (key === 'driver')
      faults.add(['sensors', index, key], `${what} sensors[${other}]; put its readings together, or leave one out`);
    else faults.add(['sensors', index, key], `${what} sensors[${other}] already; each has its own`);
  });
}

/** The CRC of Maxim over a ROM code, whose last byte it is: 0 when it fits. */
function crcOf(rom: string): number {
  return Buffer.from(rom, 'hex').reduce((sum, byte) => {
    let crc = sum ^ byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8c : crc >> 1;
    return crc;
  }, 0);
}

const needs: Readonly<Partial<Record<string, PinNeed>>> = {
  ds18b20: { use: 'output', who: '1-wire' },
  ntc: { use: 'analog', who: 'an NTC' },
  adc: { use: 'analog', who: 'an ADC channel' },
  dht22: { use: 'output', who: 'a DHT22' },
};

/** Gives out the pins of a board, each to one user. */
class Pins {
  readonly #board: BoardDescription;
  readonly #faults: Faults;
  readonly #hides: Checks['hides'];
  readonly #users = new Map<number, string>();

  constructor(board: BoardDescription, { faults, hides }: Checks) {
    this.#board = board;
    this.#faults = faults;
    this.#hides = hides;
  }

  claim(file: ConfigFile): Claims {
    const { sensors = [] } = file;
    const i2c = this.#i2c(file);
    let wire: { pin: number; path: Path } | undefined;
    const pins = sensors.map((sensor, index) => {
      const need = needs[sensor?.driver ?? ''];
      if (!sensor || !need) return undefined;
      const path: Path = ['sensors', index, 'pin'];
      const pin = this.#pinOf(sensor, need, path);
      if (pin === undefined) return undefined;
      if (sensor.driver === 'ds18b20' && wire) {
        if (pin !== wire.pin)
          this.#faults.add(
            path,
            `GPIO ${pin} would be a second wire; all DS18B20 are on one, at GPIO ${wire.pin} as ${pathText(wire.path)}`,
          );
        return wire.pin;
      }
      if (sensor.driver === 'ds18b20') wire = { pin, path };
      this.#take(pin, need, path, pathText(path));
      return pin;
    });
    return { pins, i2c };
  }

  /** The pins of I2C, where a sensor or the configuration wants it. */
  #i2c({ sensors = [], buses }: ConfigFile): I2cPins | undefined {
    const { name, chip, i2c: usual } = this.#board;
    const given = buses?.i2c;
    const path: Path = ['buses', 'i2c'];
    if (given === undefined) {
      if (typeof usual !== 'object' || !sensors.some((sensor) => sensor && isI2c(sensor))) return undefined;
      this.#users.set(usual.sda, `SDA of I2C on ${name}`).set(usual.scl, `SCL of I2C on ${name}`);
      return usual;
    }
    if (typeof given === 'string') {
      if (chip.gpio.length) this.#faults.add(path, `${name} has I2C at pins; write { "sda": …, "scl": … }`);
      return undefined;
    }
    if (chip.gpio.length === 0) {
      this.#faults.add(path, `${name} has no pins; write "simulated", or a device of Linux, "/dev/i2c-1"`);
      return undefined;
    }
    const need: PinNeed = { use: 'output', who: 'I2C' };
    const [sda, scl] = (['sda', 'scl'] as const).map((key) => {
      const pin = this.#number(given[key], [...path, key]);
      if (pin !== undefined) this.#take(pin, need, [...path, key], pathText([...path, key]));
      return pin;
    });
    return sda === undefined || scl === undefined ? undefined : { sda, scl, hertz: given.hertz ?? 100_000 };
  }

  /** The pin that a sensor names, or the board's usual one. */
  #pinOf({ driver, pin }: SensorFile, need: PinNeed, path: Path): number | undefined {
    const { name, chip, onewire, adc } = this.#board;
    if (chip.gpio.length === 0) {
      if (pin !== undefined && driver !== 'dht22') this.#faults.add(path, `${name} has no pins; leave it out`);
      return undefined;
    }
    if (pin !== undefined) return this.#number(pin, path);
    const usual = driver === 'ds18b20' ? onewire : need.use === 'analog' && Array.isArray(adc) ? adc[0] : undefined;
    if (typeof usual === 'number') return usual;
    if (driver !== 'dht22') this.#faults.add(path, `is missing, and ${name} has no usual pin for ${need.who}; add it`); // the schema wants it of a DHT22
    return undefined;
  }

  #number(pin: number | string | undefined, path: Path): number | undefined {
    if (typeof pin !== 'string') return pin;
    const { name, labels } = this.#board;
    const number = Object.hasOwn(labels, pin) ? labels[pin] : undefined;
    if (number !== undefined) return number;
    const known = Object.keys(labels);
    this.#faults.add(
      path,
      `${this.#hides(path) ? 'it' : `"${pin}"`} is printed nowhere on ${name}; write a number of GPIO without quotes${known.length ? `, or one of ${known.map((label) => `"${label}"`).join(', ')}` : ''}`,
    );
    return undefined;
  }

  #take(pin: number, need: PinNeed, path: Path, user: string): void {
    const taken = [...this.#users.keys()];
    const fault = pinFault(this.#board, pin, need, taken);
    const other = this.#users.get(pin);
    if (fault !== undefined) this.#faults.add(path, fault);
    else if (other !== undefined) {
      const free = freePins(this.#board, need.use).filter((one) => !taken.includes(one));
      this.#faults.add(
        path,
        `GPIO ${pin} is ${other} already; ${need.who} needs its own. ${free.length ? `Use ${anyNumber(free)}.` : 'None is left.'}`,
      );
    } else this.#users.set(pin, user);
  }
}
