import { Board } from '../../host/board.js';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_CLIENT_ID,
  CONFIG_INTERVAL,
  CONFIG_KEEP_ALIVE,
  CONFIG_PROTOCOL,
  CONFIG_QOS,
  CONFIG_RECONNECT_MAX,
  CONFIG_RECONNECT_MIN,
  CONFIG_REPLY_TIMEOUT,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  CONFIG_TOPIC,
  EVENT_CONNECTED,
  EVENT_MESSAGE,
  EVENT_PUBLISHED,
  EVENT_READING,
  EVENT_READING_BUFFERED,
  EVENT_READING_DROPPED,
  EVENT_RECORD_LOST,
  EVENT_RESTORED,
  eventNames,
  RECORD_INBOX,
  RECORD_MESSAGE,
  recordNames,
} from '../../host/contract.js';
import { Gateway } from '../../host/gateway/gateway.js';
import type { OpenLink } from '../../host/links/link.js';
import { ClientModule, Module } from '../../host/module.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { sequence } from '../links/noise.js';
import { Network, type Station } from '../network/network.js';
import { Broker } from './broker.js';
import { Flash } from './flash.js';
import { type Level, Model, type Places } from './model.js';
import type { Extent, Plan, Subject } from './plan.js';
import { Power, PowerCut } from './power.js';
import { Wire } from './wire.js';

// One history: a board with a journal, what lies between it and the broker, and faults, all from a plan, on a virtual clock. Both ends tell the model
// what happened. When the plan is through and all is quiet, the power is cut a last time, and the board that starts then must have nothing to send.

const CLIENT = 'c';
/** Ms of virtual time until all has to be quiet. */
const PATIENCE = 3_600_000;
/** Messages that an application has under way at most; a board's outbox has 16 places. */
const WINDOW = 10;
const READINGS = 12;
/** What is left of the record of a message that is acknowledged. */
const TOMBSTONE_BYTES = 12;

/** A module to run, and where its records are. */
export interface Runnable {
  subject: Subject;
  module: WebAssembly.Module;
  places: Places;
}

export interface Outcome {
  faults: string[];
  extent: Extent;
  counts: Counts;
  lines: string[];
}

export interface Counts {
  histories: number;
  cuts: number;
  starts: number;
  writes: number;
  up: number;
  down: number;
  /** Copies of QoS 1 messages beyond the first. */
  repeated: number;
  /** Deliveries that a power cut made undone before they were recorded. */
  undone: number;
  /** Messages that an event or a rule of the model excuses. */
  excused: number;
  /** Events `record_lost`. */
  recordsLost: number;
  lost: number;
  duplicated: number;
}

export function runHistory(runnable: Runnable, plan: Plan, verbose = false): Outcome {
  return new History(runnable, plan, verbose).run();
}

class History {
  readonly clock = new VirtualClock();
  readonly power = new Power();
  readonly model: Model;
  readonly flash: Flash;
  readonly broker: Broker;
  readonly lines: string[] = [];
  board: Board<Module> | undefined;
  readonly #random: () => number;
  readonly #isSn: boolean;
  readonly #isSensor: boolean;
  readonly #wire: Wire;
  readonly #station: Station | undefined;
  readonly #network: Network | undefined;
  #gateway: Gateway | undefined;
  #datagrams = 0;
  #gatewayDeaths: number[];
  #starts = 0;
  #isConnected = false;
  #made = 0;
  #readings = 0;
  /** What the application has yet to publish. */
  readonly #due: { topic: string; qos: Level; bytes: number }[] = [];
  /** Traffic and faults that are still to come. */
  #ahead = 0;
  #isLast = false;
  #restored = 0;
  /** Of the present clock, ahead of the history's. */
  #offset = 0;
  #lastReading = 0;
  #wasSick = false;

  constructor(
    readonly runnable: Runnable,
    readonly plan: Plan,
    readonly verbose: boolean,
  ) {
    const { subject, places } = runnable;
    this.#isSn = subject.endsWith('sn');
    this.#isSensor = subject.startsWith('sensor');
    this.#random = sequence(plan.seed);
    const { clock, power } = this;
    const note = (line: string) => this.#note(line);
    const { weather } = plan;
    this.model = new Model({ places, copies: this.#isSn && weather.duplication > 0 ? 2 : 1, ordered: !this.#isSn });
    this.flash = new Flash(power, sequence(plan.seed + 1), {
      wrote: (kind, place, length, whole, answered) => {
        this.#note(`write ${nameOf(kind)}/${place}: ${length} bytes${whole ? '' : ', torn'}`);
        if (answered) this.model.recorded(kind, place, length);
      },
      refused: (kind, place, sickness) => {
        this.model.notTaken();
        this.#note(`write ${nameOf(kind)}/${place}: ${sickness}`);
      },
    });
    this.broker = new Broker({
      clock,
      latency: plan.latency,
      forwards: plan.forwards,
      identifiers: plan.identifiers,
      inflight: plan.inflight,
      arrived: ({ topic, qos, payload }) => this.model.arrived(topic, qos, this.#keyOf(payload)),
      queued: (message) => this.model.queued({ direction: 'down', number: Number(message.payload.split(':')[0]), ...message }),
      forgot: () => this.model.forgotten(),
      note,
    });
    this.broker.deaths = [...plan.deaths];
    this.#wire = new Wire({ clock, random: sequence(plan.seed + 3), broker: this.broker, ...plan, note });
    this.#wire.breaks = [...plan.breaks];
    this.#gatewayDeaths = [...plan.gatewayDeaths];
    if (!this.#isSn) return;
    const conditions = { loss: weather.loss, duplication: weather.duplication, delay: [1, 1 + weather.delay] as const };
    this.#network = new Network(clock, plan.seed + 4, { up: conditions, down: conditions });
    this.#gateway = this.#makeGateway();
    this.#network.gateway((bytes, peer) => this.#gateway?.receive(bytes, peer));
    this.#station = this.#network.client(CLIENT);
    this.#station.busy = plan.busy;
    this.#station.saw = (by, { from, bytes }) => {
      if (by === 'client') this.#note(`  ${from}: ${Buffer.from(bytes).toString('hex')}${from === 'gateway' ? ' arrives' : ''}`);
      if (by !== 'gateway') return;
      this.#datagrams++;
      if (this.#datagrams !== this.#gatewayDeaths[0]) return;
      this.#gatewayDeaths.shift();
      clock.after(0, () => this.#restartsGateway());
    };
  }

  run(): Outcome {
    this.#schedules();
    this.#guarded(() => this.#starting());
    this.#until(() => this.#isQuiet);
    if (this.model.faults.length === 0) {
      for (let step = 0; step < 10; step++) this.#advance(1000); // copies that are late
      this.#until(() => this.#isQuiet); // a cut may have come with them
      this.#note('all is quiet: the power is cut a last time');
      this.#isLast = true;
      this.power.next = undefined;
      this.#off();
      this.#until(() => this.#isConnected && this.#isQuiet);
      for (let step = 0; step < 5; step++) this.#advance(1000);
      if (!this.#wasSick && this.#restored > 0) this.#fault(`${this.#restored} messages came back that were acknowledged`);
      this.model.judge();
    }
    for (const fault of this.broker.faults) this.#fault(fault);
    const { model, power } = this;
    const counts = {
      histories: 1,
      cuts: power.cuts + 1,
      starts: this.#starts,
      writes: this.flash.writes,
      up: model.count('up'),
      down: model.count('down'),
      repeated: model.copies,
      undone: model.undone,
      excused: model.excused,
      recordsLost: model.told.lost,
      lost: model.faults.filter((fault) => fault.includes('never came') || fault.includes('has not arrived')).length,
      duplicated: model.faults.filter((fault) => /times|twice/.test(fault)).length,
    };
    const { up, down } = this.#wire.sent;
    const extent = { effects: power.total, up, down, packets: this.broker.packets, datagrams: this.#datagrams };
    return { faults: model.faults, extent, counts, lines: this.lines };
  }

  #schedules(): void {
    const { traffic, sick, jumps } = this.plan;
    const later = (at: number, work: () => void) => {
      this.#ahead++;
      this.clock.after(at, () => {
        this.#ahead--;
        work();
      });
    };
    if (!this.#isSensor) {
      for (const each of traffic.up)
        later(at(each), () => {
          this.#due.push(each);
          this.#guarded(() => this.#publishes());
        });
      for (const each of traffic.down) later(at(each) + 500, () => this.#announces(each));
    }
    for (const { from, to, sickness } of sick) {
      later(from, () => {
        this.#wasSick = true;
        this.flash.sickness = sickness;
        this.#note(`the storage ${sickness}`);
      });
      later(to, () => {
        this.flash.sickness = undefined;
        this.#note('the storage is well');
      });
    }
    for (const jump of jumps)
      later(jump.at, () => {
        this.#offset += jump.ms;
        this.#note(`the clock jumps by ${jump.ms} ms`);
        this.#guarded(() => this.board?.step());
      });
  }

  /** Once a client listens: before, the broker has nothing for it. */
  #announces({ topic, qos, bytes }: { topic: string; qos: Level; bytes: number }): void {
    if (!this.broker.isSubscribed(CLIENT)) {
      this.#ahead++;
      this.clock.after(500, () => {
        this.#ahead--;
        this.#announces({ topic, qos, bytes });
      });
      return;
    }
    const number = this.#made++;
    this.broker.publish({ topic, qos, payload: `${number}:${'d'.repeat(bytes)}` });
  }

  get #isQuiet(): boolean {
    if (this.#ahead > 0 || this.#due.length > 0 || !this.#isConnected || this.broker.isAway) return false;
    const { board } = this;
    if (board === undefined || !this.broker.isDone(CLIENT)) return false;
    if (board.module instanceof ClientModule && board.module.held > 0) return false;
    if (this.#isSensor && !this.#isLast && (this.#readings < READINGS || !this.#readingsDone)) return false;
    return !(this.#gateway?.clients.some(({ buffered }) => buffered > 0) ?? false);
  }

  /** A sensor does not say what it holds; its records do, unless the storage was ill: then time has to pass. */
  get #readingsDone(): boolean {
    const kept = [...this.flash.records].some(([key, { length }]) => key >> 16 === RECORD_MESSAGE && length > TOMBSTONE_BYTES);
    const due = [...this.model.fates.values()].some(({ promised, copies, excuse }) => promised && copies === 0 && !excuse);
    return (!kept && !due) || (this.#wasSick && this.clock.now() > this.#lastReading + 600_000);
  }

  #until(done: () => boolean): void {
    const end = this.clock.now() + PATIENCE;
    while (!done() && this.model.faults.length === 0) {
      if (this.clock.now() >= end) {
        this.#fault('not quiet in time');
        return;
      }
      this.#advance(Math.max(Math.min(this.clock.next ?? 1000, 1000), 0.001));
    }
  }

  #advance(ms: number): void {
    this.#guarded(() => this.clock.advance(ms));
  }

  /** What a power cut breaks off ends here. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.#note(`the power is cut at effect ${this.power.count}, ${this.power.next?.when}`);
      this.#off();
    }
  }

  #off(): void {
    const random = this.#random();
    if (this.#isSn) {
      if (random & 1) this.#station?.path?.up.cut();
    } else this.#wire.cut((random & 1) > 0, (random & 2) > 0);
    this.board?.halt();
    this.board = undefined;
    this.#isConnected = false;
    this.model.cut();
    this.clock.after((random >>> 8) % 3000, () => this.#starting());
  }

  #starting(): void {
    const { plan, power, runnable } = this;
    const start = this.#starts++;
    const origin = plan.origins[Math.min(start, plan.origins.length - 1)] ?? 0;
    this.#offset = origin - this.clock.now();
    power.on(this.#isLast ? undefined : plan.cuts[start]);
    this.#note(`start ${start}`);
    const torn = new Set(this.flash.torn);
    const told = new Set<number>();
    const open: OpenLink = this.#isSn ? (this.#station as Station).open : this.#wire.open;
    const board: Board<Module> = new Board<Module>(
      {
        links: [power.link(open)],
        storage: this.flash,
        config: this.#config(),
        thermometers: [() => this.#thermometer()],
        unixTime: () => 1_700_000_000 + Math.floor(this.clock.now() / 1000),
        clock: { now: () => this.clock.now() + this.#offset, after: (ms, action) => this.clock.after(ms, action) },
        random: this.#random,
        event: (code, a, b) => {
          if (code === EVENT_RECORD_LOST) told.add(a);
          this.#happened(board, code, a, b);
        },
      },
      (imports) => (this.#isSensor ? new Module(runnable.module, imports) : new ClientModule(imports, runnable.module)),
    );
    this.board = board;
    const result = board.module.start();
    if (result !== 0) this.#fault(`start() answered ${result}`);
    // Those of other kinds are read only where there is something to them.
    const read = [...torn].filter((key) => key >> 16 === RECORD_MESSAGE || key >> 16 === RECORD_INBOX);
    for (const key of read) if (!told.has(key)) this.#fault(`the torn record ${nameOf(key >> 16)}/${key & 0xffff} was not told`);
    for (const key of told) if (!torn.has(key)) this.#fault(`the record ${nameOf(key >> 16)}/${key & 0xffff} was whole and told as lost`);
    board.step();
  }

  #config(): Map<number, string | number> {
    const { traffic } = this.plan;
    return new Map<number, string | number>([
      [CONFIG_CLIENT_ID, CLIENT],
      [CONFIG_CLEAN_SESSION, 0],
      [CONFIG_KEEP_ALIVE, 20],
      [CONFIG_RECONNECT_MIN, 100],
      [CONFIG_RECONNECT_MAX, 4000],
      [CONFIG_REPLY_TIMEOUT, 6000],
      ...(this.#isSn
        ? ([
            [CONFIG_PROTOCOL, 1],
            [CONFIG_RETRY_INTERVAL, 1000],
            [CONFIG_RETRIES, 4],
          ] as const)
        : []),
      ...(this.#isSensor
        ? ([
            [CONFIG_TOPIC, traffic.up[0]?.topic ?? 'a/b'],
            [CONFIG_QOS, this.#sensorQos],
            [CONFIG_INTERVAL, 200 + (traffic.up[0]?.at ?? 0)],
          ] as const)
        : []),
    ]);
  }

  get #sensorQos(): Level {
    return this.plan.forwards === 'PUBLISH' ? 2 : 1;
  }

  #thermometer(): number | undefined {
    if (this.#readings >= READINGS || this.#isLast) return undefined;
    const number = ++this.#readings;
    this.#lastReading = this.clock.now();
    this.model.publishes({
      direction: 'up',
      number,
      topic: this.plan.traffic.up[0]?.topic ?? 'a/b',
      qos: this.#sensorQos,
      payload: `${number}.0`,
    });
    return number * 1000;
  }

  /** The part of a payload by which the model knows it. */
  #keyOf(payload: string): string {
    return this.#isSensor ? (payload.split(' ')[0] ?? '') : payload;
  }

  #happened(board: Board<Module>, code: number, a: number, b: number): void {
    const { model } = this;
    const name = eventNames[code] ?? String(code);
    this.#note(code === EVENT_MESSAGE ? 'event message' : `event ${name} ${a} ${b}`);
    switch (code) {
      case EVENT_CONNECTED:
        this.#isConnected = true;
        if (board.module instanceof ClientModule) {
          for (const filter of ['d/#', 'dn']) board.module.subscribe([{ filter, qos: 2 }]);
        }
        break;
      case EVENT_RESTORED:
        this.#restored = a;
        break;
      case EVENT_RECORD_LOST:
        model.recordLost(a >> 16, a & 0xffff);
        break;
      case EVENT_PUBLISHED:
        if (!model.published(a) && !this.#isSensor) this.#note('  of a message whose call did not come back');
        if (this.plan.replies) this.#publishes();
        break;
      case EVENT_READING:
        if (model.isCalling) model.accepted(b);
        else model.leaves(`${a / 1000}.0`, b);
        break;
      case EVENT_READING_BUFFERED:
        model.accepted(0);
        break;
      case EVENT_READING_DROPPED:
        model.refused();
        break;
      case EVENT_MESSAGE: {
        const message = (board.module as ClientModule).message();
        const payload = Buffer.from(message.payload).toString();
        this.#note(`  '${payload}' on ${message.topic} QoS ${message.qos} #${message.id}${message.dup ? ' DUP' : ''}`);
        model.heard(message.topic, message.qos, payload, message.id);
        break;
      }
    }
    if (!['connected', 'link_closed', 'timeout', 'gateway_lost', 'refused'].includes(name)) return;
    if (code !== EVENT_CONNECTED) this.#isConnected = false;
  }

  /** The application publishes what is due, as much as may be under way. */
  #publishes(): void {
    const { board } = this;
    for (
      let next = this.#due[0];
      next && board && board.module instanceof ClientModule && board.module.held < WINDOW;
      next = this.#due[0]
    ) {
      this.#due.shift();
      const { topic, qos, bytes } = next;
      const number = this.#made++;
      const payload = `${number}:${'u'.repeat(bytes)}`;
      this.#note(`publish '${payload}' on ${topic} QoS ${qos}`);
      this.model.publishes({ direction: 'up', number, topic, qos, payload });
      const id = board.module.publish(topic, payload, qos, false);
      if (id < 0) this.model.refused();
      else this.model.accepted(id);
    }
    if (this.#due.length > 0) this.clock.after(200, () => this.#publishes());
    board?.step();
  }

  #makeGateway(): Gateway {
    const gateway: Gateway = new Gateway({
      clock: this.clock,
      openBroker: this.broker.open,
      transport: { send: (peer, datagram) => gateway === this.#gateway && this.#network?.send(peer, datagram) },
      limits: { retryTime: 1500, retries: 4 },
      random: sequence(this.#random()),
    });
    return gateway;
  }

  /** The gateway dies without a word, and another begins with nothing but the broker's memory. */
  #restartsGateway(): void {
    this.#note('the gateway dies, and another begins');
    this.broker.cuts();
    this.model.forgotten();
    this.#gateway = this.#makeGateway();
  }

  #fault(what: string): void {
    this.model.faults.push(what);
  }

  #note(line: string): void {
    if (this.verbose) this.lines.push(`${this.clock.now().toFixed(0).padStart(8)} ${line}`);
  }
}

const at = ({ at: ms }: { at: number }) => ms;

const nameOf = (kind: number) => recordNames[kind] ?? String(kind);
