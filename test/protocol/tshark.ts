import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Direction } from './checker.js';

// tshark's opinion of the framing: wrong lengths, truncation, overrun, NUL in a topic. It does not see reserved flags, identifier 0, wildcards
// in a PUBLISH or bad UTF-8; those are the checker's.

export interface Packet {
  readonly direction: Direction;
  readonly bytes: Uint8Array;
}

export interface TsharkFinding extends Packet {
  /** tshark's own words. */
  readonly what: string;
}

let have: boolean | undefined;

export function haveTshark(): boolean {
  have ??= spawnSync('tshark', ['--version'], { stdio: 'ignore' }).status === 0;
  return have;
}

/** For a test's `skip`: false, or why it is skipped and what to do about it. */
export const skipTshark = () => (haveTshark() ? false : 'tshark is missing: apt-get install tshark');

/** Errors and warnings: the severity by number, since the name of one never matches. */
const FILTER = '_ws.malformed || _ws.unreassembled || _ws.expert.severity >= 0x600000';
const MQTT_PORT = 1883;
const CLIENT_PORT = 49_152;
const PINGREQ = '12';
const PING_BYTES = Buffer.from([0xc0, 0x00]);
const SEGMENT_BYTES = 60_000;
const LINKTYPE_RAW = 101;

/**
 * What tshark finds wrong with packets, each taken alone: one that claims too much must not swallow the next. A PINGREQ follows each in its
 * stream, and has to be recognized: tshark says nothing about a packet that waits for bytes.
 */
export async function tsharkFindings(packets: readonly Packet[]): Promise<TsharkFinding[]> {
  const { file, frames } = capture(packets);
  const whatOf = new Map<Packet, string>();
  const complete = new Set<Packet>();
  for (const line of (await run(file)).split('\n').filter((text) => text !== '')) {
    const [number, type, ...words] = line.split('\t');
    const frame = frames[Number(number) - 1];
    if (!frame) continue;
    const what = words.filter((word) => word !== '').join(': ');
    if (frame.isPing && type === PINGREQ && what === '') complete.add(frame.packet);
    else if (what !== '' || type !== PINGREQ) whatOf.set(frame.packet, what || 'cannot be read'); // or it is a PINGREQ itself
  }
  for (const packet of packets) if (!complete.has(packet) && !whatOf.has(packet)) whatOf.set(packet, 'waits for more bytes');
  return [...whatOf].map(([packet, what]) => ({ ...packet, what }));
}

/** Answers the frames that match the filter, one a line. A file, because tshark refuses the socket that Node calls a pipe. */
async function run(pcap: Buffer): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'twobyte-tshark-'));
  try {
    const path = join(directory, 'session.pcap');
    await writeFile(path, pcap);
    const fields = ['frame.number', 'mqtt.msgtype', '_ws.expert.message'].flatMap((field) => ['-e', field]);
    const words = [
      '-n',
      '-o',
      'mqtt.default_version:MQTT v3.1.1',
      '-r',
      path,
      '-Y',
      `${FILTER} || mqtt.msgtype == ${PINGREQ}`,
      '-T',
      'fields',
      ...fields,
    ];
    return (await promisify(execFile)('tshark', words, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A pcap file that has each packet in a TCP stream of its own, and where each frame of the file comes from. */
function capture(packets: readonly Packet[]): { file: Buffer; frames: { packet: Packet; isPing: boolean }[] } {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4); // version 2.4
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(0x40000, 16); // longest frame
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  const parts: Uint8Array[] = [header];
  const frames: { packet: Packet; isPing: boolean }[] = [];
  packets.forEach((packet, stream) => {
    const { direction, bytes } = packet;
    for (let at = 0; at < bytes.length; at += SEGMENT_BYTES) {
      const data = bytes.subarray(at, at + SEGMENT_BYTES);
      parts.push(headers(direction, stream, at, data.length), data);
      frames.push({ packet, isPing: false });
    }
    parts.push(headers(direction, stream, bytes.length, PING_BYTES.length), PING_BYTES);
    frames.push({ packet, isPing: true });
  });
  return { file: Buffer.concat(parts), frames };
}

/** The record, IPv4 and TCP headers of a segment; the client of each stream has its own address. */
function headers(direction: Direction, stream: number, offset: number, dataLength: number): Buffer {
  const record = 16;
  const tcp = record + 20;
  const bytes = Buffer.alloc(tcp + 20);
  const length = bytes.length - record + dataLength;
  bytes.writeUInt32LE(length, 8);
  bytes.writeUInt32LE(length, 12);
  bytes.writeUInt8(0x45, record);
  bytes.writeUInt16BE(length, record + 2);
  bytes.writeUInt8(64, record + 8);
  bytes.writeUInt8(6, record + 9);
  const client = 0x0a000000 + stream; // 10.0.0.0/8
  const server = 0xc0000201; // 192.0.2.1
  const up = direction === 'client';
  bytes.writeUInt32BE(up ? client : server, record + 12);
  bytes.writeUInt32BE(up ? server : client, record + 16);
  bytes.writeUInt16BE(up ? CLIENT_PORT : MQTT_PORT, tcp);
  bytes.writeUInt16BE(up ? MQTT_PORT : CLIENT_PORT, tcp + 2);
  bytes.writeUInt32BE(1 + offset, tcp + 4);
  bytes.writeUInt32BE(1, tcp + 8);
  bytes.writeUInt16BE(0x5018, tcp + 12); // PSH, ACK
  bytes.writeUInt16BE(0xffff, tcp + 14);
  return bytes;
}
