// What `import … from 'twobyte/testing'` offers: a module on a virtual board, for tests. Nothing waits: time is the test's own, and what a call causes
// has happened when it returns.

import { readFileSync } from 'node:fs';
import { Board } from './board.js';
import { CONFIG_PROTOCOL, configNames, EVENT_CONFIG_REFUSED, errorNames, eventNames } from './contract.js';
import type { Buses } from './devices/buses.js';
import { errorText } from './errors.js';
import { Module } from './module.js';
import { configByNumber } from './rungs/rung.js';
import { BrokerEnd } from './testing/broker-end.js';
import { VirtualClock } from './testing/virtual-clock.js';

export type { Adc, Buses, I2c, Onewire } from './devices/buses.js';

/** What a node is made of. */
export interface NodeParts {
  /** File of the module, as `twobyte build` makes it; it has to speak MQTT. */
  module: string | URL;
  /** By name: those of CONFIG_… in lower case (`interval` in ms, `reading_1`, …). Without a `client_id` it is `node`. */
  settings?: Readonly<Record<string, string | number>>;
  /** What is at the board's pins. A bus that is left out answers BUS_NONE. */
  devices?: Buses;
  /** The board's own thermometers and hygrometers, in thousandths of a degree Celsius or of a percent; undefined when one cannot be read. */
  thermometers?: readonly (() => number | undefined)[];
  hygrometers?: readonly (() => number | undefined)[];
}

/** A message as its broker got it. */
export interface NodeMessage {
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
  /** Ms since the node's start. */
  at: number;
}

/** An EVENT_… of the module: its name in lower case without the prefix, and its two details. */
export interface NodeEvent {
  event: string;
  a: number;
  b: number;
  /** Ms since the node's start. */
  at: number;
}

/** The protocol that its broker speaks: a number of CONFIG_PROTOCOL. */
const MQTT = 0;

/** How long `next` looks for a message, in ms: the longest interval. */
const DAY = 86_400_000;

/** Starts a module on a virtual board that is connected to a broker. Throws when the module cannot be used, or refuses its settings. */
export function startNode(parts: NodeParts): TestNode {
  return new TestNode(parts);
}

/** A module on a virtual board. */
export class TestNode {
  /** All that the module published, in order. */
  readonly messages: NodeMessage[] = [];
  /** All that it reported, in order. */
  readonly events: NodeEvent[] = [];
  readonly #clock = new VirtualClock();
  readonly #broker: BrokerEnd;
  readonly #board: Board<Module>;
  #shown = 0;

  /** As startNode. */
  constructor({ module, settings = {}, devices, thermometers, hygrometers }: NodeParts) {
    this.#broker = new BrokerEnd(this.#clock, ({ payload, ...message }) =>
      this.messages.push({ ...message, payload: String(payload), at: this.#clock.now() }),
    );
    const compiled = new WebAssembly.Module(readFileSync(module));
    let refused = '';
    this.#board = new Board(
      {
        links: [this.#broker.open],
        config: new Map([...configByNumber({ client_id: 'node', ...settings }), [CONFIG_PROTOCOL, MQTT]]),
        clock: this.#clock,
        unixTime: () => 0,
        random: () => 0,
        buses: devices,
        ...(thermometers && { thermometers }),
        ...(hygrometers && { hygrometers }),
        event: (code, a, b) => {
          if (code === EVENT_CONFIG_REFUSED) refused = `setting '${configNames[b]}': ${errorText(a)}`;
          this.events.push({ event: eventNames[code] ?? String(code), a, b, at: this.#clock.now() });
        },
      },
      (imports) => new Module(compiled, imports),
    );
    const result = this.#board.start();
    if (result < 0) throw new Error(`the module does not start: ${refused || errorNames[-result]}`);
    this.#clock.advance(0); // what takes no time
  }

  /** Lets `ms` pass, from 0 on. */
  advance(ms: number): void {
    this.#clock.advance(ms);
  }

  /**
   * The next message that was not given before, to `topic` where one is named; time passes until there is one. Throws when there is none within a day,
   * and says what happened instead.
   */
  next(topic?: string): NodeMessage {
    const end = this.#clock.now() + DAY;
    for (;;) {
      while (this.#shown < this.messages.length) {
        const message = this.messages[this.#shown++];
        if (message && (topic === undefined || message.topic === topic)) return message;
      }
      const wait = this.#clock.next;
      if (wait === undefined || this.#clock.now() + wait > end) break;
      this.#clock.advance(wait);
    }
    const last = this.events.slice(-5).map(({ event, a, b }) => `${event} ${a} ${b}`);
    throw new Error(`no message${topic === undefined ? '' : ` to '${topic}'`} within a day; last came ${last.join(', ') || 'nothing'}`);
  }

  /** A message to the module, whether it has subscribed to `topic` or not. */
  send(topic: string, payload: string): void {
    this.#broker.send(topic, Buffer.from(payload));
    this.#clock.advance(0);
  }

  /** The broker goes away: the connection breaks, and others are refused. With false it is back. */
  brokerAway(isAway = true): void {
    this.#broker.away(isAway);
    this.#clock.advance(0);
  }

  /** Ends in order, as the board's stop does. */
  stop(): void {
    this.#board.stop();
    this.#clock.advance(0);
    this.#board.halt();
  }
}
