import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { start } from '../cli/cli.js';
import { skipMosquitto, startMosquitto } from '../mosquitto.js';
import { Garbage, Swarm } from './swarm.js';

const CLIENTS = 50;
const SECONDS = 3;
const DEADLINE_MS = 12_000;

describe('many clients at one gateway', { skip: skipMosquitto }, () => {
  for (const [what, garbage] of [
    ['lose nothing', 0],
    ['lose nothing while one address sends 10,000 malformed datagrams a second', 10_000],
  ] as const)
    test(what, async () => {
      await using broker = await startMosquitto();
      const url = `mqtt://127.0.0.1:${broker.port}`;
      const gateway = start(['gateway', '--broker', url, '--udp', '0', '--bind', '127.0.0.1']);
      await gateway.prints('listening at UDP port');
      const port = Number(/UDP port (\d+)/.exec(gateway.stdout)?.[1]);
      try {
        await using swarm = await Swarm.of(CLIENTS, port, url, DEADLINE_MS);
        await using flood = new Garbage(port, garbage);
        const { published, unacknowledged, lost } = await swarm.publishes(SECONDS, DEADLINE_MS);
        assert.deepEqual({ published, unacknowledged, lost }, { published: CLIENTS * SECONDS, unacknowledged: 0, lost: 0 });
        assert.equal(flood.sent > 0, garbage > 0);
      } finally {
        gateway.child.kill('SIGTERM');
      }
      assert.equal((await gateway.ended).status, 0);
    });
});
