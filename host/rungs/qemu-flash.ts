// What is put into the emulated board's flash: firmware/ports/qemu-rv32/memory_map.h says where.

/** The parts of the flash, each with its address and the bytes it has. */
const regions = {
  module: [0x80200000, 0x40000],
  fallback: [0x80240000, 0x40000],
  settings: [0x80280000, 0x8000],
  seed: [0x80288000, 0x100],
  recording: [0x80300000, 0x100000],
} as const;

export type FlashContents = Partial<Record<keyof typeof regions, Uint8Array>>;

export const FLASH_ADDRESS = regions.module[0];
const MAGIC = 0x46423254;
const HEADER_BYTES = 8;
/** These are given as they stand in the flash. */
const slots: ReadonlySet<string> = new Set(['module', 'fallback']);

function region(bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(MAGIC);
  header.writeUInt32LE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

/** The bytes from FLASH_ADDRESS on. A part that does not fit is refused by name. */
export function flashImage(contents: FlashContents): Buffer {
  const parts = Object.entries(regions).flatMap(([name, [address, capacity]]) => {
    const bytes = contents[name as keyof typeof regions];
    if (!bytes) return [];
    if (bytes.length > capacity - HEADER_BYTES)
      throw new TypeError(`the ${name} has ${bytes.length} bytes; the emulated board's flash takes ${capacity - HEADER_BYTES} of it`);
    return [{ at: address - FLASH_ADDRESS, bytes: slots.has(name) ? bytes : region(bytes) }];
  });
  const image = Buffer.alloc(Math.max(...parts.map(({ at, bytes }) => at + bytes.length)));
  for (const { at, bytes } of parts) image.set(bytes, at);
  return image;
}
