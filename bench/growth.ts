// What an operation costs when there is more of something: messages in flight, subscriptions, bytes of payload.

import { nativeName, place } from './costs.js';
import { counted, type Figure, type Growth, under } from './figure.js';
import { type Bench, cost, type Peer, peerCost } from './operations.js';

/** The most that any cost of a curve may be over the least: flat. */
const FLAT = 1.1;

interface Curve {
  name: string;
  with: string;
  operation: string;
  at: number[];
  /** A native client keeps what grows here, too. */
  native: boolean;
}

export const IN_FLIGHT = 'QoS 1 publish, to PUBACK, against messages in flight';
export const PAYLOAD = 'QoS 0 publish, a byte of payload';
const curves: Curve[] = [
  { name: IN_FLIGHT, with: 'messages in flight', operation: 'publish1', at: [0, 1, 4, 16, 64, 256, 1024, 4000], native: true },
  {
    name: 'inbound PUBLISH, QoS 2, and a PUBREL, against messages that wait for theirs',
    with: 'messages between PUBREC and PUBREL',
    operation: 'released',
    at: [0, 1, 16, 256, 4000, 30_000],
    native: false,
  },
  {
    name: 'inbound PUBLISH, QoS 0, against subscriptions',
    with: 'subscriptions',
    operation: 'subscribed',
    at: [0, 1, 16, 256],
    native: false,
  },
  { name: PAYLOAD, with: 'bytes of payload', operation: 'payload', at: [0, 16, 64, 256, 1024, 16_384], native: true },
];

const last = (of: readonly number[]) => of.at(-1) ?? Number.NaN;

/** Of a curve the greatest cost, wherever it is; of the payload's, whose growth is the protocol's own, the cost of a byte. */
function value(name: string, { at, values }: Growth): number {
  if (name !== PAYLOAD) return Math.max(...values);
  return Number(((last(values) - (values[0] ?? Number.NaN)) / (last(at) - (at[0] ?? Number.NaN))).toFixed(2));
}

/** Our curve beside a native client's at the same places, if there is one: flat, unless it is the payload's. */
export function growthFigure(name: string, growth: Growth, peer: string | null, peers: Growth | null): Figure {
  const bound = name === PAYLOAD ? null : Math.floor(FLAT * Math.min(...growth.values));
  return { ...counted(name, value(name, growth), 'instructions', bound, peer, peers && value(name, peers)), growth };
}

export async function growthFigures(benches: readonly Bench[], [native]: readonly Peer[]): Promise<Figure[]> {
  const rows = curves.map(async ({ name, with: what, operation, at, native: compared }) => {
    const peer = compared && native ? native : undefined;
    const measured = async (each: (size: number) => Promise<number>): Promise<Growth> => ({
      with: what,
      at,
      values: await Promise.all(at.map(each)),
    });
    const theirs = peer ? await measured((size) => peerCost(peer, operation, size)) : null;
    const ours = await Promise.all(
      benches.map(async (bench) => {
        const growth = await measured((size) => cost(bench, { name: operation, protocol: 'mqtt', module: 'client-mqtt', size }));
        return { ...growthFigure(name, growth, peer ? nativeName(peer) : null, theirs), on: place(bench) };
      }),
    );
    if (!peer || !theirs) return ours;
    return [...ours, { ...counted(name, value(name, theirs), 'instructions', null), growth: theirs, on: nativeName(peer) }];
  });
  return under('Growth: the greatest cost of the curve, at most 1.1 × the least', (await Promise.all(rows)).flat());
}
