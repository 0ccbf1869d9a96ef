import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CONNECT_TIMEOUT,
  CONFIG_MISSED_ADVERTISEMENTS,
  CONFIG_QOS,
  CONFIG_REPLY_TIMEOUT,
  CONFIG_RETRIES,
  CONFIG_RETRY_INTERVAL,
  CONFIG_SEARCH_DELAY,
  REASON_RESET,
  REASON_UNREACHABLE,
} from '../../host/contract.js';
import type { Config } from './history.js';
import { type SnClientOnClock, snClient } from './sn-client.js';
import type { SnOptions } from './sn-history.js';

/** Added to what is by chance: a search is delayed by so much, a first reconnection by 500 ms more. */
const CHANCE = 250;
const OTHER = { host: '192.0.2.2', port: 1884 };
const SEARCH = '03 01 00';

const searcher = (config: Config = [], options: SnOptions = {}) => snClient(config, { discovery: true, ...options });

/** Connected to gateway 1, which advertised itself every `seconds`. */
function advertised(seconds: string, config: Config = []): SnClientOnClock {
  const h = searcher(config, { random: () => CHANCE });
  h.startsSearching();
  h.gatewaySays(`05 00 01 ${seconds}`);
  h.connects();
  return h;
}

/** The search link's datagrams, each with the time it was sent at. */
function searches(h: SnClientOnClock, ms: number, step = 100): number[] {
  const times: number[] = [];
  for (let passed = 0; passed < ms; passed += step) {
    h.waits(step);
    for (const datagram of h.searched.sent.splice(0)) {
      assert.equal(datagram.toString('hex'), '030100');
      times.push(h.clock.now());
    }
  }
  return times;
}

describe('a search (SN 6.1)', () => {
  for (const [what, random, delay] of [
    ['the shortest', 0, 0],
    ['some of it', CHANCE, CHANCE],
    ['the longest', 5_000, 5_000],
    ['the largest number there is', -1, (2 ** 32 % 5_001) - 1],
  ] as const)
    test(`begins after a delay by chance, here ${what}`, () => {
      const h = searcher([], { random: () => random });
      h.startsSearching();
      if (delay > 0) {
        h.waits(delay - 1);
        h.searches();
        h.waits(1);
      }
      h.searches(SEARCH);
      h.happens('searching 1 5000');
    });

  test('is repeated after 1, 2, 4, 8 and from then on 16 times the first interval', () => {
    const h = searcher([[CONFIG_SEARCH_DELAY, 1_000]]);
    h.startsSearching();
    h.searches(SEARCH);
    assert.deepEqual(searches(h, 64_000), [1_000, 3_000, 7_000, 15_000, 31_000, 47_000, 63_000]);
    assert.equal(h.happened().at(-1), 'searching 8 16000');
  });

  test('with the longest interval there is does not hurry when it has doubled', () => {
    const h = searcher([[CONFIG_SEARCH_DELAY, 86_400_000]]);
    h.startsSearching();
    const day = 86_400_000;
    h.searches(SEARCH);
    assert.deepEqual(
      searches(h, 48 * day, day / 2),
      [1, 3, 7, 15, 31, 47].map((days) => days * day),
    );
  });

  for (const [what, datagram] of [
    ['a GWINFO', '03 02 01'],
    ['an ADVERTISE', '05 00 01 0384'],
  ] as const)
    test(`is called off by ${what} that is heard before it begins`, () => {
      const h = searcher([], { random: () => CHANCE });
      h.startsSearching();
      h.waits(CHANCE - 1);
      h.gatewaySays(datagram);
      h.happens('gateway_found 1 0', 'opening 1 0');
      assert.deepEqual(h.opened, ['192.0.2.1:1884']);
      h.connects();
      h.waits(60_000);
      h.searches();
      assert.deepEqual(h.faults, []);
    });

  test('of another client is no answer', () => {
    const h = searcher([], { random: () => CHANCE });
    h.startsSearching();
    h.gatewaySays(SEARCH);
    h.gatewaySays('03 01 05');
    h.happens();
    assert.deepEqual(h.opened, []);
  });

  test('sends nothing, and says so, before its link is open', () => {
    const h = searcher();
    assert.equal(h.board.start(), 0);
    h.waits(20_000);
    h.happens();
    h.startsSearching();
    h.searches(SEARCH);
    h.happens('searching 1 5000');
  });

  test('whose link does not open in time is tried again', () => {
    const h = searcher([[CONFIG_CONNECT_TIMEOUT, 2_000]]);
    assert.equal(h.board.start(), 0);
    h.waits(1_999);
    h.happens();
    h.waits(1);
    h.happens('link_closed unreachable 500');
    h.waits(500);
    h.startsSearching();
    h.searches(SEARCH);
  });

  for (const [what, datagram, to] of [
    ['by IPv4', '07 02 07 c0000208', 'c0000208'],
    ['by IPv4 and port', '09 02 07 c0000208 075d', 'c0000208075d'],
    ['by IPv6', '13 02 07 20010db8000000000000000000000001', '20010db8000000000000000000000001'],
  ] as const)
    test(`is answered by a client for its gateway, ${what} (SN 5.4.3)`, () => {
      const h = searcher();
      h.startsSearching();
      h.gatewaySays(datagram, OTHER);
      h.connects();
      assert.deepEqual(h.opened, [to]);
    });

  test('whose link cannot be opened is tried again', () => {
    const h = searcher([], { random: () => CHANCE });
    assert.equal(h.board.start(), 0);
    h.searched.listener?.closed(REASON_UNREACHABLE, 'no network');
    h.happens('link_closed unreachable 750');
    h.waits(750);
    h.startsSearching();
    h.waits(5_000);
    h.searches(SEARCH);
  });

  test('whose link breaks is begun anew', () => {
    const h = searcher();
    h.startsSearching();
    h.searches(SEARCH);
    h.searched.breaks(REASON_RESET);
    h.happens('searching 1 5000', 'link_closed reset 500');
    h.waits(500);
    h.startsSearching();
    h.searches(SEARCH);
    h.gatewaySays('03 02 01');
    h.connects();
  });

  test('goes on where the link was busy, and the connection that follows is not hindered by it', () => {
    const h = searcher([[CONFIG_REPLY_TIMEOUT, 2_000]]);
    h.searched.isBusy = true;
    h.startsSearching();
    h.searches();
    h.gatewaySays('05 00 01 0384');
    h.connects();
    h.publish('ab', '1', 1);
    h.hears("08 0c 22 'ab' 0001 '1'");
    h.says("07 0d 'ab' 0001 00");
    h.waits(10_000);
    h.happens('published 1 0');
  });

  test('ends with stop()', () => {
    const h = searcher([], { random: () => CHANCE });
    h.startsSearching();
    h.board.stop();
    h.happens('stopped 0 0');
    assert.equal(h.searched.listener, undefined);
    h.waits(1_000_000);
    h.happens();
  });

  test('begins anew after stop() and start(), with nothing known', () => {
    const h = searcher();
    h.startsSearching();
    h.gatewaySays('03 02 01');
    h.connects();
    h.board.stop();
    h.hears('02 18');
    h.says('02 18');
    h.happens('stopped 0 0');
    h.startsSearching();
    h.searches(SEARCH);
    h.gatewaySays('03 02 02', OTHER);
    h.connects();
    assert.deepEqual(h.opened, ['192.0.2.1:1884', '192.0.2.2:1884']);
  });

  test('finds a gateway for what only sends at QoS -1', () => {
    const h = searcher([[CONFIG_QOS, -1]]);
    h.startsSearching();
    h.publish('ab', '1', -1);
    h.gatewaySays('03 02 01');
    h.accepts();
    h.hears("08 0c 62 'ab' 0000 '1'");
    assert.deepEqual(h.faults, []);
  });
});

describe('a gateway', () => {
  test('that missed as many ADVERTISEs as it may is gone, and searched for', () => {
    const h = advertised('003c');
    for (let count = 0; count < 4; count++) {
      h.waits(60_000);
      h.gatewaySays('05 00 01 003c');
    }
    h.waits(179_999);
    h.happens();
    h.waits(1);
    h.happens('timeout advertise 750', 'gateway_lost 1 0');
    h.waits(750 + CHANCE);
    h.happens('searching 1 5000'); // by the clock alone: searches() would step
    h.searches(SEARCH);
    h.gatewaySays('05 00 01 003c');
    h.connects();
    assert.deepEqual(h.faults, []);
  });

  test('is missed sooner where fewer may stay out', () => {
    const h = advertised('003c', [[CONFIG_MISSED_ADVERTISEMENTS, 1]]);
    h.waits(59_999);
    h.happens();
    h.waits(1);
    h.happens('timeout advertise 750', 'gateway_lost 1 0');
  });

  test('that never advertised itself is not missed', () => {
    const h = searcher();
    h.startsSearching();
    h.gatewaySays('03 02 01');
    h.connects();
    h.waits(2 ** 31 - 1);
    h.happens();
  });

  test('with the longest silence there is is missed after it, and not before', () => {
    const h = advertised('ffff', [[CONFIG_MISSED_ADVERTISEMENTS, 255]]);
    h.waits(1_999_999_999);
    h.happens();
    h.waits(1);
    h.happens('timeout advertise 750', 'gateway_lost 1 0');
  });

  test('that is lost gives way to the other one that was heard of', () => {
    const h = searcher([
      [CONFIG_RETRIES, 0],
      [CONFIG_RETRY_INTERVAL, 1_000],
    ]);
    h.startsSearching();
    h.gatewaySays('03 02 02', OTHER);
    h.connects();
    h.gatewaySays('03 02 01');
    h.happens('gateway_found 1 0');
    h.publish('ab', '1', 1);
    h.hears("08 0c 22 'ab' 0001 '1'");
    h.waits(1_000);
    h.happens('timeout reply 500', 'gateway_lost 2 0');
    h.waits(500);
    h.connects();
    assert.deepEqual(h.opened, ['192.0.2.2:1884', '192.0.2.1:1884']);
    h.hears("08 0c a2 'ab' 0001 '1'");
    assert.deepEqual(h.faults, []);
  });

  test('that does not answer CONNECT gives way, too, and is searched for when it was the last', () => {
    const h = searcher([
      [CONFIG_RETRIES, 1],
      [CONFIG_RETRY_INTERVAL, 1_000],
    ]);
    h.startsSearching();
    h.searches(SEARCH);
    h.gatewaySays('03 02 01');
    h.accepts();
    h.hears("07 04 04 01 0000 'c'");
    h.waits(1_000);
    h.hears("07 04 04 01 0000 'c'");
    h.happened();
    h.waits(2_000);
    h.happens('timeout connack 500', 'gateway_lost 1 0');
    h.searches();
    h.waits(500);
    h.happens('searching 1 5000');
    h.searches(SEARCH);
  });

  test('is told once, however often it is heard', () => {
    const h = searcher();
    h.startsSearching();
    h.gatewaySays('03 02 01');
    h.connects();
    for (const datagram of ['03 02 01', '05 00 01 0384', '03 02 01', '05 00 01 0384']) h.gatewaySays(datagram);
    h.happens();
  });

  test('that is silent gives its place to another of the same place', () => {
    const h = searcher([], { random: () => CHANCE });
    h.startsSearching();
    h.gatewaySays('05 00 01 003c');
    h.connects();
    h.gatewaySays('05 00 05 003c', OTHER); // both at place 1: the first stays while it lasts
    h.happens();
    h.waits(180_000);
    h.gatewaySays('05 00 05 003c', OTHER);
    h.happens('timeout advertise 750', 'gateway_lost 1 0', 'gateway_found 5 0');
    h.waits(750);
    h.connects();
    assert.equal(h.opened.at(-1), '192.0.2.2:1884');
  });

  test('is heard of by the link to the gateway, too', () => {
    const h = advertised('003c');
    h.waits(179_000);
    h.says('05 00 01 003c');
    h.waits(179_000);
    h.happens();
  });

  test('at whose address no link can lead is not taken', () => {
    const h = searcher();
    h.startsSearching();
    h.gatewaySays('03 02 01');
    h.connects();
    h.says('03 02 02'); // by the link to the gateway: its sender is known there
    h.happens('gateway_found 2 0');
  });

  test('counts for nothing without discovery', () => {
    const h = snClient().connects();
    h.says('05 00 01 0001', '03 02 01');
    h.waits(1_000_000);
    h.happens();
    assert.deepEqual(h.opened, ['0']);
  });
});
