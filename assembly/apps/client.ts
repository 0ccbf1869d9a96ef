// The module behind the Node client: the whole of a session's API, for a host that decides what to do with it.

import { config_text, event } from '../board';
import { bytes, uint8, uint16 } from '../bytes/cursor';
import { topicFilterFault, topicNameFault } from '../bytes/topic';
import {
  CONFIG_WILL_PAYLOAD,
  CONFIG_WILL_QOS,
  CONFIG_WILL_RETAIN,
  CONFIG_WILL_TOPIC,
  ERROR_CONFIG_INVALID,
  ERROR_CONFIG_TOO_LONG,
  ERROR_QOS,
  ERROR_STATE,
  ERROR_TOO_LARGE,
  ERROR_TOPIC_EMPTY,
  ERROR_TOPIC_TOO_LONG,
  EVENT_CONFIG_REFUSED,
} from '../contract';
import { setNow } from '../delivery/clock';
import { held } from '../delivery/outbox';
import { FILTERS_BYTES, PAYLOAD_BYTES, TOPIC_BYTES } from '../limits';
import { clearWill, numberInRange, refuse, refusedKey, setWill } from '../mqtt/connection';
import { inbound as inboundRecord } from '../mqtt/decode';
import * as session from '../mqtt/session';

export { abi_version, link_buffer, link_changed, link_received, link_room, memory_bytes } from './link';

const topic = memory.data(TOPIC_BYTES + 1, 8);
const payload = memory.data(PAYLOAD_BYTES, 8);
const filters = memory.data(FILTERS_BYTES, 8);
const willTopic = memory.data(TOPIC_BYTES + 1, 8);
const willPayload = memory.data(TOPIC_BYTES + 1, 8);
let topicLength: u32 = 0;
let filtersLength: u32 = 0;
let filterCount: u32 = 0;

/** Reads the configuration; the next step opens the link. Answers 0, or below 0 an ERROR_… (also EVENT_CONFIG_REFUSED). */
export function start(): i32 {
  if (!session.isStopped()) return -ERROR_STATE;
  let fault = readWill();
  if (!fault) fault = session.start();
  if (fault) event(EVENT_CONFIG_REFUSED, fault, refusedKey);
  return -fault;
}

function readWill(): i32 {
  clearWill();
  const length = config_text(CONFIG_WILL_TOPIC, willTopic, TOPIC_BYTES);
  if (length < 0) return 0;
  if (length > TOPIC_BYTES) return refuse(CONFIG_WILL_TOPIC, ERROR_CONFIG_TOO_LONG);
  const fault = topicNameFault(willTopic, length);
  if (fault) return refuse(CONFIG_WILL_TOPIC, fault);
  const payloadLength = max(config_text(CONFIG_WILL_PAYLOAD, willPayload, TOPIC_BYTES), 0);
  if (payloadLength > TOPIC_BYTES) return refuse(CONFIG_WILL_PAYLOAD, ERROR_CONFIG_TOO_LONG);
  const qos = numberInRange(CONFIG_WILL_QOS, 0, 0, 2);
  if (qos < 0) return ERROR_CONFIG_INVALID;
  const retain = numberInRange(CONFIG_WILL_RETAIN, 0, 0, 1);
  if (retain < 0) return ERROR_CONFIG_INVALID;
  setWill(willTopic, length, willPayload, payloadLength, qos, retain);
  return 0;
}

/** Ends the session in order; EVENT_STOPPED follows. start() may be called again after it. */
export function stop(): void {
  session.stop();
}

/** Does all that is due at `now` (ms, any origin, wraps at 2^32). Answers the ms until it must be called again without an occasion. */
export function step(now: i32): i32 {
  setNow(now);
  let happened: i32;
  while ((happened = session.poll())) event(happened, session.eventA, session.eventB);
  return session.finish();
}

/** Where the host writes a topic name or filter, of at most topic_limit() bytes. */
export function topic_buffer(): usize {
  return topic;
}

export function topic_limit(): i32 {
  return TOPIC_BYTES;
}

/** Where the host writes a payload, of at most payload_limit() bytes. */
export function payload_buffer(): usize {
  return payload;
}

export function payload_limit(): i32 {
  return PAYLOAD_BYTES;
}

/** The record that describes the message of EVENT_MESSAGE, valid until that event's call returns. */
export function inbound(): usize {
  return changetype<usize>(inboundRecord);
}

/** The first `length` bytes of the topic buffer are the topic of the publishes that follow. Answers 0 or an ERROR_… below 0. */
export function set_topic(length: i32): i32 {
  topicLength = 0;
  if (<u32>length > <u32>TOPIC_BYTES) return -ERROR_TOPIC_TOO_LONG;
  const fault = topicNameFault(topic, length);
  if (!fault) topicLength = length;
  return -fault;
}

/** Publishes `length` bytes of the payload buffer. Answers the packet identifier, 0 at QoS 0, or an ERROR_… below 0. */
export function publish(length: i32, qos: i32, retain: i32): i32 {
  if (topicLength == 0) return -ERROR_TOPIC_EMPTY;
  if (<u32>length > <u32>PAYLOAD_BYTES) return -ERROR_TOO_LARGE;
  if (<u32>qos > 2) return -ERROR_QOS;
  return session.publish(topic, topicLength, payload, length, qos, retain ? 1 : 0);
}

/** Adds the first `length` bytes of the topic buffer to the filters of the next subscribe or unsubscribe. Answers 0 or an ERROR_… below 0. */
export function add_filter(length: i32, qos: i32): i32 {
  if (<u32>qos > 2) return -ERROR_QOS;
  if (<u32>length > <u32>TOPIC_BYTES) return -ERROR_TOPIC_TOO_LONG;
  if (filtersLength + length + 3 > <u32>FILTERS_BYTES) return -ERROR_TOO_LARGE;
  topicLength = 0; // the buffer no longer holds the topic that was set
  const fault = topicFilterFault(topic, length);
  if (fault) return -fault;
  uint8(bytes(uint16(filters + filtersLength, length), topic, length), qos);
  filtersLength += length + 3;
  filterCount++;
  return 0;
}

/** Forgets the filters that were added. */
export function clear_filters(): void {
  filtersLength = filterCount = 0;
}

/** Subscribes to the filters that were added, and forgets them. Answers the packet identifier or an ERROR_… below 0. */
export function subscribe(): i32 {
  if (filterCount == 0) return -ERROR_STATE; // [MQTT-3.8.3-3]
  const result = session.subscribe(filters, filtersLength, filterCount);
  clear_filters();
  return result;
}

/** Unsubscribes from the filters that were added, and forgets them. Answers the packet identifier or an ERROR_… below 0. */
export function unsubscribe(): i32 {
  if (filterCount == 0) return -ERROR_STATE; // [MQTT-3.10.3-2]
  const result = session.unsubscribe(filters, filtersLength, filterCount);
  clear_filters();
  return result;
}

/** Requests in the outbox: queued and in flight. */
export function outbox_held(): i32 {
  return held();
}
