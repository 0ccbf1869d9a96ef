import { randomInt } from 'node:crypto';
import type { Clock } from '../clock.js';
import {
  ACKNOWLEDGEMENT,
  acknowledgement,
  CLOSE,
  COMMANDED,
  CONSOLE,
  type Command,
  clock as clockMessage,
  command as commandMessage,
  DATA,
  EVENT,
  type FromBoard,
  HELLO,
  hello,
  type Item,
  LOST,
  NO_SUCH_STREAM,
  noSuchStream,
  OPEN,
  readMessage,
  TAKEN,
  type Upload,
} from '../links/line-messages.js';
import { Outgoing } from './outgoing.js';
import { Uploading } from './uploading.js';

/** Until a hello without an answer is said again, and a command. */
const HELLO_MS = 2000;
const COMMAND_MS = 500;
const COMMAND_TRIES = 10;
/** Between two messages of the clock. */
const CLOCK_MS = 60_000;

export interface LineListener {
  /** One message for the wire. */
  put(message: Uint8Array): void;
  /** A message of MQTT-SN. */
  datagram(message: Uint8Array): void;
  /** A line for people. */
  console(text: string): void;
  /** A line of JSON. */
  event(text: string): void;
  /** How many the board has dropped since its start. */
  lost(consoles: number, events: number): void;
  /** The board said hello; `anew` when it has started since it did so last. */
  started(anew: boolean): void;
  /** The board does not answer a hello; once, until it does or the wire begins anew. */
  silent(): void;
  /** The board opens a stream: opened() or close() has to follow. */
  opening(choice: number): void;
  /** Bytes of the stream: how many are taken. When that are not all, offer() has to follow. */
  data(bytes: Uint8Array): number;
  /** The line takes bytes again, after send() answered false. */
  drained(): void;
  /** The stream is over and the connection behind it to be closed; `why` when the board did not close it in order. */
  closed(why?: string): void;
}

/** One stream of the board, kept after its end to acknowledge what is repeated. */
interface Stream {
  epoch: number;
  awaited: number;
  /** What of the item awaited is not yet taken. */
  held: Buffer | undefined;
  over: boolean;
  outgoing: Outgoing;
}

/** The host's end of a serial line (docs/serial.md). It knows messages; frames and the wire are its owner's. */
export class Line {
  /** Of another version of the line than ours; told once. */
  otherVersion: number | undefined;
  readonly #listener: LineListener;
  readonly #clock: Clock;
  readonly #byteMs: number;
  readonly #start = randomInt(1, 2 ** 32);
  #boardStart: number | undefined;
  #stream: Stream | undefined;
  #commandNumber = 0;
  /** Other hosts before this one had theirs. */
  #uploadNumber = randomInt(1, 256);
  #command: { what: Command; number: number; tries: number; done: (error?: Error) => void } | undefined;
  #uploading: Uploading | undefined;
  #toldSilent = false;
  #ended = false;
  #cancelHello = () => {};
  #cancelCommand = () => {};
  #cancelClock = () => {};

  /** `byteMs`: what a byte takes on the wire. */
  constructor(clock: Clock, listener: LineListener, byteMs = 0) {
    this.#clock = clock;
    this.#byteMs = byteMs;
    this.#listener = listener;
  }

  /** Items of the present stream that were sent again. */
  get repeated(): number {
    return this.#stream?.outgoing.repeated ?? 0;
  }

  /** The wire is there, for the first time or again: says hello until the board answers. */
  begin(): void {
    this.#toldSilent = false;
    this.#sayHello(0);
    this.#stream?.outgoing.hurry();
  }

  /** The wire is away: that nobody answers says nothing of the board. begin() follows when it is back. */
  pause(): void {
    this.#cancelHello();
  }

  /** A message came by the wire. */
  take(message: Uint8Array): void {
    if (this.#ended) return;
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    if (bytes[0] !== 0) this.#listener.datagram(bytes);
    else {
      const said = readMessage(bytes);
      if (said) this.#take(said);
    }
  }

  opened(): void {
    this.#stream?.outgoing.open();
  }

  /** Bytes for the board; false: no more for now, drained() follows. */
  send(bytes: Uint8Array): boolean {
    return this.#stream && !this.#stream.over ? this.#stream.outgoing.send(bytes) : true;
  }

  /** Ends the stream behind the bytes sent before, with a REASON_…; closed() does not follow. */
  close(reason: number): void {
    const stream = this.#stream;
    if (!stream || stream.over) return;
    stream.outgoing.close(reason);
    if (!stream.held) return;
    stream.held = undefined; // for nobody
    stream.awaited = (stream.awaited + 1) & 0xffff;
    this.#acknowledge(stream);
  }

  /** Whoever takes the stream has room again. */
  offer(): void {
    const stream = this.#stream;
    if (stream?.held && this.#handOver(stream)) this.#acknowledge(stream);
  }

  /** The stream is lost, whatever the board thinks. */
  abandon(why: string): void {
    const stream = this.#stream;
    if (stream && !stream.over) this.#lose(stream, why);
  }

  /** Asks the board for something, when it has said hello; resolves when it has taken it. */
  command(what: Command): Promise<void> {
    if (this.#ended) return Promise.reject(new Error('the line is closed'));
    if (this.#command) return Promise.reject(new Error('another command waits for the board'));
    const number = (this.#commandNumber % 255) + 1;
    this.#commandNumber = number;
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => {
        this.#cancelCommand();
        this.#command = undefined;
        if (error) reject(error);
        else resolve();
      };
      this.#command = { what, number, tries: 0, done };
      this.#sayCommand();
    });
  }

  /**
   * Brings bytes to the board, when it has said hello; resolves when it has kept them, and rejects with an UploadRefused when it does not want them.
   * A board that starts anew meanwhile says itself from where it goes on. `progress` hears how many bytes the board has.
   */
  upload(what: Upload, bytes: Uint8Array, progress: (sent: number) => void = () => {}): Promise<void> {
    if (this.#ended) return Promise.reject(new Error('the line is closed'));
    if (this.#uploading) return Promise.reject(new Error('another upload waits for the board'));
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => {
        this.#uploadNumber = this.#uploading?.number ?? this.#uploadNumber;
        this.#uploading = undefined;
        if (error) reject(error);
        else resolve();
      };
      const listener = { put: (message: Uint8Array) => this.#listener.put(message), ask: () => this.#sayHello(0), progress, done };
      this.#uploading = new Uploading(what, bytes, this.#clock, listener, this.#uploadNumber, this.#byteMs);
      this.#uploading.begin(this.#boardStart);
    });
  }

  /** Whether the board has still to acknowledge a close. */
  get closing(): boolean {
    return this.#stream !== undefined && !this.#stream.over && this.#stream.outgoing.closing;
  }

  /** Says nothing more. */
  end(): void {
    this.#ended = true;
    this.#cancelHello();
    this.#cancelClock();
    this.#command?.done(new Error('the line is closed'));
    this.#uploading?.end(new Error('the line is closed'));
    if (this.#stream) this.#over(this.#stream);
  }

  #take(said: FromBoard): void {
    switch (said.kind) {
      case HELLO:
        this.#takeHello(said.version, said.start, said.epoch);
        break;
      case CONSOLE:
        this.#listener.console(said.text);
        break;
      case EVENT:
        this.#listener.event(said.text);
        break;
      case LOST:
        this.#listener.lost(said.consoles, said.events);
        break;
      case COMMANDED:
        if (said.start === this.#boardStart && said.number === this.#command?.number) this.#command.done();
        break;
      case TAKEN:
        this.#uploading?.taken(said);
        break;
      case ACKNOWLEDGEMENT:
        if (said.epoch === this.#stream?.epoch && !this.#stream.over) this.#stream.outgoing.acknowledged(said.number, said.held);
        break;
      case NO_SUCH_STREAM:
        if (said.epoch === this.#stream?.epoch && !this.#stream.over) this.#lose(this.#stream, 'the board knows nothing of it');
        break;
      default:
        this.#takeItem(said);
    }
  }

  #takeHello(version: number, start: number, epoch: number): void {
    this.#cancelHello();
    this.#toldSilent = false;
    if (version !== 1) this.otherVersion ??= version;
    const first = this.#boardStart === undefined;
    const anew = !first && start !== this.#boardStart;
    this.#boardStart = start;
    if (first) this.#sayCommand();
    if (anew) this.#command?.done(new Error('the board started anew'));
    if (first || anew) this.#uploading?.begin(start);
    const stream = this.#stream;
    if (stream && !stream.over && stream.epoch !== epoch) this.#lose(stream, anew ? 'the board started anew' : 'the board has given it up');
    this.#listener.started(anew);
    this.#sayClock();
  }

  #takeItem(said: Item): void {
    const stream = this.#stream;
    if (said.epoch !== stream?.epoch) {
      if (said.kind === OPEN) this.#takeOpen(said.epoch, said.choice);
      else this.#listener.put(noSuchStream(said.epoch));
    } else if (said.number === ((stream.awaited - 1) & 0xffff)) this.#acknowledge(stream);
    else if (stream.over) this.#listener.put(noSuchStream(said.epoch));
    else if (said.number === stream.awaited) this.#takeNext(stream, said);
  }

  #takeOpen(epoch: number, choice: number): void {
    const before = this.#stream;
    if (before && !before.over) this.#lose(before, 'the board opened another');
    this.#acknowledge(this.#begin(epoch));
    this.#sayHello(0); // the hello of a board that has just started may have been damaged
    this.#listener.opening(choice);
  }

  #takeNext(stream: Stream, said: Item): void {
    if (said.kind === DATA && !stream.outgoing.closing) {
      stream.held ??= Buffer.from(said.body); // a copy
      this.#handOver(stream);
    } else if (said.kind === DATA || said.kind === CLOSE) stream.awaited = (stream.awaited + 1) & 0xffff;
    else return;
    this.#acknowledge(stream);
    if (said.kind !== CLOSE) return;
    const heard = stream.outgoing.closing; // the owner has closed, too
    this.#over(stream);
    if (!heard) this.#listener.closed();
  }

  /** Gives the owner what it takes of the item held. Whether that was all. */
  #handOver(stream: Stream): boolean {
    if (!stream.held) return false;
    stream.held = stream.held.subarray(this.#listener.data(stream.held));
    if (stream.held.length > 0) return false;
    stream.held = undefined;
    stream.awaited = (stream.awaited + 1) & 0xffff;
    return true;
  }

  #acknowledge({ epoch, awaited, held }: Stream): void {
    this.#listener.put(acknowledgement(epoch, awaited, held !== undefined));
  }

  #begin(epoch: number): Stream {
    const stream: Stream = {
      epoch,
      awaited: 1, // its open was item 0
      held: undefined,
      over: false,
      outgoing: new Outgoing(
        epoch,
        this.#clock,
        {
          put: (message) => this.#listener.put(message),
          drained: () => this.#listener.drained(),
          closed: () => this.#over(stream),
          silent: () => this.#lose(stream, 'the board does not answer'),
        },
        this.#byteMs,
      ),
    };
    this.#stream = stream;
    return stream;
  }

  #over(stream: Stream): void {
    stream.over = true;
    stream.held = undefined;
    stream.outgoing.end();
  }

  #lose(stream: Stream, why: string): void {
    const heard = stream.outgoing.closing;
    this.#over(stream);
    if (!heard) this.#listener.closed(why);
  }

  #sayHello(tries: number): void {
    if (this.#ended) return;
    if (tries === 2 && !this.#toldSilent) {
      this.#toldSilent = true;
      this.#listener.silent();
    }
    this.#listener.put(hello(this.#start, this.#stream && !this.#stream.over ? this.#stream.epoch : 0));
    this.#cancelHello();
    this.#cancelHello = this.#clock.after(HELLO_MS, () => this.#sayHello(tries + 1));
  }

  #sayClock(): void {
    if (this.#ended) return;
    this.#listener.put(clockMessage(Math.floor(Date.now() / 1000)));
    this.#cancelClock();
    this.#cancelClock = this.#clock.after(CLOCK_MS, () => this.#sayClock());
  }

  #sayCommand(): void {
    const command = this.#command;
    if (!command) return;
    const start = this.#boardStart;
    if (command.tries++ === COMMAND_TRIES) {
      command.done(new Error(start === undefined ? 'the board has not said hello; is it there?' : 'the board does not answer'));
      return;
    }
    if (start !== undefined) this.#listener.put(commandMessage(start, command.number, command.what));
    this.#cancelCommand();
    this.#cancelCommand = this.#clock.after(COMMAND_MS, () => this.#sayCommand());
  }
}
