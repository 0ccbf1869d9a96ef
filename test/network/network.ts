import type { Clock } from '../../host/clock.js';
import type { Link, LinkListener, OpenLink } from '../../host/links/link.js';
import { sequence } from '../links/noise.js';
import type { Datagram, Side } from '../protocol/sn/datagram.js';

// Decisions and restrictions:
//
// - Everything follows from one seed and the clock: the same seed, conditions and calls make the same history. Each direction of each path draws
//   from a sequence of its own, so that what one client does changes nothing for another.
// - A datagram arrives whole and unchanged, late, twice, in another order, or never; damage is what checksums of the network turn into loss.
// - Nothing arrives from within a call that sends, also with a delay of 0.

/** What one direction does to datagrams. Values may be changed at any time; they count for what is sent from then on. */
export interface Conditions {
  /** Share that is lost, 0 to 1. */
  loss: number;
  /** Share of the others that arrives twice, 0 to 1, each copy with a delay of its own. */
  duplication: number;
  /** Shortest and longest delay in ms; a difference is what puts datagrams into another order. */
  delay: readonly [shortest: number, longest: number];
}

const CALM: Conditions = { loss: 0, duplication: 0, delay: [1, 1] };

/** What becomes of datagrams, counted. */
export interface Counts {
  sent: number;
  lost: number;
  /** Second copies. */
  doubled: number;
  arrived: number;
}

type Draw = () => number;

/** One direction of a path. */
export class Way {
  readonly conditions: Conditions;
  readonly counts: Counts = { sent: 0, lost: 0, doubled: 0, arrived: 0 };
  readonly #clock: Clock;
  readonly #draw: Draw;
  readonly #deliver: (bytes: Uint8Array) => void;
  #silentUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, seed: number, conditions: Partial<Conditions>, deliver: (bytes: Uint8Array) => void) {
    this.#clock = clock;
    const random = sequence(seed);
    this.#draw = () => random() / 2 ** 32;
    this.conditions = { ...CALM, ...conditions };
    this.#deliver = deliver;
  }

  /** For `ms` nothing passes: what is sent in that time is lost, and what would arrive in it. */
  silence(ms: number): void {
    this.#silentUntil = this.#clock.now() + ms;
  }

  /** Nothing passes any more. */
  cut(): void {
    this.silence(Number.POSITIVE_INFINITY);
  }

  get isSilent(): boolean {
    return this.#clock.now() < this.#silentUntil;
  }

  /** The bytes are copied. */
  send(bytes: Uint8Array): void {
    const { loss, duplication, delay } = this.conditions;
    const [shortest, longest] = delay;
    // Drawn always, so that a silence does not change the fate of what comes after it.
    const [fate, twice, first, second] = [this.#draw(), this.#draw(), this.#draw(), this.#draw()] as const;
    this.counts.sent++;
    if (this.isSilent || fate < loss) {
      this.counts.lost++;
      return;
    }
    const copy = new Uint8Array(bytes);
    this.#later(shortest + first * (longest - shortest), copy);
    if (twice >= duplication) return;
    this.counts.doubled++;
    this.#later(shortest + second * (longest - shortest), copy);
  }

  #later(ms: number, bytes: Uint8Array): void {
    this.#clock.after(ms, () => {
      if (this.isSilent) {
        this.counts.lost++;
        return;
      }
      this.counts.arrived++;
      this.#deliver(new Uint8Array(bytes));
    });
  }
}

/** Both directions between a client and a gateway, and what each of the two saw. */
export class Path {
  readonly up: Way;
  readonly down: Way;
  /** What the client sent and what reached it, in its order: the conversation in which the client can be judged. */
  readonly seenByClient: Datagram[];
  /** The same of the gateway. */
  readonly seenByGateway: Datagram[];
  readonly #clock: Clock;
  readonly #saw: Ends['saw'];

  /** Each way takes a seed from `seeds`. */
  constructor(clock: Clock, seeds: () => number, weather: Weather, ends: Ends) {
    this.#clock = clock;
    this.seenByClient = ends.seenByClient ?? [];
    this.seenByGateway = ends.seenByGateway ?? [];
    this.#saw = ends.saw;
    this.up = new Way(clock, seeds(), weather.up ?? {}, (bytes) => {
      this.#note('gateway', 'client', bytes);
      ends.toGateway(bytes);
    });
    this.down = new Way(clock, seeds(), weather.down ?? {}, (bytes) => {
      this.#note('client', 'gateway', bytes);
      ends.toClient(bytes);
    });
  }

  fromClient(bytes: Uint8Array): void {
    this.#note('client', 'client', bytes);
    this.up.send(bytes);
  }

  fromGateway(bytes: Uint8Array): void {
    this.#note('gateway', 'gateway', bytes);
    this.down.send(bytes);
  }

  /** Nothing passes for `ms` in either direction. */
  silence(ms: number): void {
    this.up.silence(ms);
    this.down.silence(ms);
  }

  /** Nothing passes any more. */
  cut(): void {
    this.up.cut();
    this.down.cut();
  }

  #note(by: Side, from: Side, bytes: Uint8Array): void {
    const datagram = { from, bytes: new Uint8Array(bytes), at: this.#clock.now() };
    if (this.#saw) this.#saw(by, datagram);
    else (by === 'client' ? this.seenByClient : this.seenByGateway).push(datagram);
  }
}

/** Where datagrams arrive; records of an earlier path may be continued. */
export interface Ends {
  toClient(bytes: Uint8Array): void;
  toGateway(bytes: Uint8Array): void;
  seenByClient?: Datagram[];
  seenByGateway?: Datagram[];
  /** Is told what each side sees at once, and nothing is recorded: of a long conversation little is kept. */
  saw?: ((by: Side, datagram: Datagram) => void) | undefined;
}

export interface Weather {
  /** From clients to the gateway. */
  up?: Partial<Conditions>;
  /** From the gateway to clients. */
  down?: Partial<Conditions>;
}

export class Network {
  readonly #clock: Clock;
  readonly #seeds: () => number;
  readonly #weather: Weather;
  /** Open links by the name under which the gateway knows them. */
  readonly #peers = new Map<string, Path>();
  /** Those that were closed: the gateway does not know, and goes on sending. */
  readonly #closed = new Map<string, Path>();
  #receive: (bytes: Uint8Array, peer: string) => void = () => {};

  constructor(
    clock: Clock,
    readonly seed: number,
    weather: Weather = {},
  ) {
    this.#clock = clock;
    this.#seeds = sequence(seed);
    this.#weather = weather;
  }

  /** 32 random bits a call, from a sequence of its own: for a board, a gateway, or the test. */
  random(): () => number {
    return sequence(this.#seeds());
  }

  /** A path between two ends of any kind. */
  connect(ends: Ends, weather = this.#weather): Path {
    return new Path(this.#clock, this.#seeds, weather, ends);
  }

  /** Who takes what clients send; `peer` is the name to answer to. */
  gateway(receive: (bytes: Uint8Array, peer: string) => void): void {
    this.#receive = receive;
  }

  /** Sends what the gateway says to `peer`; to a link that is closed it is lost. */
  send(peer: string, bytes: Uint8Array): void {
    (this.#peers.get(peer) ?? this.#closed.get(peer))?.fromGateway(bytes);
  }

  /** Sends to every open link. */
  broadcast(bytes: Uint8Array): void {
    for (const path of this.#peers.values()) path.fromGateway(bytes);
  }

  /** A client's place in the network. `name` is what its peers are called by: `name:1` for its first link, `name:2` for the next. */
  client(name: string, weather = this.#weather): Station {
    return new Station(this.#clock, name, weather, this.random(), {
      join: (peer, path) => this.#peers.set(peer, path),
      leave: (peer) => {
        const path = this.#peers.get(peer);
        this.#peers.delete(peer);
        if (path) this.#closed.set(peer, path);
      },
      receive: (bytes, peer) => this.#receive(bytes, peer),
    });
  }
}

interface Membership {
  join(peer: string, path: Path): void;
  leave(peer: string): void;
  receive(bytes: Uint8Array, peer: string): void;
}

/** The sender that links tell. */
const GATEWAY = { host: '192.0.2.1', port: 1884 };
/** Ms until a link is open, and until one that was busy takes datagrams again. */
const OPENING_MS = 1;
const BUSY_MS = 20;

/** The links of one client, one after another, each from a port of its own as a new socket is. */
export class Station {
  /** Over all its links: see Path. */
  readonly seenByClient: Datagram[] = [];
  readonly seenByGateway: Datagram[] = [];
  /** See Ends; `link` is the number of the link, from 1. Counts for links that are opened from then on. */
  saw: ((by: Side, datagram: Datagram, link: number) => void) | undefined;
  /** Share of the calls of send() that answer 0, 0 to 1. */
  busy = 0;
  /** Of the link that was opened last. */
  path: Path | undefined;
  #opened = 0;
  readonly #clock: Clock;
  readonly #weather: Weather;
  readonly #seeds: () => number;
  readonly #random: () => number;
  readonly #membership: Membership;

  /** Takes all its randomness from `seeds`. */
  constructor(
    clock: Clock,
    readonly name: string,
    weather: Weather,
    seeds: () => number,
    membership: Membership,
  ) {
    this.#clock = clock;
    this.#weather = weather;
    this.#seeds = seeds;
    this.#random = sequence(seeds());
    this.#membership = membership;
  }

  /** For BoardParts.links. */
  get open(): OpenLink {
    return (listener) => this.#open(listener);
  }

  #open(listener: LinkListener): Link {
    const number = ++this.#opened;
    const peer = `${this.name}:${number}`;
    const { saw } = this;
    let open = false;
    const path = new Path(this.#clock, this.#seeds, this.#weather, {
      seenByClient: this.seenByClient,
      seenByGateway: this.seenByGateway,
      saw: saw && ((by, datagram) => saw(by, datagram, number)),
      toGateway: (bytes) => this.#membership.receive(bytes, peer),
      toClient: (bytes) => listener.received(bytes, GATEWAY),
    });
    this.path = path;
    const cancel = this.#clock.after(OPENING_MS, () => {
      open = true;
      this.#membership.join(peer, path);
      listener.opened();
    });
    return {
      datagrams: true,
      send: (bytes) => {
        if (!open) return 0;
        if (this.busy > 0 && this.#random() / 2 ** 32 < this.busy) {
          this.#clock.after(BUSY_MS, () => open && listener.writable());
          return 0;
        }
        path.fromClient(bytes);
        return bytes.length;
      },
      pause() {},
      resume() {},
      close: () => {
        open = false;
        cancel();
        this.#membership.leave(peer);
        path.down.cut(); // what is on its way to a closed port is lost
      },
    };
  }
}
