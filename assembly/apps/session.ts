// The protocol of the module: the build sets MQTT, MQTTSN or both. A module of both takes the one that its board's broker speaks; what a
// module never calls is not in it. Each function asks by constants, and not by isSn(): a branch is left out, with the memory of what it
// calls, only where the compiler itself sees that it is not taken.

import { receiveArea } from '../bytes/buffers';
import { CONFIG_PROTOCOL, ERROR_STATE, EVENT_STORE_FAILED } from '../contract';
import { stir } from '../delivery/clock';
import * as inbox from '../delivery/inbox';
import { failedKey, failure, forgetFailure, HAS_JOURNAL, openJournal } from '../delivery/journal';
import * as outbox from '../delivery/outbox';
import { report } from '../delivery/report';
import * as mqttBytes from '../mqtt/decode';
import * as mqtt from '../mqtt/session';
import * as datagrams from '../mqttsn/decode';
import * as mqttsn from '../mqttsn/session';
import { forgetFound } from '../mqttsn/topics';
import { IS_CLIENT } from '../scope';
import * as settings from '../settings';

const BOTH: bool = isDefined(MQTT) && isDefined(MQTTSN);
const ONLY_SN: bool = isDefined(MQTTSN) && !isDefined(MQTT);

let choseSn: bool = false;

/** Reads which protocol it is to be; the first that is read of a configuration. */
export function chooseProtocol(): void {
  const sn = settings.number(CONFIG_PROTOCOL, ONLY_SN ? 1 : 0, ONLY_SN ? 1 : 0, BOTH || ONLY_SN ? 1 : 0) == 1;
  if (BOTH) choseSn = sn;
}

/** Whether it is MQTT-SN. */
export function isSn(): bool {
  return ONLY_SN || (BOTH && choseSn);
}

/** Begins, unless the configuration refuses something (settings.fault). */
export function start(): void {
  stir();
  if (HAS_JOURNAL) openJournal();
  if (ONLY_SN || (BOTH && choseSn)) mqttsn.start();
  else mqtt.start();
}

/** What outlived a power cut comes back, at the first start. Answers how many messages are in the outbox. */
export function restore(): u32 {
  if ((isDefined(MQTT) || IS_CLIENT) && !outbox.isRestored) inbox.restore();
  return outbox.restore();
}

/** Over MQTT-SN: sleeps for so many seconds at a time, 1 to 65535, once nothing waits. Answers 0 or an ERROR_… below 0. */
export function sleep(seconds: u32): i32 {
  return ONLY_SN || (BOTH && choseSn) ? mqttsn.sleep(seconds) : -ERROR_STATE;
}

/** Ends the sleep. */
export function wake(): void {
  if (ONLY_SN || (BOTH && choseSn)) mqttsn.wake();
}

/** A sleeper fetches what waits for it. */
export function collect(): void {
  if (ONLY_SN || (BOTH && choseSn)) mqttsn.collect();
}

export function stop(): void {
  stir();
  if (ONLY_SN || (BOTH && choseSn)) mqttsn.stop();
  else mqtt.stop();
}

export function isConnected(): bool {
  return ONLY_SN || (BOTH && choseSn) ? mqttsn.isConnected() : mqtt.isConnected();
}

/** Whether the link has not taken yet what was said. */
export function isSending(): bool {
  return !(ONLY_SN || (BOTH && choseSn)) && mqtt.isSending();
}

export function isStopped(): bool {
  return ONLY_SN || (BOTH && choseSn) ? mqttsn.isStopped() : mqtt.isStopped();
}

export function isRunning(): bool {
  return ONLY_SN || (BOTH && choseSn) ? mqttsn.isRunning() : mqtt.isRunning();
}

export function publish(topic: usize, topicLength: u32, payload: usize, payloadLength: u32, qos: i32, retain: u32): i32 {
  return ONLY_SN || (BOTH && choseSn)
    ? mqttsn.publish(topic, topicLength, payload, payloadLength, qos, retain)
    : mqtt.publish(topic, topicLength, payload, payloadLength, qos, retain);
}

/** The text of a topic that publish() was given changes where it is. */
export function topicChanges(): void {
  if (ONLY_SN || (BOTH && choseSn)) forgetFound();
}

export function subscribe(filters: usize, length: u32, count: u32): i32 {
  return ONLY_SN || (BOTH && choseSn) ? mqttsn.subscribe(filters, length, count) : mqtt.subscribe(filters, length, count);
}

export function unsubscribe(filters: usize, length: u32, count: u32): i32 {
  return ONLY_SN || (BOTH && choseSn) ? mqttsn.unsubscribe(filters, length, count) : mqtt.unsubscribe(filters, length, count);
}

/** Begins a step. False when poll() would find nothing to do. */
export function beginStep(): bool {
  const stirs = ONLY_SN || (BOTH && choseSn) ? mqttsn.beginStep() : mqtt.beginStep();
  return stirs || (HAS_JOURNAL && failure != 0);
}

export function poll(): i32 {
  if (HAS_JOURNAL && failure) {
    const told = report(EVENT_STORE_FAILED, failedKey, failure);
    forgetFailure();
    return told;
  }
  return ONLY_SN || (BOTH && choseSn) ? mqttsn.poll() : mqtt.poll();
}

export function finish(): i32 {
  return ONLY_SN || (BOTH && choseSn) ? mqttsn.finish() : mqtt.finish();
}

export function receiveBuffer(): usize {
  return ONLY_SN || (BOTH && choseSn) ? receiveArea : mqttBytes.receiveBuffer();
}

export function receiveRoom(): u32 {
  return ONLY_SN || (BOTH && choseSn) ? datagrams.datagramRoom() : mqttBytes.receiveRoom();
}

export function linkReceived(link: i32, length: u32): void {
  stir();
  if (ONLY_SN || (BOTH && choseSn)) datagrams.datagramArrived(link, length);
  else mqttBytes.received(length);
}

export function linkChanged(link: i32, what: i32, reason: i32): void {
  stir();
  if (ONLY_SN || (BOTH && choseSn)) mqttsn.linkChanged(link, what, reason);
  else mqtt.linkChanged(what, reason);
}
