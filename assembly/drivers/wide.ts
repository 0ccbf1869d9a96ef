// Numbers of 64 bits in two's complement, of two words of 32: modules have no i64, which boards would have to pass (docs/boundary.md). A result that
// does not fit loses its upper bits, as anywhere in two's complement. Whoever calls owns the number; nothing is allocated.

@unmanaged
@final
export class Wide {
  low: u32;
  high: u32;
}

/** `to` = high × 2³² + low. */
export function set(to: Wide, high: u32, low: u32): void {
  to.high = high;
  to.low = low;
}

/** `to` = a × b, which may be below 0. */
export function setProduct(to: Wide, a: i32, b: i32): void {
  set(to, a >> 31, a);
  multiply(to, b);
}

/** `to` += value. */
export function add(to: Wide, value: Wide): void {
  const low = to.low + value.low;
  to.high += value.high + u32(low < value.low);
  to.low = low;
}

/** `to` ×= factor, which may be below 0. */
export function multiply(to: Wide, factor: i32): void {
  const low = to.low;
  const high = to.high * factor + upperWord(low, factor);
  // A word below 0 counts 2³² too much in upperWord().
  to.high = factor < 0 ? high - low : high;
  to.low = low * factor;
}

/** The upper word of a × b, by halves of 16 bits as by hand. */
function upperWord(a: u32, b: u32): u32 {
  const lower = (a >> 16) * (b & 0xffff) + (((a & 0xffff) * (b & 0xffff)) >> 16);
  const upper = (a & 0xffff) * (b >> 16) + (lower & 0xffff);
  return (a >> 16) * (b >> 16) + (lower >> 16) + (upper >> 16);
}

/** `to` / 2^bits, rounded down; 1 to 31 bits. */
export function shiftRight(to: Wide, bits: u32): void {
  to.low = (to.low >> bits) | (to.high << (32 - bits));
  to.high = <i32>to.high >> bits;
}

/** `to` / divisor, rounded down; `to` without a sign, the divisor from 1 to 2³¹ − 1. Bit for bit, so in 32 rounds. */
export function divide(to: Wide, divisor: u32): void {
  let rest = to.high % divisor;
  let low = to.low;
  to.high /= divisor;
  for (let bit = 0; bit < 32; ++bit) {
    rest = (rest << 1) | (low >> 31);
    low <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      low |= 1; // the quotient comes in where the dividend goes out
    }
  }
  to.low = low;
}
