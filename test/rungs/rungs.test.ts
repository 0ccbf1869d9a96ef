import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Protocol } from '../../host/hil/ground.js';
import { scenariosOver } from '../../host/hil/list.js';
import { type Scenario, whyNot } from '../../host/hil/scenario.js';
import type { World } from '../../host/hil/world.js';
import { type Mosquitto, skipMosquitto, startMosquitto } from '../mosquitto.js';
import type { Datagram } from '../protocol/sn/datagram.js';
import { tsharkFindings } from '../protocol/sn/tshark.js';
import { skipTshark } from '../protocol/tshark.js';
import { checkedScenarios, serialScenarios } from './own-scenarios.js';
import { judgedWorld, rungs } from './world.js';

const of: Readonly<Record<Protocol, readonly Scenario[]>> = {
  mqtt: [...scenariosOver('mqtt'), ...checkedScenarios],
  'mqtt-sn': [...scenariosOver('mqtt-sn'), ...checkedScenarios, ...serialScenarios],
};
const grounds: { protocol: Protocol; module?: string }[] = [
  { protocol: 'mqtt' },
  { protocol: 'mqtt-sn' },
  { protocol: 'mqtt', module: 'sensor' },
  { protocol: 'mqtt-sn', module: 'sensor' },
];

for (const rung of Object.keys(rungs) as (keyof typeof rungs)[])
  for (const { protocol, module } of grounds)
    describe(`on the ${rung} rung over ${protocol}${module ? `, with the module ${module}` : ''}`, {
      skip: skipMosquitto || rungs[rung].skip,
      timeout: 300_000,
    }, () => {
      let broker: Mosquitto;
      const datagrams: Datagram[] = [];
      const worlds: { what: string; world: World }[] = [];
      before(async () => {
        broker = await startMosquitto();
      });
      after(() => broker.stop());

      describe('scenarios', { concurrency: 4 }, () => {
        for (const scenario of of[protocol])
          if (!module || scenario.sample || rung === 'sanitized')
            test(scenario.what, { skip: whyNot(scenario, rung, protocol) }, async (t) => {
              const { world, judges } = await judgedWorld(t, { rung, protocol, port: broker.port, ...(module && { module }) });
              await scenario.run(world);
              datagrams.push(...judges.datagrams);
              assert.deepEqual(judges.findings, []);
              worlds.push({ what: scenario.what, world });
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
