// The MQTT-SN 1.2 session: a gateway is found, connected to, and lost again; between these, requests go out and messages come in.
// poll() answers what happened, one event at a time, until it answers 0; finish() says how long the session may be left alone.
// Nothing waits without a deadline: what has no answer is sent again, and after the last retry the gateway counts as lost; what was
// unacknowledged is sent on the next connection.

import { config_number, link_close, link_open, random } from '../board';
import { hash } from '../bytes/compare';
import { topicNameFault } from '../bytes/topic';
import {
  CONFIG_DISCOVERY,
  CONFIG_MISSED_ADVERTISEMENTS,
  CONFIG_QOS,
  CONFIG_SEARCH_DELAY,
  ERROR_INBOX_FULL,
  ERROR_NO_TOPIC_ID,
  ERROR_OUTBOX_FULL,
  ERROR_QOS,
  ERROR_STATE,
  ERROR_TOO_LARGE,
  ERROR_TOPIC_TOO_LONG,
  ERROR_UNEXPECTED,
  ERROR_UNREGISTERED,
  EVENT_ASLEEP,
  EVENT_AWAKE,
  EVENT_CONNECTED,
  EVENT_DATAGRAM_DROPPED,
  EVENT_DUPLICATE,
  EVENT_GATEWAY_FOUND,
  EVENT_GATEWAY_LOST,
  EVENT_LINK_CLOSED,
  EVENT_MESSAGE,
  EVENT_OPENING,
  EVENT_REFUSED,
  EVENT_SEARCHING,
  EVENT_STOPPED,
  EVENT_TIMEOUT,
  LINK_OPENED,
  LINK_WRITABLE,
  REASON_ENDED,
  REASON_UNREACHABLE,
  TIMEOUT_ADVERTISE,
  TIMEOUT_CONNACK,
  TIMEOUT_DISCONNECT,
  TIMEOUT_OPEN,
  TIMEOUT_PINGRESP,
  TIMEOUT_REPLY,
  TIMEOUT_SEND,
} from '../contract';
import * as backoff from '../delivery/backoff';
import { beginLooking, isDue, isStirred, now, resting, restUntil, stir } from '../delivery/clock';
import { forgetCompleted, note, noteRelease, wasDelivered } from '../delivery/completed';
import { inbound } from '../delivery/inbound';
import * as inbox from '../delivery/inbox';
import { HAS_JOURNAL } from '../delivery/journal';
import * as outbox from '../delivery/outbox';
import { PUBLISH_REQUEST, SUBSCRIBE_REQUEST, UNSUBSCRIBE_REQUEST, WILL_PAYLOAD_REQUEST, WILL_TOPIC_REQUEST } from '../delivery/outbox';
import { report } from '../delivery/report';
import { connectTimeout, duration, keepAlive, keepAliveMs, readTimeouts, replyTimeout } from '../delivery/timeouts';
import { hasWill } from '../delivery/will';
import { IS_CLIENT } from '../scope';
import * as settings from '../settings';
import { cleanSession, encodeOurConnect, encodeOurWillPayload, encodeOurWillTopic, encodePing, readIdentity } from './connection';
import { blocked, blockedSince, lastSent, message, messageMost, prepareEnvelope, send, unblock } from './datagram';
import { arrivedBy, decode, flags, forgetDatagram, NOTHING, returnCode, topicId } from './decode';
import {
  encodeAcknowledgement,
  encodeDisconnect,
  encodeEmpty,
  encodePublish,
  encodeSearch,
  encodeTopicAcknowledgement,
  messageSize,
  publishSize,
} from './encode';
import { chooseGateway, current, forgetGateways, heardOf, isGone, loseGateway } from './gateways';
import {
  ACCEPTED,
  ADVERTISE,
  CONGESTION,
  CONNACK,
  CONNECT,
  DISCONNECT,
  GWINFO,
  INVALID_TOPIC_ID,
  NORMAL,
  NOT_SUPPORTED,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  REGACK,
  REGISTER,
  SEARCHGW,
  SHORT,
  WILLMSG,
  WILLMSGREQ,
  WILLTOPIC,
  WILLTOPICREQ,
} from './messages';
import { answered, forgetSent, held, isIdle, LOST, publishFlags, pursue, resetRequests, tellWill } from './requests';
import { answerTime, congestionWait, readRetry, retries } from './retry';
import {
  beginConnection,
  forgetTopics,
  foundId,
  foundLength,
  foundType,
  idOf,
  isFound,
  keepTopics,
  learn,
  nameOf,
  readPredefined,
} from './topics';

const STOPPED: u32 = 0;
const STARTING: u32 = 1;
const WAITING: u32 = 2; // until the next attempt
const SEARCHING: u32 = 3; // for a gateway
const OPENING: u32 = 4; // the link
const GREETING: u32 = 5; // CONNECT and the will are sent, CONNACK is awaited
const CONNECTED: u32 = 6; // active, or sending at QoS -1 without a connection
const DROWSY: u32 = 7; // a DISCONNECT that announces sleep waits for its confirmation
const ASLEEP: u32 = 8;
const AWAKE: u32 = 9; // what the gateway holds for a sleeper is on its way
const LEAVING: u32 = 10; // stop() was called
const DRAINING: u32 = 11; // the outbox is to get its answers
const ENDING: u32 = 12; // DISCONNECT waits for its confirmation

/** Links: to the gateway, and to where gateways are searched. */
const GATEWAY_LINK: i32 = 0;
const SEARCH_LINK: i32 = 1;
/** A search is repeated after 1, 2, 4, 8, 16 times its first delay: of a day, once more would be over what the clock can tell. */
const SEARCH_DOUBLINGS: u32 = 4;

let state: u32 = 0; // STOPPED
/** The state that stop() found. */
let left: u32 = 0;
/** stop() was called again: no answer is waited for. */
let hurried: bool = false;
/** When the state ends by itself: WAITING, SEARCHING, OPENING, ASLEEP, DRAINING, ENDING. */
let deadline: i32 = 0;
let connectedAt: i32 = 0;
/** When the gateway was last heard. */
let lastHeard: i32 = 0;
/** QoS -1: nothing is connected to. */
let castOnly: bool = false;

// What became of a link: 0 while it opens, OPEN, or the REASON_… it closed for. Of the one to search by also IDLE, when it was not asked for.
const OPEN: i32 = -1;
const IDLE: i32 = -2;
let link: i32 = 0;
let searchLink: i32 = 0;

let discovery: bool = false;
let searchDelay: i32 = 0;
let missedAdvertisements: u32 = 0;
let searches: u32 = 0;
/** A gateway was lost and not yet told: its GwId and 1, or 0. */
let lost: i32 = 0;

/** The message of the connection itself that waits for an answer: CONNECT, WILLTOPIC, WILLMSG, PINGREQ, DISCONNECT; or 0. */
let asked: u32 = 0;
let tries: u32 = 0;
let due: i32 = 0;

/** How long to sleep in seconds, 0 to be active; what of it the gateway was told; and what a sleeper was told to do. */
let sleepSeconds: u32 = 0;
/** What the DISCONNECT said that the gateway confirmed or is to confirm. */
let announcedSeconds: u32 = 0;
let collecting: bool = false;
/** The CONNECT is that of a sleeper. */
let waking: bool = false;

/** The acknowledgement owed for the message that was delivered last, which the decoder still has; or 0. */
let owed: u32 = 0;
/** The inbox is that of an earlier connection. */
let inboxIsOld: bool = false;
let dropped: i32 = 0;

/** Reads the configuration and begins, unless it refuses something (settings.fault); the session is stopped, and its will is set. */
export function start(): void {
  readTimeouts();
  readRetry();
  readIdentity();
  prepareEnvelope();
  readPredefined();
  if (HAS_JOURNAL) keepTopics(!cleanSession);
  searchDelay = duration(CONFIG_SEARCH_DELAY, 5000);
  missedAdvertisements = settings.number(CONFIG_MISSED_ADVERTISEMENTS, 3, 1, 255);
  discovery = settings.number(CONFIG_DISCOVERY, 0, 0, 1) != 0;
  castOnly = config_number(CONFIG_QOS, 0) == -1;
  forgetGateways();
  if (IS_CLIENT) forgetSent();
  sleepSeconds = 0;
  searchLink = IDLE;
  if (!settings.fault) state = STARTING;
}

/**
 * Delivers what is queued and says DISCONNECT where there is a connection, then EVENT_STOPPED follows. The outbox keeps what has no answer.
 * Called again, it waits for no answer any more.
 */
export function stop(): void {
  if (IS_CLIENT) hurried = state >= LEAVING;
  if (!isRunning()) return;
  left = state;
  state = LEAVING;
}

export function isConnected(): bool {
  return state == CONNECTED;
}

export function isStopped(): bool {
  return state == STOPPED;
}

/** Between start() and stop(). */
export function isRunning(): bool {
  return state - STARTING < LEAVING - STARTING;
}

/**
 * Sends or queues a message; topic and payload are copied, the topic was checked with topicNameFault. Answers the packet identifier, 0 at
 * QoS 0 and -1, or an ERROR_… below 0. It never waits: what cannot be sent now is sent when it can.
 */
export function publish(topic: usize, topicLength: u32, payload: usize, payloadLength: u32, qos: i32, retain: u32): i32 {
  // What a sensor has to say fits (limits.ts).
  if (IS_CLIENT && max(publishSize(payloadLength), messageSize(4 + topicLength)) > messageMost()) return -ERROR_TOO_LARGE;
  if (IS_CLIENT && castOnly && qos >= 0) return -ERROR_QOS; // a sensor's configuration sees to it
  const known = isFound(topic) || idOf(topic, topicLength);
  if (qos < 0 && (!known || foundType == NORMAL)) return -ERROR_NO_TOPIC_ID;
  const level = <u32>qos & 3;
  if (known && qos <= 0 && state == CONNECTED && !blocked && !held && isIdle()) {
    // The straight way: nothing waits, and nothing is waited for.
    if (send(GATEWAY_LINK, encodePublish(message(), publishFlags(level, retain) | foundType, foundId, 0, payload, payloadLength))) return 0;
  }
  const id = enqueued(outbox.enqueue(PUBLISH_REQUEST, level, retain, topicLength, topic, topicLength, payload, payloadLength));
  return id < 0 || qos > 0 ? id : 0;
}

/** Asks for one checked filter, laid out as in MQTT's SUBSCRIBE: two bytes of length, the filter, its QoS. Answers the packet identifier or an error below 0. */
export function subscribe(filter: usize, length: u32, count: u32): i32 {
  return request(SUBSCRIBE_REQUEST, filter, length, count);
}

/** The same for UNSUBSCRIBE. */
export function unsubscribe(filter: usize, length: u32, count: u32): i32 {
  return request(UNSUBSCRIBE_REQUEST, filter, length, count);
}

function request(kind: u32, filter: usize, length: u32, count: u32): i32 {
  if (IS_CLIENT && castOnly) return -ERROR_STATE;
  if (IS_CLIENT && (count != 1 || messageSize(length) > messageMost())) return -ERROR_TOO_LARGE; // a message has one filter (SN 5.4.15)
  return enqueued(outbox.enqueue(kind, 0, 0, 1, filter, length, 0, 0));
}

/** The answer of a call that queued a request under `id`, 0 when there was no room: the next step looks after it. */
function enqueued(id: u32): i32 {
  if (!id) return -ERROR_OUTBOX_FULL; // and whoever tries at each step is not stepped for it
  stir();
  return id;
}

/** Replaces the topic of the will at the gateway; without a topic the will is deleted. Answers the packet identifier or an error below 0. */
export function updateWillTopic(topic: usize, length: u32, qos: u32, retain: u32): i32 {
  return updateWill(WILL_TOPIC_REQUEST, topic, length, qos, retain);
}

export function updateWillPayload(payload: usize, length: u32): i32 {
  return updateWill(WILL_PAYLOAD_REQUEST, payload, length, 0, 0);
}

function updateWill(kind: u32, text: usize, length: u32, qos: u32, retain: u32): i32 {
  if (castOnly) return -ERROR_STATE;
  if (messageSize(1 + length) > messageMost()) return -ERROR_TOO_LARGE;
  return enqueued(outbox.enqueue(kind, qos, retain, 0, text, length, 0, 0));
}

/** Sleeps for so many seconds at a time, 1 to 65535, as soon as nothing waits in the outbox. Asleep, it changes the time. Answers 0 or -ERROR_STATE. */
export function sleep(seconds: u32): i32 {
  if (IS_CLIENT && (seconds == 0 || seconds > 0xffff || castOnly || !isRunning())) return -ERROR_STATE;
  if (seconds == sleepSeconds) return 0;
  sleepSeconds = seconds;
  stir();
  return 0;
}

/** Ends the sleep: CONNECT goes out, and the session is as it was. */
export function wake(): void {
  sleepSeconds = 0;
  stir();
}

/** A sleeper fetches what the gateway holds for it, before it wakes. */
export function collect(): void {
  collecting = state >= DROWSY;
  stir();
}

/** The world tells what became of a link (LINK_…, and REASON_… when it closed); poll() acts on it. */
export function linkChanged(number: i32, what: i32, reason: i32): void {
  if (what == LINK_WRITABLE) {
    unblock();
    return;
  }
  const fate = what == LINK_OPENED ? OPEN : reason;
  if (number == SEARCH_LINK) searchLink = fate;
  else link = fate;
}

/** Begins a step. False when poll() would find nothing to do. */
export function beginStep(): bool {
  return blocked || state == STOPPED || isStirred();
}

/** The next event (EVENT_…) with its details in report.ts, or 0. An inbound message holds still until the next call, which acknowledges it. */
export function poll(): i32 {
  beginLooking();
  if (owed) {
    if (isSaved()) acknowledge(owed, ACCEPTED);
    owed = 0;
  }
  const heard = readDatagram();
  if (heard) return heard;
  if (lost) {
    const id = lost - 1;
    lost = 0;
    return report(EVENT_GATEWAY_LOST, id, 0);
  }
  switch (state) {
    case STOPPED:
      return 0;
    case STARTING:
      return begin();
    case WAITING:
      return isDue(deadline) ? begin() : 0;
    case SEARCHING:
      return search();
    case LEAVING:
      leave();
      break;
  }
  if (link > 0) return fail(EVENT_LINK_CLOSED, link);
  if (state == OPENING) {
    if (link != OPEN) return isDue(deadline) ? fail(EVENT_TIMEOUT, TIMEOUT_OPEN) : 0;
    if (castOnly) return arrive(false);
    state = GREETING;
    ask(CONNECT);
    return 0;
  }
  if (blocked && isDue(blockedSince + replyTimeout)) return fail(EVENT_TIMEOUT, TIMEOUT_SEND);
  if (isGone()) return fail(EVENT_TIMEOUT, TIMEOUT_ADVERTISE);
  return proceed();
}

/** Does what is due while there is a gateway. */
function proceed(): i32 {
  if (state == CONNECTED || state == DRAINING) {
    const happened = pursue();
    if (happened == LOST) return fail(EVENT_TIMEOUT, TIMEOUT_REPLY);
    if (happened) return happened;
  }
  switch (state) {
    case CONNECTED:
      if (sleepSeconds && isIdle()) fallAsleep();
      else if (asked == 0 && isQuiet()) ask(PINGREQ);
      break;
    case ASLEEP:
      if (collecting || isDue(deadline)) {
        collecting = false;
        state = AWAKE;
        ask(PINGREQ);
        return report(EVENT_AWAKE, 0, 0);
      }
      if (sleepSeconds == 0) {
        waking = true;
        state = GREETING;
        ask(CONNECT);
      } else if (IS_CLIENT && sleepSeconds != announcedSeconds) fallAsleep();
      break;
    case DRAINING:
    case ENDING: {
      const over = isDue(deadline) || hurried;
      if (state == DRAINING && (over || isIdle())) {
        if (castOnly) return ended();
        state = ENDING;
        ask(DISCONNECT);
      }
      if (over) return ended();
    }
  }
  if (asked == 0 || !isDue(due)) return 0;
  if (tries == retries) {
    return fail(EVENT_TIMEOUT, asked == PINGREQ ? TIMEOUT_PINGRESP : asked == DISCONNECT ? TIMEOUT_DISCONNECT : TIMEOUT_CONNACK);
  }
  tries++;
  sendAsked();
  return 0;
}

/** After poll() answered 0: the milliseconds until poll() is due again without an occasion. */
export function finish(): i32 {
  return resting ? restUntil - now : 0;
}

/** Whether a PINGREQ is due: when nothing was sent, or nothing heard, for the time of keep alive. */
function isQuiet(): bool {
  return keepAlive != 0 && !castOnly && (isDue(lastSent + keepAliveMs) || isDue(lastHeard + keepAliveMs));
}

/** Sends a message that waits for an answer. */
function ask(type: u32): void {
  asked = type;
  tries = 0;
  sendAsked();
}

function sendAsked(): void {
  due = now + answerTime(tries);
  isDue(due);
  send(GATEWAY_LINK, encodeAsked());
}

function encodeAsked(): usize {
  switch (asked) {
    case CONNECT:
      return encodeOurConnect(waking);
    case WILLTOPIC:
      return encodeOurWillTopic();
    case WILLMSG:
      return encodeOurWillPayload();
    case PINGREQ:
      return encodePing(state == AWAKE);
  }
  return encodeDisconnect(message(), state == DROWSY ? announcedSeconds : 0);
}

function fallAsleep(): void {
  announcedSeconds = sleepSeconds;
  state = DROWSY;
  ask(DISCONNECT);
}

/** Begins to end. */
function leave(): void {
  deadline = now + min(replyTimeout, connectTimeout);
  asked = 0;
  if (left == CONNECTED) state = DRAINING;
  else {
    state = ENDING;
    if (left >= GREETING) ask(DISCONNECT);
    if (left < DROWSY && !waking) deadline = now; // perhaps nobody is there to answer
  }
}

function ended(): i32 {
  resetConnection();
  closeSearch();
  state = STOPPED;
  return report(EVENT_STOPPED, 0, 0);
}

/** Whether the message that was delivered last may be acknowledged. Before it is in the journal, a power cut lets it come again. */
function isSaved(): bool {
  return !IS_CLIENT || owed != PUBREC || inbox.save(inbound.id);
}

/** Forgets what belonged to one connection. Every request is sent again on the next. */
function resetConnection(): void {
  link_close(GATEWAY_LINK);
  forgetDatagram();
  unblock();
  resetRequests();
  waking = collecting = false;
  owed = asked = 0;
  link = 0;
}

/** Gives this connection up and waits for the next attempt. */
function fail(event: i32, a: i32): i32 {
  if (state >= LEAVING) return ended();
  if (state >= CONNECTED) backoff.countLoss(now - connectedAt);
  resetConnection();
  lost = current >= 0 ? loseGateway() + 1 : 0;
  const delay = event == EVENT_REFUSED && a == CONGESTION ? congestionWait : backoff.nextDelay();
  state = WAITING;
  deadline = now + delay;
  return report(event, a, delay);
}

/** Opens the link to the gateway; first one has to be found where they are searched. */
function begin(): i32 {
  let place = backoff.attempts;
  if (discovery) {
    place = chooseGateway();
    if (place < 0) return beginSearch();
  }
  backoff.countAttempt();
  unblock(); // the searching link may have been busy
  state = OPENING;
  deadline = now + connectTimeout;
  const result = link_open(GATEWAY_LINK, place);
  return result < 0 ? fail(EVENT_LINK_CLOSED, -result) : report(EVENT_OPENING, backoff.attempts, 0);
}

function beginSearch(): i32 {
  state = SEARCHING;
  searches = 0;
  // A fleet that starts as one does not search as one (SN 6.1).
  deadline = now + <i32>(<u32>random() % <u32>(searchDelay + 1));
  if (searchLink != OPEN && searchLink != 0) searchLink = -link_open(SEARCH_LINK, 0); // not asked for, or closed meanwhile
  return search();
}

function search(): i32 {
  if (searchLink == 0 && isDue(deadline + connectTimeout)) searchLink = REASON_UNREACHABLE;
  if (searchLink > 0) {
    const reason = searchLink;
    closeSearch();
    return fail(EVENT_LINK_CLOSED, reason);
  }
  if (chooseGateway() >= 0) return begin();
  if (!isDue(deadline) || searchLink != OPEN) return 0;
  send(SEARCH_LINK, encodeSearch(message(), 0));
  const pause = searchDelay << min(searches, SEARCH_DOUBLINGS);
  deadline = now + pause;
  return report(EVENT_SEARCHING, ++searches, pause);
}

function closeSearch(): void {
  link_close(SEARCH_LINK);
  searchLink = IDLE;
}

/** The connection is there. */
function arrive(resumed: bool): i32 {
  asked = 0;
  waking = false;
  resetRequests();
  if (IS_CLIENT && !resumed && (hasWill() || cleanSession)) tellWill();
  if (IS_CLIENT && !resumed) inboxIsOld = true;
  if (!resumed && cleanSession) {
    if (IS_CLIENT) {
      inbox.clear();
      forgetCompleted();
    }
    if (IS_CLIENT || HAS_JOURNAL) outbox.unrelease(); // it may have waited for PUBREL before it published
    forgetTopics();
  }
  beginConnection();
  state = CONNECTED;
  connectedAt = lastHeard = now;
  backoff.countSuccess();
  return report(EVENT_CONNECTED, resumed ? 1 : 0, 0);
}

function drop(error: i32): i32 {
  return report(EVENT_DATAGRAM_DROPPED, error, ++dropped);
}

/** Acts on the datagram that arrived, if there is one. */
function readDatagram(): i32 {
  const type = decode();
  if (type == NOTHING || state == STOPPED) return 0;
  if (type < 0) {
    // Its sender need not try again.
    if (type == -ERROR_TOO_LARGE && inbound.id && arrivedBy() == GATEWAY_LINK && state - CONNECTED < LEAVING - CONNECTED && !castOnly) {
      acknowledge(PUBACK, NOT_SUPPORTED);
    }
    return drop(-type);
  }
  switch (type) {
    case ADVERTISE:
    case GWINFO:
      return discovery && heardOf(type, missedAdvertisements) ? report(EVENT_GATEWAY_FOUND, flags, 0) : 0;
    case SEARCHGW:
      return 0; // another client searches
  }
  if (arrivedBy() != GATEWAY_LINK || state < GREETING || castOnly) return drop(ERROR_UNEXPECTED);
  lastHeard = now;
  if (state == AWAKE) due = now + answerTime(0); // while messages come, PINGRESP is not late
  if (type == DISCONNECT) return receiveDisconnect();
  if (state == GREETING) return welcome(type);
  // After our DISCONNECT nothing is answered (SN 6.12).
  return state == ENDING || type == WILLTOPICREQ || type == WILLMSGREQ ? drop(ERROR_UNEXPECTED) : act(type);
}

/** A message that the gateway answers a CONNECT with. */
function welcome(type: i32): i32 {
  if (type == CONNACK) {
    if ((IS_CLIENT || HAS_JOURNAL) && returnCode > CONGESTION) backoff.countRefusal();
    return returnCode ? fail(EVENT_REFUSED, returnCode) : arrive(waking);
  }
  if (!hasWill() || (type != WILLTOPICREQ && type != WILLMSGREQ)) return drop(ERROR_UNEXPECTED);
  ask(type + 1); // the answer's number follows the request's
  return 0;
}

function act(type: i32): i32 {
  switch (type) {
    case PUBLISH:
      return receiveMessage();
    case PUBREL:
      if (IS_CLIENT) {
        if (!inbox.release(inbound.id)) return 0;
        noteRelease(inbound.id);
      }
      acknowledge(PUBCOMP, 0); // also for an identifier that is not known
      return 0;
    case REGISTER:
      return receiveRegister();
    case PINGREQ:
      send(GATEWAY_LINK, encodeEmpty(message(), PINGRESP));
      return 0;
    case PINGRESP:
      if (asked != PINGREQ) break;
      asked = 0;
      return state == AWAKE ? slept() : 0;
  }
  return answered(type);
}

/** The gateway confirms our DISCONNECT, or ends the connection by its own. */
function receiveDisconnect(): i32 {
  if (state == ENDING) return ended();
  if (state == DROWSY) return slept();
  if (state == ASLEEP || waking) return 0; // a copy of the confirmation
  return fail(EVENT_LINK_CLOSED, REASON_ENDED);
}

/** Asleep, or asleep again. What waits is asked for before the gateway gives us up. */
function slept(): i32 {
  asked = 0;
  state = ASLEEP;
  deadline = now + announcedSeconds * 875; // after seven eighths of the time
  return report(EVENT_ASLEEP, announcedSeconds, 0);
}

/** Answers the message that was decoded last. PUBACK and REGACK tell a topic id and a return code, the others nothing but the message id. */
function acknowledge(type: u32, code: u32): void {
  const id = inbound.id;
  const isWhole = type == PUBACK || type == REGACK;
  send(GATEWAY_LINK, isWhole ? encodeTopicAcknowledgement(message(), type, topicId, id, code) : encodeAcknowledgement(message(), type, id));
}

function receiveRegister(): i32 {
  let fault = topicNameFault(inbound.topic, inbound.topicLength);
  if (!fault && !learn(inbound.topic, inbound.topicLength, topicId)) fault = ERROR_TOPIC_TOO_LONG;
  acknowledge(REGACK, fault ? NOT_SUPPORTED : ACCEPTED);
  return fault ? drop(fault) : 0;
}

function receiveMessage(): i32 {
  const id = inbound.id;
  const qos = inbound.qos;
  const topicIdType = flags & 3;
  if (topicIdType != SHORT) {
    inbound.topic = <u32>nameOf(topicIdType, topicId);
    inbound.topicLength = foundLength;
    if (!inbound.topic) {
      acknowledge(PUBACK, INVALID_TOPIC_ID); // so that it is registered again (SN 6.10)
      return drop(ERROR_UNREGISTERED);
    }
  }
  if (IS_CLIENT && qos == 2) {
    // Not by the topic's id, which is another one after a restart of the gateway.
    const content = hash(inbound.payload, inbound.payloadLength) ^ hash(inbound.topic, inbound.topicLength);
    const isOpen = inbox.contains(id);
    const isKnown = wasDelivered(id, content);
    if (HAS_JOURNAL && isOpen && !isKnown) note(id, content); // the journal has the identifier only, and copies may come behind PUBREL
    if (isOpen || isKnown) {
      if (!isOpen || inbox.save(id)) acknowledge(PUBREC, 0);
      return report(EVENT_DUPLICATE, id, 0);
    }
    if (inboxIsOld) {
      // A gateway goes on where it was before it sends anything new: what it did not go on with, it has forgotten.
      inboxIsOld = false;
      inbox.clear();
    }
    if (inbox.isFull()) {
      acknowledge(PUBACK, CONGESTION); // it comes again
      return drop(ERROR_INBOX_FULL);
    }
    inbox.add(id);
    note(id, content);
    owed = PUBREC;
  } else if (qos) owed = PUBACK; // a message that was not asked for at QoS 2 ends here
  return report(EVENT_MESSAGE, id, 1);
}
