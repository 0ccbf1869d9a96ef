import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Mosquitto, skipMosquitto, startMosquitto } from '../mosquitto.js';
import type { Datagram } from '../protocol/sn/datagram.js';
import { tsharkFindings } from '../protocol/sn/tshark.js';
import { skipTshark } from '../protocol/tshark.js';
import { mqttsnScenarios } from './mqttsn-scenarios.js';
import type { Scenario } from './scenario.js';
import { scenarios } from './scenarios.js';
import { type Protocol, type RungName, rungs, World } from './world.js';

const of: Readonly<Record<Protocol, readonly Scenario[]>> = { mqtt: scenarios, 'mqtt-sn': [...scenarios, ...mqttsnScenarios] };
const grounds: { protocol: Protocol; module?: string }[] = [
  { protocol: 'mqtt' },
  { protocol: 'mqtt-sn' },
  { protocol: 'mqtt', module: 'sensor' },
  { protocol: 'mqtt-sn', module: 'sensor' },
];

for (const rung of Object.keys(rungs) as RungName[])
  for (const { protocol, module } of grounds)
    describe(`on the ${rung} rung over ${protocol}${module ? `, with the module ${module}` : ''}`, {
      skip: skipMosquitto || rungs[rung].skip,
      timeout: 120_000,
    }, () => {
      let broker: Mosquitto;
      const datagrams: Datagram[] = [];
      const worlds: { what: string; world: World }[] = [];
      before(async () => {
        broker = await startMosquitto();
      });
      after(() => broker.stop());

      describe('scenarios', { concurrency: 4 }, () => {
        for (const { what, not = {}, skip = false, sample, run } of of[protocol])
          if (!module || sample || rung === 'sanitized')
            test(what, { skip: not[rung] ?? not[`${rung} over ${protocol}`] ?? not[protocol] ?? skip }, async (t) => {
              const world = await World.on(t, { rung, protocol, port: broker.port, ...(module && { module }) });
              await run(world);
              datagrams.push(...world.datagrams);
              assert.deepEqual(world.findings, []);
              worlds.push({ what, world });
            });
      });

      if (rung === 'sanitized')
        test('no sanitizer reports anything of any board, a leak at its end neither', () => {
          assert.ok(worlds.length > 0);
          assert.deepEqual(
            worlds.flatMap(({ what, world }) => world.reports.map((line) => `${what}: ${line}`)),
            [],
          );
        });

      if (protocol === 'mqtt-sn')
        test('tshark finds no fault with anything that boards and gateways said', { skip: skipTshark() }, async () => {
          assert.ok(datagrams.length > 100);
          assert.deepEqual(await tsharkFindings(datagrams), []);
        });
    });
