import type { KeyObject } from 'node:crypto';
import type { BoardUpdate } from '../board.js';
import { ABI_VERSION } from '../contract.js';
import { Module } from '../module.js';
import { publicKeyObject } from './keys.js';
import { type Answer, ASK, AWAITS_OFFER, CHUNK, CHUNK_BYTES, encodeAnswer, GO_ON, KEPT, LEFT, OFFER, REFUSED, RUNS } from './messages.js';
import { HEADER_BYTES, isHashOf, isSameModule, isSigned, isSignedBy, readHeader } from './module-file.js';
import { emptySlot, type ModuleStore, type StoredSlot } from './module-store.js';

// What firmware/shell/update.c and slots.c do on a board, for a board in software: the same messages, the same answers, the same trial.

/** As slots.h has them. */
const FAILURES = 3;
const TRIAL_MS = 120_000;
/** How long a module that reached its broker has to run in order. */
export const PROOF_MS = 60_000;
const SLOT_BYTES = 128 * 1024 - HEADER_BYTES - 16;

export interface ReceiverParts {
  store: ModuleStore;
  /** Of whom modules are taken, as a board has it; without it none are taken. */
  publicKey?: Uint8Array | undefined;
  /** How long a new module has to reach its broker. Default: 120,000. */
  trialMs?: number | undefined;
}

/** Takes signed modules for a board in software, and knows which one it is to run. */
export class Receiver implements BoardUpdate {
  /** A new module is kept: stop the one that runs, and start what `next` answers. */
  complete = false;
  readonly trialMs: number;
  readonly #store: ModuleStore;
  readonly #key: KeyObject | undefined;
  /** Undefined: the module that the board came with runs. */
  #running: StoredSlot | undefined;
  #connected = false;
  #told = false;
  /** That is being written. */
  #open: StoredSlot | undefined;
  #answer: Answer | undefined;

  constructor({ store, publicKey, trialMs }: ReceiverParts) {
    this.#store = store;
    this.#key = publicKey && publicKeyObject(publicKey);
    this.trialMs = trialMs ?? TRIAL_MS;
    for (const slot of store.slots) {
      if (!slot.trial) continue;
      slot.trial = false;
      if (slot.fate === 'new' && ++slot.failures >= FAILURES) this.#leave(slot, 'the board was reset each time it was started');
    }
    store.save();
  }

  /** The bytes of the module to start; undefined: the one that the board came with. */
  next(): Uint8Array | undefined {
    return this.#best()?.bytes;
  }

  #best(): StoredSlot | undefined {
    return this.#store.slots.filter(({ whole, fate }) => whole && fate !== 'left').sort((one, other) => other.sequence - one.sequence)[0];
  }

  /** What next() answered is started. */
  begins(): void {
    this.#running = this.#best();
    this.#open = this.#answer = undefined;
    this.complete = this.#connected = this.#told = false;
    if (!this.#running) return;
    this.#running.trial = true;
    this.#store.save();
  }

  /** EVENT_CONNECTED came. */
  connected(): void {
    this.#connected = true;
    if (this.#running?.fate === 'new') this.#answer = this.#tellRunning();
    else if (this.#store.left.version && !this.#told) this.#answer = this.#tellLeft();
    this.#told = true;
  }

  /** So many ms since its start. False: its time is over, it has not reached its broker, and is to be left. */
  ran(ms: number): boolean {
    const slot = this.#running;
    if (slot?.fate !== 'new') return true;
    if (!this.#connected) return ms < this.trialMs;
    if (ms >= PROOF_MS) {
      slot.fate = 'proved';
      slot.failures = 0;
      slot.trial = false;
      this.#store.save();
    }
    return true;
  }

  /** It ended in order. */
  ended(): void {
    const slot = this.#running;
    if (!slot) return;
    slot.trial = false;
    if (slot.fate === 'new' && !this.#connected && ++slot.failures >= FAILURES) this.#leave(slot, 'it never reached its broker');
    this.#store.save();
  }

  /** The module that runs trapped, or is not taken. True: another is to be started; false: it is the one that the board came with. */
  failed(why: string): boolean {
    const slot = this.#running;
    if (!slot) return false;
    slot.trial = false;
    slot.failures++;
    if (slot.fate === 'new' || slot.failures >= FAILURES) this.#leave(slot, why);
    this.#store.save();
    return true;
  }

  #leave(slot: StoredSlot, why: string): void {
    slot.fate = 'left';
    this.#store.left = { version: readHeader(slot.header).version, why };
  }

  answer(): Uint8Array | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer && encodeAnswer(answer);
  }

  take(payload: Uint8Array): number {
    this.#answer = this.#answerTo(Buffer.from(payload));
    return 0;
  }

  #answerTo(message: Buffer): Answer {
    if (message[0] === OFFER && message.length === 1 + HEADER_BYTES) return this.#offered(message.subarray(1));
    if (message[0] === CHUNK && message.length >= 5) return this.#chunk(message.readUInt32BE(1), message.subarray(5));
    if (message[0] === ASK && message.length === 1) return this.#asked();
    return this.#refuse(`no message of an update: ${message.length} bytes`);
  }

  #refuse(text: string): Answer {
    this.#open = undefined;
    return answerOf(REFUSED, 0, text);
  }

  #asked(): Answer {
    if (this.complete) return answerOf(KEPT, 0, 'the new module is kept, and starts');
    return this.#store.left.version ? this.#tellLeft() : this.#tellRunning();
  }

  #tellRunning(): Answer {
    if (!this.#running) return answerOf(RUNS, 0, 'the module that was flashed runs');
    const { version, name } = readHeader(this.#running.header);
    const trial = this.#connected ? ', on trial for a minute' : ', on trial until it reaches its broker';
    return answerOf(RUNS, version, `${name} version ${version} runs${this.#running.fate === 'new' ? trial : ''}`);
  }

  #tellLeft(): Answer {
    const { version, why } = this.#store.left;
    return answerOf(LEFT, version, `version ${version} was left: ${why}`);
  }

  #offered(header: Buffer): Answer {
    this.#open = undefined;
    const same = this.#store.slots.find((slot) => slot.whole && slot.fate !== 'left' && isSameModule(slot.header, header));
    if (same && same === this.#running) return this.#tellRunning();
    if (same && this.complete) return answerOf(KEPT, same.bytes.length, 'the module is kept already, and starts');
    if (this.complete) return this.#refuse('the board is about to start another module: deploy again then');
    const fault = this.#fault(header);
    if (fault) return this.#refuse(fault);
    const slot = this.#target(header);
    if (!slot)
      return this.#refuse(
        'the module that runs is on trial, and the other slot holds the one to go back to: deploy again when it proved itself',
      );
    if (slot.whole || slot.header.length === 0 || !isSameModule(slot.header, header)) {
      Object.assign(slot, emptySlot(), { header });
      this.#store.left = { version: 0, why: '' };
      this.#store.save();
    }
    this.#open = slot;
    return answerOf(GO_ON, slot.bytes.length);
  }

  #fault(header: Buffer): string | undefined {
    const key = this.#key;
    if (!key) return 'this board takes no modules: it was given no public_key';
    if (!isSigned(header)) return 'this is no signed module: its header begins otherwise; sign it with twobyte deploy';
    if (!isSignedBy(header, key))
      return 'the signature is not of the key that this board trusts: sign with the private key of its public_key';
    const { boundary, length, version } = readHeader(header);
    const running = this.#running ? readHeader(this.#running.header).version : 0;
    if (boundary !== ABI_VERSION)
      return `the module is made for boundary version ${boundary}, this board has ${ABI_VERSION}: take a module of its firmware's release`;
    if (length === 0 || length > SLOT_BYTES) return `the module has ${length} bytes, this board takes 1 to ${SLOT_BYTES}`;
    if (version < running) return `version ${version} is older than ${running}, which runs: deploy with a higher one`;
    if (version === running) return `version ${version} runs, and is another module: deploy with a higher one`;
    return undefined;
  }

  /** The slot that an offer is written to, as update.c chooses it. */
  #target(header: Buffer): StoredSlot | undefined {
    const worth = (slot: StoredSlot) =>
      slot.whole ? (slot.fate === 'left' ? 2 : 1) : slot.header.length > 0 && isSameModule(slot.header, header) ? 4 : 3;
    const isNeeded = (slot: StoredSlot) => worth(slot) === 1 && this.#running?.fate === 'new';
    return this.#store.slots
      .filter((slot) => slot !== this.#running && !isNeeded(slot))
      .sort((one, other) => worth(other) - worth(one) || one.sequence - other.sequence)[0];
  }

  #chunk(offset: number, bytes: Buffer): Answer {
    const slot = this.#open;
    if (!slot) return answerOf(GO_ON, AWAITS_OFFER, 'the header is awaited first');
    if (offset !== slot.bytes.length) return answerOf(GO_ON, slot.bytes.length);
    const { length } = readHeader(slot.header);
    if (bytes.length > CHUNK_BYTES) return this.#refuse(`a chunk has ${bytes.length} bytes, this board takes ${CHUNK_BYTES} at once`);
    if (bytes.length > length - offset) return this.#refuse('the module is longer than its header says');
    slot.bytes = Buffer.concat([slot.bytes, bytes]);
    const answer = slot.bytes.length === length ? this.#finish(slot) : answerOf(GO_ON, slot.bytes.length);
    this.#store.save();
    return answer;
  }

  #finish(slot: StoredSlot): Answer {
    const header = readHeader(slot.header);
    const fault = isHashOf(header, slot.bytes)
      ? loadFault(slot.bytes)
      : "the module's bytes are not those that were signed: deploy it again";
    if (fault) {
      Object.assign(slot, emptySlot());
      return this.#refuse(fault);
    }
    slot.sequence = Math.max(...this.#store.slots.map(({ sequence }) => sequence)) + 1;
    slot.whole = true;
    this.#open = undefined;
    this.complete = true;
    return answerOf(KEPT, slot.bytes.length, `${header.name} version ${header.version} is kept and starts`);
  }
}

function answerOf(status: Answer['status'], offset: number, text = ''): Answer {
  return { status, offset, text };
}

/** Why a board in software cannot load the module; an import that it does not have, by name. */
export function loadFault(module: Uint8Array): string | undefined {
  try {
    new Module(new WebAssembly.Module(Buffer.from(module)), {
      linkOpen: () => 0,
      linkSend: () => 0,
      linkClose: () => {},
      random: () => 0,
      configText: () => undefined,
      configNumber: (_key, otherwise) => otherwise,
      temperature: () => 0,
      event: () => {},
    });
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    const [, name] = /Import #\d+ (?:module=)?"[^"]*" (?:function=)?"([^"]*)"/.exec(message) ?? [];
    if (error instanceof WebAssembly.LinkError || name !== undefined)
      return `the module imports ${name ?? 'what this board does not have'}, which this board does not have: take a module of its firmware's release`;
    return `the module is cut off or no WebAssembly of Twobyte: build it anew (${message})`;
  }
}
