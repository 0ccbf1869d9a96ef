import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { embeddedBroker } from '../../host/hil/embedded.js';
import { gatewayProcess } from '../../host/hil/gateway-process.js';
import type { Ground } from '../../host/hil/ground.js';
import { junit } from '../../host/hil/junit.js';
import { credentialsAt } from '../../host/hil/packets.js';
import { summary } from '../../host/hil/report.js';
import { tell } from '../../host/hil/runner.js';
import { startVirtual } from '../../host/rungs/virtual.js';

const login = { username: 'node-7', password: 'pa55 wörd-of-hil' };

describe('what logs in to a broker', { timeout: 60_000 }, () => {
  test('is neither in the table nor in the XML of a scenario that fails, in no form', async (t) => {
    const broker = await embeddedBroker({ login });
    t.after(() => broker.stop());
    const ground: Ground = {
      rung: 'virtual',
      protocol: 'mqtt',
      start: startVirtual,
      broker: { host: '127.0.0.1', port: broker.port, ...login },
      ownBroker: embeddedBroker,
    };
    const scenario = {
      what: 'a board connects',
      async run(world: Parameters<Parameters<typeof tell>[0][0]['scenario']['run']>[0]) {
        const board = await world.board({ availability_topic: 'a/b' });
        await board.tells('connected');
        assert.fail('on purpose');
      },
    };
    const outcomes = await tell([{ scenario, ground }], 1, () => {});
    const shown = [...summary('virtual', outcomes, 0), junit('virtual', outcomes, new Date(0))].join('\n');
    assert.match(shown, /CONNECT {2}10 .* … \d+ bytes, without user name and password/);
    for (const secret of Object.values(login)) {
      const hex = Buffer.from(secret).toString('hex');
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
        assert.ok(!shown.includes(form), form);
      assert.ok(!shown.replaceAll(' ', '').includes(hex), `${secret} in hexadecimal`);
    }
  });

  test('begins in a CONNECT where its will ends; in one that is cut off, at once', () => {
    const of = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const head = '0004 4d515454 04';
    const plain = of(`10 0d ${head} 02 003c 0001 61`);
    assert.equal(credentialsAt(plain), plain.length);
    const will = of(`10 1a ${head} c6 003c 0001 61 0001 74 0002 6f6b 0001 75 0001 70`);
    assert.equal(will.subarray(credentialsAt(will)).toString('hex'), '000175000170');
    for (let length = 1; length < credentialsAt(will); length++) assert.equal(credentialsAt(will.subarray(0, length)), 1, `${length}`);
  });

  test('is not in the list of processes while a gateway runs', { skip: process.platform !== 'linux' }, async () => {
    const broker = await embeddedBroker({ login });
    const ends: (() => Promise<unknown>)[] = [];
    const world = {
      ground: { broker: { host: '127.0.0.1', port: broker.port, ...login } },
      broker: `mqtt://node-7:${encodeURIComponent(login.password)}@127.0.0.1:${broker.port}`,
      bareBroker: `mqtt://127.0.0.1:${broker.port}`,
      after: (end: () => Promise<unknown>) => ends.push(end),
    } as unknown as Parameters<typeof gatewayProcess>[0];
    try {
      await gatewayProcess(world, '--udp', '0');
      const lines = readdirSync('/proc').flatMap((pid) => {
        if (!/^\d+$/.test(pid)) return [];
        try {
          return [readFileSync(`/proc/${pid}/cmdline`, 'utf8')];
        } catch {
          return []; // it has ended
        }
      });
      assert.ok(lines.some((line) => line.includes(`127.0.0.1:${broker.port}`)));
      assert.ok(!lines.some((line) => line.includes('pa55') && line.includes('of-hil')));
    } finally {
      for (const end of ends) await end();
      await broker.stop();
    }
  });
});
