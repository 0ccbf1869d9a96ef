import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_RETRIES, CONFIG_RETRY_INTERVAL, CONFIG_WILL_PAYLOAD, CONFIG_WILL_TOPIC } from '../../host/contract.js';
import { snClient } from './sn-client.js';

// Habits of gateways that are not ours (docs/gateways.md).

/** The message id in bytes 5 and 6 of a PUBLISH, or where `at` says. */
const idOf = (datagram: Buffer | undefined, at = 5) => datagram?.toString('hex', at, at + 2) ?? '';

test('RSMB gives a topic one id for REGISTER and another for SUBSCRIBE, and sends on either', () => {
  const h = snClient();
  h.connects();
  h.registers('home/a', '0001');
  h.module.subscribeTo('home/a', 1);
  const [subscribe] = h.heard();
  h.says(`08 13 20 0002 ${idOf(subscribe, 3)} 00`);
  h.says("08 0c 00 0001 0000 'x'", "08 0c 00 0002 0000 'y'");
  assert.deepEqual(h.payloads, ['x', 'y']);
  h.hears();
});

describe('a return code above 3, as EMQX has them,', () => {
  test('refuses a connection', () => {
    const h = snClient();
    h.opens();
    h.heard();
    h.says('03 05 80');
    assert.match(h.happened().at(-1) ?? '', /^refused 128 /);
  });

  test('refuses a message, and the next goes out', () => {
    const h = snClient();
    h.connects();
    h.registers('home/a', '0001');
    const id = h.publish('home/a', 'x', 1);
    h.happened();
    h.says(`07 0d 0001 ${idOf(h.heard()[0])} 80`);
    h.happens(`rejected ${id} 128`);
    h.publish('home/a', 'y', 0);
    h.hears("08 0c 00 0001 0000 'y'");
  });
});

test('a gateway that never answers updates of the will is told the will by the next CONNECT, and what waits goes out', () => {
  const h = snClient([
    [CONFIG_WILL_TOPIC, 'home/gone'],
    [CONFIG_WILL_PAYLOAD, 'old'],
    [CONFIG_RETRY_INTERVAL, 1000],
    [CONFIG_RETRIES, 0],
  ]);
  h.connects();
  const id = h.module.updateWillPayload('new');
  h.publish('ab', 'x', 1);
  h.hears("05 1c 'new'");
  h.waits(1500);
  h.retries();
  h.connects();
  h.happens(`will_updated ${id} 0`);
  assert.equal(h.heard().at(-1)?.[1], 0x0c);
});
