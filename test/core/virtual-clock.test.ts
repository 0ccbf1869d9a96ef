import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { VirtualClock } from '../../host/testing/virtual-clock.js';
import { sequence } from '../links/noise.js';

describe('a virtual clock', () => {
  test('fires timers in the order in which they are due, and of two at once the older first', () => {
    const clock = new VirtualClock(1000);
    const fired: string[] = [];
    for (const [ms, name] of [
      [30, 'c'],
      [10, 'a'],
      [30, 'd'],
      [-5, '0'],
      [20, 'b'],
    ] as const) {
      clock.after(ms, () => fired.push(`${name} ${clock.now()}`));
    }
    assert.equal(clock.next, 0);
    clock.advance(30);
    assert.deepEqual(fired, ['0 1000', 'a 1010', 'b 1020', 'c 1030', 'd 1030']);
    assert.equal(clock.next, undefined);
  });

  test('fires late what was due while it was skipped, at the time it is then', () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    clock.after(10, () => fired.push(clock.now()));
    clock.skip(25);
    assert.deepEqual(fired, []);
    assert.equal(clock.next, -15);
    clock.advance(0);
    assert.deepEqual(fired, [25]);
  });

  test('fires what a timer sets, within the same advance', () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const again = () => {
      fired.push(clock.now());
      clock.after(10, again);
    };
    clock.after(10, again);
    clock.advance(35);
    assert.deepEqual(fired, [10, 20, 30]);
    assert.equal(clock.next, 5);
  });

  test('fires 20,000 timers as a list would that is searched for the first, whatever is called off', () => {
    const random = sequence(1);
    const clock = new VirtualClock();
    const fired: number[] = [];
    const kept: { due: number; name: number }[] = [];
    const callOff: (() => void)[] = [];
    for (let name = 0; name < 20_000; name++) {
      const due = random() % 5000;
      const cancel = clock.after(due, () => fired.push(name));
      if (random() % 3 === 0) callOff.push(cancel);
      else kept.push({ due, name });
    }
    for (const cancel of callOff) cancel();
    for (const cancel of callOff) cancel(); // twice is once
    clock.advance(5000);
    const expected = kept.sort((a, b) => a.due - b.due || a.name - b.name).map(({ name }) => name);
    assert.deepEqual(fired, expected);
    assert.equal(clock.next, undefined);
  });

  test('does nothing with a timer that is called off from within itself or after it fired', () => {
    const clock = new VirtualClock();
    let cancel = () => {};
    cancel = clock.after(1, () => cancel());
    clock.advance(1);
    cancel();
    clock.after(5, () => {});
    assert.equal(clock.next, 5);
  });

  test('fails a board that steps for ever while time stands still', () => {
    const clock = new VirtualClock();
    assert.throws(() => {
      for (;;) clock.now();
    }, /kept spinning/);
  });
});
