import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CONFIG_CONGESTION_WAIT,
  CONFIG_INTERVAL,
  CONFIG_KEEP_ALIVE,
  CONFIG_PREDEFINED,
  CONFIG_QOS,
  CONFIG_RETRY_INTERVAL,
  CONFIG_SLEEP,
  CONFIG_TOPIC,
} from '../../host/contract.js';
import { builtModule, Module } from '../../host/module.js';
import { SnHistory } from './sn-history.js';

// A sensor that sleeps between readings, when the gateway is slow.

const sleeper = (config: [number, string | number][]) =>
  new SnHistory((imports) => new Module(builtModule('sensor-mqttsn'), imports), {
    config: [[CONFIG_TOPIC, 'home'], [CONFIG_PREDEFINED, '1=home'], [CONFIG_SLEEP, 1], ...config],
    thermometers: [() => 20_000],
  });

test('woken before its sleep is confirmed, it goes on to announce a sleep and not the end of the session', () => {
  const h = sleeper([
    [CONFIG_INTERVAL, 1000],
    [CONFIG_RETRY_INTERVAL, 1500],
  ]);
  h.connects();
  h.hears("0b 0c 01 0001 0000 '20.0'", '04 18 000b');
  h.waits(1600); // the second reading is due after 1000
  h.hears('04 18 000b');
  h.says('02 18');
  h.hears("07 04 00 01 0000 'c'");
  h.says('03 05 00');
  h.hears("0b 0c 01 0001 0000 '20.0'", '04 18 000b');
  assert.deepEqual(h.faults, []);
});

test('kept from sleeping by a congested gateway, it keeps the connection alive', () => {
  const h = sleeper([
    [CONFIG_INTERVAL, 86_400_000],
    [CONFIG_QOS, 1],
    [CONFIG_KEEP_ALIVE, 60],
    [CONFIG_CONGESTION_WAIT, 300_000],
  ]);
  h.connects();
  h.hears("0b 0c 21 0001 0001 '20.0'");
  h.says('07 0d 0001 0001 01');
  h.waits(60_000);
  h.hears('02 16');
});
