import { crc32 } from 'node:zlib';

// A journal's file: a header, then frames, each a write that holds as a whole or not at all. Numbers are little-endian.
//
// header, twice   8 bytes 'twobyte1' · mark (4), drawn for each file · check (4) of these
// frame           mark (4) · bytes of head (4) · bytes of data (4) · check of the data (4) · check of all before it and of the head (4) · head · data
// head            for each record: bytes of its part's name (2) · bytes of its data (4) · key (4) · the name
//
// The mark begins each check, so nothing that was written as data can be taken for a frame. A frame whose head is whole tells what is lost with its data;
// behind one whose head is not, the next frame is searched.

const MAGIC = Buffer.from('twobyte1');
const HEADER_COPY = 16;
export const HEADER_BYTES = 2 * HEADER_COPY;
const FIXED = 20;
const ENTRY = 10;

/** One record: of no bytes, that there is none. */
export interface JournalRecord {
  part: string;
  key: number;
  bytes: Uint8Array;
}

/** What could not be read. */
export interface Damage {
  /** Where in the file, and how many bytes. */
  at: number;
  length: number;
  /** It ends the file: most likely the write that a power cut interrupted, and nobody was told that it was done. */
  isTail: boolean;
  /** The records that it held, as far as that can be read: their latest values are lost. */
  records: Omit<JournalRecord, 'bytes'>[];
}

export function header(mark: number): Buffer {
  const copy = Buffer.alloc(HEADER_COPY);
  MAGIC.copy(copy);
  copy.writeUInt32LE(mark, 8);
  copy.writeUInt32LE(crc32(copy.subarray(0, 12)), 12);
  return Buffer.concat([copy, copy]);
}

/** The mark of a file by its first bytes, and which copy of the header is damaged; undefined when it is no journal. */
export function headerOf(file: Buffer): { mark: number; damaged: Damage | undefined } | undefined {
  const copies = [0, HEADER_COPY].map((at) => file.subarray(at, at + HEADER_COPY));
  const good = copies.find(
    (copy) => copy.length === HEADER_COPY && copy.subarray(0, 8).equals(MAGIC) && copy.readUInt32LE(12) === crc32(copy.subarray(0, 12)),
  );
  if (!good) return undefined;
  const other = copies.findIndex((copy) => !copy.equals(good));
  const damaged = other < 0 ? undefined : { at: other * HEADER_COPY, length: HEADER_COPY, isTail: false, records: [] };
  return { mark: good.readUInt32LE(8), damaged };
}

/** Whether these can be the first bytes of a journal that was not written to its end: a file system may know their number and not yet what they are. */
export function isBeginning(file: Buffer): boolean {
  const begin = file.subarray(0, MAGIC.length);
  return begin.equals(MAGIC.subarray(0, begin.length)) || begin.every((byte) => byte === 0);
}

export function frame(mark: number, records: readonly JournalRecord[]): Buffer {
  const names = records.map(({ part }) => Buffer.from(part));
  const headLength = names.reduce((sum, { length }) => sum + ENTRY + length, 0);
  const dataLength = records.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const whole = Buffer.allocUnsafe(FIXED + headLength + dataLength);
  let head = FIXED;
  let data = FIXED + headLength;
  for (const [i, { key, bytes }] of records.entries()) {
    const name = names[i] as Buffer;
    whole.writeUInt16LE(name.length, head);
    whole.writeUInt32LE(bytes.length, head + 2);
    whole.writeUInt32LE(key >>> 0, head + 6);
    whole.set(name, head + ENTRY);
    head += ENTRY + name.length;
    whole.set(bytes, data);
    data += bytes.length;
  }
  whole.writeUInt32LE(mark, 0);
  whole.writeUInt32LE(headLength, 4);
  whole.writeUInt32LE(dataLength, 8);
  whole.writeUInt32LE(crc32(whole.subarray(FIXED + headLength), mark), 12);
  whole.writeUInt32LE(headCheck(whole, 0, headLength, mark), 16);
  return whole;
}

function headCheck(file: Buffer, at: number, headLength: number, mark: number): number {
  return crc32(file.subarray(at + FIXED, at + FIXED + headLength), crc32(file.subarray(at + 4, at + 16), mark));
}

/**
 * Reads all frames: `record` gets each record in the order of the writes, those of one frame together; its bytes are a view. `damaged` gets what cannot be
 * read. Answers where the file ends that is to be kept.
 */
export function readFrames(file: Buffer, mark: number, record: (record: JournalRecord) => void, damaged: (damage: Damage) => void): number {
  let at = HEADER_BYTES;
  while (at < file.length) {
    const found = headAt(file, at, mark);
    if (!found) {
      const next = nextFrame(file, at + 1, mark);
      damaged({ at, length: (next ?? file.length) - at, isTail: next === undefined, records: [] });
      if (next === undefined) return at;
      at = next;
      continue;
    }
    const { records, dataAt, end } = found;
    const isWhole = end <= file.length && crc32(file.subarray(dataAt, end), mark) === file.readUInt32LE(at + 12);
    if (isWhole) {
      let from = dataAt;
      for (const { part, key, length } of records) {
        record({ part, key, bytes: file.subarray(from, from + length) });
        from += length;
      }
    } else {
      const isTail = end >= file.length;
      damaged({ at, length: Math.min(end, file.length) - at, isTail, records: records.map(({ part, key }) => ({ part, key })) });
      if (isTail) return at;
    }
    at = end;
  }
  return at;
}

interface Head {
  records: { part: string; key: number; length: number }[];
  dataAt: number;
  end: number;
}

/** The head of the frame at `at`, if there is one. */
function headAt(file: Buffer, at: number, mark: number): Head | undefined {
  if (at + FIXED > file.length || file.readUInt32LE(at) !== mark) return undefined;
  const headLength = file.readUInt32LE(at + 4);
  const dataLength = file.readUInt32LE(at + 8);
  const dataAt = at + FIXED + headLength;
  if (dataAt > file.length || headCheck(file, at, headLength, mark) !== file.readUInt32LE(at + 16)) return undefined;
  const records: Head['records'] = [];
  for (let p = at + FIXED; p < dataAt; ) {
    const nameAt = p + ENTRY;
    const nameEnd = nameAt + file.readUInt16LE(p);
    records.push({ part: file.toString('utf8', nameAt, nameEnd), key: file.readUInt32LE(p + 6), length: file.readUInt32LE(p + 2) });
    p = nameEnd;
  }
  return { records, dataAt, end: dataAt + dataLength };
}

function nextFrame(file: Buffer, from: number, mark: number): number | undefined {
  const start = Buffer.alloc(4);
  start.writeUInt32LE(mark);
  for (let at = file.indexOf(start, from); at >= 0; at = file.indexOf(start, at + 1)) if (headAt(file, at, mark)) return at;
  return undefined;
}
