import { crc32 } from 'node:zlib';

/** A slot of the flash with this module: firmware/shell/slots.h. Of two, the one of the higher sequence is tried first. */
export function slotImage(module: Uint8Array, sequence: number): Buffer {
  const header = Buffer.alloc(16);
  header.write('2bm1', 'latin1');
  header.writeUInt32LE(module.length, 4);
  header.writeUInt32LE(sequence, 8);
  header.writeUInt32LE(crc32(module, crc32(header.subarray(4, 12))), 12);
  return Buffer.concat([header, module]);
}
