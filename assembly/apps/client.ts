// The module behind the Node client: the whole of a session's API, for a host that decides what to do with it.

import { event } from '../board';
import { bytes, uint8, uint16 } from '../bytes/cursor';
import { topicFault, topicNameFault } from '../bytes/topic';
import {
  ERROR_QOS,
  ERROR_STATE,
  ERROR_TOO_LARGE,
  ERROR_TOPIC_EMPTY,
  ERROR_TOPIC_TOO_LONG,
  EVENT_CONFIG_REFUSED,
  EVENT_RESTORED,
} from '../contract';
import { setNow } from '../delivery/clock';
import { inbound as inboundRecord } from '../delivery/inbound';
import { HAS_JOURNAL } from '../delivery/journal';
import { held } from '../delivery/outbox';
import { eventA, eventB } from '../delivery/report';
import { FILTERS_BYTES, PAYLOAD_BYTES, TOPIC_BYTES } from '../limits';
import * as settings from '../settings';
import { pursueFlush } from './flush';
import * as session from './session';
import { readWill } from './will';

export { abi_version, link_buffer, link_changed, link_received, link_room, memory_bytes } from './link';

const topic = memory.data(TOPIC_BYTES + 1, 8);
const payload = memory.data(PAYLOAD_BYTES, 8);
const filters = memory.data(FILTERS_BYTES, 8);
let topicLength: u32 = 0;
let filtersLength: u32 = 0;
let filterCount: u32 = 0;

/** Reads the configuration; the next step opens the link. Answers 0, or below 0 an ERROR_… (also EVENT_CONFIG_REFUSED). */
export function start(): i32 {
  if (!session.isStopped()) return -ERROR_STATE;
  settings.beginReading();
  session.chooseProtocol();
  readWill();
  session.start();
  if (settings.fault) event(EVENT_CONFIG_REFUSED, settings.fault, settings.refusedKey);
  else if (HAS_JOURNAL) event(EVENT_RESTORED, session.restore(), 0);
  return -settings.fault;
}

/** Ends the session in order; EVENT_STOPPED follows. start() may be called again after it. */
export function stop(): void {
  session.stop();
}

/** Does all that is due at `now` (ms, any origin, wraps at 2^32). Answers the ms until it must be called again without an occasion. */
export function step(now: i32): i32 {
  setNow(now);
  if (session.beginStep()) for (let happened = session.poll(); happened; happened = session.poll()) event(happened, eventA, eventB);
  return HAS_JOURNAL ? pursueFlush(session.finish()) : session.finish();
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
  session.topicChanges();
  if (<u32>length > <u32>TOPIC_BYTES) return -ERROR_TOPIC_TOO_LONG;
  const fault = topicNameFault(topic, length);
  if (!fault) topicLength = length;
  return -fault;
}

/** Publishes `length` bytes of the payload buffer. Answers the packet identifier, 0 at QoS 0, or an ERROR_… below 0. */
export function publish(length: i32, qos: i32, retain: i32): i32 {
  if (topicLength == 0) return -ERROR_TOPIC_EMPTY;
  if (<u32>length > <u32>PAYLOAD_BYTES) return -ERROR_TOO_LARGE;
  if (qos > 2 || qos < (session.isSn() ? -1 : 0)) return -ERROR_QOS;
  return session.publish(topic, topicLength, payload, length, qos, retain ? 1 : 0);
}

/** Adds the first `length` bytes of the topic buffer to the filters of the next subscribe or unsubscribe. Answers 0 or an ERROR_… below 0. */
export function add_filter(length: i32, qos: i32): i32 {
  if (<u32>qos > 2) return -ERROR_QOS;
  if (<u32>length > <u32>TOPIC_BYTES) return -ERROR_TOPIC_TOO_LONG;
  if (filtersLength + length + 3 > <u32>FILTERS_BYTES) return -ERROR_TOO_LARGE;
  topicLength = 0; // the buffer no longer holds the topic that was set
  const fault = topicFault(topic, length, true);
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
