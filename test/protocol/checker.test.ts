import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { breaking } from './breaking.js';
import { CLAUSES, type Clause } from './clauses.js';
import { cleanSessions, everyKind } from './clean.js';
import { play } from './script.js';

describe('the checker accepts', () => {
  for (const [what, script] of cleanSessions) {
    for (const split of [1, 2, 3, Number.POSITIVE_INFINITY]) {
      test(`${what}, ${split === Number.POSITIVE_INFINITY ? 'whole' : `in pieces of ${split}`}`, () => {
        assert.deepEqual(play(script, split).findings, []);
      });
    }
  }

  test('all 14 packet kinds in the session of every kind', () => {
    const { kinds } = play(everyKind);
    assert.deepEqual([...new Set([...kinds.client, ...kinds.server])].sort(), [
      ...['CONNACK', 'CONNECT', 'DISCONNECT', 'PINGREQ', 'PINGRESP', 'PUBACK', 'PUBCOMP'],
      ...['PUBLISH', 'PUBREC', 'PUBREL', 'SUBACK', 'SUBSCRIBE', 'UNSUBACK', 'UNSUBSCRIBE'],
    ]);
  });
});

describe('the checker finds', () => {
  for (const { clause, by, what, script, also = [] } of breaking) {
    for (const split of [1, Number.POSITIVE_INFINITY]) {
      test(`${clause} broken by ${what}${split === 1 ? ', in pieces of 1' : ''}`, () => {
        const { findings } = play(script, split);
        assert.deepEqual(findings.map((finding) => finding.clause).sort(), [...also, clause].sort(), JSON.stringify(findings, null, 1));
        const finding = findings.find((each) => each.clause === clause);
        assert.equal(finding?.direction, by);
        assert.match(finding?.packet ?? '', /^[A-Za-z]+ [0-9a-f]{2}( |$)/);
      });
    }
  }

  test('every statement it lists: each has a row above', () => {
    const covered = new Set(breaking.map(({ clause }) => clause));
    const missing = (Object.keys(CLAUSES) as Clause[]).filter((clause) => !covered.has(clause));
    assert.deepEqual(missing, []);
  });
});
