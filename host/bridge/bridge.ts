import type { Duplex } from 'node:stream';
import { type Clock, realClock } from '../clock.js';
import { REASON_ADDRESS, REASON_ENDED, REASON_RESET } from '../contract.js';
import { encodeFrame, FrameDecoder } from '../links/framing.js';
import type { Command, Upload } from '../links/line-messages.js';
import type { Link, OpenLink } from '../links/link.js';
import { printable } from '../printable.js';
import { Line } from './line.js';

/** A connection that lasted less, from its opening to the next of the same start of the board, does not keep its broker; in ms. */
const KEPT_MS = 60_000;
/** A wire that is away for so long ends the connection behind it. */
const AWAY_MS = 10_000;
/** Until a socket to a gateway that failed is opened again. */
const REOPEN_MS = 2000;
/** For the board to hear that the bridge ends. */
const FAREWELL_MS = 1000;
/** The longest message of MQTT-SN that a board takes from a line, in bytes (docs/serial.md). */
const LARGEST_DATAGRAM = 1024;

/** Where a bridge leads, and the name of it for people. */
export interface Way {
  name: string;
  open: OpenLink;
}

export interface BridgeParts {
  /** The brokers, in the order in which they are tried; none: the board may speak MQTT-SN only. */
  brokers: readonly Way[];
  /** The MQTT-SN gateway that gets the board's datagrams. */
  gateway?: Way | undefined;
  /** An event of the board: a line of JSON. */
  event(json: string): void;
  /** A line of the board for people. */
  says(line: string): void;
  /** The board said hello; `anew` when it has started since it did so last. */
  started?(anew: boolean): void;
  /** A remark of the bridge itself, for people. */
  tell(remark: string): void;
  clock?: Clock;
  /** The wire's rate in bits per second; without it, a wire that takes no time. */
  baud?: number;
}

/** Joins the board at the other end of a serial line with a broker or a gateway: one connection for each that the board opens. */
export class Bridge {
  /** Frames of the wire that came damaged, as its owner counts them. */
  badFrames = 0;
  readonly #parts: BridgeParts;
  readonly #clock: Clock;
  readonly #put: (message: Uint8Array) => void;
  readonly #line: Line;
  #link: Link | undefined;
  /** Which of the brokers is used, counted on with each change; and when it was opened. */
  #server = 0;
  #openedAt: number | undefined;
  /** Whether that connection is, or was until its end in order, one with a broker that answers. */
  #answers = false;
  /** By broker: what was told of its connections last, so that the same fault is told once; and whether it kept one from opening. */
  readonly #faults = new Map<number, { fault: string; unreachable: boolean }>();
  #toldNoBroker = false;
  /** The first connection is told. */
  #toldConnected = false;
  /** People were told that no board answers, and not yet that one does. */
  #silent = false;
  #gateway: Link | undefined;
  #gatewayFault: string | undefined;
  #toldNoGateway = false;
  #ended = false;
  #cancelAway = () => {};
  #cancelReopen = () => {};

  /** `put` sends one message by the wire; what the wire does not take is lost, and the line repeats what matters. */
  constructor(parts: BridgeParts, put: (message: Uint8Array) => void) {
    this.#parts = parts;
    this.#clock = parts.clock ?? realClock;
    this.#put = put;
    const byteMs = parts.baud ? 10_000 / parts.baud : 0; // ten bits: start and stop are two
    this.#line = new Line(
      this.#clock,
      {
        put,
        datagram: (message) => this.#toGateway(message),
        console: (text) => parts.says(printable(text)),
        event: (text) => this.#event(text),
        lost: (consoles, events) =>
          parts.tell(`the board has dropped ${consoles} console lines and ${events} events since its start: the line was busy`),
        started: (anew) => this.#started(anew),
        silent: () => {
          this.#silent = true;
          parts.tell('no board answers; is it on, does its firmware speak by this line, and at this baud rate?');
        },
        opening: (choice) => this.#open(choice),
        data: (bytes) => this.#link?.send(bytes) ?? bytes.length,
        drained: () => this.#link?.resume(),
        closed: (why) => this.#closed(why),
      },
      byteMs,
    );
    this.#openGateway();
  }

  /** Items of the present stream that had to be sent again. */
  get repeated(): number {
    return this.#line.repeated;
  }

  /** The wire is there, or there again. */
  begin(): void {
    this.#cancelAway();
    this.#line.begin();
  }

  /** The wire is away; begin() may follow. */
  wireLost(): void {
    if (this.#ended) return;
    this.#line.pause();
    this.#cancelAway();
    this.#cancelAway = this.#clock.after(AWAY_MS, () => this.#line.abandon('the serial line is away'));
  }

  /** A message came by the wire. */
  take(message: Uint8Array): void {
    this.#line.take(message);
  }

  /** Asks the board to stop in order, for last words before sleep, for a restart, or to tell what it is; resolves when it has taken it. */
  command(what: Command): Promise<void> {
    return this.#line.command(what);
  }

  /** Brings settings, a module or a certificate to the board; resolves when it has kept them, rejects with its UploadRefused. `progress`: bytes it has. */
  upload(what: Upload, bytes: Uint8Array, progress?: (sent: number) => void): Promise<void> {
    return this.#line.upload(what, bytes, progress);
  }

  /** Ends in order: the board is told that its connection is over. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelAway();
    this.#cancelReopen();
    this.#gateway?.close();
    this.#hangUp();
    this.#line.close(REASON_RESET);
    const until = this.#clock.now() + FAREWELL_MS;
    while (this.#line.closing && this.#clock.now() < until) await new Promise<void>((resolve) => this.#clock.after(10, resolve));
    this.#line.end();
    this.#hangUp();
  }

  #event(text: string): void {
    try {
      JSON.parse(text);
    } catch {
      this.#parts.tell(`an event of the board is not JSON: ${printable(text)}`);
      return;
    }
    this.#parts.event(text.replace(/[\r\n]+/g, ' '));
  }

  #started(anew: boolean): void {
    if (this.#silent) this.#parts.tell('the board answers');
    this.#silent = false;
    if (this.#line.otherVersion !== undefined)
      this.#parts.tell(`the board speaks version ${this.#line.otherVersion} of the line, the bridge 1; flash a firmware of this release`);
    this.#parts.started?.(anew);
    if (!anew) return;
    this.#parts.tell('the board started anew');
    // What it gave up for a deep sleep or a reset, however soon, was no fault of the broker.
    if (this.#answers) this.#openedAt = undefined;
  }

  #open(choice: number): void {
    const { brokers, tell } = this.#parts;
    if (this.#ended) {
      this.#line.close(REASON_RESET);
      return;
    }
    if (brokers.length === 0) {
      if (!this.#toldNoBroker)
        tell(
          this.#parts.gateway
            ? 'the board wants to speak MQTT, and the bridge leads to a gateway only; give --broker mqtt://… too'
            : 'the board reaches its broker by this line, which leads to none now; twobyte bridge --serial … --broker … does',
        );
      this.#toldNoBroker = true;
      this.#line.close(REASON_ADDRESS);
      return;
    }
    const now = this.#clock.now();
    const lasted = this.#openedAt === undefined || now - this.#openedAt >= KEPT_MS;
    if (this.#openedAt !== undefined && (choice > 0 || !lasted)) this.#server++;
    this.#openedAt = now;
    this.#answers = false;
    const number = this.#server % brokers.length;
    const { name, open } = brokers[number] as Way;
    let opened = false;
    const link: Link = open({
      opened: () => {
        if (link !== this.#link) return;
        opened = true;
        if (!this.#toldConnected || this.#faults.get(number)?.unreachable) {
          tell(`broker ${name}: connected`);
          this.#faults.delete(number);
        }
        this.#toldConnected = true;
        this.#line.opened();
      },
      received: (chunk) => {
        if (link !== this.#link) return;
        this.#answers = true;
        if (!this.#line.send(chunk)) link.pause();
      },
      writable: () => {
        if (link === this.#link) this.#line.offer();
      },
      closed: (reason, message) => {
        if (link !== this.#link) return;
        this.#link = undefined;
        if (reason !== REASON_ENDED) this.#answers = false; // after a DISCONNECT the broker may be the first to close
        const fault = `broker ${name}: ${printable(message)}`;
        const kept = opened && this.#clock.now() - now >= KEPT_MS;
        if (kept || fault !== this.#faults.get(number)?.fault) tell(fault);
        this.#faults.set(number, { fault, unreachable: !opened });
        this.#line.close(reason);
      },
    });
    this.#link = link;
  }

  /** The board's side is over. */
  #closed(why: string | undefined): void {
    const wasOpen = this.#link !== undefined;
    this.#hangUp();
    if (why !== undefined && wasOpen && !this.#ended) this.#parts.tell(`the board's connection is over: ${why}`);
  }

  #hangUp(): void {
    const link = this.#link;
    this.#link = undefined;
    link?.close();
  }

  #toGateway(message: Uint8Array): void {
    if (this.#parts.gateway) this.#gateway?.send(message);
    else if (!this.#toldNoGateway) {
      this.#toldNoGateway = true;
      this.#parts.tell('the board speaks MQTT-SN, and the bridge leads to no gateway; give --broker mqtt-sn://host:1884');
    }
  }

  #openGateway(): void {
    const { gateway, tell } = this.#parts;
    if (!gateway || this.#ended) return;
    this.#gateway = gateway.open({
      opened: () => {},
      received: (message) => {
        this.#gatewayFault = undefined;
        if (message.length <= LARGEST_DATAGRAM && message[0] !== 0) this.#put(message);
      },
      writable: () => {}, // what a busy socket did not take is lost, as in any network
      closed: (_reason, text) => {
        const fault = `gateway ${gateway.name}: ${printable(text)}`;
        if (fault !== this.#gatewayFault) tell(fault);
        this.#gatewayFault = fault;
        this.#cancelReopen = this.#clock.after(REOPEN_MS, () => this.#openGateway());
      },
    });
  }
}

/** A bridge over a stream of bytes that stands for the wire, an emulator's UART for example. It begins at once. */
export function bridgeOver(wire: Duplex, parts: BridgeParts): Bridge {
  const decoder = new FrameDecoder();
  const bridge = new Bridge(parts, (message) => {
    if (wire.writable && !wire.writableNeedDrain) wire.write(encodeFrame(message));
  });
  wire.on('data', (chunk: Buffer) => {
    for (const message of decoder.decode(chunk)) bridge.take(message);
    bridge.badFrames = decoder.bad;
  });
  wire.on('error', () => {}); // 'close' follows
  wire.on('close', () => bridge.wireLost());
  bridge.begin();
  return bridge;
}
