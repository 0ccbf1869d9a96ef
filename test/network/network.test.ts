import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LinkListener } from '../../host/links/link.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { Network, type Path, type Weather } from './network.js';
import { withSeeds } from './seeds.js';

const HOSTILE: Weather = {
  up: { loss: 0.3, duplication: 0.2, delay: [1, 400] },
  down: { loss: 0.1, duplication: 0.3, delay: [5, 100] },
};

/** A path whose ends note what arrives, by its number. */
function noted(seed: number, weather: Weather = {}) {
  const clock = new VirtualClock();
  const network = new Network(clock, seed, weather);
  const atGateway: number[] = [];
  const atClient: number[] = [];
  const path = network.connect({
    toGateway: (bytes) => atGateway.push(Buffer.from(bytes).readUInt32BE()),
    toClient: (bytes) => atClient.push(Buffer.from(bytes).readUInt32BE()),
  });
  return { clock, network, path, atGateway, atClient };
}

const numbered = (number: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
};

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Sends `count` datagrams up, one a ms. */
function sendUp(path: Path, clock: VirtualClock, count: number): void {
  for (const i of numbers(count)) {
    path.fromClient(numbered(i));
    clock.advance(1);
  }
  clock.advance(10_000);
}

describe('a network', () => {
  test('without faults passes everything on, in order and later', () => {
    const { clock, path, atGateway, atClient } = noted(1);
    path.fromClient(numbered(7));
    path.fromGateway(numbered(8));
    assert.deepEqual([atGateway, atClient], [[], []]);
    clock.advance(1);
    assert.deepEqual([atGateway, atClient], [[7], [8]]);
    assert.deepEqual(
      path.seenByClient.map(({ from, bytes, at }) => [from, bytes[3], at]),
      [
        ['client', 7, 0],
        ['gateway', 8, 1],
      ],
    );
    assert.deepEqual(
      path.seenByGateway.map(({ from, bytes, at }) => [from, bytes[3], at]),
      [
        ['gateway', 8, 0],
        ['client', 7, 1],
      ],
    );
  });

  for (const [what, conditions, lost, doubled] of [
    ['loses 20 %', { loss: 0.2 }, 0.2, 0],
    ['loses half', { loss: 0.5 }, 0.5, 0],
    ['loses all', { loss: 1 }, 1, 0],
    ['doubles a tenth', { duplication: 0.1 }, 0, 0.1],
    ['doubles all', { duplication: 1 }, 0, 1],
  ] as const) {
    test(`${what}, as it is told, in one direction`, () => {
      const { clock, path, atGateway } = noted(1, { up: conditions });
      sendUp(path, clock, 5000);
      const { counts } = path.up;
      assert.ok(Math.abs(counts.lost / 5000 - lost) < 0.02, JSON.stringify(counts));
      assert.ok(Math.abs(counts.doubled / 5000 - doubled) < 0.02, JSON.stringify(counts));
      assert.equal(counts.arrived, counts.sent - counts.lost + counts.doubled);
      assert.equal(atGateway.length, counts.arrived);
      path.fromGateway(numbered(1));
      clock.advance(1);
      assert.equal(path.down.counts.arrived, 1);
    });
  }

  test('changes the order by delays of different length, and loses nothing by it', () => {
    const { clock, path, atGateway } = noted(1, { up: { delay: [0, 50] } });
    sendUp(path, clock, 500);
    assert.notDeepEqual(atGateway, numbers(500));
    assert.deepEqual(
      [...atGateway].sort((a, b) => a - b),
      numbers(500),
    );
  });

  test('is silent for a time, also to what is on its way', () => {
    const { clock, path, atGateway } = noted(1, { up: { delay: [10, 10] } });
    path.fromClient(numbered(1));
    clock.advance(5);
    path.silence(100);
    path.fromClient(numbered(2));
    clock.advance(95);
    path.fromClient(numbered(3)); // would arrive when it is over
    clock.advance(5);
    path.fromClient(numbered(4));
    clock.advance(100);
    assert.deepEqual(atGateway, [4]);
  });

  test('that is cut passes nothing any more', () => {
    const { clock, path, atGateway, atClient } = noted(1);
    path.fromClient(numbered(1));
    path.cut();
    clock.advance(1_000_000);
    path.fromGateway(numbered(2));
    clock.advance(1_000_000);
    assert.deepEqual([atGateway, atClient], [[], []]);
  });

  test('sends a copy: what is written into the buffer afterwards does not arrive', () => {
    const { clock, path, atGateway } = noted(1);
    const buffer = numbered(1);
    path.fromClient(buffer);
    buffer.writeUInt32BE(2);
    clock.advance(1);
    assert.deepEqual(atGateway, [1]);
    assert.equal(path.seenByClient[0]?.bytes[3], 1);
  });
});

/** A client that sends again until it is answered, against a gateway that echoes: its history as text. */
function pingPong(seed: number, messages: number, others = 0): { history: string; events: number } {
  const clock = new VirtualClock();
  const network = new Network(clock, seed, HOSTILE);
  network.gateway((bytes, peer) => network.send(peer, bytes));
  const play = (name: string) => {
    const station = network.client(name);
    station.busy = 0.1;
    let next = 0;
    let cancel = () => {};
    const ask = () => {
      cancel();
      cancel = clock.after(500, ask);
      link.send(numbered(next));
    };
    const listener: LinkListener = {
      opened: ask,
      writable: ask,
      closed() {},
      received(chunk) {
        if (Buffer.from(chunk).readUInt32BE() !== next) return; // an echo that came twice or late
        if (++next === messages) cancel();
        else ask();
      },
    };
    const link = station.open(listener);
    return station;
  };
  const first = play('first');
  for (const i of numbers(others)) play(`other ${i}`);
  while (clock.next !== undefined) clock.advance(clock.next);
  const history = first.seenByClient.map(({ from, bytes, at }) => `${at} ${from} ${Buffer.from(bytes).toString('hex')}`);
  return { history: history.join('\n'), events: first.seenByClient.length };
}

describe('stations in a network', () => {
  test('make the same history from the same seed, and another from another', () => {
    const { history } = pingPong(5, 500);
    assert.equal(pingPong(5, 500).history, history);
    assert.notEqual(pingPong(6, 500).history, history);
  });

  test('do not change the history of one another', () => {
    assert.equal(pingPong(5, 200, 3).history, pingPong(5, 200).history);
  });

  test('open a link from a new port each time, and a closed one hears nothing', () => {
    const clock = new VirtualClock();
    const network = new Network(clock, 1, { down: { delay: [10, 10] } });
    const peers: string[] = [];
    network.gateway((_, peer) => peers.push(peer));
    const station = network.client('c');
    const heard: string[] = [];
    const open = (name: string) =>
      station.open({ opened() {}, writable() {}, closed() {}, received: (chunk) => heard.push(`${name} ${Buffer.from(chunk)}`) });
    const first = open('first');
    assert.equal(first.send(Buffer.from('early')), 0);
    clock.advance(1);
    assert.equal(first.send(Buffer.from('x')), 1);
    clock.advance(1);
    network.send('c:1', Buffer.from('late'));
    first.close();
    const second = open('second');
    clock.advance(1);
    second.send(Buffer.from('x'));
    network.send('c:1', Buffer.from('gone'));
    network.send('c:2', Buffer.from('one'));
    network.broadcast(Buffer.from('all'));
    clock.advance(20);
    assert.deepEqual(peers, ['c:1', 'c:2']);
    assert.deepEqual(heard, ['second one', 'second all']);
  });

  test('are busy as often as they are told, and say when they are not any more', () => {
    const clock = new VirtualClock();
    const station = new Network(clock, 1).client('c');
    station.busy = 1;
    let writable = 0;
    const link = station.open({ opened() {}, closed() {}, received() {}, writable: () => writable++ });
    clock.advance(1);
    assert.equal(link.send(Buffer.from('x')), 0);
    clock.advance(1000);
    assert.equal(writable, 1);
    station.busy = 0;
    assert.equal(link.send(Buffer.from('x')), 1);
  });

  test('exchange 20 × 20,000 messages well within a minute', () => {
    const start = performance.now();
    withSeeds(20, (seed) => assert.ok(pingPong(seed, 20_000).events > 40_000));
    assert.ok(performance.now() - start < 60_000);
  });
});

test('a seed that fails is named, with the way to run it again', () => {
  assert.throws(
    () =>
      withSeeds(3, (seed) => {
        if (seed === 2 || process.env.TWOBYTE_SEED !== undefined) throw new Error('of the run');
      }),
    /^Error: seed \d+ \(TWOBYTE_SEED=\d+ runs it again\): of the run$/,
  );
});
