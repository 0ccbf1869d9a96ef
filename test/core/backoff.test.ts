import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CONFIG_RECONNECT_MAX, CONFIG_RECONNECT_MIN, REASON_REFUSED } from '../../host/contract.js';
import { clientHistory, type Options } from './history.js';

describe('back-off', () => {
  const failing = (random: () => number, config: Options['config'] = []) => {
    const h = clientHistory({ random, config });
    h.board.start();
    h.happens('opening 1 0');
    return (count: number) =>
      Array.from({ length: count }, () => {
        h.cuts(REASON_REFUSED);
        const [event = ''] = h.happened();
        const delay = Number(event.split(' ')[2]);
        h.waits(delay - 1);
        h.happens();
        h.waits(1);
        assert.match(h.happened()[0] ?? '', /^opening \d+ 0$/);
        return delay;
      });
  };

  test('doubles to its cap: at least half of it certain', () => {
    assert.deepEqual(failing(() => 0)(9), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  test('doubles to its cap: at most the whole', () => {
    // The random part of delay number n is one of 0 … half of it: this asks for the last of them.
    const halves = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
    let i = 0;
    assert.deepEqual(failing(() => halves[i++] ?? 0)(8), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  for (const bits of [-1, -(2 ** 31), 2 ** 31 - 1, 12_345]) {
    test(`stays between half and whole for the random bits ${bits}`, () => {
      const delays = failing(() => bits)(8);
      const ceilings = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000];
      for (const [i, ceiling] of ceilings.entries()) assert.ok((delays[i] ?? 0) >= ceiling / 2 && (delays[i] ?? 0) <= ceiling, `${delays}`);
    });
  }

  test('keeps to the configured ends, an odd one included', () => {
    const config = [
      [CONFIG_RECONNECT_MIN, 7],
      [CONFIG_RECONNECT_MAX, 20],
    ] as const;
    assert.deepEqual(failing(() => 0, config)(4), [4, 7, 10, 10]);
  });

  test('of 24 hours, the longest there is, does not overflow', () => {
    const config = [
      [CONFIG_RECONNECT_MIN, 86_400_000],
      [CONFIG_RECONNECT_MAX, 86_400_000],
    ] as const;
    assert.deepEqual(failing(() => 43_200_000, config)(3), [86_400_000, 86_400_000, 86_400_000]);
  });

  test('takes its first delay for its cap when that is smaller', () => {
    const config = [
      [CONFIG_RECONNECT_MIN, 5_000],
      [CONFIG_RECONNECT_MAX, 1_000],
    ] as const;
    assert.deepEqual(failing(() => 0, config)(3), [500, 500, 500]);
  });

  test('begins anew after a connection that lasted as long as the longest delay, not after a mere opening', () => {
    const h = clientHistory();
    h.board.start();
    for (const delay of [500, 1_000]) {
      h.accepts();
      h.happened();
      h.cuts();
      h.happens(`link_closed reset ${delay}`);
      h.retries();
    }
    h.connects();
    h.waits(59_999);
    h.cuts();
    h.happens('link_closed reset 2000');
    h.retries();
    h.connects();
    h.waits(60_000);
    h.cuts();
    h.happens('link_closed reset 500');
    h.retries();
    h.happens('opening 1 0');
  });

  test('goes on growing against a broker that accepts and drops', () => {
    const h = clientHistory();
    for (const delay of [500, 1_000, 2_000, 4_000]) {
      h.connects();
      h.waits(100);
      h.cuts();
      h.happens(`link_closed reset ${delay}`);
      h.retries();
      h.happens('opening 1 0');
    }
  });

  for (const [code, name] of [
    [1, 'version'],
    [2, 'client_id'],
    [4, 'credentials'],
    [5, 'authorization'],
  ] as const)
    test(`a refusal that time does not mend (${name}) is followed by the longest delay at once`, () => {
      const h = clientHistory();
      h.opens();
      h.happened();
      h.says(`20 02 00 0${code}`);
      h.happens(`refused_${name} ${code} 30000`);
      h.retries();
      h.happens('opening 2 0');
      h.connects();
      h.waits(60_000);
      h.cuts();
      h.happens('link_closed reset 500');
    });

  test('follows a refusal and a fault of the protocol as well', () => {
    const h = clientHistory();
    h.opens();
    h.happened();
    h.says('20 02 00 03');
    h.happens('refused_unavailable 3 500');
    h.retries();
    h.accepts();
    h.happened();
    h.says('ff');
    h.happens('protocol_error packet_type 1000');
  });
});
