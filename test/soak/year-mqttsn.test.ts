import { describe, test } from 'node:test';
import { MINUTE, SECOND, type Sensor, soak } from './year.js';

const sensors: [what: string, Sensor][] = [
  ['sensor-mqttsn at QoS 1, a reading every 10 s', { module: 'sensor-mqttsn', protocol: 'mqttsn', qos: 1, intervalMs: 10 * SECOND }],
  [
    'sensor-mqttsn-journal at QoS 2, asleep between two readings, one a minute',
    { module: 'sensor-mqttsn-journal', protocol: 'mqttsn', qos: 2, intervalMs: MINUTE, sleeps: true },
  ],
  [
    'sensor at QoS 1, asleep between two readings, one a minute',
    { module: 'sensor', protocol: 'mqttsn', qos: 1, intervalMs: MINUTE, sleeps: true },
  ],
  ['sensor-journal at QoS 2, a reading every minute', { module: 'sensor-journal', protocol: 'mqttsn', qos: 2, intervalMs: MINUTE }],
];

describe('a year over MQTT-SN leaves the state of the module as it was', { timeout: 120_000 }, () => {
  for (const [what, sensor] of sensors) test(what, () => void soak(sensor));
});
