import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Board, type BoardParts } from '../../host/board.js';
import { Module } from '../../host/module.js';
import { badModule, type Fault, traps } from './bad-modules.js';

const boardWith = async (fault: Fault, parts: Partial<BoardParts>) => {
  const module = new WebAssembly.Module(await badModule(fault));
  return new Board({ links: [], event: () => {}, ...parts }, (imports) => new Module(module, imports));
};

test('a module that traps in a step ends the board in software, which says so once', async () => {
  const failures: string[] = [];
  const board = await boardWith(traps, { failed: ({ message }) => failures.push(message) });
  assert.equal(board.start(), 0);
  board.step();
  assert.deepEqual(failures, ['the module trapped in a step: divide by zero']);
});

test('without anybody who hears of it, the trap is thrown', async () => {
  const board = await boardWith(traps, {});
  assert.throws(() => board.start(), WebAssembly.RuntimeError);
});
