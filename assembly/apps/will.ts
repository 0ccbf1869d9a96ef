// The will of the client module: its texts, which the session reads at each connection.

import { config_text } from '../board';
import { bytes } from '../bytes/cursor';
import { topicNameFault } from '../bytes/topic';
import { CONFIG_WILL_PAYLOAD, CONFIG_WILL_QOS, CONFIG_WILL_RETAIN, CONFIG_WILL_TOPIC } from '../contract';
import { clearWill, setWill, setWillPayload } from '../delivery/will';
import { TOPIC_BYTES } from '../limits';
import * as settings from '../settings';

const willTopic = memory.data(TOPIC_BYTES + 1, 8);
const willPayload = memory.data(TOPIC_BYTES + 1, 8);

export function readWill(): void {
  clearWill();
  if (config_text(CONFIG_WILL_TOPIC, 0, 0) < 0) return;
  const length = settings.text(CONFIG_WILL_TOPIC, willTopic, TOPIC_BYTES);
  settings.refuse(CONFIG_WILL_TOPIC, topicNameFault(willTopic, length));
  setWill(willTopic, length, settings.number(CONFIG_WILL_QOS, 0, 0, 2), settings.number(CONFIG_WILL_RETAIN, 0, 0, 1));
  setWillPayload(willPayload, settings.text(CONFIG_WILL_PAYLOAD, willPayload, TOPIC_BYTES));
}

/** The topic of the will from the next connection on, checked; without one there is no will. */
export function replaceWillTopic(topic: usize, length: u32, qos: u32, retain: u32): void {
  if (length) setWill(willTopic, length, qos, retain);
  else clearWill();
  bytes(willTopic, topic, length);
}

/** The payload of the will from the next connection on, at most TOPIC_BYTES. */
export function replaceWillPayload(payload: usize, length: u32): void {
  setWillPayload(willPayload, length);
  bytes(willPayload, payload, length);
}
