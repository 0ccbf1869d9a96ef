import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytes } from '../script.js';
import { skipTshark } from '../tshark.js';
import { cleanConversations, everyKind } from './clean.js';
import type { Datagram } from './datagram.js';
import { datagrams } from './script.js';
import { tsharkFindings } from './tshark.js';

describe('tshark on MQTT-SN', { skip: skipTshark() }, () => {
  for (const port of [1883, 1884] as const) {
    test(`finds no fault with a message of every kind, at port ${port}`, async () => {
      assert.deepEqual(await tsharkFindings(datagrams(everyKind), port), []);
    });
  }

  test('finds no fault with any conversation that the checker accepts', async () => {
    assert.deepEqual(await tsharkFindings(cleanConversations.flatMap(([, script]) => datagrams(script))), []);
  });

  // One call for all: each is found, and only each.
  test('finds damage, and not the good datagrams between', async () => {
    const bad = [
      ['a length above the datagram', `> 08 04 04 01 003c 'c'`],
      ['a length below the datagram', `> 06 04 04 01 003c 'c'`],
      ['a length of 0', '> 00 16'],
      ['a message that ends within its fields', '< 05 0d 0001 00'],
      ['a message without its fields', '< 02 05'],
      ['a long length that is wrong', '> 01 0007 0c 00 0001 0000'],
      ['a datagram that was cut', `> 0b 0c 62 'ab' 0000 '23'`],
      ['bytes behind the message', '< 03 05 00 00'],
      ['an encapsulation of a message that was cut', '> 04 fe 00 11 03 05'],
    ].map(([what, line = '']) => ({
      what,
      datagram: { from: line.startsWith('>') ? 'client' : 'gateway', bytes: bytes(line.slice(1)) } as Datagram,
    }));
    const good = (): Datagram => ({ from: 'client', bytes: bytes(`07 04 04 01 003c 'c'`) });
    const found = await tsharkFindings(bad.flatMap(({ datagram }) => [good(), datagram, good()]));
    const missed = bad.filter(({ datagram }) => !found.some((finding) => finding.bytes === datagram.bytes)).map(({ what }) => what);
    assert.deepEqual(missed, []);
    assert.equal(found.length, bad.length, JSON.stringify(found));
    assert.ok(found.every(({ what }) => what !== ''));
  });
});
