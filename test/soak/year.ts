import assert from 'node:assert/strict';
import {
  CONFIG_AVAILABILITY_TOPIC,
  CONFIG_BUFFER,
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_COMMAND_TOPIC,
  CONFIG_INTERVAL,
  CONFIG_KEEP_ALIVE,
  CONFIG_PROTOCOL,
  CONFIG_QOS,
  CONFIG_RECONNECT_MAX,
  CONFIG_RECONNECT_MIN,
  CONFIG_SLEEP,
  CONFIG_TOPIC,
  RECORD_TOPIC,
} from '../../host/contract.js';
import { SoakBroker } from './broker.js';
import { Chance, type Counts, Device, noCounts } from './device.js';
import { SoakGateway } from './gateway.js';
import { AVAILABILITY_TOPIC, COMMAND_TOPIC, drift, type Mark, marked, TOPIC } from './state.js';

export interface Sensor {
  module: string;
  protocol: 'mqtt' | 'mqttsn';
  qos: 1 | 2;
  intervalMs: number;
  sleeps?: boolean;
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** A twelfth of 365 days. */
const MONTH = (365 * DAY) / 12;
const MONTHS = 12;
/** What happens in a month is over by then. */
const LAST_DAYS = 2 * DAY;
const OUTAGES = [2 * MINUTE, 3 * MINUTE, 17 * MINUTE, HOUR, 5 * HOUR, 30 * HOUR, 2.5 * DAY];
const RESTARTS = 4;
const REFUSED_COMMANDS = 6;
/** Messages, releases, inbound identifiers and topics that a board keeps at most. */
const RECORDS_MOST = 16 + 16 + 32 + 16;
/** Where a module's clock starts: it wraps after two hours, and eight times in the year. */
const ORIGIN = 2 ** 32 - 2 * HOUR;

export function sensorDevice({ module, protocol, qos, intervalMs, sleeps = false }: Sensor, origin = 0): Device {
  const isSn = protocol === 'mqttsn';
  const device = new Device({
    module,
    origin,
    storage: module.endsWith('-journal'),
    config: new Map<number, string | number>([
      [CONFIG_PROTOCOL, isSn ? 1 : 0],
      [CONFIG_CLIENT_ID, 'board'],
      [CONFIG_TOPIC, TOPIC],
      [CONFIG_AVAILABILITY_TOPIC, AVAILABILITY_TOPIC],
      [CONFIG_COMMAND_TOPIC, COMMAND_TOPIC],
      [CONFIG_QOS, qos],
      [CONFIG_INTERVAL, intervalMs],
      [CONFIG_KEEP_ALIVE, 60],
      [CONFIG_CLEAN_SESSION, 0],
      [CONFIG_SLEEP, sleeps ? 1 : 0],
      [CONFIG_BUFFER, 0], // what the outbox cannot hold is dropped: the session is what is looked at here
    ]),
  });
  device.peer = new (isSn ? SoakGateway : SoakBroker)(device, TOPIC, COMMAND_TOPIC);
  return device;
}

/** What befalls a device in a month that begins now. All of it follows from `seed`. */
function planWeather(device: Device, seed: number, intervalMs: number): void {
  const chance = new Chance(seed);
  const begin = device.now;
  const plan = (at: number, work: () => void) => device.plan(Math.round(at), work);
  const slot = (MONTH - LAST_DAYS) / OUTAGES.length;
  OUTAGES.forEach((length, i) => {
    const from = begin + i * slot + chance.below(slot - length - DAY);
    plan(from, () => {
      device.network = false;
    });
    plan(from + length, () => {
      device.network = true;
    });
  });
  for (let i = 0; i < RESTARTS; i++) {
    const from = begin + chance.below(MONTH - LAST_DAYS);
    plan(from, () => {
      device.peerRuns = false;
      if (i % 2) device.peer.forgets();
    });
    plan(from + (5 + chance.below(85)) * SECOND, () => {
      device.peerRuns = true;
    });
  }
  for (let i = 0; i < REFUSED_COMMANDS; i++) plan(begin + chance.below(MONTH - LAST_DAYS), () => device.peer.command('often'));
  // For a day the readings are so rare that keep alive has to do its work.
  const slow = begin + chance.below(MONTH - LAST_DAYS - DAY);
  plan(slow, () => device.peer.command(String(5 * MINUTE), true));
  plan(slow + DAY, () => device.peer.command(String(intervalMs), true));
  plan(begin + MONTH - LAST_DAYS, () => device.peer.command(String(intervalMs), true));
  if (device.peer.datagrams) {
    device.loss = 5;
    const noisy = begin + chance.below(MONTH - LAST_DAYS - DAY);
    plan(noisy, () => {
      device.loss = 100;
    });
    plan(noisy + DAY, () => {
      device.loss = 5;
    });
  }
  device.chance = new Chance(~seed);
}

/** Five seconds after a reading that found all well: connected or asleep, and nothing waits on either side. */
function untilQuiet(device: Device): void {
  device.runUntil(() => device.now - device.readAt >= 0 && device.awaited.size === 0 && !device.peer.waits);
  for (;;) {
    const { readAt } = device;
    device.runUntil(() => device.readAt !== readAt);
    device.run(device.now + 5 * SECOND);
    if (device.awaited.size === 0 && !device.peer.waits && device.isConnected) return;
  }
}

/** A year of a sensor, asserted about; answers the counts of its months. */
export function soak(sensor: Sensor): Counts[] {
  const device = sensorDevice(sensor, ORIGIN);
  const hasJournal = sensor.module.endsWith('-journal');
  device.start();
  device.run(device.now + MINUTE);
  device.peer.command(String(sensor.intervalMs), true);
  untilQuiet(device);
  const [there] = device.memoryBytes;
  const first = mark(device, sensor);
  const months: Counts[] = [];
  for (let month = 0; month < MONTHS; month++) {
    const isLast = month === MONTHS - 1;
    if (isLast) assert.deepEqual(drift(first, mark(device, sensor)), [], 'the state is as it was at the beginning');
    device.counts = noCounts();
    const end = device.now + MONTH;
    planWeather(device, isLast ? 0 : month, sensor.intervalMs);
    device.run(end);
    untilQuiet(device);
    months.push(device.counts);
    assert.equal(device.memoryBytes[0], there, 'the memory does not grow');
  }
  for (const { readings, delivered, again, messageWrites, tombstoneWrites, availability } of months) {
    assert.equal(delivered, readings, 'each reading that was taken arrives');
    // Where the broker forgot the session, what it had released last may come twice.
    if (sensor.qos === 2) assert.ok(again <= RESTARTS / 2, `and once: ${again} came again`);
    const [least, most] = hasJournal ? [readings, readings + availability] : [0, 0];
    assert.ok(
      messageWrites >= least && messageWrites <= most,
      `a write for each message: ${messageWrites} for ${readings} and ${availability}`,
    );
    assert.equal(tombstoneWrites, messageWrites, 'and one when it is acknowledged');
  }
  assert.deepEqual(months.at(-1), months[0], 'the month with the weather of the first is as the first');
  assert.deepEqual(drift(first, mark(device, sensor)), [], 'the state is as it was at the beginning');
  assert.ok(device.recordsMost <= (hasJournal ? RECORDS_MOST : 0), `${device.recordsMost} records`);
  return months;
}

/**
 * Brings clock, identifiers and readings to where they are at every mark, starts the module anew and lets it use all its buffers in the same way:
 * connections, an outage that fills the outbox, commands, keep alive. What its state then is follows from its code alone, unless something drifts.
 */
export function mark(device: Device, { sleeps, intervalMs }: Sensor): Mark {
  device.stop();
  device.loss = 0;
  device.start([
    [CONFIG_INTERVAL, DAY],
    [CONFIG_SLEEP, 0],
    [CONFIG_RECONNECT_MIN, 1],
    [CONFIG_RECONNECT_MAX, 1],
  ]);
  const isSn = device.peer.datagrams;
  device.runUntil(() => device.isConnected);
  while (isSn && device.connections % 0x10000 !== CONNECTIONS) {
    device.run(device.now + SECOND);
    device.peer.expels();
    device.runUntil(() => !device.isConnected);
    device.runUntil(() => device.isConnected);
  }
  device.run(device.now + MINUTE);
  device.peer.command('100');
  device.runUntil(() => device.lastId === IDENTIFIER && device.awaited.size === 0);
  device.stop();
  device.run(device.now + ((2 ** 32 + CLOCK - (device.now % 2 ** 32)) % 2 ** 32));
  for (const key of [...device.records.keys()]) if (key >> 16 === RECORD_TOPIC) device.records.delete(key);
  device.peer.forgets();
  device.peer.renumbers();
  device.chance = new Chance(1);
  device.reading = 0;
  device.start([
    [CONFIG_INTERVAL, intervalMs],
    [CONFIG_SLEEP, sleeps ? 1 : 0],
    [CONFIG_RECONNECT_MIN, SECOND],
    [CONFIG_RECONNECT_MAX, MINUTE],
  ]);
  device.run(device.now + HOUR);
  for (let i = 0; i < RESTARTS * 2; i++) {
    device.peer.forgets();
    device.run(device.now + HOUR);
  }
  device.loss = device.peer.datagrams ? 300 : 0; // the outbox is never empty, and goes round
  device.run(device.now + 3 * HOUR);
  device.loss = 0;
  device.network = false;
  device.run(device.now + HOUR + intervalMs * 32);
  device.network = true;
  device.run(device.now + HOUR);
  device.peer.registers();
  device.peer.command(String(5 * MINUTE));
  device.run(device.now + HOUR);
  device.peer.command(String(intervalMs));
  device.run(device.now + HOUR + intervalMs * 32);
  untilQuiet(device);
  return marked(device, device.moved);
}

/** Where the clock and the packet identifiers are at a mark. */
const CLOCK = 2 ** 31 - 30 * MINUTE;
const IDENTIFIER = 1000;
/** And over MQTT-SN the number of connections, after 65,536 of which all topics are registered anew. */
const CONNECTIONS = 1000;
