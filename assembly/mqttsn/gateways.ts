// The gateways that were heard of: by GWINFO, when we searched, or by ADVERTISE. The board knows their addresses by place.

import { remember_gateway } from '../board';
import { readUint16 } from '../bytes/cursor';
import { isDue, now } from '../delivery/clock';
import { GATEWAY_ENTRIES } from '../limits';
import { body, flags, rest } from './decode';
import { ADVERTISE } from './messages';

const ENTRY_BYTES: i32 = 12;
/** Longest silence that is counted, in seconds: 23 days, what differences of the clock can tell. */
const SILENCE_MOST: u32 = 2000000;

@unmanaged
@final
class Gateway {
  heardAt: i32;
  /** Ms without an ADVERTISE after which it is gone; 0: it never advertised. */
  silence: u32;
  /** Its GwId and 1; 0: there is none. */
  number: u32;
}

function gateways(): usize {
  return memory.data(GATEWAY_ENTRIES * ENTRY_BYTES, 4);
}

/** The place of the gateway that is used, or -1. */
export let current: i32 = -1;

function gatewayAt(place: i32): Gateway {
  return changetype<Gateway>(gateways() + place * ENTRY_BYTES);
}

export function forgetGateways(): void {
  memory.fill(gateways(), 0, GATEWAY_ENTRIES * ENTRY_BYTES);
  current = -1;
}

/** An ADVERTISE or GWINFO came; `missed` is how many ADVERTISEs may stay out. Whether the gateway is new. */
export function heardOf(type: i32, missed: u32): bool {
  const place = flags % GATEWAY_ENTRIES; // gateways are numbered one after the other; of two at one place the first stays while it lasts
  const gateway = gatewayAt(place);
  const isNew = gateway.number != flags + 1;
  if (isNew) {
    if (gateway.number && !isSilent(gateway)) return false;
    // A client that answers for a gateway says where it is (SN 5.4.3); otherwise it is the sender.
    if (remember_gateway(place, body + 1, type == ADVERTISE ? 0 : rest - 1) < 0) return false;
    gateway.number = flags + 1;
    gateway.silence = 0;
  }
  gateway.heardAt = now;
  if (type == ADVERTISE) gateway.silence = min(readUint16(body + 1) * missed, SILENCE_MOST) * 1000;
  return isNew;
}

function isSilent(gateway: Gateway): bool {
  return gateway.silence != 0 && isDue(gateway.heardAt + gateway.silence);
}

/** Chooses a gateway to connect to: its place, or -1 when none is known. */
export function chooseGateway(): i32 {
  for (current = GATEWAY_ENTRIES - 1; current >= 0; --current) {
    const gateway = gatewayAt(current);
    if (gateway.number && !isSilent(gateway)) break;
  }
  return current;
}

/** Whether the gateway in use is gone, for lack of an ADVERTISE. */
export function isGone(): bool {
  return current >= 0 && isSilent(gatewayAt(current));
}

/** The gateway in use is lost, and forgotten; answers its GwId. */
export function loseGateway(): u32 {
  const gateway = gatewayAt(current);
  const id = gateway.number - 1;
  gateway.number = 0;
  current = -1;
  return id;
}
