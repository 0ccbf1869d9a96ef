import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CONFIG_AVAILABILITY_TOPIC,
  CONFIG_CLIENT_ID,
  CONFIG_INTERVAL,
  CONFIG_PROTOCOL,
  CONFIG_QOS,
  CONFIG_RETRY_INTERVAL,
  CONFIG_TOPIC,
  EVENT_READING_DROPPED,
  LINK_OPENED,
} from '../../host/contract.js';
import { builtModule, Module } from '../../host/module.js';
import { bytes } from '../protocol/script.js';

const HOUR = 3_600_000;

for (const name of ['sensor-mqttsn', 'sensor'])
  test(`${name}: with a full outbox and a greeting that finds no room it is left alone until something is due`, () => {
    const config = new Map<number, string | number>([
      [CONFIG_PROTOCOL, 1],
      [CONFIG_CLIENT_ID, 'board'],
      [CONFIG_TOPIC, 't'],
      [CONFIG_AVAILABILITY_TOPIC, 'a'],
      [CONFIG_QOS, 1],
      [CONFIG_INTERVAL, 1000],
      [CONFIG_RETRY_INTERVAL, HOUR],
    ]);
    let dropped = 0;
    const module = new Module(builtModule(name), {
      linkOpen: () => 0,
      linkSend: (_link, datagram) => datagram.length,
      linkClose: () => {},
      rememberGateway: () => 0,
      random: () => 0,
      configText: (key) => (config.has(key) ? Buffer.from(String(config.get(key))) : undefined),
      configNumber: (key, otherwise) => Number(config.get(key) ?? otherwise),
      temperature: () => 20_000,
      event: (code) => {
        if (code === EVENT_READING_DROPPED) dropped++;
      },
    });
    assert.equal(module.start(), 0);
    let now = 0;
    /** Steps until it wants to be left alone, and answers for how long. */
    const settles = (): number => {
      for (let steps = 0; steps < 20; steps++) {
        const idle = module.step(now);
        if (idle > 0) return idle;
      }
      throw new Error(`it wants to be stepped again and again at ${now} ms`);
    };
    settles();
    module.linkChanged(0, LINK_OPENED, 0);
    for (; dropped === 0; now += 1000) settles();
    for (const datagram of ['02 06', '02 08', '03 05 00']) {
      module.receivedDatagram(0, bytes(datagram));
      settles();
    }
    assert.equal(settles(), 1000, 'until the next reading');
  });
