// The exports that every module has: docs/boundary.md. An app re-exports them.

import { ABI_VERSION } from '../contract';
import { linkChanged, linkReceived, receiveBuffer, receiveRoom } from './session';

export function abi_version(): i32 {
  return ABI_VERSION;
}

/** Bytes of linear memory in use, from address 0. Nothing beyond is ever touched. */
export function memory_bytes(): usize {
  return __heap_base;
}

/** Where the world writes what `link` received. Ask before each write: the place moves. */
export function link_buffer(_link: i32): usize {
  return receiveBuffer();
}

/** Bytes that fit there now; 0 tells the world to stop reading until the next step. */
export function link_room(_link: i32): i32 {
  return receiveRoom();
}

/** `length` bytes were written at link_buffer(). step() reads them. */
export function link_received(link: i32, length: i32): void {
  linkReceived(link, length);
}

/** `link` opened, closed for a REASON_…, or takes bytes again (LINK_…). */
export function link_changed(link: i32, what: i32, reason: i32): void {
  linkChanged(link, what, reason);
}
