import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everyKind } from './clean.js';
import { bytes } from './script.js';
import { type Packet, skipTshark, tsharkFindings } from './tshark.js';

describe('tshark', { skip: skipTshark() }, () => {
  const client = (notation: string): Packet => ({ direction: 'client', bytes: bytes(notation) });
  const server = (notation: string): Packet => ({ direction: 'server', bytes: bytes(notation) });

  test('finds no fault with a packet of every kind', async () => {
    const lines = everyKind.split('\n').map((line) => line.trim());
    const packets = lines.filter((line) => /^[<>]/.test(line)).map((line) => (line.startsWith('>') ? client : server)(line.slice(1)));
    assert.deepEqual(await tsharkFindings(packets), []);
  });

  test('finds no fault with a packet of many segments', async () => {
    const payload = '00'.repeat(200_000);
    assert.deepEqual(await tsharkFindings([client(`30 c3 9a 0c 0001 'a' ${payload}`)]), []);
  });

  // One call for all: each is found, and only each, so the one before does not hide it.
  test('finds wrong lengths, and not the good packets between them', async () => {
    const bad: [what: string, packet: Packet][] = [
      ['a remaining length above the content', client(`30 07 0001 'a' 'xy'`)],
      ['a topic longer than its packet', client(`30 04 0009 'ab'`)],
      ['a CONNACK that ends early', server('20 01 00')],
      ['a SUBSCRIBE whose filter runs over', client(`82 06 0001 0009 'a' 00`)],
      ['NUL in a topic', client(`30 05 0003 'a' 00 'b'`)],
    ];
    const good = () => client(`30 05 0001 'a' 'xy'`);
    const found = await tsharkFindings(bad.flatMap(([, packet]) => [good(), packet, good()]));
    const missed = bad.filter(([, { bytes: wanted }]) => !found.some((finding) => finding.bytes === wanted)).map(([what]) => what);
    assert.deepEqual(missed, []);
    assert.equal(found.length, bad.length, JSON.stringify(found));
    assert.ok(found.every(({ what }) => what !== ''));
  });
});
