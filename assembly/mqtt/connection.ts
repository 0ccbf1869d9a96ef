// The CONNECT packet, encoded once from the board's configuration and sent again on every connection.

import { config_number, config_text } from '../board';
import { bytes, field, uint16 } from '../bytes/cursor';
import { utf8Fault } from '../bytes/utf8';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_KEEP_ALIVE,
  CONFIG_PASSWORD,
  CONFIG_USERNAME,
  CONFIG_WILL_PAYLOAD,
  ERROR_CONFIG_INVALID,
  ERROR_CONFIG_MISSING,
  ERROR_CONFIG_TOO_LONG,
} from '../contract';
import { CONNECT_BYTES } from '../limits';
import {
  CONNECT_CLEAN_SESSION,
  CONNECT_HEADER_BYTES,
  CONNECT_PASSWORD,
  CONNECT_USERNAME,
  CONNECT_WILL,
  CONNECT_WILL_RETAIN,
  connectHeader,
  FIXED_HEADER_MOST,
  prependConnect,
} from './encode';

const buffer = memory.data(CONNECT_BYTES, 8);
const body = buffer + FIXED_HEADER_MOST;
const limit = buffer + CONNECT_BYTES;
let start: usize = 0;
let end: usize = 0;
let willFlags: u32 = 0;
let willTopic: usize = 0;
let willTopicLength: u32 = 0;
let willPayload: usize = 0;
let willPayloadLength: u32 = 0;

/** Seconds; 0 turns keep alive off. */
export let keepAlive: i32 = 0;
export let cleanSession: bool = true;

/** After a refusal: the CONFIG_… of the value at fault. */
export let refusedKey: i32 = 0;

export function refuse(key: i32, error: i32): i32 {
  refusedKey = key;
  return error;
}

/** A whole number of the configuration, or -1 when it is outside `least` to `most`; refusedKey is then set. */
export function numberInRange(key: i32, otherwise: i32, least: i32, most: i32): i32 {
  const value = config_number(key, otherwise);
  if (value >= least && value <= most) return value;
  refusedKey = key;
  return -1;
}

/** The next CONNECT has no will. */
export function clearWill(): void {
  willFlags = 0;
}

/** The will of the next CONNECT; texts were checked and stay where they are until then. */
export function setWill(topic: usize, topicLength: u32, payload: usize, payloadLength: u32, qos: u32, retain: u32): void {
  willFlags = CONNECT_WILL | (qos << 3) | (retain ? CONNECT_WILL_RETAIN : 0);
  willTopic = topic;
  willTopicLength = topicLength;
  willPayload = payload;
  willPayloadLength = payloadLength;
}

/** Encodes the CONNECT. Answers 0, or an ERROR_… with refusedKey saying whose. */
export function prepareConnect(): i32 {
  keepAlive = numberInRange(CONFIG_KEEP_ALIVE, 60, 0, 65535);
  if (keepAlive < 0) return ERROR_CONFIG_INVALID;
  const clean = numberInRange(CONFIG_CLEAN_SESSION, 1, 0, 1);
  if (clean < 0) return ERROR_CONFIG_INVALID;
  cleanSession = clean != 0;
  let flags: u32 = willFlags | (clean ? CONNECT_CLEAN_SESSION : 0);

  // The payload's fields follow in this order [MQTT-3.1.3-1].
  end = body + CONNECT_HEADER_BYTES;
  let fault = appendText(CONFIG_CLIENT_ID);
  if (fault == ERROR_CONFIG_MISSING) {
    end = uint16(end, 0);
    fault = 0;
  }
  if (fault) return fault;
  // A session that is kept needs a name to be found under [MQTT-3.1.3-7].
  if (!clean && end == body + CONNECT_HEADER_BYTES + 2) return refuse(CONFIG_CLIENT_ID, ERROR_CONFIG_MISSING);
  if (willFlags) {
    if (<u32>(limit - end) < 4 + willTopicLength + willPayloadLength) return refuse(CONFIG_WILL_PAYLOAD, ERROR_CONFIG_TOO_LONG);
    end = field(field(end, willTopic, willTopicLength), willPayload, willPayloadLength);
  }
  fault = appendText(CONFIG_USERNAME);
  if (fault == ERROR_CONFIG_MISSING) {
    // No password without a user name [MQTT-3.1.2-22].
    if (config_text(CONFIG_PASSWORD, 0, 0) >= 0) return refuse(CONFIG_USERNAME, ERROR_CONFIG_MISSING);
  } else {
    if (fault) return fault;
    flags |= CONNECT_USERNAME;
    fault = appendText(CONFIG_PASSWORD);
    if (!fault) flags |= CONNECT_PASSWORD;
    else if (fault != ERROR_CONFIG_MISSING) return fault;
  }
  connectHeader(body, flags, keepAlive);
  start = prependConnect(body, <u32>(end - body));
  return 0;
}

/** Appends a text of the configuration as a field. Answers 0, ERROR_CONFIG_MISSING or another ERROR_…. */
function appendText(key: i32): i32 {
  refusedKey = key;
  const room = min(<i32>(limit - end) - 2, 65535);
  const length = config_text(key, end + 2, max(room, 0));
  if (length < 0) return ERROR_CONFIG_MISSING;
  if (length > room) return ERROR_CONFIG_TOO_LONG;
  if (key != CONFIG_PASSWORD) {
    const fault = utf8Fault(end + 2, length);
    if (fault) return fault;
  }
  end = uint16(end, length) + length;
  return 0;
}

export function connectSize(): u32 {
  return <u32>(end - start);
}

/** Copies the CONNECT to `p`; answers its end. */
export function copyConnect(p: usize): usize {
  return bytes(p, start, connectSize());
}
