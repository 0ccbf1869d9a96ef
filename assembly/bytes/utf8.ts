import { ERROR_NUL, ERROR_UTF8 } from '../contract';

/** 0 when `length` bytes at `p` are well-formed UTF-8 without U+0000, otherwise ERROR_UTF8 or ERROR_NUL [MQTT-1.5.3-1] [MQTT-1.5.3-2]. */
export function utf8Fault(p: usize, length: u32): i32 {
  const end = p + length;
  while (p < end) {
    const lead: u32 = load<u8>(p++);
    if (lead < 0x80) {
      if (lead == 0) return ERROR_NUL;
      continue;
    }
    // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF (Unicode table 3-7).
    let low: u32 = 0x80;
    let high: u32 = 0xbf;
    let continuation: u32 = 1;
    if (lead < 0xc2 || lead > 0xf4) return ERROR_UTF8;
    if (lead >= 0xf0) {
      continuation = 3;
      if (lead == 0xf0) low = 0x90;
      else if (lead == 0xf4) high = 0x8f;
    } else if (lead >= 0xe0) {
      continuation = 2;
      if (lead == 0xe0) low = 0xa0;
      else if (lead == 0xed) high = 0x9f;
    }
    if (<u32>(end - p) < continuation) return ERROR_UTF8;
    do {
      const next: u32 = load<u8>(p++);
      if (next < low || next > high) return ERROR_UTF8;
      low = 0x80;
      high = 0xbf;
    } while (--continuation);
  }
  return 0;
}
