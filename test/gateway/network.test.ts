import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decode } from '../../host/gateway/decode.js';
import * as sn from '../../host/gateway/encode.js';
import { Gateway } from '../../host/gateway/gateway.js';
import type { Message } from '../../host/gateway/messages.js';
import { VirtualClock } from '../core/history.js';
import { published, TestBroker } from './world.js';

// A client of a few lines that keeps its side of QoS 2, over a network that loses, doubles and delays datagrams.

const MESSAGES = 60;

function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

type State = 'connecting' | 'subscribing' | 'registering' | 'publishing' | 'releasing' | 'done';

class Client {
  readonly delivered: string[] = [];
  sent = 0;
  connects = 0;
  readonly #clock: VirtualClock;
  readonly #send: (datagram: Uint8Array) => void;
  readonly #received = new Set<number>();
  #state: State = 'connecting';
  #request: ((again: boolean) => Uint8Array) | undefined;
  #cancel = () => {};
  #topicId = 0;
  #msgId = 100;

  constructor(clock: VirtualClock, send: (datagram: Uint8Array) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  connect(): void {
    this.connects++;
    this.#ask('connecting', () => sn.connect({ will: false, clean: false, duration: 600, clientId: 'c' }));
  }

  take(message: Message): void {
    switch (message.type) {
      case 'CONNACK':
        if (this.#state !== 'connecting') return;
        if (this.connects > 1) this.#register();
        else this.#ask('subscribing', (dup) => sn.subscribe({ dup, qos: 2, msgId: 1, topicType: 0, topicId: 0, topicName: 'down/+' }));
        return;
      case 'SUBACK':
        if (this.#state === 'subscribing') this.#register();
        return;
      case 'REGACK':
        if (this.#state !== 'registering') return;
        this.#topicId = message.topicId;
        this.#publish();
        return;
      case 'PUBREC':
        if (this.#state === 'publishing' && message.msgId === this.#msgId) this.#ask('releasing', () => sn.pubrel(message.msgId));
        else if (this.#state !== 'publishing') this.#send(sn.pubrel(message.msgId));
        return;
      case 'PUBCOMP':
        if (this.#state !== 'releasing' || message.msgId !== this.#msgId) return;
        this.sent++;
        this.#msgId++;
        this.#publish();
        return;
      case 'REGISTER':
        this.#send(sn.regack(message.topicId, message.msgId, 0));
        return;
      case 'PUBLISH':
        if (!this.#received.has(message.msgId)) this.delivered.push(Buffer.from(message.data).toString());
        this.#received.add(message.msgId);
        this.#send(sn.pubrec(message.msgId));
        return;
      case 'PUBREL':
        this.#send(sn.pubcomp(message.msgId)); // remembered for ever, so that a late copy of its PUBLISH is known
        return;
      case 'DISCONNECT':
        this.connect();
        return;
    }
  }

  #register(): void {
    this.#ask('registering', () => sn.register(0, 2, 'up'));
  }

  #publish(): void {
    if (this.sent === MESSAGES) {
      this.#cancel();
      this.#state = 'done';
      return;
    }
    const payload = String(this.sent);
    const msgId = this.#msgId;
    this.#ask('publishing', (dup) => published(this.#topicId, payload, { qos: 2, msgId, dup }));
  }

  #ask(state: State, request: (again: boolean) => Uint8Array): void {
    this.#cancel();
    this.#state = state;
    this.#request = request;
    const wake = () => {
      this.#cancel = this.#clock.after(10_000, () => {
        if (this.#request) this.#send(this.#request(true));
        wake();
      });
    };
    this.#send(request(false));
    wake();
  }
}

describe('QoS 2 is exactly once both ways over a network that loses, doubles and delays', () => {
  for (let seed = 1; seed <= 20; seed++) {
    test(`whatever happens: seed ${seed}`, () => {
      const random = generator(seed);
      const clock = new VirtualClock();
      const broker = new TestBroker(clock);
      const carry = (deliver: () => void) => {
        for (let copies = random() < 0.2 ? 2 : 1; copies > 0; copies--) if (random() > 0.2) clock.after(random() * 3000, deliver);
      };
      const gateway: Gateway = new Gateway({
        clock,
        openBroker: broker.open,
        transport: { send: (_peer, datagram) => carry(() => client.take(decode(datagram) as Message)) },
        limits: { retries: 20 },
        random: () => (random() * 2 ** 32) | 0,
      });
      const client: Client = new Client(clock, (datagram) => carry(() => gateway.receive(datagram, 'c')));
      client.connect();
      const expected: string[] = [];
      for (let i = 0; i < MESSAGES; i++) {
        clock.advance(60_000);
        if (client.sent === 0 && i === 0) clock.advance(300_000); // subscribed by now
        broker.says(`down/${i % 3}`, String(i), 2);
        expected.push(String(i));
        if (i % 10 === 5) broker.goesAway();
        if (i % 10 === 6) broker.comesBack();
        if (i % 20 === 9) client.connect(); // started again, its session kept
      }
      for (let i = 0; i < 400 && (client.sent < MESSAGES || client.delivered.length < MESSAGES); i++) clock.advance(60_000);
      assert.deepEqual(client.delivered, expected);
      const up = broker.published.filter((line) => line.startsWith('up '));
      assert.deepEqual(
        up,
        Array.from({ length: MESSAGES }, (_, i) => `up ${i} 2`),
      );
    });
  }
});
