import assert from 'node:assert/strict';
import type { BoardSettings } from '../rungs/rung.js';
import { DAY, type Scenario } from './scenario.js';

const ONLY_SN = { mqtt: 'MQTT-SN has this setting or this limit' };
const ONLY_MQTT = { 'mqtt-sn': 'MQTT-SN has it' };

const refused: [what: string, settings: BoardSettings, words: RegExp, not?: Scenario['not']][] = [
  ['no topic', { topic: '' }, /topic/],
  ['a topic with a wildcard', { topic: 'home/+' }, /topic/],
  ['a topic over its limit', { topic: 't'.repeat(129) }, /topic.*long/s],
  ['a malformed command topic', { command_topic: 'a#' }, /command_topic/],
  ['an availability topic with a wildcard', { availability_topic: 'a/#' }, /availability_topic/],
  ['an interval below its range', { interval: 99 }, /interval/],
  ['an interval above its range', { interval: DAY + 1 }, /interval/],
  ['an interval that is no number', { interval: 'often' }, /interval/],
  ['QoS 3', { qos: 3 }, /qos/],
  ['a unit over its limit', { unit: 'u'.repeat(17) }, /unit/],
  ['a password without a user name', { password: 'secret' }, /username/, { 'mqtt-sn': 'MQTT-SN 1.2 has no user names and passwords' }],
  ['a setting that is not known', { colour: 'red' }, /colour/],
  ['a journal for a module that keeps none', { module: 'sensor', journal: '/nowhere/a.journal' }, /journal.*sensor-journal/],
  ['a thermometer that is not known', { thermometer: 'mercury' }, /mercury/],
  ['a recording that is not there', { thermometer: 'replay:/nowhere/at-all.csv' }, /nowhere\/at-all\.csv/],
  ['an address of another kind', { broker: 'http://127.0.0.1' }, /http:/],
  ['an address without a host', { broker: 'mqtt://' }, /host/],
  ['an address of a gateway without a host', { broker: 'mqtt-sn://' }, /host/],
  ['an address of a gateway with a login', { broker: 'mqtt-sn://me:secret@127.0.0.1' }, /broker|address/],
  ['an address of a gateway with a path', { broker: 'mqtt-sn://127.0.0.1/path' }, /path/],
  ['a serial port without an absolute path', { broker: 'mqtt-sn+serial://ttyUSB0' }, /path|host/],
  ['a client id over its limit', { client_id: 'c'.repeat(24) }, /client_id/, ONLY_SN],
  ['QoS -1 with a command topic', { qos: -1, predefined: '1=a', topic: 'a', command_topic: 'b' }, /qos/, ONLY_SN],
  ['a pre-defined topic without an id', { predefined: 'myhome/t' }, /predefined/, ONLY_SN],
  ['QoS -1 over MQTT', { qos: -1 }, /qos/, ONLY_MQTT],
  ['sleep over MQTT', { sleep: 1 }, /sleep/, ONLY_MQTT],
];

export const refusals: readonly Scenario[] = refused.map(([what, settings, words, not = {}]) => ({
  what: `${what}: refused by name before anything starts`,
  not,
  async run(world) {
    const message = await world.refusal(settings);
    assert.match(message, words);
    assert.ok(!message.includes('secret'));
  },
}));
