import { createHash, type KeyObject, sign, verify } from 'node:crypto';

// A signed module: a header of 128 bytes, then the module. docs/updates.md has the layout, firmware/shell/update.c reads it on a board.

export const HEADER_BYTES = 128;
/** What is signed: the header up to the signature. */
export const SIGNED_BYTES = 64;
export const NAME_BYTES = 16;
const MAGIC = 'T2BM';
const HEADER_VERSION = 1;

const AT_HEADER_VERSION = 4;
const AT_BOUNDARY = 5;
const AT_VERSION = 8;
const AT_LENGTH = 12;
const AT_HASH = 16;
const AT_NAME = 48;

/** Something is no signed module, or cannot become one; the message says why. */
export class ModuleFault extends Error {}

export interface ModuleHeader {
  headerVersion: number;
  /** Version of the boundary that the module is made for (ABI_VERSION). */
  boundary: number;
  /** 1 to 2^32 - 1; a board takes none that is older than what it runs. */
  version: number;
  /** Bytes of the module. */
  length: number;
  /** SHA-256 of it. */
  hash: Buffer;
  name: string;
  /** r, then s. */
  signature: Buffer;
}

/** What a module is to be called. */
export interface ModuleLabel {
  version: number;
  /** At most NAME_BYTES of UTF-8. */
  name: string;
  boundary: number;
}

/** The module file: header and module. Throws a ModuleFault when the label cannot be written. */
export function signModule(module: Uint8Array, { version, name, boundary }: ModuleLabel, key: KeyObject): Buffer {
  if (!Number.isInteger(version) || version < 1 || version >= 2 ** 32)
    throw new ModuleFault(`version ${version} is not a whole number from 1 to 4294967295`);
  if (Buffer.byteLength(name) > NAME_BYTES || name.includes('\0'))
    throw new ModuleFault(`the name '${name}' has over ${NAME_BYTES} bytes, or a NUL: shorten it`);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header[AT_HEADER_VERSION] = HEADER_VERSION;
  header[AT_BOUNDARY] = boundary;
  header.writeUInt32BE(version, AT_VERSION);
  header.writeUInt32BE(module.length, AT_LENGTH);
  createHash('sha256').update(module).digest().copy(header, AT_HASH);
  header.write(name, AT_NAME);
  sign('sha256', header.subarray(0, SIGNED_BYTES), { key, dsaEncoding: 'ieee-p1363' }).copy(header, SIGNED_BYTES);
  return Buffer.concat([header, module]);
}

/** Whether these are the beginnings of a signed module, and not of a bare one. */
export function isSigned(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, MAGIC.length)).toString('latin1') === MAGIC;
}

/** Reads a header, without a look at its signature. Throws a ModuleFault. */
export function readHeader(bytes: Uint8Array): ModuleHeader {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (header.length < HEADER_BYTES || !isSigned(header)) throw new ModuleFault('this is no signed module: its header begins otherwise');
  const headerVersion = header[AT_HEADER_VERSION] ?? 0;
  if (headerVersion !== HEADER_VERSION)
    throw new ModuleFault(`the header is of version ${headerVersion}, this program knows ${HEADER_VERSION}`);
  const name = header.subarray(AT_NAME, AT_NAME + NAME_BYTES);
  const end = name.indexOf(0);
  return {
    headerVersion,
    boundary: header[AT_BOUNDARY] ?? 0,
    version: header.readUInt32BE(AT_VERSION),
    length: header.readUInt32BE(AT_LENGTH),
    hash: header.subarray(AT_HASH, AT_HASH + 32),
    name: name.toString('utf8', 0, end < 0 ? NAME_BYTES : end),
    signature: header.subarray(SIGNED_BYTES, HEADER_BYTES),
  };
}

/** Reads a whole file: its header fits what follows it. Throws a ModuleFault. */
export function readModuleFile(bytes: Uint8Array): { header: ModuleHeader; module: Uint8Array } {
  const header = readHeader(bytes);
  const module = bytes.subarray(HEADER_BYTES);
  if (module.length !== header.length)
    throw new ModuleFault(`the file is cut off or too long: its header tells of ${header.length} bytes, and ${module.length} follow`);
  if (!isHashOf(header, module)) throw new ModuleFault('the file is damaged: its bytes are not those that were signed');
  return { header, module };
}

export function isHashOf(header: ModuleHeader, module: Uint8Array): boolean {
  return createHash('sha256').update(module).digest().equals(header.hash);
}

/** Whether the header was signed with the private key that belongs to `publicKey`. */
export function isSignedBy(header: Uint8Array, publicKey: KeyObject): boolean {
  const signature = header.subarray(SIGNED_BYTES, HEADER_BYTES);
  return verify('sha256', header.subarray(0, SIGNED_BYTES), { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
}

/** Whether two headers say the same of one module; signatures differ each time that something is signed. */
export function isSameModule(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one.subarray(0, SIGNED_BYTES), other.subarray(0, SIGNED_BYTES)) === 0;
}
