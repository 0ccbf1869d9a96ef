import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Client, connectAsync } from '../../host/client.js';
import { brokerAt } from '../../host/gateway/broker.js';
import * as sn from '../../host/gateway/encode.js';
import { Gateway } from '../../host/gateway/gateway.js';
import type { Limits } from '../../host/gateway/limits.js';
import { openUdp } from '../../host/gateway/udp.js';
import { brokers } from '../interop/running.js';
import { passwordFile, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { SocketDevice } from './socket.js';
import { published } from './world.js';

/** A gateway on a UDP port of its own, ended after the test. */
async function gatewayTo(t: TestContext, url: string, limits: Partial<Limits> = {}) {
  const said: string[] = [];
  let gateway: Gateway | undefined;
  const udp = await openUdp({ port: 0, host: '127.0.0.1' }, (datagram, peer) => gateway?.receive(datagram, peer));
  const openBroker = brokerAt(url, { reconnectPeriod: 20, maxReconnectPeriod: 50 });
  const running = new Gateway({ transport: udp, openBroker, limits, say: (text) => said.push(text) });
  gateway = running;
  t.after(async () => {
    await new Promise<void>((resolve) => running.stop(resolve));
    udp.close();
  });
  const device = async () => {
    const made = await SocketDevice.to(udp.port);
    t.after(() => made[Symbol.asyncDispose]());
    return made;
  };
  return { gateway: running, port: udp.port, device, said };
}

/** Everything that is published, as `topic payload`. */
async function listener(t: TestContext, url: string): Promise<{ client: Client; heard: string[] }> {
  const client = await connectAsync(url);
  t.after(() => client.endAsync(true));
  const heard: string[] = [];
  client.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
  await client.subscribeAsync('#', { qos: 2 });
  return { client, heard };
}

async function hears({ client, heard }: { client: Client; heard: string[] }, line: string): Promise<void> {
  const signal = AbortSignal.timeout(15_000);
  while (!heard.includes(line)) await once(client, 'message', { signal });
}

for (const { name, skip, start } of brokers) {
  describe(`with ${name}`, { skip }, () => {
    async function setUp(t: TestContext, limits?: Partial<Limits>) {
      const { url, stop } = await start();
      const observer = await listener(t, url);
      const gateway = await gatewayTo(t, url, limits);
      t.after(stop);
      return { ...gateway, url, observer };
    }

    test('messages of every QoS pass both ways', async (t) => {
      const { device, observer } = await setUp(t);
      const a = await device();
      await a.connects('a');
      await a.subscribes('down/#', 2);
      const id = await a.registers('myhome/底楼/客厅/温度');
      a.send(published(id, 'q0'));
      await a.ask(published(id, 'q1', { qos: 1, msgId: 1 }), 'PUBACK');
      await a.ask(published(id, 'q2', { qos: 2, msgId: 2 }), 'PUBCOMP');
      await hears(observer, 'myhome/底楼/客厅/温度 q2');
      assert.deepEqual(
        observer.heard,
        ['q0', 'q1', 'q2'].map((payload) => `myhome/底楼/客厅/温度 ${payload}`),
      );
      for (const qos of [0, 1, 2] as const) await observer.client.publishAsync('down/底', `q${qos}`, { qos });
      await a.until(() => a.delivered.length === 3, 'get three messages');
      assert.deepEqual(a.delivered, ['q0', 'q1', 'q2']);
    });

    test('a retained message comes with the subscription', async (t) => {
      const { device, observer } = await setUp(t);
      await observer.client.publishAsync('r', 'kept', { qos: 1, retain: true });
      const a = await device();
      await a.connects('a');
      await a.subscribes('r', 1);
      await a.until(() => a.delivered.includes('kept'), 'get the retained message');
    });

    test('the will of a lost client is published', async (t) => {
      const { device, observer } = await setUp(t);
      const a = await device();
      await a.connectsWithWill('a', 'w', 'gone');
      await a.connects('b'); // from the same address
      await hears(observer, 'w gone');
    });

    test('the broker keeps messages for a client that disconnected with its session kept', async (t) => {
      const { device, observer } = await setUp(t);
      const a = await device();
      await a.connects('a', { clean: false });
      await a.subscribes('s', 1);
      await a.ask(sn.disconnect(), 'DISCONNECT');
      await observer.client.publishAsync('s', 'meanwhile', { qos: 1 });
      await a.connects('a', { clean: false });
      await a.until(() => a.delivered.includes('meanwhile'), 'get what was kept');
    });

    test('a client may connect again at once', async (t) => {
      const { device, gateway } = await setUp(t);
      const a = await device();
      for (let i = 0; i < 5; i++) {
        await a.connects('a', { clean: i % 2 === 0 });
        await a.ask(sn.disconnect(), 'DISCONNECT');
      }
      assert.equal(gateway.counters.of('connections'), 5);
    });

    test('a publication without a connection arrives', async (t) => {
      const { device, observer } = await setUp(t);
      (await device()).send(published(0x6162, 'free', { qos: -1, topicType: 2 }));
      await hears(observer, 'ab free');
    });
  });
}

test('a broker that is not there is congestion for clients, and has words for people', async (t) => {
  const { device, said } = await gatewayTo(t, 'mqtt://127.0.0.1:1', { connectDeadline: 200 });
  const a = await device();
  assert.equal((await a.ask(sn.connect({ will: false, clean: true, duration: 60, clientId: 'a' }), 'CONNACK')).code, 1);
  assert.match(said.join('\n'), /'a': the broker is away: connection refused/);
});

describe('with mosquitto', { skip: skipMosquitto }, () => {
  test('a restart of the broker loses nothing that is not acknowledged, and subscriptions come back', async (t) => {
    const before = await startMosquitto();
    const url = `mqtt://127.0.0.1:${before.port}`;
    const { device } = await gatewayTo(t, url);
    const a = await device();
    await a.connects('a');
    await a.subscribes('down', 1);
    const id = await a.registers('up');
    await before.stop();
    a.send(published(id, 'held', { qos: 1, msgId: 1 }));
    const after = await startMosquitto([], before.port);
    t.after(() => after.stop());
    assert.equal((await a.hears('PUBACK')).code, 0);
    const { client } = await listener(t, url);
    await client.publishAsync('down', 'x', { qos: 1, retain: true });
    await a.until(() => a.delivered.includes('x'), 'get a message over the subscription of before');
  });

  test('a login that the broker refuses is told as not supported, and to people', async (t) => {
    const mosquitto = await startMosquitto(async (directory) => {
      const file = await passwordFile(join(directory, 'passwords'), { user: 'secret' });
      return ['allow_anonymous false', `password_file ${file}`];
    });
    t.after(() => mosquitto.stop());
    const wrong = await gatewayTo(t, `mqtt://user:wrong@127.0.0.1:${mosquitto.port}`);
    const a = await wrong.device();
    assert.equal((await a.ask(sn.connect({ will: false, clean: true, duration: 60, clientId: 'a' }), 'CONNACK')).code, 3);
    assert.match(wrong.said.join('\n'), /'a' cannot connect: the broker refuses it: .*not authorized/i);
    const right = await gatewayTo(t, `mqtt://user:secret@127.0.0.1:${mosquitto.port}`);
    await (await right.device()).connects('a');
  });
});
