// When a request that has no answer is made again (SN 6.13).

import { random } from '../board';
import { CONFIG_CONGESTION_WAIT, CONFIG_RETRIES, CONFIG_RETRY_INTERVAL } from '../contract';
import { duration } from '../delivery/timeouts';
import * as settings from '../settings';

/** Doublings of the interval. */
const DOUBLINGS: u32 = 3;

/** Tretry in ms. */
let interval: i32 = 0;
/** Nretry. */
export let retries: u32 = 0;
/** TWAIT in ms. */
export let congestionWait: i32 = 0;

export function readRetry(): void {
  interval = duration(CONFIG_RETRY_INTERVAL, 10000);
  retries = settings.number(CONFIG_RETRIES, 4, 0, 255);
  congestionWait = duration(CONFIG_CONGESTION_WAIT, 300000);
}

/** Ms to wait for an answer after `tries` retries: doubled by each, and up to a quarter more by chance. */
export function answerTime(tries: u32): i32 {
  return (interval << min(tries, DOUBLINGS)) + <i32>(<u32>random() % <u32>((interval >> 2) + 1));
}
