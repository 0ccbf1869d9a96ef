import { ERROR_NUL, ERROR_UTF8 } from '../contract';

/** 0 when `length` bytes at `p` are well-formed UTF-8 without U+0000, otherwise ERROR_UTF8 or ERROR_NUL [MQTT-1.5.3-1] [MQTT-1.5.3-2]. */
export function utf8Fault(p: usize, length: u32): i32 {
  const end = p + length;
  while (p < end) {
    const lead: u32 = load<u8>(p++);
    if (lead == 0) return ERROR_NUL;
    if (lead < 0x80) continue;
    // The lead byte is right when as many bytes follow as it says and the character needs so many (Unicode table 3-7).
    let following: u32 = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (lead < 0xc2 || lead > 0xf4 || <u32>(end - p) < following) return ERROR_UTF8;
    const least: u32 = 1 << (5 * following + 1); // 0x800 and 0x10000; C2 keeps the overlong forms of two bytes out
    let character: u32 = lead & (0x3f >> following);
    for (; following; --following) {
      const next: u32 = load<u8>(p++) ^ 0x80;
      if (next > 0x3f) return ERROR_UTF8;
      character = (character << 6) | next;
    }
    if (character < least || character > 0x10ffff || character >> 11 == 0x1b) return ERROR_UTF8; // too long, too high, a surrogate
  }
  return 0;
}
