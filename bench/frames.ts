import { generate, type Packet } from 'mqtt-packet';
import {
  CONFIG_CLIENT_ID,
  CONFIG_KEEP_ALIVE,
  CONFIG_PASSWORD,
  CONFIG_USERNAME,
  CONFIG_WILL_PAYLOAD,
  CONFIG_WILL_TOPIC,
  LINK_OPENED,
} from '../host/contract.js';
import { builtModule, ClientModule } from '../host/module.js';
import { counted, type Figure } from './figure.js';

export const topic = 'myhome/底楼/客厅/温度';
export const payload = Buffer.from('23.5');

const texts: [key: number, value: string][] = [
  [CONFIG_CLIENT_ID, 'living-room'],
  [CONFIG_USERNAME, 'board'],
  [CONFIG_PASSWORD, 'secret'],
  [CONFIG_WILL_TOPIC, `${topic}/availability`],
  [CONFIG_WILL_PAYLOAD, 'offline'],
];

/** The settings of the boards whose frames are counted. */
export const settings: ReadonlyMap<number, string | number> = new Map<number, string | number>([...texts, [CONFIG_KEEP_ALIVE, 60]]);

/** A client module on a link that takes everything: what it sends, packet by packet. */
export class Wire {
  readonly module: ClientModule;
  #sent: Buffer[] = [];
  #now = 0;

  /** `name` of a built module. */
  constructor(name: string, config: ReadonlyMap<number, string | number>) {
    this.module = new ClientModule(
      {
        linkOpen: () => 0,
        linkSend: (_link, bytes) => this.#sent.push(Buffer.from(bytes)) && bytes.length,
        linkClose() {},
        random: () => 0,
        configText: (key) => (config.has(key) ? Buffer.from(String(config.get(key))) : undefined),
        configNumber: (key, otherwise) => Number(config.get(key) ?? otherwise),
        temperature: () => 0,
        event() {},
      },
      builtModule(name),
    );
    const fault = this.module.start();
    if (fault) throw new Error(`${name} does not start: ${fault}`);
    this.module.step(this.#now);
    this.module.linkChanged(0, LINK_OPENED);
  }

  /** What is sent once `action` was done, `after` ms later. */
  sends(action: () => void, after = 0): Buffer {
    this.#sent = [];
    action();
    this.#now += after;
    this.module.step(this.#now);
    return Buffer.concat(this.#sent);
  }

  /** What is sent in answer to bytes of a stream, or to a datagram. */
  hears(bytes: Uint8Array): Buffer {
    return this.sends(() => this.module.receivedDatagram(0, bytes));
  }
}

/** Leaves nothing in flight, so that only keep alive is due. */
function acknowledgeAll(module: ClientModule): void {
  const packets: Packet[] = [
    { cmd: 'puback', messageId: 1 },
    { cmd: 'pubcomp', messageId: 2 },
    { cmd: 'suback', messageId: 3, granted: [1, 0] },
    { cmd: 'unsuback', messageId: 4, granted: [] },
  ];
  module.received(0, Buffer.concat(packets.map((packet) => generate(packet))));
  module.step(0);
}

/** The bytes of every packet kind a client sends, beside what mqtt-packet makes of the same fields. A frame that differs counts as one byte over. */
export function frameFigures(): Figure[] {
  const wire = new Wire('client-mqtt', settings);
  const receives = (packet: Packet) => wire.hears(generate(packet));
  const { module } = wire;
  const connect = wire.sends(() => {});
  receives({ cmd: 'connack', returnCode: 0, sessionPresent: false });
  const inbound = (qos: 1 | 2, messageId: number): Packet => ({
    cmd: 'publish',
    topic,
    payload,
    qos,
    messageId,
    retain: false,
    dup: false,
  });
  const outbound = (qos: 0 | 1 | 2, messageId?: number): Packet => ({
    cmd: 'publish',
    topic,
    payload,
    qos,
    retain: false,
    dup: false,
    ...(messageId && { messageId }),
  });

  const frames: [name: string, frame: Buffer, packet: Packet][] = [
    [
      'CONNECT',
      connect,
      {
        cmd: 'connect',
        clientId: 'living-room',
        username: 'board',
        password: Buffer.from('secret'),
        keepalive: 60,
        clean: true,
        will: { topic: `${topic}/availability`, payload: Buffer.from('offline'), qos: 0, retain: false },
      },
    ],
    ['PUBLISH QoS 0', wire.sends(() => module.publish(topic, payload, 0, false)), outbound(0)],
    ['PUBLISH QoS 1', wire.sends(() => module.publish(topic, payload, 1, false)), outbound(1, 1)],
    ['PUBLISH QoS 2', wire.sends(() => module.publish(topic, payload, 2, false)), outbound(2, 2)],
    ['PUBREL', receives({ cmd: 'pubrec', messageId: 2 }), { cmd: 'pubrel', messageId: 2 }],
    ['PUBACK', receives(inbound(1, 7)), { cmd: 'puback', messageId: 7 }],
    ['PUBREC', receives(inbound(2, 8)), { cmd: 'pubrec', messageId: 8 }],
    ['PUBCOMP', receives({ cmd: 'pubrel', messageId: 8 }), { cmd: 'pubcomp', messageId: 8 }],
    [
      'SUBSCRIBE, 2 filters',
      wire.sends(() =>
        module.subscribe([
          { filter: 'myhome/#', qos: 1 },
          { filter: '+/底楼', qos: 0 },
        ]),
      ),
      {
        cmd: 'subscribe',
        messageId: 3,
        subscriptions: [
          { topic: 'myhome/#', qos: 1 },
          { topic: '+/底楼', qos: 0 },
        ],
      },
    ],
    [
      'UNSUBSCRIBE, 2 filters',
      wire.sends(() => module.unsubscribe(['myhome/#', '+/底楼'])),
      { cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['myhome/#', '+/底楼'] },
    ],
    ['PINGREQ', wire.sends(() => acknowledgeAll(module), 59_500), { cmd: 'pingreq' }],
    ['DISCONNECT', wire.sends(() => module.stop()), { cmd: 'disconnect' }],
  ];
  return frames.map(([name, frame, packet]) => {
    const peer = generate(packet);
    const differs = frame.length <= peer.length && !frame.equals(peer);
    return counted(`frame ${name}`, differs ? peer.length + 1 : frame.length, 'bytes', peer.length, 'mqtt-packet', peer.length);
  });
}
