// The message on its way out. It is encoded behind the forwarder's envelope, which never changes, and leaves at once or not at all.

import { link_send } from '../board';
import { transmitArea } from '../bytes/buffers';
import { equal } from '../bytes/compare';
import { uint8 } from '../bytes/cursor';
import { CONFIG_NODE_ID } from '../contract';
import * as clock from '../delivery/clock';
import { TRANSMIT_BYTES } from '../limits';
import { IS_CLIENT } from '../scope';
import * as settings from '../settings';
import { ENCAPSULATED } from './messages';

const NODE_ID_MOST: i32 = 16;
/** Length, type and control byte of an envelope stand before the node id (SN 5.5). */
const ENVELOPE_HEADER: u32 = 3;
/** What a datagram over UDP can carry. */
const DATAGRAM_MOST: u32 = 65507;

let nodeIdLength: u32 = 0;
/** Behind the envelope. */
let start: usize = 0;
/** When the gateway was last sent something: keep alive counts from here. */
export let lastSent: i32 = 0;
/** The link took no more; LINK_WRITABLE follows. */
export let blocked: bool = false;
export let blockedSince: i32 = 0;

/** Reads the node id and writes the envelope. */
export function prepareEnvelope(): void {
  if (!IS_CLIENT) return;
  nodeIdLength = settings.text(CONFIG_NODE_ID, transmitArea + ENVELOPE_HEADER, NODE_ID_MOST);
  start = transmitArea;
  if (nodeIdLength) start = uint8(uint8(uint8(start, ENVELOPE_HEADER + nodeIdLength), ENCAPSULATED), 0) + nodeIdLength;
}

/** Whether an envelope with this node id is for us. */
export function isOurNode(p: usize, length: u32): bool {
  return length != 0 && length == nodeIdLength && equal(p, transmitArea + ENVELOPE_HEADER, length);
}

/** Where a message is to be encoded. */
export function message(): usize {
  return IS_CLIENT ? start : transmitArea;
}

/** Bytes that a message may have. */
export function messageMost(): u32 {
  return min(<u32>TRANSMIT_BYTES, DATAGRAM_MOST) - <u32>(message() - transmitArea);
}

/** Hands `link` the message that ends before `end`; false when it was not taken. */
export function send(link: i32, end: usize): bool {
  if (link_send(link, transmitArea, <i32>(end - transmitArea)) <= 0) {
    if (!blocked) blockedSince = clock.now;
    blocked = true;
    return false;
  }
  lastSent = clock.now;
  return true;
}

export function unblock(): void {
  blocked = false;
}
