import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { breaking } from './breaking.js';
import { judge, type Rule } from './checker.js';
import { cleanConversations, everyKind, hello, keep, q1, q2, register, willing } from './clean.js';
import { ALL_NAMES } from './messages.js';
import { RULES } from './rules.js';
import { datagrams, play } from './script.js';

const VANTAGES = ['client', 'gateway', 'between'] as const;

describe('the checker of MQTT-SN accepts', () => {
  for (const [what, script] of cleanConversations) {
    for (const vantage of VANTAGES) {
      test(`${what}, seen ${vantage === 'between' ? 'between' : `by the ${vantage}`}`, () => {
        assert.deepEqual(play(script, { vantage }).findings, []);
      });
    }
  }

  test('all 27 kinds of messages in the conversation of every kind', () => {
    const { kinds } = play(everyKind);
    assert.deepEqual([...new Set([...kinds.client, ...kinds.gateway])].sort(), [...ALL_NAMES].sort());
  });
});

describe('the checker of MQTT-SN finds', () => {
  for (const { rule, by, what, script, also } of breaking) {
    test(`${rule} broken by the ${by}: ${what}`, () => {
      const { findings } = play(script, { vantage: rule === 'SN 6.6 again' ? by : 'between' });
      assert.deepEqual(findings.map((finding) => finding.rule).sort(), [...also, rule].sort(), JSON.stringify(findings, null, 1));
      const finding = findings.findLast((each) => each.rule === rule);
      assert.equal(finding?.from, by);
      assert.match(finding?.message ?? '', /^[A-Za-z]+ ([0-9a-f]{2}( |$))*/);
      assert.notEqual(finding?.what, '');
    });

    test(`${rule} broken by the ${by}: ${what}, in the order in which the ${by} saw it`, () => {
      const found = play(script, { vantage: by, judged: by }).findings.map((finding) => finding.rule);
      assert.ok(found.includes(rule));
      assert.deepEqual(
        found.filter((each) => each !== rule && !also.includes(each)),
        [],
      );
    });
  }

  test('each of its rules: each has a row above', () => {
    const covered = new Set(breaking.map(({ rule }) => rule));
    assert.deepEqual(
      (Object.keys(RULES) as Rule[]).filter((rule) => !covered.has(rule)),
      [],
    );
  });
});

describe('in the order in which one side saw a conversation', () => {
  /** The gateway's second sending arrives; the first was lost. */
  const lost = `${hello}${register}\n < 08 0c a0 0001 0001 'x'\n > 07 0d 0001 0001 00`;

  test('the other side is not held to what may have been lost', () => {
    assert.deepEqual(play(lost, { vantage: 'client' }).findings, []);
    assert.deepEqual(
      play(lost, { vantage: 'gateway' }).findings.map(({ rule }) => rule),
      ['SN 5.3.4 dup'],
    );
  });

  test('its single messages are checked all the same', () => {
    const findings = judge(datagrams('< 01\n < 05 00 01 0000'), { vantage: 'client' });
    assert.deepEqual(
      findings.map(({ rule, number }) => [rule, number]),
      [
        ['SN 5.2 header', 0],
        ['SN 5.3.3 duration', 1],
      ],
    );
  });

  test('the faults of a peer that is not judged are left out', () => {
    assert.deepEqual(judge(datagrams('< 05 00 01 0000'), { judged: 'client' }), []);
  });

  for (const [what, script] of [
    ['PUBLISH and PUBACK', `${hello}${register}${q1}\n < 07 0d 0001 0002 00\n > 08 0c a0 0001 0002 '1'`],
    ['PUBLISH and PUBREC', `${hello}${register}${q2}\n < 04 0f 0002\n > 08 0c c0 0001 0002 '2'`],
    ['PUBREL and PUBCOMP', `${hello}${register}${q2}\n < 04 0f 0002\n > 04 10 0002\n < 04 0e 0002\n > 04 10 0002\n < 04 0e 0002`],
    ['SUBSCRIBE and SUBACK', `${hello}\n > 06 12 00 0001 'a'\n < 08 13 00 0001 0001 00\n > 06 12 80 0001 'a'\n > 06 12 00 0002 'b'`],
    ['WILLMSG and CONNACK', `${willing}\n < 02 06\n > 04 07 00 'w'\n < 02 08\n > 03 09 'x'\n < 03 05 00\n > 03 09 'x'`],
    ['DISCONNECT and its confirmation', `${hello}\n > 02 18\n < 02 18\n > 02 18`],
    [
      'PUBLISH, which comes again with DUP, and a dismissal',
      `${keep}${register}\n < 02 18${q2}${keep}${register}\n > 08 0c c0 0001 0002 '2'`,
    ],
    ['PINGREQ and a dismissal', `${hello}\n < 02 18\n > 02 16`],
  ] as const) {
    test(`between them, ${what} may cross; where the answer was seen they do not`, () => {
      assert.deepEqual(play(script, { vantage: 'between' }).findings, []);
      assert.ok(play(script, { vantage: 'client' }).findings.length > 0);
    });
  }

  for (const [what, script] of [
    ['CONNECT and CONNACK', `${hello}\n > 07 04 04 01 003c 'c'\n > 09 0a 0000 0001 't/a'\n < 03 05 00\n < 07 0b 0001 0001 00`],
    ['REGISTER and REGACK', `${hello}${register}\n > 09 0a 0000 0001 't/a'\n > 07 0a 0000 0002 'b'\n < 07 0b 0001 0001 00`],
  ] as const) {
    test(`between them, ${what} may cross`, () => assert.deepEqual(play(script, { vantage: 'between', judged: 'client' }).findings, []));
  }

  test('a finding says where, when and of whom', () => {
    const [finding] = play(`${hello}\n +250\n > 08 0c 00 0001 0000 'x'`).findings;
    assert.deepEqual(finding, {
      rule: 'SN 6.5 registered',
      from: 'client',
      message: 'PUBLISH 08 0c 00 00 01 00 00 78',
      what: 'topic id 1',
      number: 2,
      at: 250,
    });
  });
});
