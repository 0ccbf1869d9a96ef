import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_CLEAN_SESSION } from '../../host/contract.js';
import { SnClientHistory } from './sn-history.js';

const PUBLISH = `08 0c 40 0001 0009 'x'`;
const AGAIN = `08 0c c0 0001 0009 'x'`;
const PUBREC = '04 0f 0009';
const PUBREL = '04 10 0009';
const PUBCOMP = '04 0e 0009';

/** A client that was told that 0001 is 't/a'. */
function told(): SnClientHistory {
  const h = new SnClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]] }).connects();
  h.says(`09 0a 0001 0001 't/a'`);
  h.hears('07 0b 0001 0001 00');
  return h;
}

describe('a QoS 2 message that the network brings again behind its PUBREL', () => {
  for (const [what, held] of [
    ['at once', 0],
    ['after a minute of repeated PUBLISHes', 70_000],
    ['after a day', 86_400_000],
  ] as const) {
    test(`is not delivered again; its PUBREL came ${what}`, () => {
      const h = told();
      h.says(PUBLISH);
      h.hears(PUBREC);
      h.waits(held);
      h.says(PUBREL, AGAIN);
      h.hears(PUBCOMP, PUBREC);
      h.waits(59_000);
      h.says(PUBLISH);
      h.hears(PUBREC);
      h.happens('message 9 1', 'duplicate 9 0', 'duplicate 9 0');
    });
  }

  test('is another one a minute after it', () => {
    const h = told();
    h.says(PUBLISH, PUBREL);
    h.hears(PUBREC, PUBCOMP);
    h.waits(60_000);
    h.says(PUBLISH);
    assert.deepEqual(h.payloads, ['x', 'x']);
  });

  test('is another one after 25 days, when time has come round to its sign', () => {
    const h = told();
    h.says(PUBLISH, PUBREL);
    h.hears(PUBREC, PUBCOMP);
    h.waits(2 ** 31 + 1000);
    h.says(PUBLISH);
    assert.deepEqual(h.payloads, ['x', 'x']);
  });

  test('is another one with another content', () => {
    const h = told();
    h.says(PUBLISH, PUBREL, `08 0c 40 0001 0009 'y'`);
    assert.deepEqual(h.payloads, ['x', 'y']);
  });
});

describe('a QoS 2 message whose PUBREL never came, since its gateway was started anew', () => {
  /** The client has delivered 0009, and is connected to the gateway that took the place of the one that sent it. */
  function again(): SnClientHistory {
    const h = told();
    h.says(PUBLISH);
    h.hears(PUBREC);
    h.reconnects();
    h.says(`09 0a 0001 0001 't/a'`);
    h.heard();
    h.happened();
    return h;
  }

  test('does not swallow another that has its id by and by', () => {
    const h = again();
    h.says(`08 0c 40 0001 0008 'y'`, '04 10 0008', `08 0c c0 0001 0009 'z'`);
    h.hears('04 0f 0008', '04 0e 0008', PUBREC);
    assert.deepEqual(h.payloads, ['x', 'y', 'z']);
  });

  test('is still known when it comes first, or soon', () => {
    const h = again();
    h.says(AGAIN, `08 0c 40 0001 000a 'y'`, AGAIN);
    h.hears(PUBREC, '04 0f 000a', PUBREC);
    assert.deepEqual(h.payloads, ['x', 'y']);
  });
});
