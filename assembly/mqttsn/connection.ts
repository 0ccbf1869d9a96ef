// What a connection is made with: client identifier, keep alive, clean session, will.

import { utf8Fault } from '../bytes/utf8';
import { CONFIG_CLIENT_ID, ERROR_CONFIG_MISSING } from '../contract';
import { wantsCleanSession } from '../delivery/journal';
import { keepAlive } from '../delivery/timeouts';
import { hasWill, willPayload, willPayloadLength, willQos, willRetain, willTopic, willTopicLength } from '../delivery/will';
import { CLIENT_ID_BYTES } from '../limits';
import * as settings from '../settings';
import { message } from './datagram';
import { encodeBytes, encodeConnect, encodeWillTopic } from './encode';
import { CLEAN_SESSION, PINGREQ, WILL, WILLMSG, WILLTOPIC } from './messages';
import { publishFlags } from './requests';

function clientId(): usize {
  return memory.data(CLIENT_ID_BYTES, 4);
}
let clientIdLength: u32 = 0;
export let cleanSession: bool = true;

export function readIdentity(): void {
  cleanSession = wantsCleanSession();
  clientIdLength = settings.text(CONFIG_CLIENT_ID, clientId(), CLIENT_ID_BYTES);
  settings.refuse(CONFIG_CLIENT_ID, clientIdLength ? utf8Fault(clientId(), clientIdLength) : ERROR_CONFIG_MISSING); // MQTT-SN has no empty one
}

/** CONNECT. One that wakes from sleep keeps session and will as the gateway has them (SN 6.3, 6.14). */
export function encodeOurConnect(waking: bool): usize {
  const flags = waking ? 0 : (cleanSession ? CLEAN_SESSION : 0) | (hasWill() ? WILL : 0);
  return encodeConnect(message(), flags, keepAlive, clientId(), clientIdLength);
}

export function encodeOurWillTopic(): usize {
  return encodeWillTopic(message(), WILLTOPIC, publishFlags(willQos, willRetain), willTopic, willTopicLength);
}

export function encodeOurWillPayload(): usize {
  return encodeBytes(message(), WILLMSG, willPayload, willPayloadLength);
}

/** PINGREQ; that of a sleeper says who wakes (SN 6.14). */
export function encodePing(asleep: bool): usize {
  return encodeBytes(message(), PINGREQ, clientId(), asleep ? clientIdLength : 0);
}
