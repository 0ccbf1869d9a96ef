// How long to wait, as the configuration says, for whatever both protocols wait for.

import { CONFIG_CONNECT_TIMEOUT, CONFIG_KEEP_ALIVE, CONFIG_RECONNECT_MAX, CONFIG_RECONNECT_MIN, CONFIG_REPLY_TIMEOUT } from '../contract';
import * as settings from '../settings';
import { configureBackoff } from './backoff';

export const DAY: i32 = 86400000;
/** A PINGREQ goes out this much before keep alive ends, in ms: a broker must not see more (MQTT 3.1.2.10). */
const KEEP_ALIVE_MARGIN: i32 = 500;

/** For a link to open, and over MQTT for the CONNACK; in ms. */
export let connectTimeout: i32 = 0;
/** For any other answer, and for a link to take what it is offered; in ms. */
export let replyTimeout: i32 = 0;
/** Seconds; 0 turns keep alive off. */
export let keepAlive: i32 = 0;
/** How long nothing may be sent before a PINGREQ, in ms. */
export let keepAliveMs: i32 = 0;

/** A time in ms. */
export function duration(key: i32, otherwise: i32): i32 {
  return settings.number(key, otherwise, 1, DAY);
}

export function readTimeouts(): void {
  connectTimeout = duration(CONFIG_CONNECT_TIMEOUT, 30000);
  replyTimeout = duration(CONFIG_REPLY_TIMEOUT, 30000);
  const first = duration(CONFIG_RECONNECT_MIN, 1000);
  configureBackoff(first, duration(CONFIG_RECONNECT_MAX, max(first, 60000)));
  keepAlive = settings.number(CONFIG_KEEP_ALIVE, 60, 0, 65535);
  keepAliveMs = keepAlive * 1000 - KEEP_ALIVE_MARGIN;
}
