import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Board } from '../../host/board.js';
import { CONFIG_CLIENT_ID, CONFIG_KEEP_ALIVE, CONFIG_PROTOCOL, EVENT_CONNECTED, EVENT_LINK_CLOSED } from '../../host/contract.js';
import { Gateway } from '../../host/gateway/gateway.js';
import type { LinkListener, OpenLink } from '../../host/links/link.js';
import { SnClientModule } from '../../host/module.js';
import { VirtualClock } from '../core/history.js';
import { sequence } from '../links/noise.js';
import { TestBroker } from './world.js';

const HOUR = 3_600_000;
const LATENCY_MS = 20;

/** Two clients of one id at one gateway for an hour, each publishing every `interval` ms: when one was connected, what they lost, what the gateway said. */
function feud(interval: number, seed: number) {
  const clock = new VirtualClock();
  const broker = new TestBroker(clock);
  const said: string[] = [];
  const peers = new Map<string, LinkListener>();
  const gateway = new Gateway({
    clock,
    openBroker: broker.open,
    transport: {
      send: (peer, datagram) => {
        const copy = Uint8Array.from(datagram);
        clock.after(LATENCY_MS, () => peers.get(peer)?.received(copy));
      },
    },
    random: () => 0,
    say: (text) => said.push(text),
  });
  const connected: number[] = [];
  let ended = 0;
  let ports = 0;
  const open: OpenLink = (listener) => {
    const peer = `udp:${++ports}`; // each link has a port of its own
    peers.set(peer, listener);
    clock.after(0, () => peers.get(peer)?.opened());
    return {
      datagrams: true,
      send(data) {
        const copy = Uint8Array.from(data);
        clock.after(LATENCY_MS, () => gateway.receive(copy, peer));
        return data.length;
      },
      pause() {},
      resume() {},
      close: () => peers.delete(peer),
    };
  };
  const draw = sequence(seed);
  for (const start of [0, 100]) {
    const board = new Board(
      {
        links: [open],
        clock,
        config: new Map<number, string | number>([
          [CONFIG_PROTOCOL, 1],
          [CONFIG_CLIENT_ID, 'one'],
          [CONFIG_KEEP_ALIVE, 60],
        ]),
        random: () => draw() | 0,
        event: (code) => {
          if (code === EVENT_CONNECTED) connected.push(clock.now());
          if (code === EVENT_LINK_CLOSED) ended++;
        },
      },
      (imports) => new SnClientModule(imports),
    );
    clock.after(start, () => board.start());
    const publish = () => {
      board.module.publish('ab', '1', 0, false);
      board.step();
      clock.after(interval, publish);
    };
    clock.after(start + interval, publish);
  }
  clock.advance(HOUR);
  return { connected, ended, said, counters: gateway.counters };
}

describe('two clients of one id at one gateway', () => {
  for (const interval of [100, 1_000, 10_000])
    test(`do not hurry each other on, publishing every ${interval} ms`, () => {
      for (const seed of [1, 2, 3]) {
        const { connected, ended } = feud(interval, seed);
        const settled = connected.filter((at) => at > HOUR / 2).length;
        assert.ok(ended > 10, 'each hears that it is out when it speaks');
        assert.ok(settled <= 124, `${settled} connections in half an hour: more than one in half a minute each`);
        assert.ok(connected.length <= 280, `${connected.length} connections in an hour`);
      }
    });

  test('are told to people, with their id', () => {
    const { said, counters } = feud(1_000, 1);
    assert.match(
      said[0] ?? '',
      /^client 'one' is connected from elsewhere, and udp:1 still speaks as if it were: do two clients use this id\?$/,
    );
    assert.ok(counters.of('clients whose place another took') > 10);
  });
});
