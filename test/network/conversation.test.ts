import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Link } from '../../host/links/link.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { bytes } from '../protocol/script.js';
import { judge } from '../protocol/sn/checker.js';
import { Network, type Station, type Weather } from './network.js';
import { withSeeds } from './seeds.js';

// A client and a gateway of a few lines each, in a network that loses, doubles and delays: what both do is right, and the checker has to say so
// in the order in which each of them saw it.

const HOSTILE: Weather = {
  up: { loss: 0.3, duplication: 0.2, delay: [1, 900] },
  down: { loss: 0.3, duplication: 0.2, delay: [1, 900] },
};
const RETRY_MS = 1000;

const hex = (value: number) => value.toString(16).padStart(4, '0');

/** Publishes `messages` at QoS 1, one after another. A `careless` one forgets DUP. */
class Publisher {
  acknowledged = 0;
  readonly #clock: VirtualClock;
  readonly #link: Link;
  readonly #messages: number;
  readonly #careless: boolean;
  #topicId: string | undefined;
  #connected = false;
  #sent = '';
  #cancel = () => {};

  constructor(clock: VirtualClock, station: Station, messages: number, careless = false) {
    this.#clock = clock;
    this.#messages = messages;
    this.#careless = careless;
    this.#link = station.open({
      opened: () => this.#ask(),
      writable() {},
      closed() {},
      received: (chunk) => this.#hears(Buffer.from(chunk)),
    });
  }

  #hears(message: Buffer): void {
    const [, type] = message;
    const id = 1 + this.acknowledged;
    if (type === 5 && !this.#connected) this.#connected = true;
    else if (type === 0x0b && this.#connected && this.#topicId === undefined) this.#topicId = message.toString('hex', 2, 4);
    else if (type === 0x0d && this.#topicId !== undefined && message.readUInt16BE(4) === id) this.acknowledged++;
    else return;
    this.#ask();
  }

  #ask(): void {
    this.#cancel();
    if (this.acknowledged === this.#messages) return;
    const id = hex(1 + this.acknowledged);
    const isAgain = this.#sent === id;
    if (!this.#connected) this.#link.send(bytes(`07 04 04 01 0000 'c'`));
    else if (this.#topicId === undefined) this.#link.send(bytes(`07 0a 0000 ffff 't'`));
    else {
      this.#link.send(bytes(`09 0c ${isAgain && !this.#careless ? 'a0' : '20'} ${this.#topicId} ${id} 'xy'`));
      this.#sent = id;
    }
    this.#cancel = this.#clock.after(RETRY_MS, () => this.#ask());
  }
}

/** Answers everything at once, each time it comes. */
function answer(message: Buffer): Buffer | undefined {
  const fields = message.toString('hex', 2);
  switch (message[1]) {
    case 0x04:
      return bytes('03 05 00');
    case 0x0a:
      return bytes(`07 0b 0007 ${fields.slice(4, 8)} 00`);
    case 0x0c:
      return bytes(`07 0d ${fields.slice(2, 10)} 00`);
    default:
      return undefined;
  }
}

function run(seed: number, messages: number, careless = false): Station {
  const clock = new VirtualClock();
  const network = new Network(clock, seed, HOSTILE);
  network.gateway((datagram, peer) => {
    const reply = answer(Buffer.from(datagram));
    if (reply) network.send(peer, reply);
  });
  const station = network.client('c');
  const publisher = new Publisher(clock, station, messages, careless);
  clock.advance(RETRY_MS);
  station.path?.silence(20_000);
  while (clock.next !== undefined) clock.advance(clock.next);
  assert.equal(publisher.acknowledged, messages);
  return station;
}

describe('a conversation in a hostile network', () => {
  test('is without fault, as each side saw it', () => {
    withSeeds(5, (seed) => {
      const { seenByClient, seenByGateway } = run(seed, 1000);
      assert.deepEqual(judge(seenByClient, { vantage: 'client' }), []);
      assert.deepEqual(judge(seenByGateway, { vantage: 'gateway' }), []);
    });
  });

  test('shows the checker a client that forgets DUP', () => {
    withSeeds(5, (seed) => {
      const findings = judge(run(seed, 20, true).seenByClient, { vantage: 'client' });
      assert.deepEqual([...new Set(findings.map(({ rule }) => rule))], ['SN 5.3.4 dup']);
    });
  });

  test('is judged as fast as it is made: 20,000 messages in a few seconds', () => {
    const { seenByClient } = run(1, 20_000);
    const start = performance.now();
    assert.deepEqual(judge(seenByClient, { vantage: 'client' }), []);
    assert.ok(performance.now() - start < 5000);
  });
});
