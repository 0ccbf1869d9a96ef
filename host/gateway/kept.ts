import { RECORD_INBOX, RECORD_MESSAGE } from '../contract.js';
import type { Journal, JournalRecord } from '../journal/journal.js';
import type { Storage } from '../storage.js';
import type { ForgettingJournal } from './forgetting.js';
import type { QoS } from './messages.js';
import type { Publication } from './publication.js';
import type { Offered, Taken } from './taken.js';

// Decisions and restrictions:
//
// - Of a client's session two parts of the journal: what the module of its connection to the broker writes, and beside it what the gateway has to know.
//   Where one is worth nothing without the other they are one write: a message to the broker and the client's MsgId for it; that the broker has it and that
//   the client is to hear so; a QoS 2 message of the broker and that it was taken.
// - The module writes a message twice: when it is published, and when it is acknowledged in full.
// - A message to the client is written once, at QoS 2 once more when PUBREC came. That it was delivered is not waited for: at QoS 1 it may come again, and
//   at QoS 2 the client is asked again for a PUBCOMP.

/** Number in its queue and MsgId of a message to the client. */
export interface Reserved {
  number: number;
  msgId: number;
}

export interface KeptListener {
  /** What the client has published. */
  taken(): Taken;
  reserve(): Reserved;
  /** A message of the broker; without `reserved` the journal does not have it. Never from within a call. */
  arrived(message: Publication, reserved: Reserved | undefined): void;
  /** The broker has acknowledged in full what the journal has. False when the client no longer means that. */
  acknowledged(offered: Offered): boolean;
  /** The journal knows so, too. Never from within a call. */
  confirmed(offered: Offered): void;
  /** The journal did not take a message of QoS 1, which is delivered all the same. */
  failed(): void;
}

const MODULE = 'module ';
const SESSION = 'session ';
/** Of the session's part: all that was taken; messages to the client are behind it. */
const TAKEN = 0;
const FIRST_MESSAGE = 1;

// A message to the client: QoS, retain (4), released (8) in one byte, MsgId (2), bytes of the topic (2), topic, payload. Released, it has neither.
const HEAD_BYTES = 5;
const RETAIN = 4;
const RELEASED = 8;

interface Arrival {
  message: Publication;
  reserved: Reserved | undefined;
}

/** What outlives the gateway of one client's session. */
export class Kept {
  readonly #journal: ForgettingJournal;
  readonly #listener: KeptListener;
  readonly #module: string;
  readonly #session: string;
  /** A message is being published: what a record is written for. */
  #publishing: { offered: Offered | undefined } | undefined;
  /** QoS 2 messages that wait for the module to note that it has them. */
  #arriving: { message: Publication; reserved: Reserved }[] = [];
  // What is told when the module's step is over.
  #arrived: Arrival[] = [];
  #confirmed: Offered[] = [];
  /** Of the present connection; what an earlier one still writes after wipe() is nobody's. */
  #storage: { isOver: boolean } = { isOver: true };

  constructor(journal: ForgettingJournal, clientId: string, listener: KeptListener) {
    this.#journal = journal;
    this.#listener = listener;
    this.#module = MODULE + clientId;
    this.#session = SESSION + clientId;
  }

  /** The storage of a new connection's module. */
  storage(): Storage {
    const state = { isOver: false };
    this.#storage = state;
    this.#arriving = []; // the module begins without them, and the broker sends them again
    return {
      write: (key, bytes) => (state.isOver ? 0 : this.#write(key, bytes)),
      read: (key) => (state.isOver ? undefined : this.#journal.read(this.#module, key)),
    };
  }

  /** The client begins anew, or its session has to make room. False when the journal did not take note of it yet. */
  wipe(): boolean {
    this.#storage.isOver = true;
    this.#arriving = [];
    this.#arrived = [];
    this.#confirmed = [];
    return this.#journal.forget([this.#module, this.#session]);
  }

  /** Calls `publish`, in which the module writes its record of what was `offered`. */
  publishing(offered: Offered | undefined, publish: () => number): number {
    this.#publishing = { offered };
    const answer = publish();
    this.#publishing = undefined;
    return answer;
  }

  /** The module delivers a message; it acknowledges it when this has returned. */
  take(message: Publication): void {
    if (this.#storage.isOver) return; // of a session that is forgotten, on a connection that comes to its end
    if (message.qos === 2) {
      this.#arriving.push({ message, reserved: this.#listener.reserve() });
      return;
    }
    let reserved: Reserved | undefined;
    if (message.qos === 1) {
      reserved = this.#listener.reserve();
      if (this.#journal.write([this.#record(message, reserved)])) {
        this.#listener.failed();
        reserved = undefined;
      }
    }
    this.#arrived.push({ message, reserved });
  }

  /** The module's step is over: what the journal now has is told. */
  tell(): void {
    for (const { message, reserved } of this.#arrived.splice(0)) this.#listener.arrived(message, reserved);
    for (const offered of this.#confirmed.splice(0)) this.#listener.confirmed(offered);
  }

  /** PUBREC came for a message to the client. False when the journal did not take note of it. */
  released({ number, msgId, topic, payload, ...rest }: Publication & Reserved): boolean {
    return this.#journal.write([this.#record({ ...rest, topic: '', payload: new Uint8Array() }, { number, msgId }, RELEASED)]) === 0;
  }

  /** A message to the client is delivered, or dropped. */
  forget(number: number): void {
    this.#journal.write([none(this.#session, FIRST_MESSAGE + number)], false);
  }

  /** PUBREL came. It need not be sure at once: known for longer than a minute the message does no harm. */
  releases(taken: Taken): void {
    if (this.#journal.read(this.#session, TAKEN)) this.#journal.write([this.#taken(taken.encode())], false);
  }

  /** Messages to the client, in their order. */
  queue(): (Publication & Reserved & { isReleased: boolean })[] {
    const keys = this.#journal.keys(this.#session).filter((key) => key >= FIRST_MESSAGE);
    return keys
      .sort((a, b) => a - b)
      .flatMap((key) => {
        const record = this.#journal.read(this.#session, key);
        return record && record.length >= HEAD_BYTES ? [{ ...decode(record), number: key - FIRST_MESSAGE }] : [];
      });
  }

  restoreTaken(taken: Taken, now: number): void {
    const record = this.#journal.read(this.#session, TAKEN);
    if (record) taken.restore(record, (place) => this.#journal.read(this.#module, keyAt(place)) !== undefined, now);
  }

  #write(key: number, bytes: Uint8Array): number {
    const record: JournalRecord = { part: this.#module, key, bytes };
    switch (key >>> 16) {
      case RECORD_MESSAGE:
        return this.#writeMessage(record, key & 0xffff);
      case RECORD_INBOX: {
        const answer = this.#journal.write([record, ...this.#arriving.map(({ message, reserved }) => this.#record(message, reserved))]);
        if (answer === 0) this.#arrived.push(...this.#arriving.splice(0));
        return answer;
      }
    }
    return this.#journal.write([record]);
  }

  #writeMessage(record: JournalRecord, place: number): number {
    const taken = this.#listener.taken();
    if (this.#publishing) {
      const { offered } = this.#publishing;
      if (!offered) return this.#journal.write([record]);
      offered.place = place;
      const answer = this.#journal.write([record, this.#taken(taken.encode())]);
      if (answer !== 0) delete offered.place;
      return answer;
    }
    const offered = taken.offeredAt(place);
    if (!offered) return this.#journal.write([record]);
    // Of no bytes, the module found it torn: the client has to publish it again.
    if (record.bytes.length === 0) taken.settle(offered.msgId, offered);
    else if (this.#listener.acknowledged(offered)) this.#confirmed.push(offered);
    return this.#journal.write([record, this.#taken(taken.encode())]);
  }

  #taken(bytes: Uint8Array): JournalRecord {
    return { part: this.#session, key: TAKEN, bytes };
  }

  #record({ topic, payload, qos, retain }: Publication, { number, msgId }: Reserved, flags = 0): JournalRecord {
    const name = Buffer.from(topic);
    const bytes = Buffer.alloc(HEAD_BYTES + name.length + payload.length);
    bytes.writeUInt8(qos | (retain ? RETAIN : 0) | flags, 0);
    bytes.writeUInt16LE(msgId, 1);
    bytes.writeUInt16LE(name.length, 3);
    bytes.set(name, HEAD_BYTES);
    bytes.set(payload, HEAD_BYTES + name.length);
    return { part: this.#session, key: FIRST_MESSAGE + number, bytes };
  }
}

function decode(record: Uint8Array): Publication & { msgId: number; isReleased: boolean } {
  const bytes = Buffer.from(record);
  const flags = bytes.readUInt8(0);
  const payloadAt = HEAD_BYTES + bytes.readUInt16LE(3);
  return {
    qos: (flags & 3) as QoS,
    retain: (flags & RETAIN) !== 0,
    isReleased: (flags & RELEASED) !== 0,
    msgId: bytes.readUInt16LE(1),
    topic: bytes.toString('utf8', HEAD_BYTES, payloadAt),
    payload: bytes.subarray(payloadAt),
  };
}

function none(part: string, key: number): JournalRecord {
  return { part, key, bytes: new Uint8Array() };
}

function keyAt(place: number): number {
  return (RECORD_MESSAGE << 16) | place;
}

/** Client ids of the sessions that a journal has something of. */
export function clientsIn(journal: Journal): string[] {
  const ids = journal.parts().map((part) => part.slice(part.startsWith(MODULE) ? MODULE.length : SESSION.length));
  return [...new Set(ids)];
}
