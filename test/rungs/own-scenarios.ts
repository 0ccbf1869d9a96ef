import assert from 'node:assert/strict';
import { gatewayProcess } from '../../host/hil/gateway-process.js';
import { counting, goesOn, taken } from '../../host/hil/readings.js';
import { DAY, type Scenario } from '../../host/hil/scenario.js';
import { skipSocat, wire } from '../links/wire.js';
import { Capture } from '../protocol/capture.js';

// Scenarios that need what only the tests have.

export const checkedScenarios: readonly Scenario[] = [
  {
    what: 'a checker of the protocol finds nothing in what the board says',
    not: { 'mqtt-sn': 'the checker of MQTT-SN judges every scenario' },
    async run(world) {
      const capture = await Capture.to(Number(new URL(world.broker).port));
      world.after(() => capture.close());
      const command_topic = `${world.topic}/set`;
      const { client } = await world.hearing();
      const settings = { availability_topic: `${world.topic}/availability`, command_topic, keep_alive: 1 };
      const board = await world.board({ broker: `mqtt://127.0.0.1:${capture.port}`, qos: 2, ...settings });
      await board.tells('published', 3);
      for (const command of ['no', 'x'.repeat(3000), String(DAY)]) await client.publishAsync(command_topic, command, { qos: 2 });
      await board.tells('interval_changed');
      await capture.until('client', 'PINGREQ');
      capture.cut();
      await board.tells('connected', 2);
      await board.tells('subscribed', 2);
      await board.stop();
      await capture.until('client', 'DISCONNECT');
      await capture.close();
      assert.deepEqual(capture.checker.findings, []);
    },
  },
];

export const serialScenarios: readonly Scenario[] = [
  {
    what: 'over a serial line readings and commands pass as over UDP',
    skip: skipSocat,
    async run(world) {
      const { messages, client } = await world.hearing();
      const { ends } = await wire(world);
      await gatewayProcess(world, '--serial', ends[1]);
      const settings = { qos: 2, command_topic: `${world.topic}/set`, thermometer: await counting(world) };
      const board = await world.board({ broker: `mqtt-sn+serial://${ends[0]}`, ...settings });
      await board.tells('subscribed');
      await client.publishAsync(settings.command_topic, '150', { qos: 1 });
      assert.equal((await board.tells('interval_changed')).a, 150);
      await goesOn(board);
      await board.stop();
      await messages.count(taken(board).length);
      assert.deepEqual(
        messages.all.map(({ payload }) => String(payload)),
        taken(board),
      );
    },
  },
];
