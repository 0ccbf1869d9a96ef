import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Board } from '../../host/board.js';
import { EVENT_MESSAGE } from '../../host/contract.js';
import type { LinkListener } from '../../host/links/link.js';
import { ClientModule } from '../../host/module.js';
import { VirtualClock } from '../../host/testing/virtual-clock.js';

test('a board goes on after a listener threw, where it was', () => {
  const sent: string[] = [];
  let listener: LinkListener | undefined;
  let delivered = 0;
  const board = new Board(
    {
      links: [
        (given) => {
          listener = given;
          return { send: (bytes) => sent.push(Buffer.from(bytes).toString('hex')) && bytes.length, pause() {}, resume() {}, close() {} };
        },
      ],
      clock: new VirtualClock(),
      event(code) {
        if (code === EVENT_MESSAGE && ++delivered === 1) throw new Error('of the listener');
      },
    },
    (imports) => new ClientModule(imports),
  );
  board.start();
  listener?.opened();
  listener?.received(Buffer.from('20020000', 'hex'));
  sent.length = 0;
  assert.throws(() => listener?.received(Buffer.from('3205000161' + '0007', 'hex')), /of the listener/);
  listener?.received(Buffer.from('3205000161' + '0008', 'hex'));
  assert.equal(delivered, 2);
  assert.equal(sent.join(''), '40020007' + '40020008');
});
