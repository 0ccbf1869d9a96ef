// The requests of the outbox, one after the other: the next is made when the one before is answered (SN 6.9), QoS 0 and -1 at once.
// What has no answer is sent again with DUP, then the gateway counts as lost; a refusal is acted on by its return code.

import { uint16 } from '../bytes/cursor';
import { topicNameFault } from '../bytes/topic';
import {
  EVENT_CONGESTED,
  EVENT_PUBLISHED,
  EVENT_REJECTED,
  EVENT_SUBSCRIBED,
  EVENT_UNKNOWN_ACKNOWLEDGEMENT,
  EVENT_UNSUBSCRIBED,
  EVENT_WILL_UPDATED,
} from '../contract';
import { isDue, now } from '../delivery/clock';
import { inbound } from '../delivery/inbound';
import * as outbox from '../delivery/outbox';
import {
  Entry,
  PUBLISH_REQUEST,
  QUEUED,
  RELEASED,
  SENT,
  SUBSCRIBE_REQUEST,
  UNSUBSCRIBE_REQUEST,
  WILL_TOPIC_REQUEST,
} from '../delivery/outbox';
import { report } from '../delivery/report';
import { IS_CLIENT } from '../scope';
import { blocked, message, send } from './datagram';
import { isReserved, returnCode, topicId } from './decode';
import { encodeAcknowledgement, encodeBytes, encodePublish, encodeRegister, encodeSubscribe, encodeWillTopic } from './encode';
import {
  ACCEPTED,
  CONGESTION,
  DUP,
  INVALID_TOPIC_ID,
  NORMAL,
  PREDEFINED,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  QOS_MINUS_1,
  QOS_SHIFT,
  REGACK,
  RETAIN_SHIFT,
  SHORT,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
  WILLMSGRESP,
  WILLMSGUPD,
  WILLTOPICRESP,
  WILLTOPICUPD,
} from './messages';
import { answerTime, congestionWait, retries } from './retry';
import { forgetId, foundId, foundType, idOf, learn } from './topics';

/** pursue() answers this when the gateway gave no answer to the last retry. */
export const LOST: i32 = -1;

/** The first request of the outbox was sent and waits for its answer. */
let waiting: bool = false;
let tries: u32 = 0;
let due: i32 = 0;
/** The message type that answers what was sent last. */
let awaited: u32 = 0;
/** Of the last REGISTER. It has ids of its own: an answer to an earlier one has another. They count down, away from those of the outbox. */
let registerId: u32 = 0;
/** How often the gateway did not know the topic id. */
let refusals: u32 = 0;
/** The gateway is congested: no request until then. */
export let held: bool = false;
let heldUntil: i32 = 0;

/** A connection begins or ends: what is unanswered is asked again. */
export function resetRequests(): void {
  outbox.rewind();
  goOn();
  held = false;
  refusals = 0;
}

/**
 * A CONNECT told the gateway the will of now. An update of it that was sent before is done with; a gateway that never answers updates would
 * else be lost again and again.
 */
export function tellWill(): void {
  const entry = outbox.nextUnsent();
  if (entry && <u32>entry.kind >= WILL_TOPIC_REQUEST && entry.stage == SENT) entry.stage = <u8>RELEASED;
}

/** The configuration was read anew: the will of the next CONNECT is another than updates made before told. */
export function forgetSent(): void {
  const entry = outbox.nextUnsent();
  if (entry && <u32>entry.kind >= WILL_TOPIC_REQUEST) entry.stage = <u8>QUEUED;
}

/** The message id of an answer of this type to the request. */
function idOfAnswer(type: u32, entry: Entry): u32 {
  if (IS_CLIENT && <u32>entry.kind >= WILL_TOPIC_REQUEST) return 0; // these have none
  return type == REGACK ? registerId : entry.id;
}

/** Whether it is a message of QoS 2 that the gateway may have. */
function isUnderWay(entry: Entry): bool {
  return (!IS_CLIENT || <u32>entry.kind == PUBLISH_REQUEST) && <u32>entry.qos == 2 && entry.stage != QUEUED;
}

/** The first request goes on: its next message is due now. */
function goOn(): void {
  waiting = false;
  tries = awaited = 0;
}

/** Whether nothing waits in the outbox. */
export function isIdle(): bool {
  return outbox.allSent();
}

/** Makes the requests that may be made now. Answers an event, 0 or LOST. */
export function pursue(): i32 {
  if (held && isDue(heldUntil)) held = false;
  if (waiting && isDue(due)) {
    if (tries == retries) return LOST;
    tries++;
    waiting = false;
  }
  while (!waiting && !held && !blocked) {
    const entry = outbox.nextUnsent();
    if (!entry) break;
    if (IS_CLIENT && <u32>entry.kind >= WILL_TOPIC_REQUEST && entry.stage == RELEASED) return settle(entry, EVENT_WILL_UPDATED, ACCEPTED);
    if (<u32>entry.kind == PUBLISH_REQUEST && entry.stage != RELEASED && !idOf(entry.body, entry.head)) {
      if (<u32>entry.qos == QOS_MINUS_1) return reject(entry, INVALID_TOPIC_ID); // without a connection nothing is registered
      if (awaited != REGACK) registerId = ((registerId + 0xfffd) % 0xffff) + 1;
      awaited = REGACK;
      if (!send(0, encodeRegister(message(), registerId, entry.body, entry.head))) break;
    } else {
      if (!send(0, encodeRequest(entry))) break;
      if (awaited == 0) {
        outbox.remove(entry); // QoS 0 and -1
        continue;
      }
      if (entry.stage == QUEUED) entry.stage = <u8>SENT;
    }
    waiting = true;
    due = now + answerTime(tries);
    isDue(due);
  }
  return 0;
}

/** Encodes what the request has to say in its present stage, and notes what answers it. */
function encodeRequest(entry: Entry): usize {
  const p = message();
  const kind: u32 = entry.kind;
  const id: u32 = entry.id;
  const body: usize = entry.body;
  const length = entry.length;
  const head: u32 = entry.head;
  const qos: u32 = entry.qos;
  let flags: u32 = publishFlags(qos, entry.retain);
  const dup: u32 = entry.stage == SENT ? DUP : 0;
  if (kind == PUBLISH_REQUEST) {
    if (entry.stage == RELEASED) {
      awaited = PUBCOMP;
      return encodeAcknowledgement(p, PUBREL, id);
    }
    awaited = qos == 1 ? PUBACK : qos == 2 ? PUBREC : 0;
    return encodePublish(p, flags | dup | foundType, foundId, awaited ? id : 0, body + head, length - head);
  }
  if (IS_CLIENT && kind >= WILL_TOPIC_REQUEST) {
    awaited = kind == WILL_TOPIC_REQUEST ? WILLTOPICRESP : WILLMSGRESP;
    return kind == WILL_TOPIC_REQUEST ? encodeWillTopic(p, WILLTOPICUPD, flags, body, length) : encodeBytes(p, WILLMSGUPD, body, length);
  }
  // Two bytes of length, the filter, its QoS.
  let filter = body + 2;
  let size = length - 3;
  flags = filterType(filter, size);
  if (flags == PREDEFINED) {
    uint16(body, foundId); // the entry knows the length too
    filter = body;
    size = 2;
  }
  if (IS_CLIENT && kind == UNSUBSCRIBE_REQUEST) {
    awaited = UNSUBACK;
    return encodeSubscribe(p, UNSUBSCRIBE, flags, id, filter, size); // it has no DUP (SN 5.4.17)
  }
  awaited = SUBACK;
  return encodeSubscribe(p, SUBSCRIBE, flags | dup | ((<u32>load<u8>(body + length - 1)) << QOS_SHIFT), id, filter, size);
}

export function publishFlags(qos: u32, retain: u32): u32 {
  return (qos << QOS_SHIFT) | (retain << RETAIN_SHIFT);
}

/** The topic id type to ask for a filter with. */
function filterType(filter: usize, length: u32): u32 {
  if (!IS_CLIENT) return NORMAL; // a sensor asks by name, whatever the name
  const known = idOf(filter, length);
  if (length == 2) return hasWildcard(filter, length) ? NORMAL : SHORT;
  return known && foundType == PREDEFINED ? PREDEFINED : NORMAL;
}

/** Whether a filter, which was checked, names no topic. */
function hasWildcard(filter: usize, length: u32): bool {
  return topicNameFault(filter, length) != 0;
}

/** The identifier that whoever made the request was told. */
function idOfRequest(entry: Entry): i32 {
  return IS_CLIENT && <u32>entry.kind == PUBLISH_REQUEST && <u32>entry.qos % 3 == 0 ? 0 : <i32>entry.id;
}

/** The first request is done with. */
function settle(entry: Entry, event: i32, detail: i32): i32 {
  const id = idOfRequest(entry);
  outbox.remove(entry);
  goOn();
  refusals = 0;
  return report(event, id, detail);
}

function reject(entry: Entry, code: u32): i32 {
  if (<u32>entry.kind == SUBSCRIBE_REQUEST) return settle(entry, EVENT_SUBSCRIBED, 128);
  return settle(entry, EVENT_REJECTED, code);
}

/** Acts on a return code above 0. */
function refused(entry: Entry, type: u32): i32 {
  if (returnCode == CONGESTION) return hold(idOfRequest(entry));
  if (IS_CLIENT && <u32>entry.kind >= WILL_TOPIC_REQUEST) return settle(entry, EVENT_WILL_UPDATED, returnCode);
  const hasId = IS_CLIENT ? type != REGACK : type == PUBACK;
  if (returnCode != INVALID_TOPIC_ID || !hasId || refusals++ == retries) return reject(entry, returnCode);
  const isFilter = IS_CLIENT && <u32>entry.kind != PUBLISH_REQUEST;
  const known = isFilter ? idOf(entry.body + 2, entry.length - 3) : idOf(entry.body, entry.head);
  if (!known || foundType == SHORT) return reject(entry, returnCode); // its name is its id
  forgetId(foundType, foundId);
  goOn();
  return 0;
}

/** Leaves the gateway alone for a while (SN 6.13: TWAIT). */
function hold(id: i32): i32 {
  goOn();
  held = true;
  heldUntil = now + congestionWait;
  return report(EVENT_CONGESTED, id, congestionWait);
}

/** An answer arrived. Answers an event or 0. */
export function answered(type: u32): i32 {
  const id = inbound.id;
  const entry = outbox.nextUnsent();
  // A PUBACK without an identifier refuses a message that has none.
  if (type == PUBACK && id == 0) {
    if (returnCode == CONGESTION) return hold(0);
    if (returnCode == INVALID_TOPIC_ID) {
      forgetId(NORMAL, topicId);
      forgetId(PREDEFINED, topicId);
    }
    return report(EVENT_REJECTED, 0, returnCode);
  }
  // A QoS 2 message may be refused. Its PUBREC counts whenever it was sent before, also while its topic is registered anew on another connection.
  const fits = type == awaited || (type == PUBREC ? entry && isUnderWay(entry) : type == PUBACK && awaited == PUBREC && returnCode != 0);
  if (!entry || !fits || id != idOfAnswer(type, entry)) {
    if (type == PUBREC) send(0, encodeAcknowledgement(message(), PUBREL, id)); // so that the gateway can end the exchange
    return report(EVENT_UNKNOWN_ACKNOWLEDGEMENT, type, id);
  }
  if (returnCode) return refused(entry, type);
  switch (type) {
    case REGACK:
      if (isReserved(topicId) || !learn(entry.body, entry.head, topicId)) return reject(entry, INVALID_TOPIC_ID);
      goOn();
      return 0;
    case PUBREC:
      if (outbox.release(entry)) goOn();
      return 0;
    case SUBACK: {
      // The id it tells is for a name: a wildcard has none, and what has an id needs no other (SN 5.4.16).
      const filter: usize = entry.body + 2;
      const length = entry.length - 3;
      if (!isReserved(topicId) && filterType(filter, length) == NORMAL && !hasWildcard(filter, length)) learn(filter, length, topicId);
      return settle(entry, EVENT_SUBSCRIBED, inbound.qos);
    }
  }
  const event = !IS_CLIENT || type < SUBACK ? EVENT_PUBLISHED : type == UNSUBACK ? EVENT_UNSUBSCRIBED : EVENT_WILL_UPDATED;
  return settle(entry, event, 0);
}
