import { sequence } from '../links/noise.js';
import type { Death } from './broker.js';
import type { Sickness } from './flash.js';
import type { Level } from './model.js';
import type { Cut, When } from './power.js';
import type { Break } from './wire.js';

// What a seed means. A kind's first seeds count through the places of its fault, one by one, in a few scenarios; those behind them draw several faults.

export const kinds = ['power', 'link', 'broker', 'storage', 'clock', 'gateway'] as const;
export type Kind = (typeof kinds)[number];

export const subjects = ['client-mqtt', 'client-mqttsn', 'sensor-mqtt', 'sensor-mqttsn'] as const;
export type Subject = (typeof subjects)[number];

/** Who is in a history: sensors in two of eight seeds, and in a few the module with the limits of the Node client in place of a board's. */
export function subjectOf(kind: Kind, seed: number): { subject: Subject; desk: boolean } {
  const place = seed % 8;
  const sn = kind === 'gateway' || place % 2 === 1;
  const sensor = place >= 6;
  const subject = `${sensor ? 'sensor' : 'client'}-${sn ? 'mqttsn' : 'mqtt'}` as const;
  return { subject, desk: !sensor && Math.floor(seed / 8) % 16 === 15 };
}

export interface Traffic {
  up: readonly { at: number; topic: string; qos: Level; bytes: number }[];
  down: readonly { at: number; topic: string; qos: Level; bytes: number }[];
}

/** What the world is like, without its faults. */
export interface Scenario {
  traffic: Traffic;
  forwards: 'PUBLISH' | 'PUBREL';
  latency: number;
  identifiers: number;
  inflight: number;
  delay: number;
  piece: number;
  partial: number;
  busy: number;
  /** Messages that the application publishes from within an event. */
  replies: boolean;
}

export interface Plan extends Scenario {
  seed: number;
  /** One a start of the board, then none. */
  cuts: Cut[];
  breaks: Break[];
  deaths: Death[];
  /** Gateways die at these datagrams. */
  gatewayDeaths: number[];
  sick: { from: number; to: number; sickness: Sickness }[];
  /** Ms that the clock of each start begins with; the last counts for those that follow. */
  origins: number[];
  jumps: { at: number; ms: number }[];
  /** MQTT-SN: shares of datagrams lost and doubled, and the longest delay. */
  weather: { loss: number; duplication: number; delay: number };
}

const WRAP = 2 ** 32;
/** In ms. Half of what a clock can tell is 24.8 days: a board that is not stepped for so long takes late for early. */
const TWENTY_DAYS = 20 * 24 * 3_600_000;

type Draw = (below: number) => number;

function draws(seed: number): Draw {
  const random = sequence(seed);
  return (below) => (below > 0 ? random() % below : 0);
}

const topics = { up: ['a/温度', 'xy', 'a/b'], down: ['d/灯', 'd/b', 'dn'] } as const;

/** `only` is the QoS of all above 0 messages, undefined mixes. */
function trafficOf(draw: Draw, count: number, within: number): Traffic {
  const side = (names: readonly string[]) =>
    Array.from({ length: count }, () => ({
      at: draw(within),
      topic: names[draw(names.length)] as string,
      qos: ([0, 1, 1, 2, 2, 2] as const)[draw(6)] as Level,
      bytes: draw(4) === 0 ? draw(60) : draw(8),
    })).sort((a, b) => a.at - b.at);
  return { up: side(topics.up), down: side(topics.down) };
}

function scenarioOf(seed: number): Scenario {
  const draw = draws(seed);
  return {
    traffic: trafficOf(draw, 6 + draw(8), [200, 2000, 15_000][draw(3)] as number),
    forwards: draw(2) ? 'PUBLISH' : 'PUBREL',
    latency: draw(2) * draw(60),
    identifiers: [4, 40, 65_535][draw(3)] as number,
    inflight: 1 + draw(3) * 5,
    delay: draw(20),
    piece: [1400, 1400, 7, 1][draw(4)] as number,
    partial: draw(2) * 0.2,
    busy: draw(2) * 0.1,
    replies: draw(2) === 0,
  };
}

/** How many places a fault has in a scenario without faults. */
export interface Extent {
  effects: number;
  up: number;
  down: number;
  packets: number;
  datagrams: number;
}

/** Scenarios whose places are counted through. */
const SCENARIOS = 3;
const WHENS = ['before', 'within', 'after'] as const;

/** `measure` runs a history without faults. */
export function planOf(kind: Kind, seed: number, measure: (plan: Plan) => Extent): Plan {
  const group = Math.floor(seed / 8);
  const place = Math.floor(group / SCENARIOS);
  const counted: Plan = { ...calm, ...scenarioOf(1000 + (group % SCENARIOS)), seed: 1000 + (group % SCENARIOS) };
  if (kind === 'power' || kind === 'link' || kind === 'broker' || kind === 'gateway') {
    const extent = measure(counted);
    const one = oneFault(kind, place, extent);
    if (one) return { ...counted, ...one };
  }
  const draw = draws(seed * 8 + kinds.indexOf(kind) + 77);
  const drawn: Plan = { ...calm, ...scenarioOf(seed + 5000), seed };
  const cuts = (most: number, far = 40): Cut[] =>
    Array.from({ length: 1 + draw(most) }, () => ({ at: 1 + draw(far), when: WHENS[draw(3)] as When }));
  const weather = draw(2) ? calm.weather : { loss: draw(30) / 100, duplication: draw(20) / 100, delay: draw(900) };
  switch (kind) {
    case 'power': {
      // Without a broker for a while, readings have to wait.
      const deaths = draw(3) ? [] : [{ at: 1 + draw(20), when: 'before' as const, forgets: false, ms: draw(30_000) }];
      return { ...drawn, cuts: cuts(16), weather, deaths };
    }
    case 'link': {
      const breaks = Array.from({ length: 1 + draw(6) }, () => ({
        direction: draw(2) ? ('up' as const) : ('down' as const),
        at: 1 + draw(1500),
        how: draw(3) ? ('resets' as const) : ('hangs' as const),
      }));
      return {
        ...drawn,
        breaks,
        weather: { loss: draw(40) / 100, duplication: draw(30) / 100, delay: draw(1200) },
        cuts: draw(3) ? [] : cuts(2),
      };
    }
    case 'broker': {
      let at = 0;
      const deaths = Array.from({ length: 1 + draw(4) }, () => {
        at += 1 + draw(30);
        return { at, when: draw(2) ? ('before' as const) : ('after' as const), forgets: draw(2) === 0, ms: draw(8000) };
      });
      return { ...drawn, deaths, weather, cuts: draw(3) ? [] : cuts(3) };
    }
    case 'storage': {
      const sick = Array.from({ length: 1 + draw(3) }, () => {
        const from = draw(15_000);
        return { from, to: from + draw(10_000), sickness: (['fails', 'is full', 'tears', 'spoils'] as const)[draw(4)] as Sickness };
      });
      return { ...drawn, sick, weather, cuts: draw(4) ? cuts(4) : [] };
    }
    case 'clock': {
      const origins = Array.from({ length: 4 }, () => [WRAP, WRAP / 2, 0][draw(3)] as number).map((origin) =>
        Math.max(origin - draw(20_000), 0),
      );
      const jumps = Array.from({ length: draw(5) }, () => ({
        at: draw(20_000),
        ms: [100, 30_000, 3_600_000, TWENTY_DAYS][draw(4)] as number,
      }));
      // A copy that came late is known by its age, and by a clock that jumps it is older.
      return { ...drawn, origins, jumps, weather: jumps.length > 0 ? calm.weather : weather, cuts: draw(2) ? cuts(3) : [] };
    }
    case 'gateway': {
      let at = 0;
      const gatewayDeaths = Array.from({ length: 1 + draw(4) }, () => {
        at += 1 + draw(60);
        return at;
      });
      return { ...drawn, gatewayDeaths, weather, cuts: draw(3) ? [] : cuts(3) };
    }
  }
}

const calm = {
  cuts: [],
  breaks: [],
  deaths: [],
  gatewayDeaths: [],
  sick: [],
  origins: [1000],
  jumps: [],
  weather: { loss: 0, duplication: 0, delay: 1 },
} satisfies Partial<Plan>;

/** The fault at number `place`, undefined behind the last. */
function oneFault(kind: Kind, place: number, { effects, up, down, packets, datagrams }: Extent): Partial<Plan> | undefined {
  switch (kind) {
    case 'power':
      if (place >= effects * WHENS.length) return undefined;
      return { cuts: [{ at: 1 + Math.floor(place / WHENS.length), when: WHENS[place % WHENS.length] as When }] };
    case 'link': {
      if (place >= up + down) return undefined;
      const direction = place < up ? 'up' : 'down';
      return { breaks: [{ direction, at: 1 + (place < up ? place : place - up), how: 'resets' }] };
    }
    case 'broker':
      if (place >= packets * 4) return undefined;
      return { deaths: [{ at: 1 + (place >> 2), when: place & 1 ? 'after' : 'before', forgets: (place & 2) > 0, ms: 500 }] };
    case 'gateway':
      return place < datagrams ? { gatewayDeaths: [1 + place] } : undefined;
  }
  return undefined;
}
