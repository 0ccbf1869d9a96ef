// Writing and reading big-endian integers and bytes in static memory. A writer answers the address after what it wrote.

export function uint8(p: usize, value: u32): usize {
  store<u8>(p, value);
  return p + 1;
}

export function uint16(p: usize, value: u32): usize {
  store<u8>(p, value >> 8);
  store<u8>(p, value, 1);
  return p + 2;
}

export function readUint16(p: usize): u32 {
  return ((<u32>load<u8>(p)) << 8) | load<u8>(p, 1);
}

export function bytes(p: usize, from: usize, length: u32): usize {
  memory.copy(p, from, length);
  return p + length;
}

/** A string or binary field: two bytes of length, then the bytes (MQTT 1.5.3). */
export function field(p: usize, from: usize, length: u32): usize {
  return bytes(uint16(p, length), from, length);
}

/** Seven bits a byte, least significant first (MQTT 2.2.3). `value` is at most 268,435,455. */
export function varint(p: usize, value: u32): usize {
  while (value > 127) {
    p = uint8(p, (value & 127) | 128);
    value >>= 7;
  }
  return uint8(p, value);
}

/** Bytes that varint writes for `value`: 1 to 4. */
export function varintSize(value: u32): u32 {
  return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}
