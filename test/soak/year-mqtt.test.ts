import { describe, test } from 'node:test';
import { MINUTE, SECOND, type Sensor, soak } from './year.js';

const sensors: [what: string, Sensor][] = [
  ['sensor-mqtt at QoS 1, a reading every 10 s', { module: 'sensor-mqtt', protocol: 'mqtt', qos: 1, intervalMs: 10 * SECOND }],
  [
    'sensor-mqtt-journal at QoS 2, a reading every 10 s',
    { module: 'sensor-mqtt-journal', protocol: 'mqtt', qos: 2, intervalMs: 10 * SECOND },
  ],
  ['sensor at QoS 2, a reading every minute', { module: 'sensor', protocol: 'mqtt', qos: 2, intervalMs: MINUTE }],
  ['sensor-journal at QoS 1, a reading every minute', { module: 'sensor-journal', protocol: 'mqtt', qos: 1, intervalMs: MINUTE }],
];

describe('a year over MQTT leaves the state of the module as it was', { timeout: 120_000 }, () => {
  for (const [what, sensor] of sensors) test(what, () => void soak(sensor));
});
