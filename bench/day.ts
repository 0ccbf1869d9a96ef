import { generate, type Packet, parser } from 'mqtt-packet';
import {
  CONFIG_CLIENT_ID,
  CONFIG_INTERVAL,
  CONFIG_KEEP_ALIVE,
  CONFIG_PREDEFINED,
  CONFIG_PROTOCOL,
  CONFIG_QOS,
  CONFIG_TOPIC,
  LINK_OPENED,
} from '../host/contract.js';
import { decode } from '../host/gateway/decode.js';
import * as sn from '../host/gateway/encode.js';
import type { Message } from '../host/gateway/messages.js';
import { builtModule, Module } from '../host/module.js';
import { counted, type Figure } from './figure.js';
import { topic } from './frames.js';

const INTERVAL_MS = 10_000;
const READINGS = 8640;
const DAY_MS = READINGS * INTERVAL_MS;
/** The most bytes MQTT-SN may need of what MQTT needs. */
const BOUND = 0.35;

/** Bytes of headers: IPv4 and UDP; IPv4 and TCP without options. */
const DATAGRAM_HEADERS = 28;
const SEGMENT_HEADERS = 40;
/** Segments that open a TCP connection. */
const HANDSHAKE = 3;

/** What passed in a day, in both directions. */
interface Traffic {
  /** Bytes of the protocol. */
  bytes: number;
  /** The same with headers of UDP, or of TCP and its acknowledgements, and of IPv4. */
  withHeaders: number;
  readings: number;
}

/** What the broker or the gateway answers to what a module sent in one piece. */
type Peer = (sent: Buffer) => { answers: Buffer[]; readings: number };

function broker(sent: Buffer): ReturnType<Peer> {
  const packets: Packet[] = [];
  parser()
    .on('packet', (packet) => packets.push(packet))
    .parse(sent);
  const answers = packets.flatMap((packet) => {
    if (packet.cmd === 'connect') return [generate({ cmd: 'connack', returnCode: 0, sessionPresent: false })];
    if (packet.cmd === 'publish' && packet.qos === 1) return [generate({ cmd: 'puback', messageId: packet.messageId ?? 0 })];
    return packet.cmd === 'pingreq' ? [generate({ cmd: 'pingresp' })] : [];
  });
  return { answers, readings: packets.filter(({ cmd }) => cmd === 'publish').length };
}

function gateway(sent: Buffer): ReturnType<Peer> {
  const message = decode(sent);
  if (typeof message === 'string') throw new Error(`the module sent ${sent.toString('hex')}: ${message}`);
  return { answers: answerTo(message), readings: message.type === 'PUBLISH' ? 1 : 0 };
}

function answerTo(message: Message): Buffer[] {
  switch (message.type) {
    case 'CONNECT':
      return [sn.connack(0)];
    case 'REGISTER':
      return [sn.regack(1, message.msgId, 0)];
    case 'PUBLISH':
      return message.qos === 1 ? [sn.puback(message.topicId, message.msgId, 0)] : [];
    case 'PINGREQ':
      return [sn.pingresp()];
    default:
      return [];
  }
}

/** A day of the sensor module `name`, from power on: a reading every 10 s on a virtual clock, to a peer that answers at once. */
function day(name: 'sensor-mqtt' | 'sensor-mqttsn', extra: readonly [key: number, value: string | number][]): Traffic {
  const isSn = name === 'sensor-mqttsn';
  const config = new Map<number, string | number>([
    [CONFIG_CLIENT_ID, 'living-room'],
    [CONFIG_TOPIC, topic],
    [CONFIG_INTERVAL, INTERVAL_MS],
    [CONFIG_KEEP_ALIVE, 60],
    [CONFIG_PROTOCOL, isSn ? 1 : 0],
    ...extra,
  ]);
  const peer: Peer = isSn ? gateway : broker;
  const traffic: Traffic = { bytes: 0, withHeaders: isSn ? 0 : HANDSHAKE * SEGMENT_HEADERS, readings: 0 };
  let opening = false;
  let sent: Buffer[] = [];
  const module = new Module(builtModule(name), {
    linkOpen: () => {
      opening = true;
      return 0;
    },
    linkSend: (_link, bytes) => sent.push(Buffer.from(bytes)) && bytes.length,
    linkClose() {
      throw new Error(`${name} closed its link`);
    },
    random: () => 0,
    configText: (key) => (config.has(key) ? Buffer.from(String(config.get(key))) : undefined),
    configNumber: (key, otherwise) => Number(config.get(key) ?? otherwise),
    temperature: () => 23_456,
    event() {},
  });
  const fault = module.start();
  if (fault) throw new Error(`${name} does not start: ${fault}`);

  /** Steps until nothing is to be answered any more; answers the ms until the next step. */
  const converse = (now: number): number => {
    let spoken = false;
    for (;;) {
      const wait = module.step(now);
      const pieces = sent;
      sent = [];
      const heard = pieces.map(peer);
      const answers = heard.flatMap((answer) => answer.answers);
      traffic.readings += heard.reduce((sum, { readings }) => sum + readings, 0);
      for (const piece of [...pieces, ...answers]) {
        spoken = true;
        traffic.bytes += piece.length;
        traffic.withHeaders += piece.length + (isSn ? DATAGRAM_HEADERS : SEGMENT_HEADERS);
      }
      for (const answer of answers) {
        if (isSn) module.receivedDatagram(0, answer);
        else module.received(0, answer);
        if (isSn && answers.length > 1) module.step(now); // one datagram a step
      }
      if (opening) {
        opening = false;
        module.linkChanged(0, LINK_OPENED);
      } else if (answers.length === 0) {
        // What is answered at once acknowledges its segment; the last of an exchange gets an acknowledgement of its own.
        if (spoken && !isSn) traffic.withHeaders += SEGMENT_HEADERS;
        return wait;
      }
    }
  };
  for (let now = 0; now < DAY_MS; ) now += Math.max(converse(now), 1);
  if (traffic.readings !== READINGS) throw new Error(`${name} published ${traffic.readings} of ${READINGS} readings`);
  return traffic;
}

/** Bytes that pass in a day of readings over both protocols; connection, registration and keep alive are in them. */
export function dayFigures(): Figure[] {
  const known: [number, string][] = [[CONFIG_PREDEFINED, `1=${topic}`]];
  const mqtt = [day('sensor-mqtt', []), day('sensor-mqtt', [[CONFIG_QOS, 1]])] as const;
  const compare = (name: string, traffic: Traffic, peer: Traffic, peerName: string, bound: number | null): Figure[] => [
    counted(`a day of readings, ${name}, headers below not counted`, traffic.bytes, 'bytes', null, peerName, peer.bytes),
    counted(`a day of readings, ${name}, share of MQTT's`, Number((traffic.bytes / peer.bytes).toFixed(3)), '', bound, peerName, 1),
    counted(
      `a day of readings, ${name}, with headers of UDP or TCP, and IPv4`,
      traffic.withHeaders,
      'bytes',
      null,
      peerName,
      peer.withHeaders,
    ),
  ];
  const sensor = (...extra: [number, string | number][]) => day('sensor-mqttsn', extra);
  return [
    ...compare('MQTT-SN QoS 0', sensor(), mqtt[0], 'MQTT QoS 0', BOUND),
    ...compare('MQTT-SN QoS 0, pre-defined topic', sensor(...known), mqtt[0], 'MQTT QoS 0', BOUND),
    ...compare('MQTT-SN QoS −1, pre-defined topic', sensor(...known, [CONFIG_QOS, -1]), mqtt[0], 'MQTT QoS 0', BOUND),
    ...compare('MQTT-SN QoS 1', sensor([CONFIG_QOS, 1]), mqtt[1], 'MQTT QoS 1', null),
  ];
}
