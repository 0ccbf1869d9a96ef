import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type EmbeddedGateway, startGateway } from '../../host/gateway/embedded.js';
import { connection } from '../../host/hil/ground.js';
import { connect, type TwobyteError } from '../../host/index.js';
import { type Mosquitto, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { Heard } from './peers.js';

const FIRST_MS = 10;

describe('two clients of one id', { skip: skipMosquitto, timeout: 60_000 }, () => {
  let broker: Mosquitto;
  let gateway: EmbeddedGateway;
  before(async () => {
    broker = await startMosquitto();
    gateway = await startGateway(`mqtt://127.0.0.1:${broker.port}`, { connection });
  });
  after(async () => {
    await gateway.close();
    await broker.stop();
  });

  for (const [who, url, connections] of [
    ['broker', () => `mqtt://127.0.0.1:${broker.port}`, 8],
    ['gateway', () => gateway.url, 5],
  ] as const)
    test(`at one ${who} wait longer each time, and are told that there are two`, async (t) => {
      const started = performance.now();
      const twins = ['one', 'other'].map(() => {
        const client = connect(url(), { clientId: 'twin', reconnectPeriod: FIRST_MS, retryInterval: 300 });
        // Who is taken over at a gateway hears of it when it speaks.
        const speaking = setInterval(() => client.publish('ab', 'x'), 20);
        t.after(() => {
          clearInterval(speaking);
          return client.endAsync(true);
        });
        const errors = new Heard<TwobyteError>();
        const connected = new Heard<number>();
        client.on('error', (error) => errors.add(error));
        client.on('connect', () => connected.add(performance.now() - started));
        return { errors, connected };
      });
      await Promise.race(twins.map(({ connected }) => connected.count(connections, 30_000)));
      for (const { connected } of twins)
        for (const [i, at] of connected.all.entries()) {
          const least = (FIRST_MS / 2) * (2 ** i - 1); // the certain halves of the delays before it
          assert.ok(at >= least, `connection ${i + 1} after ${at} ms, not ${least}`);
        }
      for (const { errors } of twins) {
        const all = await errors.until((all) => all.some(({ code }) => code === 'REASON_TAKEOVER'), 'word of it', 30_000);
        for (const { code } of all.slice(0, 2)) assert.ok(code === 'REASON_ENDED' || code === 'REASON_RESET', String(code));
        assert.equal(
          all[2]?.message,
          `the ${who} ended the connection 3 times in a row soon after it began: does another client use the id 'twin'?`,
        );
      }
    });
});
