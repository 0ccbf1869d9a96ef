import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startBroker } from '../../host/broker.js';
import { connect } from '../../host/index.js';
import { Takeover } from '../../host/takeover.js';
import { event, listen, within } from '../interop/peers.js';
import { freePort } from '../mosquitto.js';
import { ScriptedGateway } from './gateways.js';

const QUICK = { reconnectPeriod: 10, maxReconnectPeriod: 50 };

describe('several brokers', { timeout: 60_000 }, () => {
  test('are tried in their order, and the next is taken when one is lost, with what was published meanwhile', async (t) => {
    const nobody = `mqtt://127.0.0.1:${await freePort()}`;
    const first = await startBroker();
    const second = await startBroker();
    t.after(() => Promise.all([first.close(), second.close()]));
    const client = connect([nobody, first.url, second.url], QUICK);
    t.after(() => client.endAsync(true));
    client.on('error', () => {});
    const messages = listen(client);
    await event(client, 'connect');
    assert.equal(client.server, 1);
    await client.subscribeAsync('servers/#', { qos: 1 });
    const lost = event(client, 'offline');
    await first.close();
    await lost;
    const published = client.publishAsync('servers/a', 'kept', { qos: 1 });
    await within(published, 'the acknowledgement');
    assert.equal(client.server, 2);
    // It subscribed anew there, perhaps behind the message that had waited.
    await client.publishAsync('servers/a', 'after', { qos: 1 });
    await messages.until((all) => all.some(({ payload }) => String(payload) === 'after'), 'the message');
  });

  test('gateways, too: one that says nothing is left for the next', async (t) => {
    const mute = await ScriptedGateway.at(t, () => Buffer.alloc(0));
    const gateway = await ScriptedGateway.at(t);
    const client = connect([mute.url, gateway.url], { ...QUICK, retryInterval: 50, retries: 2 });
    t.after(() => client.endAsync(true));
    const codes: unknown[] = [];
    client.on('error', ({ code }) => codes.push(code));
    await event(client, 'connect');
    assert.deepEqual([client.server, codes], [1, ['TIMEOUT_CONNACK']]);
  });

  const refused: [what: string, urls: string[], says: RegExp][] = [
    ['no broker', [], /the list of brokers is empty/],
    ['a broker and a gateway', ['mqtt://127.0.0.1', 'mqtt-sn://127.0.0.1'], /'mqtt-sn:\/\/127.0.0.1': it speaks another protocol/],
    ['a search beside a gateway', ['mqtt-sn://127.0.0.1', 'mqtt-sn://239.1.2.3'], /'mqtt-sn:\/\/239.1.2.3': .* stands alone/],
    ['a gateway beside a search', ['mqtt-sn://239.1.2.3', 'mqtt-sn://127.0.0.1'], /'mqtt-sn:\/\/239.1.2.3': .* stands alone/],
    ['a second address that is none', ['mqtt://127.0.0.1', 'localhost'], /'localhost': it has no scheme/],
    ['two logins', ['mqtt://a:secret@127.0.0.1', 'mqtt://b:secret@[::1]'], /address of \[::1\]: all brokers are told one user name/],
  ];
  for (const [what, urls, says] of refused)
    test(`${what} is refused with words`, () => {
      assert.throws(
        () => connect(urls),
        (error: unknown) => {
          assert.ok(error instanceof TypeError);
          assert.match(error.message, says);
          assert.ok(!error.message.includes('secret'));
          return true;
        },
      );
    });
});

test('connections that the broker ends soon are counted, those that last or end otherwise are not', () => {
  let now = 0;
  const takeover = new Takeover(1000, () => now);
  const lives = (ms: number, byBroker = true) => {
    takeover.connected();
    now += ms;
    return takeover.lost(byBroker);
  };
  assert.deepEqual([lives(10), lives(10), lives(10), lives(10)], [0, 0, 3, 4]);
  assert.equal(takeover.lost(true), 0, 'an attempt that failed is no connection');
  assert.deepEqual([lives(10), lives(1000), lives(10), lives(10)], [5, 0, 0, 0]);
  assert.deepEqual([lives(10, false), lives(10), lives(10), lives(999)], [0, 0, 0, 3]);
});
