import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as sn from '../../host/gateway/encode.js';
import { Gateway, type GatewayParts } from '../../host/gateway/gateway.js';
import { SHORT } from '../../host/gateway/messages.js';
import type { QoS } from '../../host/options.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { MemoryJournal } from '../journal/memory.js';
import { MqttBroker } from './mqtt-broker.js';
import { Device, published } from './world.js';

/** A gateway with a journal that can be started anew, between devices and a broker that speaks bytes. */
class House {
  readonly clock = new VirtualClock();
  readonly broker = new MqttBroker(this.clock);
  readonly journal = new MemoryJournal();
  said: string[] = [];
  /** What a device heard behind its CONNACK. */
  waiting: string[] = [];
  gateway: Gateway;
  #device: Device | undefined;
  readonly #parts: Partial<GatewayParts>;

  constructor(parts: Partial<GatewayParts> = {}) {
    this.#parts = parts;
    this.gateway = this.startsWith();
  }

  /** The gateway is killed, and another begins. */
  restarts(): this {
    this.broker.cuts();
    this.gateway = this.startsWith();
    return this;
  }

  /** A device at an address of its own, which is connected as 'a'. */
  connects({ clean = false } = {}): Device {
    this.#device = new Device(this.gateway, this.clock, 'a');
    const [connack, ...more] = this.#device.asks(sn.connect({ will: false, clean, duration: 60, clientId: 'a' }));
    assert.equal(connack, 'CONNACK 0');
    this.waiting = more;
    return this.#device;
  }

  get connected(): Device {
    return this.#device ?? this.connects();
  }

  startsWith(parts: Partial<GatewayParts> = {}): Gateway {
    const gateway = new Gateway({
      clock: this.clock,
      openBroker: this.broker.open,
      journal: this.journal,
      transport: { send: (_, datagram) => gateway === this.gateway && this.#device?.takes(datagram) },
      random: () => 0,
      say: (text) => this.said.push(text),
      ...this.#parts,
      ...parts,
    });
    gateway.start();
    return gateway;
  }
}

describe('what a client published and the broker has not acknowledged', () => {
  for (const qos of [1, 2] as const) {
    test(`goes on as soon as the gateway is started anew, and the client's repetition is answered then: QoS ${qos}`, () => {
      const house = new House();
      let a = house.connects();
      const id = a.registers('t');
      house.broker.latency = 5000;
      assert.deepEqual(a.asks(published(id, '1', { qos, msgId: 5 })), []);
      house.broker.arrivesAfterCut = false;
      house.restarts();
      house.broker.latency = 1000;
      house.clock.advance(4500);
      assert.deepEqual(house.broker.published, [`t 1 ${qos}`], 'without the client');
      a = house.connects();
      const again = published(a.registers('t'), '1', { qos, msgId: 5, dup: true });
      const early = a.asks(again);
      house.clock.advance(20_000);
      const answer = qos === 2 ? 'PUBREC #5' : 'PUBACK 1 #5 0';
      assert.deepEqual([...early, ...a.hears()], [answer]);
      assert.deepEqual(a.asks(again), [answer]);
      assert.deepEqual(house.broker.published, [`t 1 ${qos}`]);
      if (qos === 2) assert.deepEqual(a.asks(sn.pubrel(5)), ['PUBCOMP #5']);
    });
  }

  test('is known after many restarts until its PUBREL', () => {
    const house = new House();
    let a = house.connects();
    a.sends(published(a.registers('t'), '1', { qos: 2, msgId: 5 }));
    for (let turn = 0; turn < 5; turn++) {
      house.clock.advance(3_600_000);
      house.restarts();
      a = house.connects();
      assert.deepEqual(a.asks(published(a.registers('t'), '1', { qos: 2, msgId: 5, dup: true })), ['PUBREC #5']);
    }
    a.sends(sn.pubrel(5));
    house.restarts().clock.advance(60_000);
    a = house.connects();
    a.sends(published(a.registers('t'), '1', { qos: 2, msgId: 5 }));
    assert.equal(house.broker.published.length, 2, 'another one, a minute later');
  });
});

describe('what the broker sent for a client', () => {
  /** A client that has subscribed, and is gone. */
  const away = (house: House, qos: QoS = 2): void => {
    const a = house.connects();
    a.subscribes('in/灯', qos);
    a.hears();
  };

  for (const qos of [1, 2] as const) {
    test(`waits for it over a restart, in order: QoS ${qos}`, () => {
      const house = new House();
      away(house, qos);
      house.clock.advance(200_000); // lost
      for (const n of ['1', '2', '3']) house.broker.says('in/灯', n, qos);
      house.clock.advance(0);
      assert.equal(house.broker.waiting('a'), 0, 'the broker has forgotten them');
      house.restarts();
      assert.deepEqual(house.gateway.clients, [{ id: 'a', state: 'disconnected', buffered: 3 }]);
      const a = house.connects();
      const heard: string[] = [];
      for (let lines = house.waiting, answer: Buffer[] = []; lines.length > 0; lines = a.asks(...answer)) {
        heard.push(...lines.filter((line) => line.startsWith('PUBLISH')).map((line) => line.split(' ')[2] ?? ''));
        answer = lines.flatMap((line) => {
          const msgId = Number(/#(\d+)/.exec(line)?.[1]);
          if (line.startsWith('REGISTER')) return [sn.regack(1, msgId, 0)];
          if (line.startsWith('PUBREL')) return [sn.pubcomp(msgId)];
          return [qos === 2 ? sn.pubrec(msgId) : sn.puback(1, msgId, 0)];
        });
      }
      assert.deepEqual(heard, ['1', '2', '3']);
      assert.equal(house.restarts().gateway.clients.length, 0, 'nothing is left of it');
    });
  }

  test('is not said to be gone when the gateway ends', () => {
    const house = new House();
    away(house);
    house.broker.says('in/灯', '1', 2);
    house.clock.advance(0);
    house.gateway.stop(() => {});
    house.clock.advance(60_000);
    assert.deepEqual(house.said, []);
    assert.equal(house.restarts().gateway.clients[0]?.buffered, 1);
  });

  test('that has to make room for more, is gone from the journal, too', () => {
    const house = new House({ limits: { bufferedMessages: 2 } });
    away(house);
    house.clock.advance(200_000);
    for (const n of ['1', '2', '3', '4']) house.broker.says('in/灯', n, 2);
    house.clock.advance(0);
    assert.equal(house.restarts().gateway.clients[0]?.buffered, 2);
  });

  test('at QoS 2 is not acknowledged while the journal takes nothing, and at QoS 1 counted', () => {
    const house = new House();
    away(house);
    house.clock.advance(200_000);
    house.journal.isFull = true;
    house.broker.says('in/灯', '1', 1);
    house.broker.says('in/灯', '2', 2);
    house.clock.advance(0);
    assert.equal(house.broker.waiting('a'), 1);
    assert.equal(house.gateway.counters.of('messages that the journal did not take'), 1);
    house.journal.isFull = false;
    house.broker.breaks();
    house.clock.advance(20_000);
    assert.match(house.said.join(), /client 'a': the journal cannot note which messages were delivered: it is full/);
    assert.equal(house.broker.waiting('a'), 0);
    assert.equal(house.gateway.clients[0]?.buffered, 2);
    assert.equal(house.restarts().gateway.clients[0]?.buffered, 1);
  });

  test('comes once at QoS 2 when the journal takes it on the next connection', () => {
    const house = new House();
    away(house);
    house.journal.isFull = true;
    house.broker.says('in/灯', '1', 2);
    house.clock.advance(0);
    house.connected.sends(sn.disconnect());
    house.clock.advance(20_000);
    house.journal.isFull = false;
    house.connects();
    house.clock.advance(0);
    assert.equal(house.broker.waiting('a'), 0);
    assert.equal(house.gateway.clients[0]?.buffered, 1);
  });
});

test('what still comes on the connection of a session that is forgotten is nobody’s', () => {
  const house = new House();
  const a = house.connects();
  a.subscribes('in', 2);
  house.broker.latency = 3000;
  a.sends(published(a.registers('t'), '1', { qos: 1, msgId: 5 })); // its connection waits for the answer
  house.broker.says('in', '1', 1);
  house.broker.says('in', '2', 2);
  a.sends(sn.connect({ will: false, clean: true, duration: 60, clientId: 'a' }));
  house.clock.advance(20_000);
  assert.deepEqual(
    a.hears().filter((line) => line.startsWith('PUBLISH')),
    [],
  );
  assert.deepEqual(house.journal.parts(), []);
});

test('a client that begins anew with a clean session, and one that makes room, leave nothing in the journal', () => {
  for (const ends of [
    (house: House) => void house.connects({ clean: true }),
    (house: House) => {
      const other = new Device(house.gateway, house.clock, 'b');
      other.sends(sn.disconnect());
      house.clock.advance(200_000);
      other.sends(sn.connect({ will: false, clean: false, duration: 60, clientId: 'b' }));
    },
  ]) {
    const house = new House({ limits: { clients: 1 } });
    const a = house.connects();
    a.subscribes('in', 2);
    a.sends(published(a.registers('t'), '1', { qos: 2, msgId: 5 }));
    house.broker.says('in', '1', 2);
    house.clock.advance(0);
    assert.ok(house.journal.parts().length > 0);
    ends(house);
    house.clock.advance(60_000);
    assert.deepEqual(house.journal.parts(), []);
  }
});

test('a PUBREL that is repeated, or of an id that is not known, costs no write', () => {
  const house = new House();
  const a = house.connects();
  assert.deepEqual(a.asks(published(a.registers('t'), '1', { qos: 2, msgId: 5 })), ['PUBREC #5']);
  assert.deepEqual(a.asks(sn.pubrel(5)), ['PUBCOMP #5']);
  const { writes } = house.journal;
  assert.deepEqual(a.asks(sn.pubrel(5), sn.pubrel(77)), ['PUBCOMP #5', 'PUBCOMP #77']);
  assert.equal(house.journal.writes, writes);
});

describe('a session that is forgotten while the journal takes nothing', () => {
  /** Its last message has no answer, and one waits for the client. */
  const begun = (): House => {
    const house = new House({ limits: { clients: 1 } });
    const a = house.connects();
    a.subscribes('in', 2);
    const id = a.registers('t');
    a.sends(sn.disconnect(9000));
    house.broker.says('in', 'before', 1);
    house.clock.advance(0);
    house.broker.arrivesAfterCut = false;
    house.broker.latency = 60_000;
    a.sends(published(id, 'old', { qos: 2, msgId: 5 }));
    house.journal.isFull = true;
    a.sends(sn.disconnect());
    house.clock.advance(20_000);
    house.broker.latency = 0;
    return house;
  };
  /** The client ends its session, and begins one that is kept. */
  const beginsAnew = (house: House): void => {
    house.connects({ clean: true }).sends(sn.disconnect());
    house.clock.advance(20_000);
    assert.match(house.said.join(), /client 'a': the journal cannot note that its session is forgotten/);
    house.connects();
    house.clock.advance(20_000);
  };

  test('is told, and nothing of it is heard of any more', () => {
    const house = begun();
    beginsAnew(house);
    assert.deepEqual(house.broker.published, []);
    assert.deepEqual(house.gateway.clients, [{ id: 'a', state: 'active', buffered: 0 }]);
  });

  test('is gone from the journal with the first that is written of the next', () => {
    const house = begun();
    beginsAnew(house);
    const a = house.connected;
    const publish = published(a.registers('t'), 'new', { qos: 1, msgId: 6 });
    assert.deepEqual(a.asks(publish), ['PUBACK 1 #6 0'], 'as without a journal');
    house.journal.isFull = false;
    a.sends(published(a.registers('t'), 'newer', { qos: 1, msgId: 7 }));
    house.restarts().connects();
    house.clock.advance(60_000);
    assert.deepEqual(house.waiting, []);
    assert.deepEqual(house.broker.published, ['t new 1', 't newer 1']);
  });

  test('is gone with what is written of another, too', () => {
    const house = begun();
    const b = new Device(house.gateway, house.clock, 'b');
    b.sends(sn.connect({ will: false, clean: false, duration: 60, clientId: 'b' }));
    assert.match(house.said.join(), /client 'a': the journal cannot note that its session is forgotten/);
    assert.ok(house.journal.parts().includes('session a'));
    house.journal.isFull = false;
    b.sends(sn.publish({ dup: false, qos: 1, retain: false, topicType: SHORT, topicId: 0x7474, msgId: 5, data: Buffer.from('1') }));
    assert.deepEqual(
      house.journal.parts().filter((part) => part.endsWith(' a')),
      [],
    );
  });
});

test('of more sessions than there may be clients those are forgotten that lose the least, and people are told', () => {
  const house = new House();
  const topic = { retain: false, topicType: SHORT, topicId: 0x7474, msgId: 5, data: Buffer.from('1') } as const;
  const begins = (clientId: string, ...messages: Uint8Array[]) => {
    const device = new Device(house.gateway, house.clock, clientId);
    device.sends(sn.connect({ will: false, clean: false, duration: 60, clientId }));
    device.asks(...messages);
    return device;
  };
  const publish = sn.publish({ dup: false, qos: 2, ...topic });
  begins('waited for', sn.subscribe({ dup: false, qos: 1, msgId: 4, topicType: 0, topicId: 0, topicName: 'in' }), sn.disconnect(9000));
  house.broker.says('in', '1', 1);
  house.clock.advance(0);
  for (const clientId of ['done', 'done, too']) begins(clientId, publish, sn.disconnect());
  const unheard = ['first', 'second'].map((clientId) => begins(clientId, sn.pingreq()));
  house.broker.latency = 60_000;
  house.broker.arrivesAfterCut = false;
  for (const device of unheard) device.asks(publish);
  const restarted = (clients: number) => {
    house.broker.cuts();
    house.said = [];
    house.gateway = house.startsWith({ limits: { clients } });
    return house.gateway.clients.map(({ id }) => id);
  };
  assert.deepEqual(restarted(4), ['waited for', 'done, too', 'first', 'second']);
  assert.deepEqual(house.said, ['the journal has 5 sessions, and there may be 4; forgotten: 1']);
  assert.deepEqual(restarted(3), ['waited for', 'first', 'second']);
  assert.deepEqual(restarted(1), ['second']);
  assert.deepEqual(house.said, [
    'the journal has 3 sessions, and there may be 1; forgotten: 2',
    "client 'waited for' had to make room for another: 1 messages that waited for it are gone",
    "client 'first' had to make room for another: 1 messages of it never reached the broker",
  ]);
  assert.deepEqual(house.journal.parts().toSorted(), ['module second', 'session second']);
});

test('what a message costs: writes that are waited for, and others', () => {
  const cost = (qos: QoS, direction: 'up' | 'down') => {
    const house = new House();
    const a = house.connects();
    const id = a.registers('t/1');
    a.subscribes('in', qos);
    const { writes, syncs } = house.journal;
    if (direction === 'up') {
      a.sends(published(id, '1', { qos, msgId: 5 }));
      if (qos === 2) a.sends(sn.pubrel(5));
    } else {
      house.broker.says('in', '1', qos);
      house.clock.advance(0);
      const [, msgId] = /#(\d+)/.exec(a.hears().join()) ?? [];
      if (qos === 1) a.sends(sn.puback(0x696e, Number(msgId), 0));
      if (qos === 2) a.sends(sn.pubrec(Number(msgId)), sn.pubcomp(Number(msgId)));
    }
    return [house.journal.syncs - syncs, house.journal.writes - writes - (house.journal.syncs - syncs)];
  };
  assert.deepEqual(
    [cost(0, 'up'), cost(1, 'up'), cost(2, 'up')],
    [
      [0, 0],
      [2, 0],
      [3, 1],
    ],
  );
  assert.deepEqual(
    [cost(0, 'down'), cost(1, 'down'), cost(2, 'down')],
    [
      [0, 0],
      [1, 1],
      [3, 1],
    ],
  );
});

describe('what had no answer when the connection to the broker ended', () => {
  /** The client disconnects before the broker answers, and connects again when it does. */
  const returns = (house: House): Device => {
    house.broker.arrivesAfterCut = false;
    house.connected.sends(sn.disconnect());
    house.clock.advance(20_000);
    house.broker.latency = 0;
    return house.connects();
  };

  test('is asked for again: a subscription under the same MsgId', () => {
    const house = new House();
    const ask = sn.subscribe({ dup: false, qos: 1, msgId: 5, topicType: 0, topicId: 0, topicName: 't' });
    house.connects();
    house.broker.latency = 60_000;
    assert.deepEqual(house.connected.asks(ask), []);
    assert.deepEqual(returns(house).asks(ask), ['SUBACK 1 #5 QoS 1 0']);
  });

  for (const isFull of [false, true])
    for (const qos of [1, 2] as const)
      test(`is published once, and answered: QoS ${qos}, the journal ${isFull ? 'did not take it' : 'has it'}`, () => {
        const house = new House();
        house.connects();
        house.broker.latency = 60_000;
        house.journal.isFull = isFull;
        const publication = (dup: boolean) => published(house.connected.registers('t'), '1', { qos, msgId: 5, dup });
        assert.deepEqual(house.connected.asks(publication(false)), []);
        house.journal.isFull = false;
        const a = returns(house);
        house.clock.advance(0);
        const answer = qos === 2 ? 'PUBREC #5' : 'PUBACK 1 #5 0';
        assert.deepEqual(a.asks(publication(true)), [answer]);
        house.clock.advance(10_000);
        assert.deepEqual(a.asks(publication(true)), [answer]);
        assert.deepEqual(house.broker.published, [`t 1 ${qos}`]);
      });
});
