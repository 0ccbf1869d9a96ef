import { after, before, describe, test } from 'node:test';
import { type Mosquitto, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { scenarios } from './scenarios.js';
import { type RungName, rungs, World } from './world.js';

for (const rung of Object.keys(rungs) as RungName[])
  describe(`on the ${rung} rung`, { skip: skipMosquitto || rungs[rung].skip, concurrency: 4, timeout: 60_000 }, () => {
    let broker: Mosquitto;
    before(async () => {
      broker = await startMosquitto();
    });
    after(() => broker.stop());

    for (const { what, not, run } of scenarios) test(what, { skip: not?.[rung] ?? false }, (t) => run(new World(t, rung, broker.port)));
  });
