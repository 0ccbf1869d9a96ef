// twobyte.config.json: what a node is, as its owner writes it.

import { dirname, resolve } from 'node:path';
import { type BoardDescription, isBoardPath, readBoard, readJson, unknownBoard } from './board.js';
import { brokerChecks, protocolOf } from './broker.js';
import { nodeChecks, topicChecks } from './checks.js';
import { ConfigFault, Faults, type Path, pathText } from './faults.js';
import { type ConfigFile, type DriverName, quantities, type SensorFile } from './file.js';
import type { Json } from './json.js';
import { isModulePath, keepsJournal, moduleChecks } from './modules.js';
import type { Config, Sensor } from './node.js';
import { publicKeyOf } from './public-key.js';
import { checkSchema, takeOut } from './schema.js';
import { type Environment, revealSecrets } from './secrets.js';
import { type Claims, sensorChecks } from './sensors.js';
import { settingsOf } from './settings.js';

/**
 * Reads the configuration at `path` and checks it against its board. Throws a ConfigFault that says all that is wrong, a sentence for each fault. `${NAME}`
 * comes from `environment` or from the file of secrets.
 */
export function readConfig(path: string, environment: Environment): Config {
  const faults = new Faults(path);
  const value = readJson(path, path);
  const { secret, missing, warnings } = revealSecrets(value, path, environment, faults);
  const literal = literalSecrets(value, secret);
  const hidden = new Set([...secret, ...literal]);
  const hides = (at: Path) => hidden.has(pathText(at));
  const isMissing = (at: Path) => missing.some((other) => pathText(other) === pathText(at));
  const wrong = checkSchema('config', value, faults, { isSecret: hides, isKnown: isMissing });
  for (const at of missing) takeOut(value, at);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) faults.throwAny();
  const file = value as unknown as ConfigFile;
  const directory = dirname(resolve(path));
  const board = boardOf(file, directory, faults);

  const gone = new Set([...wrong, ...missing].map(pathText));
  const checks = { file, board, faults, directory, hides, gone };
  brokerChecks(checks);
  nodeChecks(checks);
  topicChecks(checks);
  moduleChecks(checks);
  const claims = sensorChecks(checks);
  const publicKey = keyOf(file, directory, faults);
  faults.throwAny();
  const config: Config = {
    ...complete(file, directory, claims),
    path: resolve(path),
    warnings: [
      ...warnings,
      ...literal.map(
        (at) =>
          `${path}: ${at}: stands in the file itself; write "\${${variables[at]}}" and put the text into the environment or into the file of secrets`,
      ),
    ],
    ...(publicKey === undefined ? {} : { updates: { ...file.updates, publicKey } }),
    secret: hidden,
  };
  const bytes = board ? Buffer.byteLength(settingsOf(config, board)) : 0;
  if (bytes > SETTINGS_BYTES)
    faults.add([], `has ${bytes} bytes of settings, and a board has ${SETTINGS_BYTES}; shorten topics and predefined`);
  faults.throwAny();
  return config;
}

/** Of firmware/shell/settings.h. */
const SETTINGS_BYTES = 8192;

const variables: Readonly<Record<string, string>> = { 'wifi.password': 'WIFI_PASSWORD', 'broker.password': 'MQTT_PASSWORD' };

/** Passwords that stand in the configuration itself. */
function literalSecrets(value: Json, secret: ReadonlySet<string>): string[] {
  const at = (holder: Json | undefined, key: string) =>
    typeof holder === 'object' && holder !== null && !Array.isArray(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
  return Object.keys(variables).filter((path) => {
    const [outer = '', inner = ''] = path.split('.');
    return !secret.has(path) && at(at(value, outer), inner) !== undefined;
  });
}

function boardOf({ board }: ConfigFile, directory: string, faults: Faults): BoardDescription | undefined {
  if (board === undefined) return undefined;
  try {
    const unknown = isBoardPath(board) ? undefined : unknownBoard(board);
    if (unknown === undefined) return readBoard(isBoardPath(board) ? resolve(directory, board) : board);
    faults.add(['board'], unknown);
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    faults.addAll(error.faults);
  }
  return undefined;
}

function keyOf({ updates }: ConfigFile, directory: string, faults: Faults): string | undefined {
  if (updates?.publicKey === undefined) return undefined;
  const key = publicKeyOf(resolve(directory, updates.publicKey));
  if ('fault' in key) faults.add(['updates', 'publicKey'], key.fault);
  return 'fault' in key ? undefined : key.key;
}

/** Fills in what the file leaves out; everything that is required is there. */
function complete(file: ConfigFile, directory: string, claims: Claims): Omit<Config, 'path' | 'warnings' | 'secret' | 'updates'> {
  const { board = '', device = '', broker = {}, wifi, buses, sensors = [] } = file;
  const { url = [], authority, certificate, key, username, password } = broker;
  const urls = typeof url === 'string' ? [url] : url.filter((one) => one !== null);
  const protocol = protocolOf(urls[0] ?? '');
  const module = file.module ?? (protocol === 'MQTT' ? 'node-mqtt' : 'node-mqttsn');
  const i2c = buses?.i2c;
  const files = Object.entries({ authority, certificate, key }).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, resolve(directory, path)]],
  );
  return {
    board: isBoardPath(board) ? resolve(directory, board) : board,
    device,
    ...(wifi?.ssid === undefined ? {} : { wifi: { ssid: wifi.ssid, ...(wifi.password === undefined ? {} : { password: wifi.password }) } }),
    ...(file.timeServer === undefined ? {} : { timeServer: file.timeServer }),
    broker: {
      urls,
      protocol,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(Object.fromEntries(files) as { authority?: string; certificate?: string; key?: string }),
    },
    module: isModulePath(module) ? resolve(directory, module) : module,
    sensors: sensors.flatMap((sensor, index) => (sensor ? [sensorOf(sensor, directory, claims.pins[index])] : [])),
    ...(i2c === undefined ? {} : { i2c: typeof i2c === 'string' ? i2c : (claims.i2c ?? '') }),
    interval: file.interval ?? 10_000,
    qos: file.qos ?? 1,
    retain: file.retain ?? false,
    sleep: file.sleep ?? false,
    power: file.power ?? 'on',
    journal: file.journal ?? keepsJournal(module),
    ...(file.availability === undefined ? {} : { availability: file.availability }),
    ...(file.commands === undefined ? {} : { commands: file.commands }),
    settings: file.settings ?? {},
  };
}

const defaults: Readonly<Partial<Record<DriverName, Partial<Sensor>>>> = {
  sht3x: { address: 0x44 },
  bme280: { address: 0x76 },
  ds18b20: { resolution: 12 },
  ntc: { channel: 0, beta: 3950, ohms: 10_000, series: 10_000 },
  adc: { channel: 0 },
};

function sensorOf(sensor: SensorFile, directory: string, pin: number | undefined): Sensor {
  const { driver = 'own', address, rom, resolution, channel, beta, ohms, series, supply, source } = sensor;
  const given = {
    ...(address === undefined ? {} : { address: Number(address) }),
    ...(rom === undefined ? {} : { rom: rom.toLowerCase() }),
    ...(resolution === undefined ? {} : { resolution }),
    ...(channel === undefined ? {} : { channel }),
    ...(beta === undefined ? {} : { beta }),
    ...(ohms === undefined ? {} : { ohms }),
    ...(series === undefined ? {} : { series }),
    ...(supply === undefined ? {} : { supply }),
    ...(source === undefined
      ? {}
      : { source: source.startsWith('replay:') ? `replay:${resolve(directory, source.slice('replay:'.length))}` : source }),
  };
  return {
    driver,
    ...defaults[driver],
    ...given,
    ...(pin === undefined ? {} : { pin }),
    readings: quantities.flatMap((quantity) => {
      const topic = sensor[quantity]?.topic;
      return topic === undefined ? [] : [{ quantity, topic }];
    }),
  };
}
