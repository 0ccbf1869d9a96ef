// The settings reading_1 to reading_8: `DRIVER[:PARAMETERS] QUANTITY TOPIC`, blanks between, the topic to the end of the line (docs/sensors.md).

import { config_text } from '../board';
import { receiveArea } from '../bytes/buffers';
import { equal } from '../bytes/compare';
import { bytes } from '../bytes/cursor';
import { topicNameFault } from '../bytes/topic';
import { CONFIG_READING_1, ERROR_CONFIG_INVALID, ERROR_CONFIG_TOO_LONG } from '../contract';
import { READING_LINE_BYTES, SENSOR_TOPICS_BYTES, SENSORS, TOPIC_BYTES } from '../limits';
import * as settings from '../settings';
import { crcMaxim } from './crc8';
import { CODE_BYTES, FAMILY } from './ds18b20';
import { ADC, BME280, BOARD, DS18B20, NTC, SENSOR_BYTES, Sensor, SHT3X, TEMPERATURE } from './sensor';

const BLANK: u32 = 0x20;
const COLON: u32 = 0x3a;
const SUPPLY_MV: u32 = 3300;

/** Each with its length before it, in the order of the numbers in sensor.ts: sht3x bme280 ds18b20 ntc board own adc. */
function drivers(): usize {
  return memory.data<u8>([
    5, 0x73, 0x68, 0x74, 0x33, 0x78, 6, 0x62, 0x6d, 0x65, 0x32, 0x38, 0x30, 7, 0x64, 0x73, 0x31, 0x38, 0x62, 0x32, 0x30, 3, 0x6e, 0x74,
    0x63, 5, 0x62, 0x6f, 0x61, 0x72, 0x64, 3, 0x6f, 0x77, 0x6e, 3, 0x61, 0x64, 0x63, 0,
  ]);
}
/** temperature humidity pressure value. */
function quantities(): usize {
  return memory.data<u8>([
    11, 0x74, 0x65, 0x6d, 0x70, 0x65, 0x72, 0x61, 0x74, 0x75, 0x72, 0x65, 8, 0x68, 0x75, 0x6d, 0x69, 0x64, 0x69, 0x74, 0x79, 8, 0x70, 0x72,
    0x65, 0x73, 0x73, 0x75, 0x72, 0x65, 5, 0x76, 0x61, 0x6c, 0x75, 0x65, 0,
  ]);
}
/** By driver, from 1: a bit for each quantity that it measures, temperature the lowest. */
function measures(): usize {
  return memory.data<u8>([0, 3, 7, 1, 1, 3, 15, 8]);
}

function sensors(): usize {
  return memory.data(SENSORS * 48, 4);
}
function topics(): usize {
  return memory.data(SENSOR_TOPICS_BYTES, 4);
}

/** How many readings there are, and where they end. */
export let count: u32 = 0;
let topicsEnd: usize = 0;
/** Of all of them: a bit for each quantity. */
let wanted: u32 = 0;

// What is left of the setting that is being read.
let at: usize = 0;
let end: usize = 0;
/** It is not as it should be. */
let isBad: bool = false;

/** The reading at `index`, from 0. */
export function sensorAt(index: u32): Sensor {
  return changetype<Sensor>(sensors() + index * SENSOR_BYTES);
}

/** The reading of `number`, 0 without one. */
export function numbered(number: u32): usize {
  for (let index: u32 = 0; index < count; ++index) {
    const sensor = sensorAt(index);
    if (<u32>sensor.number == number) return changetype<usize>(sensor);
  }
  return 0;
}

/** Whether the readings are of more than one quantity. */
export function areMixed(): bool {
  return (wanted & (wanted - 1)) != 0;
}

/** Reads the settings. Answers how many readings there are. */
export function readSensors(): u32 {
  count = 0;
  wanted = 0;
  topicsEnd = topics();
  for (let number: u32 = 1; number <= <u32>SENSORS; ++number) readSensor(number);
  return count;
}

/** The one reading of a board without such settings: its thermometer `sensor`, at `topic`. */
export function addBoardsOwn(where: u32, topic: usize, topicLength: u32): void {
  const sensor = next(BOARD);
  sensor.quantity = <u8>TEMPERATURE;
  sensor.where = where;
  sensor.first = TEMPERATURE;
  add(sensor, 0, topic, topicLength);
}

/** Room for another reading, with nothing but its driver. */
function next(driver: u32): Sensor {
  const place = sensors() + count * SENSOR_BYTES;
  memory.fill(place, 0, SENSOR_BYTES);
  const sensor = changetype<Sensor>(place);
  sensor.driver = <u8>driver;
  return sensor;
}

function add(sensor: Sensor, number: u32, topic: usize, topicLength: u32): void {
  sensor.number = <u8>number;
  sensor.topic = topic;
  sensor.topicLength = topicLength;
  count++;
}

function readSensor(number: u32): void {
  const key = CONFIG_READING_1 - 1 + <i32>number;
  // Nothing is received while settings are read.
  const length = config_text(key, receiveArea, READING_LINE_BYTES);
  if (length < 0) return;
  at = receiveArea;
  end = at + length;
  settings.refuse(key, length > READING_LINE_BYTES ? ERROR_CONFIG_TOO_LONG : readLine(number));
}

/** Reads the setting of reading `number`. 0, or what is wrong with it, an ERROR_…. */
function readLine(number: u32): i32 {
  isBad = false;
  const sensor = next(lookUp(drivers()));
  readParameters(sensor);
  if (at < end && <u32>load<u8>(at) != BLANK) isBad = true;
  skipBlanks();
  const quantity = lookUp(quantities());
  if (quantity == 0 || !((<u32>load<u8>(measures() + sensor.driver) >> (quantity - 1)) & 1)) isBad = true;
  if (isBad) return ERROR_CONFIG_INVALID;
  sensor.quantity = <u8>quantity;
  // Thermometer and hygrometer of a board are two.
  if (<u32>sensor.driver == BOARD) sensor.first = quantity;
  wanted |= 1 << quantity;
  skipBlanks();
  const topicLength = <u32>(end - at);
  if (topicLength > <u32>TOPIC_BYTES || topicsEnd + topicLength > topics() + SENSOR_TOPICS_BYTES) return ERROR_CONFIG_TOO_LONG;
  add(sensor, number, topicsEnd, topicLength);
  const fault = topicNameFault(at, topicLength);
  topicsEnd = bytes(topicsEnd, at, topicLength);
  return fault;
}

function readParameters(sensor: Sensor): void {
  switch (<u32>sensor.driver) {
    case SHT3X:
      sensor.where = address(0x44);
      break;
    case BME280:
      sensor.where = address(0x76);
      break;
    case DS18B20:
      readCode(sensor);
      sensor.where = decimal(12, 9, 12);
      break;
    case NTC:
      sensor.where = decimal(-1, 0, 255);
      sensor.first = decimal(-1, 500, 10000);
      sensor.second = decimal(-1, 1, 10000000);
      sensor.third = decimal(-1, 1, 10000000);
      sensor.fourth = decimal(SUPPLY_MV, 1000, 5500);
      break;
    case BOARD:
    case ADC:
      sensor.where = decimal(0, 0, 255);
  }
}

/** The code of a DS18B20: 16 hexadecimal digits, or none. */
function readCode(sensor: Sensor): void {
  if (!beginField() || <u32>load<u8>(at) == COLON) return;
  const code = changetype<usize>(sensor) + offsetof<Sensor>('first');
  for (let p = code; p < code + CODE_BYTES; ++p) store<u8>(p, (hexadecimal() << 4) | hexadecimal());
  if (<u32>load<u8>(code) != FAMILY || crcMaxim(code, CODE_BYTES) != 0) isBad = true;
}

/** A 7-bit address of I2C, of two hexadecimal digits. */
function address(otherwise: u32): u32 {
  if (!beginField()) return otherwise;
  const value = (hexadecimal() << 4) | hexadecimal();
  if (value < 0x08 || value > 0x77) isBad = true;
  return value;
}

/** A decimal number from `least` to `most`; without a field `otherwise`, unless that is below 0. */
function decimal(otherwise: i32, least: u32, most: u32): u32 {
  if (!beginField()) {
    if (otherwise < 0) isBad = true;
    return otherwise;
  }
  let value: u32 = 0;
  let digits = 0;
  for (; at < end; ++at, ++digits) {
    const digit: u32 = <u32>load<u8>(at) - 0x30;
    if (digit > 9 || value > most) break;
    value = value * 10 + digit;
  }
  if (digits == 0 || value < least || value > most) isBad = true;
  return value;
}

/** Whether a colon follows; it is passed over. */
function beginField(): bool {
  if (at >= end || <u32>load<u8>(at) != COLON) return false;
  ++at;
  return true;
}

function hexadecimal(): u32 {
  const digit: u32 = at < end ? load<u8>(at) : 0;
  ++at;
  if (digit - 0x30 < 10) return digit - 0x30;
  const letter = (digit | 0x20) - 0x61;
  if (letter > 5) isBad = true;
  return letter + 10;
}

function skipBlanks(): void {
  while (at < end && <u32>load<u8>(at) == BLANK) ++at;
}

/** The number of the word that stands here, from 1; it is passed over. 0 when it is none of `words`. */
function lookUp(words: usize): u32 {
  const start = at;
  while (at < end && <u32>load<u8>(at) != BLANK && <u32>load<u8>(at) != COLON) ++at;
  const length = <u32>(at - start);
  let number: u32 = 1;
  for (let known: u32 = load<u8>(words); known; known = load<u8>(words), ++number) {
    if (known == length && equal(words + 1, start, length)) return number;
    words += known + 1;
  }
  return 0;
}
