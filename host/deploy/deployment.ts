import {
  type Answer,
  AWAITS_OFFER,
  CHUNK_BYTES,
  encodeAsk,
  encodeChunk,
  encodeOffer,
  GO_ON,
  KEPT,
  LEFT,
  REFUSED,
  RUNS,
} from './messages.js';
import { HEADER_BYTES, readModuleFile } from './module-file.js';

// The side that deploys: one message after another, each repeated until it is answered. Where the two sides do not agree on what came before, the
// header is offered again, and its answer says where to go on.

/** The board refused the module or left it, or nothing was heard of it; the message says why. */
export class DeployFault extends Error {}

/** What carries messages to a board, and its answers back. */
export interface Channel {
  /** Sends, or drops what cannot be sent now: everything is repeated. */
  send(message: Uint8Array): void;
  /** Whom to tell of each answer. */
  listen(heard: (answer: Answer) => void): void;
}

export interface DeployOptions {
  /** A message that is not answered is repeated after so many ms. Default 5,000. */
  answerMs?: number;
  /** Given up when nothing went on for so many ms. Default 180,000: a board that goes back to its old module may take that long. */
  patienceMs?: number;
  /** Bytes of the module that the board has, as it says; it may have some from before. */
  progress?(bytes: number, of: number): void;
  /** Breaks it off: what the board has stays there. */
  signal?: AbortSignal;
  /** The board has all of it, and starts it. */
  kept?(text: string): void;
}

const ANSWER_MS = 5_000;
/** As DeployOptions has it. */
export const PATIENCE_MS = 180_000;

/** Deploys a module file. Resolves with the board's words when the new module runs and has reached its broker. Throws a DeployFault. */
export async function deploy(channel: Channel, file: Uint8Array, options: DeployOptions = {}): Promise<string> {
  return new Deployment(channel, file, options).run();
}

class Deployment {
  readonly #channel: Channel;
  readonly #header: Uint8Array;
  readonly #module: Uint8Array;
  readonly #version: number;
  readonly #options: DeployOptions;
  readonly #waiting: Answer[] = [];
  #wake = () => {};
  /** Where the board is; undefined: it has to be asked by an offer. */
  #at: number | undefined;
  #kept = false;
  #heardAt = performance.now();
  /** The most that the board was heard to have, and when it had that first: it has to get on. */
  #most = -1;
  #gotOnAt = performance.now();

  constructor(channel: Channel, file: Uint8Array, options: DeployOptions) {
    const { header, module } = readModuleFile(file);
    this.#channel = channel;
    this.#header = file.subarray(0, HEADER_BYTES);
    this.#module = module;
    this.#version = header.version;
    this.#options = options;
    options.signal?.addEventListener('abort', () => this.#wake());
    channel.listen((answer) => {
      this.#waiting.push(answer);
      this.#wake();
    });
  }

  async run(): Promise<string> {
    for (;;) {
      if (this.#options.signal?.aborted) throw new DeployFault('the deployment was broken off');
      this.#checkPatience();
      const answer = await this.#exchange();
      if (!answer) this.#at = undefined;
      else if (answer.status === REFUSED) throw new DeployFault(`the board refuses the module: ${answer.text}`);
      else if (answer.status === LEFT) throw new DeployFault(`the board went back to its old module: ${answer.text}`);
      else if (answer.status === RUNS) return answer.text;
      else if (answer.status === KEPT) this.#isKept(answer.text);
      else this.#goOn(answer.offset);
    }
  }

  #isKept(text: string): void {
    if (!this.#kept) this.#options.kept?.(text);
    if (!this.#kept) this.#gotOnAt = performance.now();
    this.#kept = true;
  }

  /** Throws when the board has not got on for too long, whatever it says meanwhile. */
  #checkPatience(): void {
    const patience = this.#options.patienceMs ?? PATIENCE_MS;
    const now = performance.now();
    const stands = now - this.#gotOnAt;
    if (stands <= patience) return;
    // A late answer to what was asked before does not count as one.
    if (!this.#kept && now - this.#heardAt < patience / 2)
      throw new DeployFault(
        `the board answers, and takes nothing more for ${seconds(stands)}: does another program deploy to it, or is it reset again and again?`,
      );
    throw new DeployFault(
      `nothing was heard of the ${this.#kept ? 'new module' : 'board'} for ${seconds(stands)}: is the board connected, with this topic as its update_topic?`,
    );
  }

  #goOn(offset: number): void {
    this.#at = offset === AWAITS_OFFER || offset >= this.#module.length ? undefined : offset;
    if (this.#at === undefined) return;
    if (this.#at > this.#most) {
      this.#most = this.#at;
      this.#gotOnAt = performance.now();
    }
    this.#options.progress?.(this.#at, this.#module.length);
  }

  /** Sends what is next, and waits for what answers it. Undefined when nothing did in time. */
  async #exchange(): Promise<Answer | undefined> {
    const at = this.#at;
    const chunk = at === undefined ? undefined : this.#module.subarray(at, at + CHUNK_BYTES);
    const message = this.#kept ? encodeAsk() : chunk ? encodeChunk(at ?? 0, chunk) : encodeOffer(this.#header);
    this.#channel.send(message);
    const until = performance.now() + (this.#options.answerMs ?? ANSWER_MS);
    for (let left = until - performance.now(); left > 0 && !this.#options.signal?.aborted; left = until - performance.now()) {
      const answer = await this.#next(left);
      if (answer && this.#isFitting(answer, at)) return answer;
    }
    return undefined;
  }

  /** Whether it answers what was asked. Answers may come twice, late, or unasked when a board connects. */
  #isFitting({ status, offset }: Answer, at: number | undefined): boolean {
    if (status === RUNS) return offset === this.#version;
    if (status === LEFT) return this.#kept && offset === this.#version;
    if (this.#kept) return false;
    return status !== GO_ON || at === undefined || offset > at;
  }

  async #next(ms: number): Promise<Answer | undefined> {
    if (this.#waiting.length === 0)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    this.#wake = () => {};
    const answer = this.#waiting.shift();
    if (answer) this.#heardAt = performance.now();
    return answer;
  }
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;
