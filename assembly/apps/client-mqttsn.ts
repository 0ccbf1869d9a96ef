// The client module of MQTT-SN: all of client.ts, and what only MQTT-SN has.

import { topicNameFault } from '../bytes/topic';
import { ERROR_QOS, ERROR_TOO_LARGE, ERROR_TOPIC_TOO_LONG } from '../contract';
import { TOPIC_BYTES } from '../limits';
import { updateWillPayload, updateWillTopic } from '../mqttsn/session';
import { payload_buffer, topic_buffer } from './client';
import * as session from './session';
import { replaceWillPayload, replaceWillTopic } from './will';

export * from './client';

/** Sleeps for `seconds`, 1 to 65535, at a time, once nothing waits in the outbox; asleep, it changes the time. Answers 0 or an ERROR_… below 0. */
export function sleep(seconds: i32): i32 {
  return session.sleep(seconds);
}

/** Ends the sleep: what was published meanwhile goes out. */
export function wake(): void {
  session.wake();
}

/** A sleeper fetches what the gateway holds for it; EVENT_AWAKE, the messages and EVENT_ASLEEP follow. */
export function collect(): void {
  session.collect();
}

/** The first `length` bytes of the topic buffer are the topic of the will; 0 deletes the will. Answers the packet identifier or an ERROR_… below 0. */
export function update_will_topic(length: i32, qos: i32, retain: i32): i32 {
  if (<u32>length > <u32>TOPIC_BYTES) return -ERROR_TOPIC_TOO_LONG;
  if (<u32>qos > 2) return -ERROR_QOS;
  const topic = topic_buffer();
  const fault = length ? topicNameFault(topic, length) : 0;
  if (fault) return -fault;
  const id = updateWillTopic(topic, length, qos, retain ? 1 : 0);
  if (id > 0) replaceWillTopic(topic, length, qos, retain ? 1 : 0);
  return id;
}

/** The first `length` bytes of the payload buffer are the payload of the will. Answers the packet identifier or an ERROR_… below 0. */
export function update_will_payload(length: i32): i32 {
  if (<u32>length > <u32>TOPIC_BYTES) return -ERROR_TOO_LARGE;
  const id = updateWillPayload(payload_buffer(), length);
  if (id > 0) replaceWillPayload(payload_buffer(), length);
  return id;
}
