// The settings that the firmware reads (firmware/shell/settings.h), of a configuration on a board.

import { dirname, join } from 'node:path';
import type { BoardDescription, I2cPins } from './board.js';
import { type Path, pathText } from './faults.js';
import type { Quantity } from './file.js';
import { hasDrivers, moduleFile } from './modules.js';
import type { Config, Sensor } from './node.js';

/** Thermometers of a board, as firmware/shell/board.h numbers them. Its only hygrometer, the DHT22, is 0. */
const BOARD_THERMOMETER = 0;
const BOARD_DHT22 = 1;

export interface SettingsOptions {
  /** For people: … in the place of passwords, and of what came from the environment or from the file of secrets. */
  hidden?: boolean;
}

/**
 * The text of `key = value` lines. `board` may be another than the configuration's own: on a lower rung the sensors are the simulated ones, and there is
 * no Wi-Fi. Files of certificates are not in it; they are uploaded beside it.
 */
export function settingsOf(config: Config, board: BoardDescription, { hidden = false }: SettingsOptions = {}): string {
  const lines: string[] = [];
  const add = (key: string, value: string | number | undefined, ...path: Path) => {
    if (value === undefined) return;
    const isSecret = hidden && config.secret.has(pathText(path));
    lines.push(`${key} = ${isSecret ? '…' : quoted(String(value))}`);
  };
  const { broker, wifi, updates } = config;
  const { chip } = board;
  add('broker', chip.name === 'rv32' ? wireOf(config) : broker.urls.join(' '), 'broker', 'url');
  add('username', broker.username, 'broker', 'username');
  add('password', broker.password, 'broker', 'password');
  if (chip.wifi) {
    add('wifi_ssid', wifi?.ssid, 'wifi', 'ssid');
    add('wifi_password', wifi?.password, 'wifi', 'password');
    add('time_server', config.timeServer, 'timeServer');
    if (config.power !== 'on') add('power', config.power);
  }
  if (chip.name === 'linux') add('module', moduleFile(config.module), 'module');
  if (config.journal) add('journal', journalOf(config, board));
  const own = config.sensors.find(({ driver }) => driver === 'board');
  if (isLower(board)) add('thermometer', own?.source ?? board.thermometer ?? 'simulated:1');
  else if (own) add('thermometer', 'chip');
  for (const [key, value] of busesOf(config, board)) add(key, value);
  add('client_id', config.device, 'device');
  add('interval', config.interval, 'interval');
  add('qos', config.qos, 'qos');
  add('retain', config.retain ? 1 : 0, 'retain');
  if (config.sleep) add('sleep', 1, 'sleep');
  add('availability_topic', config.availability, 'availability');
  add('command_topic', config.commands, 'commands');
  add('update_topic', updates?.topic, 'updates', 'topic');
  add('public_key', updates?.publicKey, 'updates', 'publicKey');
  // A chip has partitions for new modules; a process keeps them in a file.
  if (chip.name === 'linux' && updates) add('modules', join(dirname(config.path), 'twobyte.modules'));
  for (const [key, value] of Object.entries(config.settings)) add(key, value, 'settings', key);
  let count = 0;
  for (const [index, sensor] of config.sensors.entries()) {
    for (const { quantity, topic } of sensor.readings) {
      const path: Path = ['sensors', index, quantity, 'topic'];
      if (hasDrivers(config.module))
        add(`reading_${++count}`, `${driverOf(config, board, sensor, quantity)} ${quantity} ${topic}`, ...path);
      else {
        add('topic', topic, ...path);
        add('sensor', BOARD_THERMOMETER);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

/** A value with blanks at its ends stands in quotes, and so does one that begins with a quotation mark: the board takes one from each end, and nothing else. */
function quoted(value: string): string {
  return value === '' || /^["\s]|\s$/.test(value) ? `"${value}"` : value;
}

const isLower = ({ chip }: BoardDescription): boolean => chip.gpio.length === 0;

/** The emulated board's line leads to whatever its host has at the other end; it is told the kind only. */
function wireOf({ broker }: Config): string {
  return broker.protocol === 'MQTT' ? 'mqtt+serial:' : 'mqtt-sn+serial:';
}

/** Where the journal is: on a chip and in the emulated board there is one place, and the word only says that it is wanted. */
function journalOf({ path }: Config, { chip }: BoardDescription): string {
  return chip.name === 'linux' ? join(dirname(path), 'twobyte.journal') : chip.name === 'rv32' ? 'nvram' : 'nvs';
}

function busesOf({ sensors, i2c }: Config, board: BoardDescription): [key: string, value: string][] {
  const has = (...drivers: string[]) => sensors.some(({ driver }) => drivers.includes(driver));
  const buses: [string, string][] = [];
  // A sensor of one's own may ask any bus; the others are opened where a sensor needs them.
  const bus = isLower(board) === (typeof i2c === 'string') && i2c !== undefined ? i2c : board.i2c;
  if (bus !== undefined && (i2c !== undefined || has('sht3x', 'bme280', 'own')))
    buses.push(['i2c', typeof bus === 'string' ? bus : pinsOf(bus)]);
  const wire = sensors.find(({ driver }) => driver === 'ds18b20')?.pin;
  const onewire = isLower(board) ? board.onewire : (wire ?? board.onewire);
  if (onewire !== undefined && has('ds18b20', 'own')) buses.push(['onewire', String(onewire)]);
  const adc = isLower(board) ? board.adc : analogPins(sensors, board);
  if (adc !== undefined && has('ntc', 'adc', 'own')) buses.push(['adc', typeof adc === 'string' ? adc : adc.join(' ')]);
  const dht22 = sensors.find(({ driver }) => driver === 'dht22')?.pin;
  if (dht22 !== undefined && !isLower(board)) buses.push(['dht22', String(dht22)]);
  return buses;
}

const pinsOf = ({ sda, scl, hertz }: I2cPins): string => `${sda} ${scl} ${hertz}`;

/** The pins of all that is measured, whose places are their channels; without any those of the board. */
function analogPins(sensors: readonly Sensor[], { adc }: BoardDescription): readonly number[] | undefined {
  const usual = Array.isArray(adc) ? (adc as readonly number[]) : undefined;
  const measured = sensors.filter(isAnalog);
  if (measured.length === 0) return usual;
  return measured.flatMap(({ pin }) => pin ?? usual?.[0] ?? []);
}

function driverOf({ sensors }: Config, board: BoardDescription, sensor: Sensor, quantity: Quantity): string {
  const { driver, address = 0, rom = '', resolution = 12, beta, ohms, series, supply } = sensor;
  switch (driver) {
    case 'sht3x':
    case 'bme280':
      return `${driver}:${address.toString(16)}`;
    case 'ds18b20':
      return resolution !== 12 ? `${driver}:${rom}:${resolution}` : rom ? `${driver}:${rom}` : driver;
    case 'ntc':
      return `${driver}:${channelOf(sensors, board, sensor)}:${beta}:${ohms}:${series}${supply === undefined ? '' : `:${supply}`}`;
    case 'adc':
      return `${driver}:${channelOf(sensors, board, sensor)}`;
    case 'dht22':
      return `board:${quantity === 'humidity' ? 0 : BOARD_DHT22}`;
    case 'board':
      return `board:${BOARD_THERMOMETER}`;
    case 'own':
      return driver;
  }
}

/** On a chip its place among the pins that are measured; two sensors of one pin do not occur. */
function channelOf(sensors: readonly Sensor[], board: BoardDescription, sensor: Sensor): number {
  return isLower(board) ? (sensor.channel ?? 0) : sensors.filter(isAnalog).indexOf(sensor);
}

const isAnalog = ({ driver }: Sensor): boolean => driver === 'ntc' || driver === 'adc';
