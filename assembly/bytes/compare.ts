/** FNV-1a. */
export function hash(p: usize, length: u32): u32 {
  let value: u32 = 0x811c9dc5;
  for (; length; --length, ++p) value = (value ^ load<u8>(p)) * 0x01000193;
  return value;
}

export function equal(p: usize, q: usize, length: u32): bool {
  for (; length; --length, ++p, ++q) if (load<u8>(p) != load<u8>(q)) return false;
  return true;
}
