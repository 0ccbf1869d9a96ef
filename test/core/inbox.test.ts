import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { CONFIG_CLEAN_SESSION } from '../../host/contract.js';
import { boardClient } from './compile.js';
import { ClientHistory } from './history.js';

// The board's table has 64 places for 32 identifiers: identifiers that differ by 64 want the same place.

const hex = (id: number) => id.toString(16).padStart(4, '0');
const message = (id: number) => `34 06 0001 'a' ${hex(id)} '1'`;

describe('the inbox of a board', () => {
  let module: WebAssembly.Module;
  before(async () => {
    module = await boardClient();
  });
  const kept = () => new ClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]] }, module).connects();

  /** Whether the message of this identifier is delivered, not known as a duplicate. */
  const isNew = (h: ClientHistory, id: number) => {
    h.messages.length = 0;
    h.says(message(id));
    h.hears(`50 02 ${hex(id)}`);
    return h.messages.length === 1;
  };
  const release = (h: ClientHistory, id: number) => {
    h.says(`62 02 ${hex(id)}`);
    h.hears(`70 02 ${hex(id)}`);
  };

  for (const ids of [
    [1, 65, 129],
    [63, 127, 191, 64],
    [62, 63, 126, 190, 127, 1],
    [65_535, 63, 0x3f3f, 64, 128],
  ]) {
    for (const gone of ids) {
      test(`tells ${ids.join(', ')} apart after ${gone} was released`, () => {
        const h = kept();
        for (const id of ids) assert.ok(isNew(h, id));
        release(h, gone);
        for (const id of ids) assert.equal(isNew(h, id), id === gone, `${id}`);
      });
    }
  }

  test('agrees with a set through 5,000 messages and releases that collide', () => {
    const h = kept();
    const known = new Set<number>();
    let state = 1;
    for (let i = 0; i < 5_000; i++) {
      state = (state * 48_271) % 2_147_483_647;
      const id = 1 + (state % 5) + 64 * ((state >> 8) % 12); // sixty identifiers for five places
      if (known.size < 31 && (state >> 16) % 3 > 0) {
        assert.equal(isNew(h, id), !known.has(id), `message ${i}, identifier ${id}`);
        known.add(id);
      } else {
        release(h, id);
        known.delete(id);
      }
    }
  });

  test('is empty when the broker has no session', () => {
    const h = kept();
    for (let id = 1; id <= 32; id++) assert.ok(isNew(h, id));
    h.reconnects({ present: false });
    for (let id = 1; id <= 32; id++) assert.ok(isNew(h, id));
  });

  test('has room for 32, and for one more after each release', () => {
    const h = kept();
    for (let id = 1; id <= 32; id++) assert.ok(isNew(h, id));
    for (let id = 33; id <= 100; id++) {
      release(h, id - 32);
      assert.ok(isNew(h, id));
    }
    h.happened();
    h.says(message(101));
    h.happens('protocol_error inbox_full 500');
  });
});
