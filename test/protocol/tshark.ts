import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Direction } from './checker.js';
import { pcapHeader, pcapPacket, TCP } from './pcap.js';

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
export const FAULTS = '_ws.malformed || _ws.unreassembled || _ws.expert.severity >= 0x600000';
const MQTT_PORT = 1883;
const CLIENT_PORT = 49_152;
const PINGREQ = '12';
const PING_BYTES = Buffer.from([0xc0, 0x00]);
const SEGMENT_BYTES = 60_000;

/**
 * What tshark finds wrong with packets, each taken alone: one that claims too much must not swallow the next. A PINGREQ follows each in its
 * stream, and has to be recognized: tshark says nothing about a packet that waits for bytes.
 */
export async function tsharkFindings(packets: readonly Packet[]): Promise<TsharkFinding[]> {
  const { file, frames } = capture(packets);
  const whatOf = new Map<Packet, string>();
  const complete = new Set<Packet>();
  const options = ['-o', 'mqtt.default_version:MQTT v3.1.1', '-Y', `${FAULTS} || mqtt.msgtype == ${PINGREQ}`];
  for (const [number, type, ...words] of await runTshark(file, options, ['frame.number', 'mqtt.msgtype', '_ws.expert.message'])) {
    const frame = frames[Number(number) - 1];
    if (!frame) continue;
    const what = words.filter((word) => word !== '').join(': ');
    if (frame.isPing && type === PINGREQ && what === '') complete.add(frame.packet);
    else if (what !== '' || type !== PINGREQ) whatOf.set(frame.packet, what || 'cannot be read'); // or it is a PINGREQ itself
  }
  for (const packet of packets) if (!complete.has(packet) && !whatOf.has(packet)) whatOf.set(packet, 'waits for more bytes');
  return [...whatOf].map(([packet, what]) => ({ ...packet, what }));
}

/** Has tshark read a file, and answers its lines as fields. A file, because tshark refuses the socket that Node calls a pipe. */
export async function runTshark(pcap: Buffer, words: readonly string[], fields: readonly string[]): Promise<string[][]> {
  const directory = await mkdtemp(join(tmpdir(), 'twobyte-tshark-'));
  try {
    const path = join(directory, 'session.pcap');
    await writeFile(path, pcap);
    const all = ['-n', '-r', path, ...words, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
    const { stdout } = await promisify(execFile)('tshark', all, { maxBuffer: 64 * 1024 * 1024 });
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A pcap file that has each packet in a TCP stream of its own, and where each frame of the file comes from. */
function capture(packets: readonly Packet[]): { file: Buffer; frames: { packet: Packet; isPing: boolean }[] } {
  const parts: Uint8Array[] = [pcapHeader()];
  const frames: { packet: Packet; isPing: boolean }[] = [];
  packets.forEach((packet, stream) => {
    const { direction, bytes } = packet;
    for (let at = 0; at < bytes.length; at += SEGMENT_BYTES) {
      const data = bytes.subarray(at, at + SEGMENT_BYTES);
      parts.push(segment(direction, stream, at, data));
      frames.push({ packet, isPing: false });
    }
    parts.push(segment(direction, stream, bytes.length, PING_BYTES));
    frames.push({ packet, isPing: true });
  });
  return { file: Buffer.concat(parts), frames };
}

/** A TCP segment; the client of each stream has its own address. */
function segment(direction: Direction, stream: number, offset: number, data: Uint8Array): Buffer {
  const tcp = Buffer.alloc(20);
  const client = 0x0a000000 + stream; // 10.0.0.0/8
  const server = 0xc0000201; // 192.0.2.1
  const up = direction === 'client';
  tcp.writeUInt16BE(up ? CLIENT_PORT : MQTT_PORT, 0);
  tcp.writeUInt16BE(up ? MQTT_PORT : CLIENT_PORT, 2);
  tcp.writeUInt32BE(1 + offset, 4);
  tcp.writeUInt32BE(1, 8);
  tcp.writeUInt16BE(0x5018, 12); // PSH, ACK
  tcp.writeUInt16BE(0xffff, 14);
  return pcapPacket(up ? client : server, up ? server : client, TCP, tcp, data);
}
