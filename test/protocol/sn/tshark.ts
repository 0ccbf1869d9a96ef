import { pcapHeader, pcapPacket, UDP } from '../pcap.js';
import { FAULTS, runTshark } from '../tshark.js';
import type { Datagram, Side } from './datagram.js';

// tshark's opinion of MQTT-SN datagrams: fields that are missing, and a length that is not the datagram's. It does not see reserved types and
// flags, topic and message ids of 0, or bad UTF-8; those are the checker's. Where it is wrong itself is listed below.

export interface TsharkFinding extends Datagram {
  /** tshark's own words, or what it read. */
  readonly what: string;
}

/** Both ports that MQTT-SN is found at: tshark has no port of its own for it. */
const PORTS = [1883, 1884] as const;
const CLIENT_PORT = 49_152;
const ENCAPSULATED = 0xfe;
const CLIENT = 0x0a000001; // 10.0.0.1
const GATEWAY = 0xc0000201; // 192.0.2.1

/** It takes addresses and payloads for text. */
const NOT_TEXT = 'Trailing stray characters';
/** It misses the flags of a will topic that is deleted: it has none (SN 5.4.7, 5.4.22). */
const NO_WILL_TOPIC: ReadonlySet<string> = new Set(['0207', '021a']);

/** What tshark finds wrong with datagrams. */
export async function tsharkFindings(datagrams: readonly Datagram[], port: (typeof PORTS)[number] = 1884): Promise<TsharkFinding[]> {
  const file = Buffer.concat([pcapHeader(), ...datagrams.map(({ from, bytes }) => packet(from, port, bytes))]);
  const decodeAs = PORTS.flatMap((each) => ['-d', `udp.port==${each},mqttsn`]);
  // Every frame is asked for, with its lengths: tshark says nothing about a length below what the datagram holds.
  const fields = ['frame.number', 'mqttsn.msg.len', '_ws.expert.message'];
  const read = await runTshark(file, decodeAs, fields);
  const faulty = new Set((await runTshark(file, [...decodeAs, '-Y', FAULTS], ['frame.number'])).map(([number]) => number));
  const found: TsharkFinding[] = [];
  for (const [number, lengths = '', ...words] of read) {
    const datagram = datagrams[Number(number) - 1];
    if (!datagram) continue;
    const what = words.filter((word) => word !== '').join(': ');
    const { bytes } = datagram;
    const message = Buffer.from(bytes[1] === ENCAPSULATED ? bytes.subarray(bytes[0]) : bytes);
    if (what === NOT_TEXT || NO_WILL_TOPIC.has(message.toString('hex'))) continue;
    // An encapsulated message has two lengths, which together are the datagram's.
    const length = lengths.split(',').reduce((sum, each) => sum + Number(each), 0);
    if (faulty.has(number)) found.push({ ...datagram, what: what || 'cannot be read' });
    else if (length !== bytes.length) found.push({ ...datagram, what: `reads a length of ${length} in ${bytes.length} bytes` });
  }
  return found;
}

function packet(from: Side, port: number, bytes: Uint8Array): Buffer {
  const udp = Buffer.alloc(8);
  const up = from === 'client';
  udp.writeUInt16BE(up ? CLIENT_PORT : port, 0);
  udp.writeUInt16BE(up ? port : CLIENT_PORT, 2);
  udp.writeUInt16BE(udp.length + bytes.length, 4);
  return pcapPacket(up ? CLIENT : GATEWAY, up ? GATEWAY : CLIENT, UDP, udp, bytes);
}
