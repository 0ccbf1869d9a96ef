/** Sensirion's: polynomial 31, from FF, the highest bit first. */
export function crcSensirion(p: usize, length: u32): u32 {
  let crc: u32 = 0xff;
  for (; length; --length) {
    crc ^= load<u8>(p++);
    for (let bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ (crc & 0x80 ? 0x131 : 0);
  }
  return crc;
}

/** 1-wire's: polynomial 31, from 0, the lowest bit first. Over bytes and the CRC behind them it is 0. */
export function crcMaxim(p: usize, length: u32): u32 {
  let crc: u32 = 0;
  for (; length; --length) {
    crc ^= load<u8>(p++);
    for (let bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0x8c : 0);
  }
  return crc;
}
