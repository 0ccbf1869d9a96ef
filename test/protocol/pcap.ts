/** The link layer of a raw IP packet. */
const LINKTYPE_RAW = 101;
const LONGEST_FRAME = 0x40000;
const RECORD_BYTES = 16;
const IP_BYTES = 20;

/** Transport protocols as IPv4 numbers them. */
export const TCP = 6;
export const UDP = 17;

/** The header of a pcap file of IP packets, version 2.4, little-endian. */
export function pcapHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(LONGEST_FRAME, 16);
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  return header;
}

/** One record of the file: an IPv4 packet between two addresses, checksums left at 0. */
export function pcapPacket(from: number, to: number, protocol: number, transport: Uint8Array, data: Uint8Array): Buffer {
  const headers = Buffer.alloc(RECORD_BYTES + IP_BYTES);
  const length = IP_BYTES + transport.length + data.length;
  headers.writeUInt32LE(length, 8);
  headers.writeUInt32LE(length, 12);
  headers.writeUInt8(0x45, RECORD_BYTES);
  headers.writeUInt16BE(length, RECORD_BYTES + 2);
  headers.writeUInt8(64, RECORD_BYTES + 8);
  headers.writeUInt8(protocol, RECORD_BYTES + 9);
  headers.writeUInt32BE(from, RECORD_BYTES + 12);
  headers.writeUInt32BE(to, RECORD_BYTES + 16);
  return Buffer.concat([headers, transport, data]);
}
