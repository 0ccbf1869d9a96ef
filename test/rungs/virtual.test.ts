import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sensorModule } from '../../host/rungs/virtual.js';

for (const [broker, module] of [
  ['mqtt://broker', 'sensor-mqtt'],
  ['tcp://broker', 'sensor-mqtt'],
  ['mqtts://broker', 'sensor-mqtt'],
  ['wss://broker/mqtt', 'sensor-mqtt'],
  ['mqtt-sn://gateway', 'sensor-mqttsn'],
  ['mqtt-sn://239.1.2.3', 'sensor-mqttsn'],
  ['mqtt-sn+serial:///dev/ttyUSB0', 'sensor-mqttsn'],
] as const)
  test(`a board at ${broker} runs ${module}`, () => assert.equal(sensorModule(broker), module));
