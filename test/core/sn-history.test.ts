import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLIENT_ID,
  CONFIG_DISCOVERY,
  CONFIG_KEEP_ALIVE,
  CONFIG_WILL_TOPIC,
  EVENT_CONNECTED,
  EVENT_DATAGRAM_DROPPED,
  EVENT_GATEWAY_FOUND,
  EVENT_LINK_CLOSED,
  EVENT_OPENING,
  EVENT_SEARCHING,
  LINK_CLOSED,
  LINK_OPENED,
  LINK_WRITABLE,
  REASON_REFUSED,
} from '../../host/contract.js';
import type { Imports, Module } from '../../host/module.js';
import { SnHistory, type SnOptions } from './sn-history.js';

const RETRY_MS = 1000;
const NEVER = 2 ** 31 - 1;

/** Does just enough of MQTT-SN, in TypeScript, for a harness to be tried on. */
class Fake {
  /** Datagrams that wait for link 0. */
  readonly queue: Buffer[] = [];
  #slot: { link: number; datagram: Buffer } | undefined;
  #now = 0;
  #due = Number.POSITIVE_INFINITY;
  #isOpen = false;

  constructor(readonly imports: Imports) {}

  get #searches(): boolean {
    return this.imports.configNumber(CONFIG_DISCOVERY, 0) === 1;
  }

  start(): number {
    this.#open(this.#searches ? 1 : 0);
    return 0;
  }

  step(now: number): number {
    this.#now = now;
    if (now >= this.#due) {
      this.#due = Number.POSITIVE_INFINITY;
      if (this.#isOpen) this.queue.push(Buffer.from([2, 0x16]));
      else this.#open(0);
    }
    const slot = this.#slot;
    this.#slot = undefined;
    if (slot) this.#read(slot.link, slot.datagram);
    while (this.#isOpen && this.queue[0] && this.imports.linkSend(0, this.queue[0]) > 0) this.queue.shift();
    return Number.isFinite(this.#due) ? this.#due - now : NEVER;
  }

  receivedDatagram(link: number, datagram: Uint8Array): boolean {
    if (this.#slot) return false;
    this.#slot = { link, datagram: Buffer.from(datagram) };
    return true;
  }

  linkChanged(link: number, what: number, reason: number): void {
    if (what === LINK_OPENED && link === 1) {
      this.imports.event(EVENT_SEARCHING, 1, 0);
      this.imports.linkSend(1, Buffer.from([3, 1, 0]));
    } else if (what === LINK_OPENED) {
      this.#isOpen = true;
      const will = this.imports.configText(CONFIG_WILL_TOPIC) ? 8 : 0;
      const keepAlive = this.imports.configNumber(CONFIG_KEEP_ALIVE, 60);
      const id = Buffer.from(this.imports.configText(CONFIG_CLIENT_ID) ?? []);
      this.queue.push(Buffer.concat([Buffer.from([6 + id.length, 4, 4 | will, 1, keepAlive >> 8, keepAlive & 0xff]), id]));
    } else if (what === LINK_CLOSED) {
      this.#isOpen = false;
      this.#due = this.#now + RETRY_MS;
      this.imports.event(EVENT_LINK_CLOSED, reason, RETRY_MS);
    } else assert.equal(what, LINK_WRITABLE);
  }

  #open(link: number): void {
    if (link === 0) this.imports.event(EVENT_OPENING, 1, 0);
    assert.equal(this.imports.linkOpen(link, 0), 0);
  }

  #read(link: number, datagram: Buffer): void {
    const type = datagram[1];
    if (link === 1 && type === 2) {
      const address = datagram.subarray(3);
      assert.equal(this.imports.rememberGateway?.(0, address.length > 0 ? address : undefined), 0);
      this.imports.event(EVENT_GATEWAY_FOUND, datagram[2] ?? 0, 0);
      this.#open(0);
    } else if (type === 5) {
      this.imports.event(EVENT_CONNECTED, 0, 0);
      const keepAlive = this.imports.configNumber(CONFIG_KEEP_ALIVE, 0);
      if (keepAlive > 0) this.#due = this.#now + keepAlive * 1000;
    } else if (type === 6) this.queue.push(Buffer.from([4, 7, 0, 0x77]));
    else if (type === 8) this.queue.push(Buffer.from([3, 9, 0x78]));
    else if (type === 0x0c) this.queue.push(Buffer.from([7, 0x0d, ...datagram.subarray(3, 7), 0]));
    else if (type !== 0x17) this.imports.event(EVENT_DATAGRAM_DROPPED, 14, 1);
  }
}

function history(options: SnOptions = {}): SnHistory<Module> & { fake: Fake } {
  let fake: Fake | undefined;
  const load = (imports: Imports) => {
    fake = new Fake(imports);
    return fake as unknown as Module;
  };
  return Object.assign(new SnHistory(load, options), { fake: fake as unknown as Fake });
}

describe('a history over datagrams', () => {
  test('opens, hears datagrams one by one, and tells events in words', () => {
    const h = history();
    h.opens();
    h.hears(`07 04 04 01 0000 'c'`);
    h.says('03 05 00');
    h.happens('opening 1 0', 'connected 0 0');
    h.says('07 0c 01 0005 0000', '07 0c 21 0005 0007');
    h.hears('07 0d 0005 0000 00', '07 0d 0005 0007 00');
    h.says('02 03');
    h.happens('datagram_dropped packet_type 1');
    assert.deepEqual(h.opened, ['0']);
  });

  test('fails when two datagrams come as one, when one is missing, and when one is too many', () => {
    const h = history().connects();
    const says = () => h.says('07 0c 21 0005 0001', '07 0c 21 0005 0002');
    says();
    assert.throws(() => h.hears('07 0d 0005 0001 00 07 0d 0005 0002 00'));
    says();
    assert.throws(() => h.hears('07 0d 0005 0001 00'));
    says();
    assert.throws(() => h.hears('07 0d 0005 0001 00', '07 0d 0005 0002 00', '02 16'));
    h.hears();
  });

  test('connects through the handshake of a will', () => {
    const h = history({ config: [[CONFIG_WILL_TOPIC, 'w']] }).connects();
    h.hears();
    h.happens();
    assert.deepEqual(
      h.conversation.map(({ from, bytes }) => `${from} ${bytes[1]}`),
      ['client 4', 'gateway 6', 'client 7', 'gateway 8', 'client 9', 'gateway 5'],
    );
    assert.deepEqual(h.faults, []);
  });

  test('says that it does not connect when it does not', () => {
    const h = history();
    h.during = () => h.fake.queue.unshift(Buffer.from([2, 0x16]));
    assert.throws(() => h.connects(), /no CONNECT: 02 16/);
  });

  test('keeps a link busy, and nothing is sent twice or lost', () => {
    const h = history().connects();
    h.getsBusy();
    h.says('07 0c 21 0005 0001');
    h.hears();
    h.says('07 0c 21 0005 0002');
    h.takes();
    h.hears('07 0d 0005 0001 00', '07 0d 0005 0002 00');
  });

  test('lets time pass, cuts the link, and connects again', () => {
    const h = history({ config: [[CONFIG_KEEP_ALIVE, 10]] }).connects();
    h.waits(9_999);
    h.hears();
    h.waits(1);
    h.hears('02 16');
    h.cuts(REASON_REFUSED);
    h.happens('link_closed refused 1000');
    h.retries();
    h.connects();
    assert.deepEqual(h.opened, ['0', '0']);
    h.reconnects();
    assert.equal(h.opened.length, 3);
  });

  test('searches on link 1 and opens link 0 to who answered', () => {
    const h = history({ discovery: true });
    h.startsSearching();
    h.searches('03 01 00');
    h.gatewaySays('03 02 07', { host: '192.0.2.7', port: 1885 });
    h.connects();
    h.searches();
    assert.deepEqual(h.opened, ['192.0.2.7:1885']);
  });

  test('opens link 0 to the address that a client told', () => {
    const h = history({ discovery: true });
    h.startsSearching();
    h.gatewaySays('07 02 07 c0000208');
    h.happens('searching 1 0', 'gateway_found 7 0', 'opening 1 0');
    assert.deepEqual(h.opened, ['c0000208']);
    assert.throws(() => h.says('03 05 00'), /no link is open/);
  });

  test('judges what the module sends, and not what the script says', () => {
    const h = history().connects();
    h.says('07 0d 0005 0001 00'); // an answer to nothing
    assert.deepEqual(h.faults, []);
    h.fake.queue.push(Buffer.from([8, 0x0c, 0, 0, 1, 0, 0, 0x78]));
    h.hears('08 0c 00 0001 0000 78');
    assert.deepEqual(
      h.faults.map(({ rule }) => rule),
      ['SN 6.5 registered'],
    );
  });
});
