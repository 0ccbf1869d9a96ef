import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moduleOf } from '../../host/rungs/rung.js';

for (const [broker, module] of [
  ['mqtt://broker', 'sensor-mqtt'],
  ['tcp://broker', 'sensor-mqtt'],
  ['mqtts://broker', 'sensor-mqtt'],
  ['wss://broker/mqtt', 'sensor-mqtt'],
  ['mqtt-sn://gateway', 'sensor-mqttsn'],
  ['MQTT-SN://239.1.2.3', 'sensor-mqttsn'],
  ['mqtt-sn+serial:///dev/ttyUSB0', 'sensor-mqttsn'],
] as const)
  test(`a board at ${broker} runs ${module}, unless its settings name another`, () => {
    assert.equal(moduleOf({ broker }), module);
    assert.equal(moduleOf({ broker, module: 'sensor' }), 'sensor');
  });

test('a module that is none is refused by name', () => {
  assert.throws(() => moduleOf({ broker: 'mqtt://broker', module: 'toaster' }), /module.*toaster.*sensor-mqtt, sensor-mqttsn, sensor/);
});
