import { REMEMBERED, REMEMBERED_MS, UNRELEASED } from './limits.js';
import type { PublishMessage } from './messages.js';

/** A message of the client that the broker has not acknowledged yet. Its identity says whether an answer is still for it. */
export interface Offered {
  readonly hash: number;
}

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
  look({ msgId, qos, dup }: PublishMessage, hash: number, now: number): 'new' | 'offered' | 'taken' {
    // A client that uses an id again for another message has given up the one before.
    if (this.#offered.get(msgId)?.hash === hash) return 'offered';
    if (this.#received.get(msgId) === hash) return 'taken';
    if (qos === 1 && !dup) return 'new';
    const same = (completed: Completed) => completed.msgId === msgId && completed.hash === hash && completed.until > now;
    return this.#completed.some(same) ? 'taken' : 'new';
  }

  offer(msgId: number, hash: number): Offered {
    const offered = { hash };
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

  /** PUBREL came. */
  release(msgId: number, now: number): void {
    const hash = this.#received.get(msgId);
    if (hash === undefined) return;
    this.#received.delete(msgId);
    this.complete(msgId, hash, now);
  }

  isOffered(msgId: number): boolean {
    return this.#offered.has(msgId);
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
