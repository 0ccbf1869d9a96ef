import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { root } from '../core/compile.js';
import { boardSized, replay } from './campaign.js';
import { range } from './cli.js';
import { type Kind, type Subject, subjectOf } from './plan.js';

// Each promise broken on purpose, in the sources of the module: a campaign has to find it.

interface Break {
  what: string;
  subject: Subject;
  file: string;
  /** Text of the file, and what takes its place. */
  change: readonly [from: string, to: string];
  kind: Kind;
  /** What is found. */
  finds: RegExp;
}

const breaks: readonly Break[] = [
  {
    what: 'no inbound de-duplication, over MQTT',
    subject: 'client-mqtt',
    file: 'assembly/mqtt/session.ts',
    change: ['if (inbox.contains(id)) {', 'if (false) {'],
    kind: 'link',
    finds: /twice|times/,
  },
  {
    what: 'no inbound de-duplication, over MQTT-SN',
    subject: 'client-mqttsn',
    file: 'assembly/mqttsn/session.ts',
    change: ['if (isOpen || isKnown) {', 'if (false) {'],
    kind: 'link',
    finds: /twice|times/,
  },
  {
    what: 'the record of an outbound message is not written',
    subject: 'client-mqtt',
    file: 'assembly/delivery/outbox.ts',
    change: ['journal.write(RECORD_MESSAGE, id & MASK, changetype<usize>(record), HEAD_BYTES + entry.length);', ''],
    kind: 'power',
    finds: /without its record/,
  },
  {
    what: 'the record of PUBREC is not written',
    subject: 'client-mqtt',
    file: 'assembly/delivery/outbox.ts',
    change: [
      'if (!journal.write(RECORD_RELEASE, <u32>entry.id & MASK, changetype<usize>(recordOf(entry)), RELEASE_BYTES)) return false;',
      '',
    ],
    kind: 'power',
    finds: /times/,
  },
  {
    what: 'the record of an acknowledged message is left, over MQTT-SN',
    subject: 'client-mqttsn',
    file: 'assembly/delivery/outbox.ts',
    change: ['journal.write(RECORD_MESSAGE, <u32>entry.id & MASK, changetype<usize>(recordOf(entry)), TOMBSTONE_BYTES);', ''],
    kind: 'power',
    finds: /came back|times/,
  },
  {
    what: 'the record of inbound identifiers is not written',
    subject: 'client-mqtt',
    file: 'assembly/delivery/inbox.ts',
    change: ['if (!HAS_JOURNAL) return true;\n  const place', 'if (HAS_JOURNAL) return true;\n  const place'],
    kind: 'power',
    finds: /twice|times|never came/,
  },
  {
    what: 'the record of inbound identifiers is written after PUBREC, not before',
    subject: 'client-mqtt',
    file: 'assembly/mqtt/session.ts',
    change: [
      'if (owed != PUBREC || isTaken(inbox.save(owedId))) answer(owed, owedId);',
      'answer(owed, owedId); transmit.settle(); if (owed == PUBREC) inbox.save(owedId);',
    ],
    kind: 'power',
    finds: /never came/,
  },
  {
    what: 'PUBREC is ignored after a reconnection',
    subject: 'client-mqtt',
    file: 'assembly/delivery/outbox.ts',
    change: ['entry.stage = <u8>RELEASED;\n  return true;', 'return true;'],
    kind: 'link',
    finds: /times|not quiet/,
  },
  {
    what: 'the identifier is another one after a restart',
    subject: 'client-mqtt',
    file: 'assembly/delivery/outbox.ts',
    change: [
      'const id: u32 = first.sentAt & 0xffff;\n  const place = id & MASK;',
      'const id: u32 = (first.sentAt & 0xffff) ^ 0x4000;\n  const place = id & MASK;',
    ],
    kind: 'power',
    finds: /times/,
  },
  {
    what: 'what is sent again has no DUP',
    subject: 'client-mqtt',
    file: 'assembly/mqtt/session.ts',
    change: ['entry.stage == SENT ? DUP : 0', '0'],
    kind: 'power',
    finds: /without DUP/,
  },
  {
    what: 'a torn record is taken for whole',
    subject: 'client-mqtt',
    file: 'assembly/delivery/journal.ts',
    change: [' && load<u32>(to) == hash(to + CHECK_BYTES, length - CHECK_BYTES)', ''],
    kind: 'power',
    finds: /was not told|never sent so/,
  },
];

const MOST = 4000;

for (const { what, subject, file, change, kind, finds } of breaks)
  test(`found: ${what}`, { timeout: 60_000 }, async (context) => {
    const source = readFileSync(`${root}${file}`, 'utf8');
    assert.ok(source.includes(change[0]), `${file} has changed: '${change[0]}' is not there`);
    const module = await boardSized(subject, { [file]: source.replace(change[0], change[1]) });
    const seeds = [...range(0, MOST), ...range(1_000_000, MOST)].filter((seed) => subjectOf(kind, seed).subject === subject);
    for (const [count, seed] of seeds.entries()) {
      const { faults } = await replay(kind, seed, false, module);
      const found = faults.find((fault) => finds.test(fault));
      if (!found) continue;
      assert.deepEqual(
        (await replay(kind, seed, false, await boardSized(subject))).faults,
        [],
        'without the change the same history holds',
      );
      context.diagnostic(`${kind}, history ${count + 1}: ${found}`);
      return;
    }
    assert.fail(`${seeds.length} histories found nothing`);
  });
