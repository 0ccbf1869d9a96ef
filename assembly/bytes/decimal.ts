/** The whole number that the `length` bytes at `p` are in decimal, 0 for no bytes; -1 when they are none, or more than eight. */
export function parseDecimal(p: usize, length: u32): i32 {
  if (length > 8) return -1;
  let value = 0;
  for (; length; --length) {
    const digit: u32 = <u32>load<u8>(p++) - 0x30;
    if (digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
