import { generate, type Packet } from 'mqtt-packet';
import { CONFIG_CLIENT_ID, CONFIG_KEEP_ALIVE, CONFIG_PREDEFINED, CONFIG_PROTOCOL } from '../host/contract.js';
import * as sn from '../host/gateway/encode.js';
import { NORMAL, PREDEFINED, type QoS, SHORT } from '../host/gateway/messages.js';
import { counted, type Figure } from './figure.js';
import { payload, topic, Wire } from './frames.js';

const CLIENT_ID = 'living-room';
const FILTER = 'myhome/#';
/** Topic ids: what the gateway gave, what both know beforehand, and two bytes that are the topic. */
const REGISTERED = 1;
const KNOWN = 7;
const SHORT_TOPIC = 't1';

const config = new Map<number, string | number>([
  [CONFIG_CLIENT_ID, CLIENT_ID],
  [CONFIG_KEEP_ALIVE, 60],
  [CONFIG_PROTOCOL, 1],
  [CONFIG_PREDEFINED, `${KNOWN}=${topic}/known`],
]);

/** Bytes of a PUBLISH around its data (SN 5.4.12). */
const PUBLISH = 7;

/** A frame: the least it may be, what the gateway's encoder makes of it, and what the same takes over MQTT. */
type Row = [name: string, frame: Buffer, least: number, expected: Buffer, packet: Packet];

/** The bytes of what a client sends over MQTT-SN, beside the same over MQTT. A frame unlike the gateway's own encoding counts as one byte over. */
export function snFrameFigures(): Figure[] {
  const wire = new Wire('client-mqttsn', config);
  const { module } = wire;
  const connect = wire.sends(() => {});
  wire.hears(sn.connack(0));
  const register = wire.sends(() => module.publish(topic, payload, 0, false));
  const msgId = register.readUInt16BE(4);
  const first = wire.hears(sn.regack(REGISTERED, msgId, 0));

  const published = (qos: QoS | -1, topicType = NORMAL, topicId = REGISTERED, id = 0) =>
    sn.publish({ dup: false, qos, retain: false, topicType, topicId, msgId: id, data: payload });
  const overMqtt = (name: string, qos: QoS, messageId?: number): Packet => ({
    cmd: 'publish',
    topic: name,
    payload,
    qos,
    retain: false,
    dup: false,
    ...(messageId && { messageId }),
  });
  const publishes = (name: string, qos: number) => wire.sends(() => module.publish(name, payload, qos, false));
  const least = PUBLISH + payload.length;
  const short = Buffer.from(SHORT_TOPIC).readUInt16BE();
  const rows: Row[] = [
    [
      'CONNECT',
      connect,
      6 + CLIENT_ID.length,
      sn.connect({ will: false, clean: true, duration: 60, clientId: CLIENT_ID }),
      { cmd: 'connect', clientId: CLIENT_ID, keepalive: 60, clean: true },
    ],
    ['PUBLISH QoS 0, registered topic', first, least, published(0), overMqtt(topic, 0)],
    [
      'PUBLISH QoS 0, pre-defined topic',
      publishes(`${topic}/known`, 0),
      least,
      published(0, PREDEFINED, KNOWN),
      overMqtt(`${topic}/known`, 0),
    ],
    ['PUBLISH QoS 0, two-byte topic', publishes(SHORT_TOPIC, 0), least, published(0, SHORT, short), overMqtt(SHORT_TOPIC, 0)],
    [
      'PUBLISH QoS −1, pre-defined topic',
      publishes(`${topic}/known`, -1),
      least,
      published(-1, PREDEFINED, KNOWN),
      overMqtt(`${topic}/known`, 0),
    ],
  ];
  /** The message id that the module gave is at `at` of its frame. */
  const idOf = (frame: Buffer, at: number) => frame.readUInt16BE(at);

  const one = publishes(topic, 1);
  rows.push(['PUBLISH QoS 1', one, least, published(1, NORMAL, REGISTERED, idOf(one, 5)), overMqtt(topic, 1, 1)]);
  wire.hears(sn.puback(REGISTERED, idOf(one, 5), 0));
  const two = publishes(topic, 2);
  const id = idOf(two, 5);
  rows.push(['PUBLISH QoS 2', two, least, published(2, NORMAL, REGISTERED, id), overMqtt(topic, 2, 1)]);
  rows.push(['PUBREL', wire.hears(sn.pubrec(id)), 4, sn.pubrel(id), { cmd: 'pubrel', messageId: 1 }]);
  wire.hears(sn.pubcomp(id));
  const subscribe = wire.sends(() => module.subscribe([{ filter: FILTER, qos: 1 }]));
  const filter = { dup: false, topicType: NORMAL, topicId: 0, topicName: FILTER };
  rows.push([
    'SUBSCRIBE',
    subscribe,
    5 + FILTER.length,
    sn.subscribe({ ...filter, qos: 1, msgId: idOf(subscribe, 3) }),
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: FILTER, qos: 1 }] },
  ]);
  wire.hears(sn.suback(1, 0, idOf(subscribe, 3), 0));
  const inbound = (qos: QoS, messageId: number) => wire.hears(published(qos, NORMAL, REGISTERED, messageId));
  rows.push(
    ['PUBACK', inbound(1, 20), 7, sn.puback(REGISTERED, 20, 0), { cmd: 'puback', messageId: 20 }],
    ['PUBREC', inbound(2, 21), 4, sn.pubrec(21), { cmd: 'pubrec', messageId: 21 }],
    ['PUBCOMP', wire.hears(sn.pubrel(21)), 4, sn.pubcomp(21), { cmd: 'pubcomp', messageId: 21 }],
  );
  const unsubscribe = wire.sends(() => module.unsubscribe([FILTER]));
  rows.push([
    'UNSUBSCRIBE',
    unsubscribe,
    5 + FILTER.length,
    sn.unsubscribe({ ...filter, qos: 0, msgId: idOf(unsubscribe, 3) }),
    { cmd: 'unsubscribe', messageId: 1, unsubscriptions: [FILTER] },
  ]);
  wire.hears(sn.unsuback(idOf(unsubscribe, 3)));
  rows.push(
    ['PINGREQ', wire.sends(() => {}, 59_500), 2, sn.pingreq(), { cmd: 'pingreq' }],
    ['DISCONNECT', wire.sends(() => module.stop()), 2, sn.disconnect(), { cmd: 'disconnect' }],
  );
  return [
    frame('REGISTER, once a topic and connection', register, 6 + Buffer.byteLength(topic), sn.register(0, msgId, topic)),
    ...rows.map(([name, bytes, most, expected, packet]) => frame(name, bytes, most, expected, generate(packet).length)),
  ];
}

function frame(name: string, bytes: Buffer, most: number, expected: Buffer, overMqtt?: number): Figure {
  const differs = bytes.length <= most && !bytes.equals(expected);
  const peer = overMqtt === undefined ? null : 'the same over MQTT';
  return counted(`MQTT-SN frame ${name}`, differs ? most + 1 : bytes.length, 'bytes', most, peer, overMqtt ?? null);
}
