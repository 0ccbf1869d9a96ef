// The MQTT 3.1.1 session: one link, one connection after another, and what must happen when. poll() answers what happened, one event
// at a time, until it answers 0; then finish() hands the link what was encoded and says how long the session may be left alone.
// Nothing waits without a deadline: a state, a reply or a byte that is late closes the link, and the outbox is sent again on the next.

import { link_close, link_open } from '../board';
import {
  CONFIG_MAX_INFLIGHT,
  ERROR_INBOX_FULL,
  ERROR_OUTBOX_FULL,
  ERROR_SESSION_PRESENT,
  ERROR_SUBACK,
  ERROR_TOO_LARGE,
  ERROR_UNEXPECTED,
  EVENT_CONNECTED,
  EVENT_DUPLICATE,
  EVENT_LINK_CLOSED,
  EVENT_MESSAGE,
  EVENT_OPENING,
  EVENT_PROTOCOL_ERROR,
  EVENT_PUBLISHED,
  EVENT_REFUSED_VERSION,
  EVENT_STOPPED,
  EVENT_SUBSCRIBED,
  EVENT_TIMEOUT,
  EVENT_UNKNOWN_ACKNOWLEDGEMENT,
  EVENT_UNSUBSCRIBED,
  LINK_CLOSED,
  LINK_OPENED,
  TIMEOUT_CONNACK,
  TIMEOUT_OPEN,
  TIMEOUT_PINGRESP,
  TIMEOUT_REPLY,
  TIMEOUT_SEND,
} from '../contract';
import * as backoff from '../delivery/backoff';
import { hasPassed, isStirred, now, remaining, restFor, restUntil, stir } from '../delivery/clock';
import { inbound } from '../delivery/inbound';
import * as inbox from '../delivery/inbox';
import { HAS_JOURNAL } from '../delivery/journal';
import * as outbox from '../delivery/outbox';
import { Entry, PUBLISH_REQUEST, QUEUED, RELEASED, SENT, SUBSCRIBE_REQUEST, UNSUBSCRIBE_REQUEST } from '../delivery/outbox';
import { report } from '../delivery/report';
import { connectTimeout, keepAlive, keepAliveMs, readTimeouts, replyTimeout } from '../delivery/timeouts';
import { TRANSMIT_BYTES } from '../limits';
import { IS_CLIENT } from '../scope';
import * as settings from '../settings';
import { cleanSession, connectSize, copyConnect, prepareConnect } from './connection';
import { NOTHING, next, resetDecoder } from './decode';
import {
  ACKNOWLEDGEMENT_BYTES,
  EMPTY_BYTES,
  encodeAcknowledgement,
  encodeEmpty,
  encodePublish,
  encodeSubscribe,
  encodeUnsubscribe,
  PUBLISH_OVERHEAD_MOST,
  publishSize,
  subscribeSize,
} from './encode';
import { CONNACK, DISCONNECT, DUP, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, UNSUBACK } from './packets';
import * as transmit from './transmit';

/** The return code of a CONNACK that says that the broker may take us later. */
const UNAVAILABLE: u32 = 3;

const STOPPED: u32 = 0;
const STARTING: u32 = 1; // the first step opens the link
const OPENING: u32 = 2;
const GREETING: u32 = 3; // CONNECT sent, CONNACK awaited
const CONNECTED: u32 = 4;
const WAITING: u32 = 5; // until the next attempt
const LEAVING: u32 = 6; // stop() was called: the next step begins to end
const ENDING: u32 = 7; // the link is to take what is left, and DISCONNECT

let state: u32 = 0; // STOPPED
/** When the state ends by itself: OPENING, GREETING, WAITING, ENDING. */
let deadline: i32 = 0;
/** Most QoS 2 messages in flight, and how many are on this connection. */
let maxInflight: i32 = 0;
let inflight: i32 = 0;
let connectedAt: i32 = 0;

let linkOpened: bool = false;
let linkClosed: i32 = 0; // REASON_…, or 0
let pinging: bool = false;
let pingDeadline: i32 = 0;
/** The acknowledgement owed for the message that was delivered last, or the DISCONNECT owed while ENDING: a packet type, or 0. */
let owed: u32 = 0;
let owedId: u32 = 0;
/** An acknowledgement is held back since then, as the storage did not take its record. On this connection nobody asks for it again. */
let heldBack: bool = false;
let heldBackAt: i32 = 0;
/** The next return code of a SUBACK to report, or -1. */
let subackIndex: i32 = -1;
/** Within a step, where `now` is the time. What is asked for between two steps is sent, and its deadline counted, by the next. */
let stepping: bool = false;

/** Reads the configuration and begins, unless it refuses something (settings.fault); the session is stopped, and its will is set. */
export function start(): void {
  readTimeouts();
  maxInflight = settings.number(CONFIG_MAX_INFLIGHT, 20, 1, 65535);
  prepareConnect();
  if (!settings.fault) state = STARTING;
}

/** Sends what was not sent yet and DISCONNECT where there is a connection, then EVENT_STOPPED follows. The outbox keeps what has no answer. */
export function stop(): void {
  if (state == STOPPED || state >= LEAVING) return;
  if (state == CONNECTED) state = LEAVING;
  else {
    resetConnection();
    state = ENDING;
  }
}

export function isConnected(): bool {
  return state == CONNECTED;
}

/** Whether packets wait for the link to take them: a message of QoS 0 is one of them until then. */
export function isSending(): bool {
  return !transmit.isEmpty();
}

export function isStopped(): bool {
  return state == STOPPED;
}

/** Between start() and stop(). */
export function isRunning(): bool {
  return state != STOPPED && state < LEAVING;
}

/**
 * Sends or queues a message; topic and payload are copied, the topic was checked with topicNameFault. Answers the packet identifier
 * (0 at QoS 0), or below 0: ERROR_TOO_LARGE, ERROR_OUTBOX_FULL.
 */
export function publish(topic: usize, topicLength: u32, payload: usize, payloadLength: u32, qos: u32, retain: u32): i32 {
  if (qos == 0 && state == CONNECTED && outbox.allSent()) {
    const p = transmit.reserve(topicLength + payloadLength + PUBLISH_OVERHEAD_MOST);
    if (p) {
      transmit.commit(encodePublish(p, retain, topic, topicLength, payload, payloadLength, 0));
      return 0;
    }
  }
  // What a sensor has to say fits (limits.ts).
  if (IS_CLIENT && publishSize(topicLength, payloadLength, qos) > <u32>TRANSMIT_BYTES) return -ERROR_TOO_LARGE;
  stir();
  const id = outbox.enqueue(PUBLISH_REQUEST, qos, retain, topicLength, topic, topicLength, payload, payloadLength);
  if (id == 0) return -ERROR_OUTBOX_FULL;
  if (stepping && state == CONNECTED) sendUnsent();
  return qos ? id : 0;
}

/** Asks for `count` checked filters, laid out as encodeSubscribe wants them and copied. Answers the packet identifier or an error below 0. */
export function subscribe(filters: usize, length: u32, count: u32): i32 {
  return request(SUBSCRIBE_REQUEST, filters, length, count);
}

/** The same for UNSUBSCRIBE. */
export function unsubscribe(filters: usize, length: u32, count: u32): i32 {
  return request(UNSUBSCRIBE_REQUEST, filters, length, count);
}

function request(kind: u32, filters: usize, length: u32, count: u32): i32 {
  if (IS_CLIENT && subscribeSize(length) > <u32>TRANSMIT_BYTES) return -ERROR_TOO_LARGE;
  stir();
  const id = outbox.enqueue(kind, 0, 0, count, filters, length, 0, 0);
  if (id == 0) return -ERROR_OUTBOX_FULL;
  if (stepping && state == CONNECTED) sendUnsent();
  return id;
}

/** The world tells what became of the link (LINK_…, and REASON_… when it closed); poll() acts on it. */
export function linkChanged(what: i32, reason: i32): void {
  if (what == LINK_OPENED) linkOpened = true;
  else if (what == LINK_CLOSED) linkClosed = reason;
}

/** Begins a step. False when poll() would find nothing to do: finish() still hands the link what was published. */
export function beginStep(): bool {
  stepping = true;
  return isStirred();
}

/** The next event (EVENT_…) with its details in report.ts, or 0. An inbound message holds still until the next call, which acknowledges it. */
export function poll(): i32 {
  stir();
  switch (state) {
    case STOPPED:
      return 0;
    case STARTING:
      return open();
    case WAITING:
      return hasPassed(deadline) ? open() : 0;
    case OPENING:
      if (!linkOpened) return linkClosed ? fail(EVENT_LINK_CLOSED, linkClosed) : timeOut(TIMEOUT_OPEN);
      greet();
      break;
    case LEAVING:
      leave();
      return 0;
    case ENDING:
      if (owed) sayGoodbye();
      if (!transmit.isEmpty() && !linkClosed && !hasPassed(deadline)) return 0;
      link_close(0);
      resetConnection();
      state = STOPPED;
      return report(EVENT_STOPPED, 0, 0);
  }
  const happened = readPackets();
  if (happened) return happened;
  if (linkClosed) return fail(EVENT_LINK_CLOSED, linkClosed);
  if (state == GREETING) {
    deadline = transmit.lastSent + connectTimeout; // a slow link may still be taking the CONNECT
    return timeOut(TIMEOUT_CONNACK);
  }
  sendUnsent();
  return checkDeadlines();
}

/** After poll() answered 0: hands the link what was encoded. Answers the milliseconds until poll() is due again without an occasion. */
export function finish(): i32 {
  stepping = false;
  transmit.settle();
  if (!isStirred() && transmit.isEmpty()) return restUntil - now;
  return timeToNext();
}

/** Milliseconds to the nearest deadline. */
function timeToNext(): i32 {
  if (state == CONNECTED) {
    let idle = transmit.stallRemaining(replyTimeout);
    idle = min(idle, replyRemaining());
    if (pinging) idle = min(idle, remaining(pingDeadline));
    else if (keepAlive && transmit.isEmpty()) idle = min(idle, remaining(transmit.lastSent + keepAliveMs));
    if (transmit.isEmpty()) return restFor(idle);
    stir();
    return idle;
  }
  if (state == STOPPED) return i32.MAX_VALUE;
  if (state == STARTING || state == LEAVING || (state == ENDING && transmit.isEmpty())) return 0;
  return remaining(deadline);
}

/** Forgets what belonged to one connection. Every request is sent again on the next. */
function resetConnection(): void {
  link_close(0);
  resetDecoder();
  transmit.resetTransmit();
  outbox.rewind();
  linkOpened = pinging = false;
  linkClosed = 0;
  saveOwed();
  if (HAS_JOURNAL) heldBack = false;
  owed = 0;
  inflight = 0;
  subackIndex = -1;
}

function open(): i32 {
  backoff.countAttempt();
  state = OPENING;
  deadline = now + connectTimeout;
  const result = link_open(0, backoff.attempts - 1);
  return result < 0 ? fail(EVENT_LINK_CLOSED, -result) : report(EVENT_OPENING, backoff.attempts, 0);
}

function greet(): void {
  state = GREETING;
  deadline = now + connectTimeout;
  transmit.resetTransmit();
  transmit.commit(copyConnect(transmit.reserve(connectSize()))); // the buffer is empty, and limits.ts makes it larger than a CONNECT
}

/** Gives this connection up and waits for the next attempt. */
function fail(event: i32, a: i32): i32 {
  if (state == CONNECTED) backoff.countLoss(now - connectedAt);
  resetConnection();
  const delay = backoff.nextDelay();
  state = WAITING;
  deadline = now + delay;
  return report(event, a, delay);
}

/** Fails with TIMEOUT_… `what` when the state's deadline has passed, else 0. */
function timeOut(what: i32): i32 {
  return hasPassed(deadline) ? fail(EVENT_TIMEOUT, what) : 0;
}

/** Milliseconds left for the answer that is waited for longest, or that is held back longest. */
function replyRemaining(): i32 {
  const waiting = outbox.longestWaiting();
  const left = waiting ? remaining(waiting.sentAt + replyTimeout) : i32.MAX_VALUE;
  return HAS_JOURNAL && heldBack ? min(left, remaining(heldBackAt + replyTimeout)) : left;
}

function checkDeadlines(): i32 {
  if (replyRemaining() == 0) return fail(EVENT_TIMEOUT, TIMEOUT_REPLY);
  if (transmit.stallRemaining(replyTimeout) == 0) return fail(EVENT_TIMEOUT, TIMEOUT_SEND);
  if (pinging) return hasPassed(pingDeadline) ? fail(EVENT_TIMEOUT, TIMEOUT_PINGRESP) : 0;
  // What waits for the link keeps the connection alive as well as a PINGREQ behind it would.
  if (keepAlive && transmit.isEmpty() && hasPassed(transmit.lastSent + keepAliveMs)) {
    transmit.commit(encodeEmpty(transmit.reserve(EMPTY_BYTES), PINGREQ));
    pinging = true;
    pingDeadline = now + min(replyTimeout, keepAliveMs);
  }
  return 0;
}

/** The message that was delivered last is not acknowledged any more; but the application has it. */
function saveOwed(): void {
  if (HAS_JOURNAL && owed == PUBREC) inbox.save(owedId);
}

/** Begins to end a connection. */
function leave(): void {
  // The application has the last message: it must not come again when the session is resumed.
  if (owed && transmit.reserve(ACKNOWLEDGEMENT_BYTES)) answerOwed();
  saveOwed();
  owed = DISCONNECT;
  state = ENDING;
  deadline = now + min(replyTimeout, connectTimeout);
  sayGoodbye();
}

/** Encodes what was asked for before stop(), then DISCONNECT, as far as the transmit buffer has room. */
function sayGoodbye(): void {
  const p = sendUnsent() ? transmit.reserve(EMPTY_BYTES) : 0;
  if (!p) return;
  transmit.commit(encodeEmpty(p, DISCONNECT));
  owed = 0;
}

/** Encodes what waits in the outbox, in order, as far as the transmit buffer has room; false when it has no more. */
function sendUnsent(): bool {
  for (let entry = outbox.nextUnsent(); entry; entry = outbox.nextUnsent()) {
    if (entry.qos == 2 && inflight >= maxInflight) return true; // what comes behind waits too: the order stays
    const p = transmit.reserve(requestSize(entry));
    if (!p) return false; // the link is busy: LINK_WRITABLE follows
    transmit.commit(encodeRequest(p, entry));
    outbox.markSent(entry, now);
    if (entry.stage == QUEUED) {
      if (entry.kind == PUBLISH_REQUEST && entry.qos == 0) outbox.remove(entry);
      else entry.stage = <u8>SENT;
    }
    if (entry.qos == 2) inflight++;
  }
  return true;
}

function requestSize(entry: Entry): u32 {
  if (entry.stage == RELEASED) return ACKNOWLEDGEMENT_BYTES;
  if (entry.kind == PUBLISH_REQUEST) return publishSize(entry.head, entry.length - entry.head, entry.qos);
  return subscribeSize(entry.length);
}

function encodeRequest(p: usize, entry: Entry): usize {
  if (entry.stage == RELEASED) return encodeAcknowledgement(p, PUBREL, entry.id);
  const body: usize = entry.body;
  const length = entry.length;
  const head: u32 = entry.head;
  if (entry.kind == SUBSCRIBE_REQUEST) return encodeSubscribe(p, entry.id, body, length);
  if (entry.kind == UNSUBSCRIBE_REQUEST) return encodeUnsubscribe(p, entry.id, body, length, head);
  const dup: u32 = entry.stage == SENT ? DUP : 0; // sent on an earlier connection [MQTT-3.3.1-1]
  const flags: u32 = dup | ((<u32>entry.qos) << 1) | entry.retain;
  return encodePublish(p, flags, body, head, body + head, length - head, entry.id);
}

/** Acts on the packets that arrived, up to the first that the application has to hear of. */
function readPackets(): i32 {
  while (true) {
    if (subackIndex >= 0) return reportGranted();
    // A packet is taken in only when there is room for its answer: a broker that does not read is not read from.
    if (!transmit.reserve(ACKNOWLEDGEMENT_BYTES)) return 0;
    if (owed) {
      answerOwed();
      continue;
    }
    const packet = next();
    if (packet == NOTHING) return 0;
    if (packet < 0) return fail(EVENT_PROTOCOL_ERROR, -packet);
    // CONNACK is the first packet and comes once [MQTT-3.2.0-1].
    if ((packet == CONNACK) != (state == GREETING)) return fail(EVENT_PROTOCOL_ERROR, ERROR_UNEXPECTED);
    const happened = act(packet);
    if (happened) return happened;
  }
}

/** Answers the message that was delivered last; there is room. */
function answerOwed(): void {
  if (owed != PUBREC || isTaken(inbox.save(owedId))) answer(owed, owedId); // before it, a power cut lets the message come again
  owed = 0;
}

/** Whether the storage took what an acknowledgement needs. The broker repeats itself on a new connection only, which therefore follows. */
function isTaken(taken: bool): bool {
  if (HAS_JOURNAL && !taken && !heldBack) {
    heldBack = true;
    heldBackAt = now;
  }
  return taken;
}

/** Writes an acknowledgement; there is room. */
function answer(packet: u32, id: u32): void {
  transmit.commit(encodeAcknowledgement(transmit.reserve(ACKNOWLEDGEMENT_BYTES), packet, id));
}

function act(packet: u32): i32 {
  switch (packet) {
    case PUBLISH:
      return receiveMessage();
    case PUBREL:
      if (isTaken(inbox.release(inbound.id))) answer(PUBCOMP, inbound.id); // also for an identifier that is not known [MQTT-3.6.4]
      return 0;
    case CONNACK:
      return receiveConnack();
    case PINGRESP:
      if (!pinging) return report(EVENT_UNKNOWN_ACKNOWLEDGEMENT, packet >> 4, 0);
      pinging = false;
      return 0;
  }
  return receiveAcknowledgement(packet);
}

function receiveConnack(): i32 {
  const code = inbound.id;
  if (code) {
    if (code != UNAVAILABLE) backoff.countRefusal();
    return fail(EVENT_REFUSED_VERSION + code - 1, code);
  }
  const present = inbound.count;
  if (present && cleanSession) return fail(EVENT_PROTOCOL_ERROR, ERROR_SESSION_PRESENT);
  if (!present) {
    inbox.clear(); // the broker's identifiers start anew
    outbox.unrelease();
  }
  state = CONNECTED;
  connectedAt = now;
  backoff.countSuccess();
  return report(EVENT_CONNECTED, present, 0);
}

function receiveMessage(): i32 {
  const id = inbound.id;
  const last = inbound.offset + inbound.payloadLength == inbound.total;
  if (inbound.qos == 2) {
    if (inbox.contains(id)) {
      if (!last) return 0;
      if (isTaken(inbox.save(id))) answer(PUBREC, id);
      return report(EVENT_DUPLICATE, id, 0); // delivered before [MQTT-4.3.3-2]
    }
    if (inbox.isFull()) return fail(EVENT_PROTOCOL_ERROR, ERROR_INBOX_FULL);
    if (last) inbox.add(id);
  }
  if (last && inbound.qos) {
    owed = inbound.qos == 1 ? PUBACK : PUBREC;
    owedId = id;
  }
  return report(EVENT_MESSAGE, id, last ? 1 : 0);
}

function receiveAcknowledgement(packet: u32): i32 {
  const id = inbound.id;
  const entry = outbox.find(id);
  if (!entry || entry.stage == QUEUED) {
    if (packet == PUBREC) answer(PUBREL, id); // so that the broker can end the exchange
    return report(EVENT_UNKNOWN_ACKNOWLEDGEMENT, packet >> 4, id);
  }
  if (packet != awaited(entry)) {
    // A PUBREC may be repeated; any other answer belongs to another kind of request.
    if (packet != PUBREC || entry.stage != RELEASED) return fail(EVENT_PROTOCOL_ERROR, ERROR_UNEXPECTED);
  }
  switch (packet) {
    case PUBREC:
      if (HAS_JOURNAL && heldBack && entry.stage != RELEASED) return 0; // nor may it overtake one that is held back [MQTT-4.6.0-4]
      if (!isTaken(outbox.release(entry))) return 0;
      entry.sentAt = now; // each half of the exchange has its own deadline
      answer(PUBREL, id);
      return 0;
    case SUBACK:
      if (inbound.count != <u32>entry.head) return fail(EVENT_PROTOCOL_ERROR, ERROR_SUBACK);
      subackIndex = 0;
      return reportGranted();
  }
  if (packet == PUBCOMP && inflight) inflight--; // 0 when it was for an earlier connection
  outbox.remove(entry);
  return report(packet == UNSUBACK ? EVENT_UNSUBSCRIBED : EVENT_PUBLISHED, id, 0);
}

/** The acknowledgement that ends the entry's present stage. */
function awaited(entry: Entry): u32 {
  if (entry.kind == SUBSCRIBE_REQUEST) return SUBACK;
  if (entry.kind == UNSUBSCRIBE_REQUEST) return UNSUBACK;
  if (entry.stage == RELEASED) return PUBCOMP;
  return entry.qos == 1 ? PUBACK : PUBREC;
}

/** Reports the SUBACK's return codes one by one; the last frees the entry. */
function reportGranted(): i32 {
  const id = inbound.id;
  const index = subackIndex++;
  const code: u32 = load<u8>(inbound.codes + index);
  if (<u32>subackIndex == inbound.count) {
    subackIndex = -1;
    const entry = outbox.find(id);
    if (entry) outbox.remove(entry);
  }
  return report(EVENT_SUBSCRIBED, id, (index << 8) | code);
}
