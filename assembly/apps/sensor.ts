// The module that is flashed: reads a thermometer each interval and publishes what it says. All its settings come from the board, so
// one module serves every board. It holds `online` at the availability topic, with the will `offline`, and takes a new interval in
// milliseconds at the command topic.

import { config_text, event, temperature, unix_time } from '../board';
import { bytes, uint8, uint16 } from '../bytes/cursor';
import { parseDecimal } from '../bytes/decimal';
import { filterMatches, topicFault } from '../bytes/topic';
import { utf8Fault } from '../bytes/utf8';
import {
  CONFIG_AVAILABILITY_TOPIC,
  CONFIG_BUFFERED_TOPIC,
  CONFIG_COMMAND_TOPIC,
  CONFIG_DIAGNOSTIC_TOPIC,
  CONFIG_INTERVAL,
  CONFIG_QOS,
  CONFIG_RETAIN,
  CONFIG_SENSOR,
  CONFIG_SLEEP,
  CONFIG_TOPIC,
  CONFIG_UNIT,
  ERROR_COMMAND,
  ERROR_CONFIG_INVALID,
  ERROR_CONFIG_MISSING,
  ERROR_OUTBOX_FULL,
  ERROR_STATE,
  EVENT_COMMAND_REFUSED,
  EVENT_CONFIG_REFUSED,
  EVENT_CONNECTED,
  EVENT_INTERVAL_CHANGED,
  EVENT_MEASURED,
  EVENT_MESSAGE,
  EVENT_NOT_QUEUED,
  EVENT_READING,
  EVENT_READING_BUFFERED,
  EVENT_READING_DROPPED,
  EVENT_READING_FAILED,
  EVENT_RESTORED,
  READING_FAILED,
} from '../contract';
import { isDown, setDown } from '../delivery/backoff';
import { hasPassed, now, remaining, setNow } from '../delivery/clock';
import { inbound } from '../delivery/inbound';
import { HAS_JOURNAL } from '../delivery/journal';
import { mark, setMark } from '../delivery/outbox';
import * as readings from '../delivery/readings';
import { eventA, eventB } from '../delivery/report';
import { setWill, setWillPayload } from '../delivery/will';
import * as measure from '../drivers/measure';
import { Sensor, valueOf } from '../drivers/sensor';
import * as sensors from '../drivers/settings';
import { READING_BYTES, TOPIC_BYTES, UNIT_BYTES } from '../limits';
import { HAS_DRIVERS } from '../scope';
import * as settings from '../settings';
import { isFlushing, pursueFlush } from './flush';
import * as session from './session';
import { configureUpdate, HAS_UPDATE, hearOfUpdates, listensForUpdates, owesUpdates, pursueUpdates } from './update';

export { abi_version, link_buffer, link_changed, link_received, link_room, memory_bytes } from './link';

/** Seconds. */
const SLEEP_MARGIN: i32 = 10;
const INTERVAL_LEAST: i32 = 100;
const INTERVAL_MOST: i32 = 86400000;

const topic = memory.data(TOPIC_BYTES, 4);
const availabilityTopic = memory.data(TOPIC_BYTES, 4);
/** The command topic as SUBSCRIBE carries it: length, filter, QoS. */
const commandFilter = memory.data(TOPIC_BYTES + 3, 4);
/** The reading as text, and right behind it the unit; with a journal it ends there. */
const reading = memory.data(READING_BYTES + UNIT_BYTES, 4);
const unit = reading + READING_BYTES;
const online = memory.data<u8>([0x6f, 0x6e, 0x6c, 0x69, 0x6e, 0x65]); // "online"
const offline = memory.data<u8>([0x6f, 0x66, 0x66, 0x6c, 0x69, 0x6e, 0x65]); // "offline"

let topicLength: u32 = 0;
let availabilityLength: u32 = 0;
let commandLength: u32 = 0;
let unitLength: u32 = 0;
let qos: i32 = 0;
let retain: u32 = 0;
let sensor: i32 = 0;
let interval: i32 = 0;
let dueAt: i32 = 0;
let stepped: bool = false;
let dropped: i32 = 0;
let sleeps: bool = false;
/** Without a journal nothing of what follows is in the module. With drivers, the number of a reading stands behind the topic. */
function bufferedTopic(): usize {
  return memory.data(HAS_DRIVERS ? TOPIC_BYTES + 2 : TOPIC_BYTES, 4);
}
function diagnosticTopic(): usize {
  return memory.data(TOPIC_BYTES, 4);
}
let bufferedLength: u32 = 0;
let diagnosticLength: u32 = 0;
/** Of the dropped readings, how many were published. */
let diagnosed: i32 = 0;
/** With drivers: which reading is published. */
let chosen: usize = 0;
/** What this connection still owes: the announcement, and the subscription of the command topic. */
let onlineOwed: bool = false;
let commandsOwed: bool = false;

/** Reads the configuration; the next step takes the first reading and opens the link. Answers 0, or below 0 an ERROR_… (also EVENT_CONFIG_REFUSED). */
export function start(): i32 {
  if (!session.isStopped()) return -ERROR_STATE;
  settings.beginReading();
  session.chooseProtocol();
  configure();
  session.start();
  if (settings.fault) event(EVENT_CONFIG_REFUSED, settings.fault, settings.refusedKey);
  else if (HAS_JOURNAL) event(EVENT_RESTORED, session.restore(), readings.restoreReadings());
  stepped = false;
  return -settings.fault;
}

function configure(): void {
  if (HAS_DRIVERS) configureSensors();
  else configureTopic();
  availabilityLength = readTopic(CONFIG_AVAILABILITY_TOPIC, availabilityTopic);
  commandLength = readTopic(CONFIG_COMMAND_TOPIC, commandFilter + 2);
  unitLength = settings.text(CONFIG_UNIT, unit, UNIT_BYTES);
  settings.refuse(CONFIG_UNIT, utf8Fault(unit, unitLength));
  if (HAS_UPDATE) configureUpdate();
  // QoS -1 and sleep are MQTT-SN's; what only sends hears no commands and has no will.
  qos = settings.number(
    CONFIG_QOS,
    0,
    session.isSn() && !availabilityLength && !commandLength && !(HAS_UPDATE && listensForUpdates()) ? -1 : 0,
    2,
  );
  sleeps = settings.number(CONFIG_SLEEP, 0, 0, session.isSn() && qos >= 0 ? 1 : 0) != 0;
  retain = settings.number(CONFIG_RETAIN, 0, 0, 1);
  interval = settings.number(CONFIG_INTERVAL, 10000, INTERVAL_LEAST, INTERVAL_MOST);
  if (!HAS_DRIVERS) sensor = settings.number(CONFIG_SENSOR, 0, 0, 255);
  else if (unitLength && sensors.areMixed()) settings.refuse(CONFIG_UNIT, ERROR_CONFIG_INVALID); // it would follow the wrong numbers, too
  if (HAS_JOURNAL) {
    readings.configureReadings(qos > 0);
    bufferedLength = readTopic(CONFIG_BUFFERED_TOPIC, bufferedTopic());
    diagnosticLength = readTopic(CONFIG_DIAGNOSTIC_TOPIC, diagnosticTopic());
  }
  setWill(availabilityTopic, availabilityLength, 1, 1); // without a topic there is none
  setWillPayload(offline, 7);
}

function configureTopic(): void {
  topicLength = readTopic(CONFIG_TOPIC, topic);
  if (topicLength == 0) settings.refuse(CONFIG_TOPIC, ERROR_CONFIG_MISSING);
}

/** The readings of the settings; without any, the board's thermometer as a module without drivers reads it. */
function configureSensors(): void {
  measure.forgetRound();
  if (sensors.readSensors() || settings.fault) return;
  configureTopic();
  sensors.addBoardsOwn(settings.number(CONFIG_SENSOR, 0, 0, 255), topic, topicLength);
}

/** Reads and checks the topic of `key` (a filter where it is the command topic). Answers its length, 0 without one. */
function readTopic(key: i32, to: usize): u32 {
  if (config_text(key, 0, 0) < 0) return 0;
  const length = settings.text(key, to, TOPIC_BYTES);
  settings.refuse(key, topicFault(to, length, key == CONFIG_COMMAND_TOPIC));
  return length;
}

/** Says `offline`, unless it sleeps, and ends the session in order; EVENT_STOPPED follows. */
export function stop(): void {
  if (session.isConnected() && availabilityLength) {
    const result = announce(offline, 7);
    if (result < 0) event(EVENT_NOT_QUEUED, -result, 0);
  }
  session.stop();
}

/** Does all that is due at `now` (ms, any origin, wraps at 2^32). Answers the ms until it must be called again without an occasion. */
export function step(time: i32): i32 {
  setNow(time);
  if (!stepped) {
    stepped = true;
    dueAt = time;
  }
  if (session.beginStep()) tellWhatHappens();
  const toReading = session.isRunning() ? work() : i32.MAX_VALUE;
  const idle = min(session.finish(), toReading);
  return HAS_JOURNAL ? pursueFlush(idle) : idle;
}

function tellWhatHappens(): void {
  for (let happened = session.poll(); happened; happened = session.poll()) {
    if (HAS_UPDATE) hearOfUpdates(happened, !(sleeps && eventA));
    if (happened == EVENT_CONNECTED && !(sleeps && eventA)) {
      onlineOwed = availabilityLength > 0;
      commandsOwed = commandLength > 0;
    } else if (happened == EVENT_MESSAGE && isCommand()) obey();
    event(happened, eventA, eventB);
  }
}

/** What a sensor does between start() and stop(). Answers the ms to its next reading. */
function work(): i32 {
  const connected = session.isConnected(); // what follows asks for much, and changes it only in the next step
  if (connected) {
    payDebts();
    if (HAS_UPDATE) pursueUpdates();
    if (HAS_JOURNAL) publishWaiting();
  }
  if (HAS_DRIVERS) takeMeasured(connected);
  if (hasPassed(dueAt)) {
    // What waits is fetched first: a gateway that was started anew and has forgotten us says so then, and commands and will are set up again.
    if (sleeps) {
      if (commandLength || availabilityLength || (HAS_UPDATE && listensForUpdates())) session.collect();
      session.wake();
    }
    if (HAS_DRIVERS) measure.beginRound();
    else takeReading(connected);
    // The schedule does not drift; readings that were slept through are not made up.
    dueAt += interval;
    if (hasPassed(dueAt)) dueAt = now + interval;
  }
  if (
    sleeps &&
    connected &&
    !onlineOwed &&
    !commandsOwed &&
    !(HAS_UPDATE && owesUpdates()) &&
    !(HAS_JOURNAL && (readings.count || isFlushing())) &&
    !(HAS_DRIVERS && measure.pending)
  )
    fallAsleep();
  return HAS_DRIVERS ? min(remaining(dueAt), measure.untilMeasured()) : remaining(dueAt);
}

/** Sleeps until the next reading. The gateway is told half as long again, so that a late reading does not make it give us up. */
function fallAsleep(): void {
  session.sleep(min((interval + (interval >> 1)) / 1000 + SLEEP_MARGIN, 0xffff));
}

/** Says `online` and listens for commands on a new connection; what finds the outbox full stays owed until there is room. */
function payDebts(): void {
  if (onlineOwed && announce(online, 6) >= 0) onlineOwed = false;
  if (!commandsOwed) return;
  uint16(commandFilter, commandLength);
  uint8(commandFilter + 2 + commandLength, 1);
  if (session.subscribe(commandFilter, commandLength + 3, 1) >= 0) commandsOwed = false;
}

function announce(text: usize, length: u32): i32 {
  return session.publish(availabilityTopic, availabilityLength, text, length, 1, 1);
}

/** What the sensors have measured since the last step. */
function takeMeasured(connected: bool): void {
  for (let found = measure.nextMeasured(); found; found = measure.nextMeasured()) {
    chosen = found;
    takeReading(connected);
  }
}

function takeReading(connected: bool): void {
  const value = HAS_DRIVERS ? valueOf(changetype<Sensor>(chosen).quantity) : temperature(sensor);
  if (value <= READING_FAILED) {
    event(EVENT_READING_FAILED, READING_FAILED - value, HAS_DRIVERS ? changetype<Sensor>(chosen).number : 0);
    return;
  }
  if (!HAS_JOURNAL) {
    const text = formatTenths(unit, value);
    tellReading(value, session.publish(topic, topicLength, text, <u32>(unit - text) + unitLength, qos, retain));
    return;
  }
  // A new reading stays behind others that wait; and without a connection it is to have its time.
  const waits = readings.count > 0 || (isDown && readings.hasBuffer());
  const result = waits ? -ERROR_OUTBOX_FULL : publishReading(value, 0, 0);
  if (HAS_DRIVERS) tellWhich(value);
  if (result != -ERROR_OUTBOX_FULL) {
    // Of several readings the whole first round is taken, before others wait with their time.
    if (!connected && !(HAS_DRIVERS && measure.pending)) setDown();
    tellReading(value, result);
  } else {
    if (readings.isFull()) event(EVENT_READING_DROPPED, ERROR_OUTBOX_FULL, ++dropped);
    if (HAS_DRIVERS) readings.chooseReading(changetype<Sensor>(chosen).number);
    if (readings.putAside(value, unix_time())) event(EVENT_READING_BUFFERED, value, readings.count);
  }
}

/** Which of several readings the next event is about. */
function tellWhich(value: i32): void {
  const number: i32 = changetype<Sensor>(chosen).number;
  if (number) event(EVENT_MEASURED, number, value);
}

function tellReading(value: i32, result: i32): void {
  if (result < 0) event(EVENT_READING_DROPPED, -result, ++dropped);
  else event(EVENT_READING, value, result);
}

/** Publishes what waits, the oldest first, as far as there is room; then how many had to be dropped. */
function publishWaiting(): void {
  while (readings.count) {
    const reading = readings.oldest();
    const value = reading.value;
    const before = mark;
    setMark(reading.serial); // the message's record tells that the reading has left
    if (HAS_DRIVERS) {
      chosen = sensors.numbered(readings.numberOf(reading));
      if (!chosen) {
        // Its setting is gone since it was measured, and with it its topic.
        readings.hasLeft();
        event(EVENT_READING_DROPPED, ERROR_CONFIG_MISSING, ++dropped);
        continue;
      }
    }
    const result = publishReading(value, reading.time, bufferedLength);
    if (result == -ERROR_OUTBOX_FULL) {
      setMark(before);
      return;
    }
    readings.hasLeft();
    if (HAS_DRIVERS) tellWhich(value);
    tellReading(value, result);
  }
  if (diagnosticLength == 0 || dropped == diagnosed) return;
  const text = formatWhole(unit, dropped);
  if (session.publish(diagnosticTopic(), diagnosticLength, text, <u32>(unit - text), max(qos, 0), 1) >= 0) diagnosed = dropped;
}

/** Publishes a reading with its unit; with a blank and `time` behind it, unless that is 0; at the topic of those that waited, unless `length` is 0. */
function publishReading(value: i32, time: u32, length: u32): i32 {
  let text = unit;
  let end = unit + unitLength;
  if (time) {
    text = formatWhole(text, time);
    store<u8>(--text, 0x20);
    text -= unitLength;
    bytes(text, unit, unitLength);
    end = unit;
  }
  text = formatTenths(text, value);
  if (HAS_DRIVERS && length) length = numberBufferedTopic(length);
  return session.publish(
    length ? bufferedTopic() : HAS_DRIVERS ? changetype<Sensor>(chosen).topic : topic,
    length ? length : HAS_DRIVERS ? changetype<Sensor>(chosen).topicLength : topicLength,
    text,
    <u32>(end - text),
    qos,
    length ? 0 : retain,
  );
}

/** Of several readings, each that waited has a topic of its own: its number is a level more. Answers the length with it. */
function numberBufferedTopic(length: u32): u32 {
  const number: u32 = changetype<Sensor>(chosen).number;
  if (!number) return length;
  uint16(bufferedTopic() + length, 0x2f30 + number);
  session.topicChanges();
  return length + 2;
}

/** Writes thousandths with one decimal, rounded half away from zero, so that they end at `p`; answers where they begin, at most 10 bytes before. */
function formatTenths(p: usize, thousandths: i32): usize {
  const tenths: u32 = <u32>(abs(thousandths) + 50) / 100;
  store<u8>(--p, 0x30 + (tenths % 10));
  store<u8>(--p, 0x2e);
  p = formatWhole(p, tenths / 10);
  if (thousandths < 0 && tenths > 0) store<u8>(--p, 0x2d); // no minus before 0.0
  return p;
}

/** Writes a whole number so that it ends at `p`; answers where it begins. */
function formatWhole(p: usize, whole: u32): usize {
  do {
    store<u8>(--p, 0x30 + (whole % 10));
    whole /= 10;
  } while (whole);
  return p;
}

/** A kept session may still hold a subscription of an earlier configuration: what it brings is not for us. */
function isCommand(): bool {
  return commandLength != 0 && filterMatches(commandFilter + 2, commandLength, inbound.topic, inbound.topicLength);
}

/** A message at the command topic: a decimal number of milliseconds, alone. A retained one counts too: it is the interval that was wished last. */
function obey(): void {
  if (inbound.offset) return; // the first piece of a larger payload was refused
  const value = parseDecimal(inbound.payload, inbound.total);
  if (value < INTERVAL_LEAST || value > INTERVAL_MOST) {
    event(EVENT_COMMAND_REFUSED, ERROR_COMMAND, inbound.total);
    return;
  }
  interval = value;
  dueAt = now + interval;
  event(EVENT_INTERVAL_CHANGED, interval, 0);
}
