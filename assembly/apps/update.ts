// New modules for the board, by MQTT or MQTT-SN: what arrives at the update topic goes to the board, and what the board answers goes to that topic
// and `/status` at QoS 1. The module knows nothing of what is in them. With `--use UPDATE=1`; without it none of this is in a module.

import { event, update_answer, update_take } from '../board';
import { equal } from '../bytes/compare';
import { bytes, uint8, uint16 } from '../bytes/cursor';
import { topicFault } from '../bytes/topic';
import { CONFIG_UPDATE_TOPIC, EVENT_CONNECTED, EVENT_MESSAGE, EVENT_UPDATE } from '../contract';
import { inbound } from '../delivery/inbound';
import { TOPIC_BYTES, UPDATE_ANSWER_BYTES } from '../limits';
import * as settings from '../settings';
import * as session from './session';

export const HAS_UPDATE: bool = isDefined(UPDATE);

const SUFFIX_BYTES: u32 = 7; // "/status"

let topicLength: u32 = 0;
let subscriptionOwed: bool = false;
/** The board may have something to say. */
let isAnswering: bool = false;
/** Bytes of an answer that found no room yet. */
let answerLength: u32 = 0;

/** The topic as SUBSCRIBE carries it: length, filter, QoS. */
function filter(): usize {
  return memory.data(TOPIC_BYTES + 3, 4);
}
/** The topic and `/status`. */
function statusTopic(): usize {
  return memory.data(TOPIC_BYTES, 4);
}
function answer(): usize {
  return memory.data(UPDATE_ANSWER_BYTES, 4);
}
function suffix(): usize {
  return memory.data<u8>([0x2f, 0x73, 0x74, 0x61, 0x74, 0x75, 0x73]);
}

/** Reads the topic. */
export function configureUpdate(): void {
  const topic = filter() + 2;
  topicLength = settings.text(CONFIG_UPDATE_TOPIC, topic, TOPIC_BYTES - SUFFIX_BYTES);
  if (topicLength == 0) return;
  settings.refuse(CONFIG_UPDATE_TOPIC, topicFault(topic, topicLength, false));
  bytes(bytes(statusTopic(), topic, topicLength), suffix(), SUFFIX_BYTES);
}

/** Whether the topic is to be listened to. */
export function listensForUpdates(): bool {
  return topicLength != 0;
}

/** What happened to the session, before it is told: a new connection, `anew` when the other side knows of no subscription; or a message. */
export function hearOfUpdates(happened: i32, anew: bool): void {
  if (topicLength == 0) return;
  if (happened == EVENT_CONNECTED) {
    isAnswering = true;
    if (anew) subscriptionOwed = true;
  } else if (happened == EVENT_MESSAGE && inbound.offset == 0 && isUpdate() && update_take(inbound.payload, inbound.payloadLength) >= 0) {
    isAnswering = true; // of a message that came in pieces, the first is too long for the board already
  }
}

function isUpdate(): bool {
  return inbound.topicLength == topicLength && equal(inbound.topic, filter() + 2, topicLength);
}

/** While there is a connection: subscribes and answers, as far as there is room. */
export function pursueUpdates(): void {
  if (subscriptionOwed) {
    uint16(filter(), topicLength);
    uint8(filter() + 2 + topicLength, 1);
    if (session.subscribe(filter(), topicLength + 3, 1) >= 0) subscriptionOwed = false;
  }
  if (isAnswering) {
    if (answerLength == 0) answerLength = max(update_answer(answer(), UPDATE_ANSWER_BYTES), 0);
    const found = answerLength;
    if (found == 0 || session.publish(statusTopic(), topicLength + SUFFIX_BYTES, answer(), found, 1, 0) >= 0) {
      isAnswering = false;
      answerLength = 0;
      if (found) event(EVENT_UPDATE, load<u8>(answer() + 1), bswap(load<u32>(answer() + 2)));
    }
  }
}

/** Whether something of that is left to do. */
export function owesUpdates(): bool {
  return subscriptionOwed || isAnswering;
}
