import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compile } from '../core/compile.js';

const { bytes } = await compile('assembly/drivers/wide.ts', ['--initialMemory', '1', '--maximumMemory', '1']);
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
const wide = exports as unknown as {
  memory: WebAssembly.Memory;
  set(to: number, high: number, low: number): void;
  setProduct(to: number, a: number, b: number): void;
  add(to: number, value: number): void;
  multiply(to: number, factor: number): void;
  shiftRight(to: number, bits: number): void;
  divide(to: number, divisor: number): void;
};

/** Where two numbers lie. */
const A = 1024;
const B = 1032;
const memory = new DataView(wide.memory.buffer);
const put = (at: number, value: bigint) => wide.set(at, Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));

/** What an operation makes of `value`. */
function after(value: bigint, operation: () => void): bigint {
  put(A, value);
  operation();
  return memory.getBigInt64(A, true);
}

/** The same numbers in every run: xorshift of 64 bits. */
let state = 0x9e3779b97f4a7c15n;
function random(): bigint {
  state ^= BigInt.asUintN(64, state << 13n);
  state ^= state >> 7n;
  state ^= BigInt.asUintN(64, state << 17n);
  // Of all lengths, not only of 64 bits.
  return BigInt.asIntN(64, state) >> (state & 63n);
}

const ends = [16n, 31n, 32n, 47n, 48n, 63n].flatMap((bits) => [-1n, 0n, 1n].flatMap((near) => [(1n << bits) + near, -(1n << bits) + near]));
const edges = [0n, 1n, -1n, 3125n, 0xffff_0000n, 0xffff_ffffn, -0xffff_0000n, ...ends].map((value) => BigInt.asIntN(64, value));
const numbers = [...edges, ...Array.from({ length: 300 }, random)];
const words = [...new Set(numbers.map((value) => Number(BigInt.asIntN(32, value))))];

describe('numbers of 64 bits', () => {
  test('are written and read as two words', () => {
    for (const value of numbers)
      assert.equal(
        after(value, () => {}),
        value,
      );
  });

  test('are the product of two words with their signs', () => {
    for (const a of words)
      for (const b of words)
        assert.equal(
          after(0n, () => wide.setProduct(A, a, b)),
          BigInt(a) * BigInt(b),
          `${a} × ${b}`,
        );
  });

  test('are added', () => {
    for (const a of numbers)
      for (const b of numbers) {
        put(B, b);
        assert.equal(
          after(a, () => wide.add(A, B)),
          BigInt.asIntN(64, a + b),
          `${a} + ${b}`,
        );
      }
  });

  test('are multiplied by a word with its sign', () => {
    for (const a of numbers)
      for (const factor of words)
        assert.equal(
          after(a, () => wide.multiply(A, factor)),
          BigInt.asIntN(64, a * BigInt(factor)),
          `${a} × ${factor}`,
        );
  });

  test('are shifted to the right by 1 to 31 bits, rounded down', () => {
    for (const a of numbers)
      for (let bits = 1; bits < 32; bits++)
        assert.equal(
          after(a, () => wide.shiftRight(A, bits)),
          a >> BigInt(bits),
          `${a} >> ${bits}`,
        );
  });

  test('are divided, without a sign, by 1 to 2³¹ − 1', () => {
    const divisors = words.filter((word) => word > 0);
    assert.ok(divisors.includes(1) && divisors.includes(2 ** 31 - 1) && divisors.length > 50, `${divisors.length} divisors`);
    for (const a of numbers)
      for (const divisor of divisors) {
        const dividend = BigInt.asUintN(64, a);
        assert.equal(
          BigInt.asUintN(
            64,
            after(a, () => wide.divide(A, divisor)),
          ),
          dividend / BigInt(divisor),
          `${dividend} / ${divisor}`,
        );
      }
  });
});
