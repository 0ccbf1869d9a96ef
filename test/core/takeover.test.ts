import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Board } from '../../host/board.js';
import { CONFIG_CLIENT_ID, CONFIG_KEEP_ALIVE, CONFIG_RECONNECT_MAX, EVENT_CONNECTED, REASON_ENDED } from '../../host/contract.js';
import type { LinkListener, OpenLink } from '../../host/links/link.js';
import { ClientModule } from '../../host/module.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { sequence } from '../links/noise.js';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** A broker that ends a connection when another begins, and takes `latency` ms for each direction. */
class OneAtATime {
  readonly #clock: VirtualClock;
  readonly #latency: number;
  #current: LinkListener | undefined;

  constructor(clock: VirtualClock, latency: number) {
    this.#clock = clock;
    this.#latency = latency;
  }

  readonly open: OpenLink = (listener) => {
    let isOver = false;
    const later = (what: () => void) => this.#clock.after(this.#latency, () => isOver || what());
    later(() => listener.opened());
    return {
      send: (data) => {
        if (data[0] === 0x10)
          later(() => {
            this.#current?.closed(REASON_ENDED, 'taken over');
            this.#current = listener;
            later(() => listener.received(Uint8Array.of(0x20, 2, 0, 0)));
          });
        return data.length;
      },
      pause() {},
      resume() {},
      close: () => {
        isOver = true;
        if (this.#current === listener) this.#current = undefined;
      },
    };
  };
}

/** Two clients of one identifier for an hour: when which of them was connected. */
function feud(latency: number, longest: readonly number[], seed: number): number[] {
  const clock = new VirtualClock();
  const broker = new OneAtATime(clock, latency);
  const draw = sequence(seed);
  const connected: number[] = [];
  for (const most of longest)
    new Board(
      {
        links: [broker.open],
        clock,
        config: new Map<number, string | number>([
          [CONFIG_CLIENT_ID, 'one'],
          [CONFIG_KEEP_ALIVE, 0],
          [CONFIG_RECONNECT_MAX, most],
        ]),
        random: () => draw() | 0,
        event: (code) => code === EVENT_CONNECTED && connected.push(clock.now()),
      },
      (imports) => new ClientModule(imports),
    ).start();
  clock.advance(HOUR);
  return connected;
}

describe('two clients of one identifier do not hurry each other on', () => {
  for (const latency of [1, 100, SECOND, 3 * SECOND])
    for (const longest of [
      [60 * SECOND, 60 * SECOND],
      [60 * SECOND, 300 * SECOND],
      [30 * SECOND, 120 * SECOND],
    ])
      test(`with ${latency} ms to the broker, and delays of at most ${longest.map((ms) => ms / SECOND).join(' and ')} s`, () => {
        for (const seed of [1, 2, 3]) {
          const connected = feud(latency, longest, seed);
          assert.ok(connected.length > 20, 'both try');
          // Each attempt waits at least half of the shorter of the longest delays, once the first minutes are over.
          const settled = connected.filter((at) => at > HOUR / 2).length;
          const most = (2 * HOUR) / 2 / (Math.min(...longest) / 2) + 4;
          assert.ok(settled <= most, `${settled} connections in half an hour, at most ${most} were expected`);
          assert.ok(connected.length <= 2 * most + 30, `${connected.length} connections in an hour`);
        }
      });
});
