import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import mqtt from 'mqtt';
import type { MessagePiece, QoS } from '../../host/index.js';
import { connected, event, firstError, Heard, ownTopic, Wire, within } from './peers.js';
import { brokers, type Running } from './running.js';

const READINGS = 'myhome/底楼/客厅/温度';
const levels: readonly QoS[] = [0, 1, 2];
const MEGABYTE = 1_048_576;

for (const kind of brokers)
  describe(`with ${kind.name}`, { skip: kind.skip, timeout: 60_000 }, () => {
    let broker: Running;
    before(async () => {
      broker = await kind.start();
    });
    after(() => broker.stop());

    describe('a message arrives once, with the lower QoS of publisher and subscriber', () => {
      for (const published of levels)
        for (const subscribed of levels)
          test(`published at QoS ${published}, subscribed at QoS ${subscribed}`, async (t) => {
            const subscriber = await connected(t, broker.url);
            const publisher = await connected(t, broker.url);
            assert.deepEqual(await subscriber.client.subscribeAsync(READINGS, { qos: subscribed }), [{ topic: READINGS, qos: subscribed }]);
            await publisher.client.publishAsync(READINGS, '23.4', { qos: published });
            await publisher.client.publishAsync(READINGS, 'the next', { qos: published }); // a second copy would come before it
            const messages = await subscriber.messages.until(
              (all) => all.some(({ payload }) => String(payload) === 'the next'),
              'the next',
            );
            const granted = Math.min(published, subscribed);
            assert.deepEqual(
              messages.map(({ topic, payload, qos, retain, dup }) => [topic, String(payload), qos, retain, dup]),
              [
                [READINGS, '23.4', granted, false, false],
                [READINGS, 'the next', granted, false, false],
              ],
            );
            for (const { messageId } of messages) assert.equal(messageId > 0, granted > 0);
          });
    });

    describe('a retained message', () => {
      for (const qos of levels)
        test(`reaches a later subscriber, marked as retained, until an empty one clears it: QoS ${qos}`, async (t) => {
          const topic = ownTopic();
          const { client } = await connected(t, broker.url);
          await client.publishAsync(topic, '21.0', { qos, retain: true });
          await client.publishAsync(topic, '21.5', { qos, retain: true });
          await client.subscribeAsync(`${topic}/done`, { qos: 1 }); // answered after all that was sent before

          const later = await connected(t, broker.url);
          await later.client.subscribeAsync(topic, { qos: 2 });
          const [kept] = await later.messages.count(1);
          assert.deepEqual([String(kept?.payload), kept?.retain, kept?.qos], ['21.5', true, qos]);

          await client.publishAsync(topic, '', { qos, retain: true });
          const [, cleared] = await later.messages.count(2);
          assert.deepEqual(
            [cleared?.payload.length, cleared?.retain],
            [0, false],
            'a subscriber that is there sees it as any other message',
          );
          const last = await connected(t, broker.url);
          await last.client.subscribeAsync(topic);
          await last.client.subscribeAsync(`${topic}/end`);
          await client.publishAsync(`${topic}/end`, 'end', { qos: 1 });
          assert.deepEqual(
            (await last.messages.count(1)).map(({ topic }) => topic),
            [`${topic}/end`],
          );
        });
    });

    describe('wildcards', () => {
      const cases: [filter: string, topics: string[], others: string[]][] = [
        ['+', ['home'], ['home/kitchen', '/home']],
        ['home/+/temperature', ['home/kitchen/temperature', 'home//temperature'], ['home/temperature', 'home/a/b/temperature']],
        ['home/#', ['home', 'home/kitchen', 'home/kitchen/temperature'], ['homes', '/home']],
        ['/+', ['/home'], ['home', '/home/kitchen']],
        ['我家/+/温度', ['我家/客厅/温度'], ['我家/客厅', '我家/客厅/湿度']],
      ];
      for (const [filter, topics, others] of cases)
        test(`${filter} takes ${topics.join(', ')} and not ${others.join(', ')}`, async (t) => {
          const { client, messages } = await connected(t, broker.url);
          await client.subscribeAsync([filter, 'the/end'], { qos: 1 });
          for (const topic of [...others, ...topics, 'the/end']) await client.publishAsync(topic, topic, { qos: 1 });
          await messages.until((all) => all.some(({ topic }) => topic === 'the/end'), 'the end');
          assert.deepEqual(
            messages.all.map(({ topic }) => topic),
            [...topics, 'the/end'],
          );
        });

      test('# takes everything but topics that begin with $', async (t) => {
        const { client, messages } = await connected(t, broker.url);
        await client.subscribeAsync('#', { qos: 1 });
        const topic = ownTopic();
        await client.publishAsync(topic, '');
        await messages.until((all) => all.some((message) => message.topic === topic), topic);
        assert.deepEqual(
          messages.all.filter((message) => message.topic.startsWith('$')),
          [],
        );
      });
    });

    test('an unsubscribed filter brings nothing more, the others go on', async (t) => {
      const { client, messages } = await connected(t, broker.url);
      const topic = ownTopic();
      await client.subscribeAsync([`${topic}/a`, `${topic}/b`, `${topic}/c`], { qos: 1 });
      await client.unsubscribeAsync([`${topic}/a`, `${topic}/b`]);
      for (const last of ['a', 'b', 'c']) await client.publishAsync(`${topic}/${last}`, '', { qos: 1 });
      assert.deepEqual(
        (await messages.count(1)).map((message) => message.topic),
        [`${topic}/c`],
      );
    });

    describe('the will', () => {
      for (const qos of levels)
        test(`is published when the connection breaks, and retained when asked: QoS ${qos}`, async (t) => {
          const topic = ownTopic();
          const observer = await connected(t, broker.url);
          await observer.client.subscribeAsync(topic, { qos: 2 });
          const wire = await Wire.to(t, broker.port);
          const will = { topic, payload: 'offline · 离线', qos, retain: qos > 0 };
          await connected(t, `mqtt://127.0.0.1:${wire.port}`, { will });
          wire.cut();
          const [message] = await observer.messages.count(1);
          assert.deepEqual([String(message?.payload), message?.qos], [will.payload, qos]);
          if (!will.retain) return;
          const later = await connected(t, broker.url);
          await later.client.subscribeAsync(topic, { qos: 2 });
          const [kept] = await later.messages.count(1);
          assert.deepEqual([String(kept?.payload), kept?.retain], [will.payload, true]);
        });

      test('is not published after DISCONNECT', async (t) => {
        const topic = ownTopic();
        const observer = await connected(t, broker.url);
        await observer.client.subscribeAsync(topic, { qos: 1 });
        const wire = await Wire.to(t, broker.port);
        const { client } = await connected(t, `mqtt://127.0.0.1:${wire.port}`, { will: { topic, payload: 'offline', qos: 1 } });
        await client.endAsync();
        await wire.brokerEnded();
        await observer.client.publishAsync(topic, 'after', { qos: 1 });
        assert.deepEqual(
          (await observer.messages.count(1)).map(({ payload }) => String(payload)),
          ['after'],
        );
      });
    });

    describe('a session that is kept', () => {
      for (const how of ['by reconnect()', 'by another client of the same id'] as const)
        test(`is present ${how}, and what was queued meanwhile arrives in order`, async (t) => {
          const topic = ownTopic();
          const options = { clientId: `kept${topic.replace(/\W/g, '')}`, clean: false };
          const first = await connected(t, broker.url, options);
          assert.equal(first.sessionPresent, false);
          await first.client.subscribeAsync(topic, { qos: 1 });
          await first.client.endAsync();

          const publisher = await connected(t, broker.url);
          for (const reading of ['1', '2', '3']) await publisher.client.publishAsync(topic, reading, { qos: 1 });
          let { messages } = first;
          if (how === 'by reconnect()') {
            const back = event<{ sessionPresent: boolean }>(first.client, 'connect');
            first.client.reconnect();
            assert.deepEqual(await back, { sessionPresent: true });
          } else {
            const second = await connected(t, broker.url, options);
            assert.equal(second.sessionPresent, true);
            ({ messages } = second);
          }
          await publisher.client.publishAsync(topic, '4', { qos: 1 });
          const payloads = (await messages.count(4)).map(({ payload }) => String(payload));
          assert.deepEqual(payloads, ['1', '2', '3', '4']);
        });

      test('is gone after a clean connection', async (t) => {
        const options = { clientId: `gone-${process.pid}`, clean: false };
        await (await connected(t, broker.url, options)).client.endAsync();
        await (await connected(t, broker.url, { ...options, clean: true })).client.endAsync();
        assert.equal((await connected(t, broker.url, options)).sessionPresent, false);
      });
    });

    test('of several filters one is refused, and the others are granted', { skip: kind.skipGuarded }, async (t) => {
      const guarded = await kind.startGuarded();
      t.after(() => guarded.stop());
      const { client, messages } = await connected(t, guarded.url);
      const filters = { 'open/a': { qos: 2 }, 'secret/a': { qos: 1 }, 'open/b/+': { qos: 0 } } as const;
      assert.deepEqual(await client.subscribeAsync(filters), [
        { topic: 'open/a', qos: 2 },
        { topic: 'secret/a', qos: 128 },
        { topic: 'open/b/+', qos: 0 },
      ]);
      for (const topic of ['secret/a', 'open/a']) await client.publishAsync(topic, '', { qos: 2 });
      assert.deepEqual(
        (await messages.count(1)).map(({ topic }) => topic),
        ['open/a'],
      );
    });

    describe('payloads', () => {
      const cases: [what: string, payload: Buffer][] = [
        ['empty', Buffer.alloc(0)],
        ['every byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
        ['127 bytes', randomBytes(127)],
        ['the largest with one byte of length, and one more', randomBytes(128)],
        ['16,384 bytes', randomBytes(16_384)],
        ['the largest that can be sent', randomBytes(MEGABYTE)],
      ];
      for (const [what, payload] of cases)
        test(what, async (t) => {
          const { client, messages } = await connected(t, broker.url);
          const topic = ownTopic();
          await client.subscribeAsync(topic, { qos: 2 });
          for (const qos of levels) await client.publishAsync(topic, payload, { qos });
          for (const message of await messages.count(3)) assert.ok(message.payload.equals(payload));
          assert.deepEqual(messages.all.map(({ qos }) => qos).sort(), [0, 1, 2]);
        });
    });

    describe('a message of over a megabyte', () => {
      const payload = randomBytes(MEGABYTE + 4321);
      for (const qos of levels) {
        test(`comes in pieces to a listener of pieces: QoS ${qos}`, async (t) => {
          const topic = ownTopic();
          const { client, messages } = await connected(t, broker.url);
          const pieces = new Heard<Omit<MessagePiece, 'payload'> & { bytes: Buffer }>();
          client.on('piece', ({ payload: bytes, ...piece }) => pieces.add({ ...piece, bytes: Buffer.from(bytes) }));
          await client.subscribeAsync(topic, { qos });
          const peer = await mqttjs(t, broker.url);
          await peer.publishAsync(topic, payload, { qos });
          await pieces.until((all) => all.some(({ bytes, offset, total }) => offset + bytes.length === total), 'the last piece');
          assert.ok(pieces.all.length > 1);
          let next = 0;
          for (const piece of pieces.all) {
            assert.deepEqual([piece.topic, piece.offset, piece.total, piece.qos], [topic, next, payload.length, qos]);
            next += piece.bytes.length;
          }
          assert.ok(Buffer.concat(pieces.all.map(({ bytes }) => bytes)).equals(payload));
          assert.equal(messages.all.length, 0, 'a listener of pieces has it, so it is not kept for a whole');
        });

        test(`comes whole to a listener of messages: QoS ${qos}`, async (t) => {
          const topic = ownTopic();
          const { client, messages } = await connected(t, broker.url);
          await client.subscribeAsync(topic, { qos });
          const peer = await mqttjs(t, broker.url);
          await peer.publishAsync(topic, payload, { qos });
          const [message] = await messages.count(1);
          assert.ok(message?.payload.equals(payload));
          assert.deepEqual([message?.topic, message?.qos], [topic, qos]);
        });
      }

      test('over maximumMessageSize it is dropped, with an error that names topic, size and limit, and the session goes on', async (t) => {
        const topic = ownTopic();
        const { client, messages } = await connected(t, broker.url, { maximumMessageSize: MEGABYTE });
        const refused = event<Error & { code: string }>(client, 'error');
        await client.subscribeAsync(topic, { qos: 1 });
        const peer = await mqttjs(t, broker.url);
        await peer.publishAsync(topic, payload, { qos: 1 });
        await peer.publishAsync(topic, 'small', { qos: 1 });
        const { message, code } = await refused;
        assert.equal(code, 'ERROR_TOO_LARGE');
        for (const part of [topic, String(payload.length), String(MEGABYTE)]) assert.ok(message.includes(part), message);
        assert.deepEqual(
          (await messages.count(1)).map(({ payload }) => String(payload)),
          ['small'],
        );
      });
    });

    test('a second client with the same id takes over, and the first hears of it', async (t) => {
      const options = { clientId: `twin-${process.pid}` };
      const first = await connected(t, broker.url, options);
      const heard = new Heard<string>();
      for (const name of ['error', 'close', 'offline', 'end'] as const) first.client.on(name, () => heard.add(name));
      const second = await connected(t, broker.url, options);
      await heard.until((all) => all.includes('end'), 'the end of the first');
      assert.deepEqual(heard.all, ['error', 'offline', 'close', 'end']);
      assert.equal(first.client.connected, false);
      const topic = ownTopic();
      await second.client.subscribeAsync(topic, { qos: 1 });
      await second.client.publishAsync(topic, 'still here', { qos: 1 });
      await second.messages.count(1);
    });

    describe('login', () => {
      test('with user name and password', async (t) => {
        await connected(t, broker.url, { username: 'sensor', password: 'pässword' });
        await connected(t, broker.url, { username: 'sensor', password: Buffer.from('pässword') });
      });

      test('with user name and password of the address', async (t) => {
        await connected(t, `mqtt://sensor:p%C3%A4ssword@127.0.0.1:${broker.port}`);
      });

      test('with a wrong password is refused by return code, and with stopOnRefusal not tried again', async (t) => {
        const error = await firstError(t, broker.url, { username: 'sensor', password: 'wrong', reconnectPeriod: 1, stopOnRefusal: true });
        assert.equal(error.code, kind.badPassword);
        assert.match(error.message, /^Connection refused: (bad user name or password|not authorized)$/);
      });
    });

    describe('over WebSocket', () => {
      test('messages go both ways', async (t) => {
        const topic = ownTopic();
        const subscriber = await connected(t, broker.websocketUrl);
        const publisher = await connected(t, broker.websocketUrl);
        await subscriber.client.subscribeAsync(topic, { qos: 2 });
        const payloads = [Buffer.from('23.4'), Buffer.alloc(0), randomBytes(kind.websocketBytes)];
        for (const payload of payloads) await publisher.client.publishAsync(topic, payload, { qos: 2 });
        const messages = await subscriber.messages.count(payloads.length);
        for (const [index, payload] of payloads.entries()) assert.ok(messages[index]?.payload.equals(payload), `payload ${index}`);
      });

      test('the largest payload can be sent', async (t) => {
        const topic = ownTopic();
        const subscriber = await connected(t, broker.url);
        const publisher = await connected(t, broker.websocketUrl);
        await subscriber.client.subscribeAsync(topic, { qos: 1 });
        const payload = randomBytes(MEGABYTE);
        await publisher.client.publishAsync(topic, payload, { qos: 1 });
        const [message] = await subscriber.messages.count(1);
        assert.ok(message?.payload.equals(payload));
      });
    });

    describe('beside MQTT.js', () => {
      for (const qos of levels) {
        test(`what it publishes arrives here: QoS ${qos}`, async (t) => {
          const topic = ownTopic();
          const { client, messages } = await connected(t, broker.url);
          await client.subscribeAsync(topic, { qos: 2 });
          const peer = await mqttjs(t, broker.url);
          await peer.publishAsync(topic, '23.4 °C', { qos });
          const [message] = await messages.count(1);
          assert.deepEqual([message?.topic, String(message?.payload), message?.qos], [topic, '23.4 °C', qos]);
        });

        test(`what is published here arrives there: QoS ${qos}`, async (t) => {
          const topic = ownTopic();
          const peer = await mqttjs(t, broker.url);
          const arrived = new Heard<[string, string, number]>();
          peer.on('message', (to, payload, packet) => arrived.add([to, String(payload), packet.qos]));
          await peer.subscribeAsync(topic, { qos: 2 });
          const { client } = await connected(t, broker.url);
          await client.publishAsync(topic, '23.4 °C', { qos });
          assert.deepEqual(await arrived.count(1), [[topic, '23.4 °C', qos]]);
        });
      }
    });
  });

async function mqttjs(t: { after(end: () => Promise<void>): void }, url: string): Promise<mqtt.MqttClient> {
  const client = await within(mqtt.connectAsync(url, { reconnectPeriod: 0 }), 'the connection of MQTT.js');
  t.after(() => client.endAsync(true));
  return client;
}
