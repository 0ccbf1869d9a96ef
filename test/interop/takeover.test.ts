import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, type TwobyteError } from '../../host/index.js';
import { type Mosquitto, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { Heard } from './peers.js';

const FIRST_MS = 10;
const CONNECTIONS = 8;

describe('two clients of one id at mosquitto', { skip: skipMosquitto, timeout: 60_000 }, () => {
  let broker: Mosquitto;
  before(async () => {
    broker = await startMosquitto();
  });
  after(() => broker.stop());

  test('wait longer each time, and are told that there are two', async (t) => {
    const started = performance.now();
    const twins = ['one', 'other'].map(() => {
      const client = connect(`mqtt://127.0.0.1:${broker.port}`, { clientId: 'twin', reconnectPeriod: FIRST_MS });
      t.after(() => client.endAsync(true));
      const errors = new Heard<TwobyteError>();
      const connections = new Heard<number>();
      client.on('error', (error) => errors.add(error));
      client.on('connect', () => connections.add(performance.now() - started));
      return { client, errors, connections };
    });
    await Promise.race(twins.map(({ connections }) => connections.count(CONNECTIONS, 30_000)));
    for (const { connections } of twins)
      for (const [i, at] of connections.all.entries()) {
        const least = (FIRST_MS / 2) * (2 ** i - 1); // the certain halves of the delays before it
        assert.ok(at >= least, `connection ${i + 1} after ${at} ms, not ${least}`);
      }
    for (const { errors } of twins) {
      const [told] = await errors.until((all) => all.some(({ code }) => code === 'REASON_TAKEOVER'), 'word of it');
      assert.ok(told);
      const codes = errors.all.map(({ code }) => code);
      assert.deepEqual(new Set(codes.slice(0, 2)), new Set(['REASON_ENDED']));
      assert.equal(codes[2], 'REASON_TAKEOVER');
      const words = /^the broker ended the connection 3 times in a row soon after it began: does another client use the id 'twin'\?$/;
      assert.match(errors.all[2]?.message ?? '', words);
    }
  });
});
