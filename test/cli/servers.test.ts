import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Broker, startBroker } from '../../host/broker.js';
import { freePort } from '../mosquitto.js';
import { start, twobyte } from './cli.js';

describe('-L, repeated', { timeout: 60_000 }, () => {
  let broker: Broker;
  let nobody: string;
  before(async () => {
    broker = await startBroker();
    nobody = `mqtt://127.0.0.1:${await freePort()}`;
  });
  after(() => broker.close());

  test('tries the brokers in this order: sub and pub find the second', async () => {
    const addresses = ['-L', nobody, '-L', `${broker.url}/a/b`];
    const sub = start(['sub', '-d', ...addresses, '-v', '-C', '1']);
    await sub.says(/subscribed/);
    const pub = await twobyte(['pub', ...addresses, '-m', 'x', '-q', '1']);
    assert.equal(pub.status, 0, pub.stderr);
    assert.match(pub.stderr, new RegExp(`^twobyte pub: ${nobody}: connection refused`));
    const { status, stdout } = await sub.ended;
    assert.deepEqual([status, String(stdout)], [0, 'a/b x\n']);
  });

  test('ends when each of them failed once, and tells of each', async () => {
    const other = `mqtt://127.0.0.1:${await freePort()}`;
    const { status, stderr } = await twobyte(['pub', '-L', nobody, '-L', other, '-t', 'a', '-m', 'x']);
    assert.equal(status, 1);
    for (const url of [nobody, other]) assert.ok(stderr.includes(`${url}: connection refused`), stderr);
  });

  for (const [what, addresses, says] of [
    ['a broker and a gateway', ['mqtt://h/a', 'mqtt-sn://h'], /-L: of several addresses all are of MQTT, or all of MQTT-SN/],
    ['two topics', ['mqtt://h/a', 'mqtt://h/b'], /-L: 'a' and 'b' are two topics/],
    ['two logins', ['mqtt://u:secret@h/a', 'mqtt://v:secret@h'], /-L: all brokers are told one user name/],
  ] as const)
    test(`${what} is refused by name`, async () => {
      const { status, stderr } = await twobyte(['sub', ...addresses.flatMap((address) => ['-L', address])]);
      assert.match(stderr, says);
      assert.equal(status, 1);
      assert.ok(!stderr.includes('secret'));
    });
});
