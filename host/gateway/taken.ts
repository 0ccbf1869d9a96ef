import { REMEMBERED, REMEMBERED_MS, UNRELEASED } from './limits.js';
import type { PublishMessage } from './messages.js';

/** What an answer to a PUBLISH repeats of it. */
export type Asked = Pick<PublishMessage, 'qos' | 'topicId' | 'msgId'>;

/** A message of the client that the broker has not acknowledged yet. Its identity says whether an answer is still for it. */
export interface Offered {
  readonly msgId: number;
  readonly hash: number;
  readonly qos: number;
  /** The place of its record where a journal has it: then it goes on after a restart, and its answer comes by the journal. */
  place?: number;
  /** The PUBLISH that came last; none since a restart. */
  asked?: Asked;
}

// How the journal has them: state (1), QoS (1), MsgId (2), hash (4), place (2), each.
const ENTRY_BYTES = 10;
const OFFERED = 1;
const RECEIVED = 2;
const COMPLETED = 3;

interface Completed {
  msgId: number;
  hash: number;
  until: number;
}

/**
 * What a client published under which MsgId, so that nothing is published twice: offered to the broker, then (QoS 2) received until PUBREL, then
 * completed. Networks hold copies back: a PUBLISH that comes after its exchange is over is known for a while by MsgId and content. At QoS 1 only with
 * DUP: there may be copies, but a client that gives every message the same MsgId must lose none.
 */
export class Taken {
  readonly #offered = new Map<number, Offered>();
  readonly #received = new Map<number, number>();
  #completed: Completed[] = [];

  /** Messages that wait for the broker. */
  get offered(): number {
    return this.#offered.size;
  }

  /** 'offered': its answer comes by itself; 'taken': it is to be answered again; 'new': it is to be published. */
  look({ msgId, qos, dup, topicId }: PublishMessage, hash: number, now: number): 'new' | 'offered' | 'taken' {
    // A client that uses an id again for another message has given up the one before.
    const offered = this.#offered.get(msgId);
    if (offered?.hash === hash) {
      offered.asked = { qos, topicId, msgId };
      return 'offered';
    }
    if (this.#received.get(msgId) === hash) return 'taken';
    if (qos === 1 && !dup) return 'new';
    const same = (completed: Completed) => completed.msgId === msgId && completed.hash === hash && completed.until > now;
    return this.#completed.some(same) ? 'taken' : 'new';
  }

  offer({ msgId, qos, topicId }: Asked, hash: number): Offered {
    const offered: Offered = { msgId, hash, qos, asked: { qos, topicId, msgId } };
    this.#offered.set(msgId, offered);
    this.#received.delete(msgId);
    return offered;
  }

  /** Whether `offered` still is what the client means by `msgId`; it is no longer waited for. */
  settle(msgId: number, offered: Offered): boolean {
    if (this.#offered.get(msgId) !== offered) return false;
    this.#offered.delete(msgId);
    return true;
  }

  /** A QoS 2 message is at the broker: it is received until its PUBREL. */
  receive(msgId: number, hash: number, now: number): void {
    const [oldest] = this.#received.keys();
    if (this.#received.size >= UNRELEASED && oldest !== undefined) this.release(oldest, now);
    this.#received.set(msgId, hash);
  }

  /** PUBREL came; answers whether the id was known. */
  release(msgId: number, now: number): boolean {
    const hash = this.#received.get(msgId);
    if (hash === undefined) return false;
    this.#received.delete(msgId);
    this.complete(msgId, hash, now);
    return true;
  }

  isOffered(msgId: number): boolean {
    return this.#offered.has(msgId);
  }

  /** What a journal has at `place`, if it is still waited for. */
  offeredAt(place: number): Offered | undefined {
    for (const offered of this.#offered.values()) if (offered.place === place) return offered;
    return undefined;
  }

  /** All of it for the journal, but for what is offered and not there. */
  encode(): Uint8Array {
    const entries: [state: number, qos: number, msgId: number, hash: number, place: number][] = [];
    for (const { msgId, hash } of this.#completed) entries.push([COMPLETED, 0, msgId, hash, 0]);
    for (const [msgId, hash] of this.#received) entries.push([RECEIVED, 2, msgId, hash, 0]);
    for (const { msgId, hash, qos, place } of this.#offered.values())
      if (place !== undefined) entries.push([OFFERED, qos, msgId, hash, place]);
    const bytes = Buffer.alloc(entries.length * ENTRY_BYTES);
    for (const [i, [state, qos, msgId, hash, place]] of entries.entries()) {
      const at = i * ENTRY_BYTES;
      bytes.writeUInt8(state, at);
      bytes.writeUInt8(qos, at + 1);
      bytes.writeUInt16LE(msgId, at + 2);
      bytes.writeUInt32LE(hash, at + 4);
      bytes.writeUInt16LE(place, at + 8);
    }
    return bytes;
  }

  /** Takes back what encode() made; `isThere` says whether the journal still has the message at a place. */
  restore(record: Uint8Array, isThere: (place: number) => boolean, now: number): void {
    const bytes = Buffer.from(record.buffer, record.byteOffset, record.length);
    for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
      const msgId = bytes.readUInt16LE(at + 2);
      const hash = bytes.readUInt32LE(at + 4);
      const place = bytes.readUInt16LE(at + 8);
      const state = bytes.readUInt8(at);
      if (state === COMPLETED) this.complete(msgId, hash, now);
      else if (state === RECEIVED) this.receive(msgId, hash, now);
      else if (state === OFFERED && isThere(place)) this.#offered.set(msgId, { msgId, hash, qos: bytes.readUInt8(at + 1), place });
    }
  }

  /** The exchange is over. */
  complete(msgId: number, hash: number, now: number): void {
    this.#completed.push({ msgId, hash, until: now + REMEMBERED_MS });
    if (this.#completed.length > REMEMBERED) this.#completed.shift();
  }
}

/** FNV-1a over what makes a message: topic, QoS, retain and payload. The topic by its name: its id may be another when the message comes again. */
export function hashOf({ qos, retain, data }: PublishMessage, topic: string): number {
  let hash = 0x811c9dc5;
  const add = (byte: number) => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  add((retain ? 1 : 0) | (qos << 1));
  for (const byte of Buffer.from(topic)) add(byte);
  add(0); // no topic has it
  for (const byte of data) add(byte);
  return hash >>> 0;
}
