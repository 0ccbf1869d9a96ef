// The partition table of an ESP chip, as it stands in the flash: entries of 32 bytes, behind them FF or a checksum.

const ENTRY_BYTES = 32;
const MAGIC = 0x50aa;
const DATA = 1;
const NVS = 2;

export interface Partition {
  name: string;
  type: number;
  subtype: number;
  /** In bytes from the beginning of the flash. */
  offset: number;
  size: number;
}

/** Reads a table in binary; what stands behind its last entry is passed over. */
export function readPartitions(table: Uint8Array): Partition[] {
  const view = Buffer.from(table.buffer, table.byteOffset, table.byteLength);
  const partitions: Partition[] = [];
  for (let at = 0; at + ENTRY_BYTES <= view.length && view.readUInt16LE(at) === MAGIC; at += ENTRY_BYTES) {
    const name = view.subarray(at + 12, at + 28);
    const end = name.indexOf(0);
    partitions.push({
      name: name.subarray(0, end < 0 ? undefined : end).toString(),
      type: view[at + 2] as number,
      subtype: view[at + 3] as number,
      offset: view.readUInt32LE(at + 4),
      size: view.readUInt32LE(at + 8),
    });
  }
  return partitions;
}

/** Whether a partition keeps what was set or learnt on the board: its NVS, and the project's settings. */
export function keepsSettings({ name, type, subtype }: Partition): boolean {
  return type === DATA && (subtype === NVS || name === SETTINGS);
}

/** Names in firmware/partitions.csv. */
export const SETTINGS = 'settings';
export const MODULES = 'modules';
