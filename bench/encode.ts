import { generate } from 'mqtt-packet';
import { LINK_OPENED } from '../host/contract.js';
import { ClientModule } from '../host/module.js';
import { type Figure, median, ratio, timed } from './figure.js';

const ROUNDS = 7;
const PUBLISHES = 200_000;
/** Messages between two steps: the transmit buffer holds many more. */
const BATCH = 500;

/** The client module, connected to a link that takes everything. */
function connected(): ClientModule {
  const module = new ClientModule({
    linkOpen: () => 0,
    linkSend: (_link, bytes) => bytes.length,
    linkClose() {},
    random: () => 0,
    configText: () => undefined,
    configNumber: (_key, otherwise) => otherwise,
    temperature: () => 0,
    event() {},
  });
  module.start();
  module.step(0);
  module.linkChanged(0, LINK_OPENED);
  module.step(0);
  module.received(0, generate({ cmd: 'connack', returnCode: 0, sessionPresent: false }));
  module.step(0);
  return module;
}

/** Nanoseconds a call of `encode`, which gets the number of the message. */
function nanoseconds(encode: (i: number) => void): number {
  const start = process.hrtime.bigint();
  for (let i = 0; i < PUBLISHES; i++) encode(i);
  return Number(process.hrtime.bigint() - start) / PUBLISHES;
}

/** Encoding a QoS 0 PUBLISH from strings, with one topic and with a topic that changes each time, over mqtt-packet; alternating. */
export function encodeFigures(): Figure[] {
  const module = connected();
  const payloads = Array.from({ length: 16 }, (_, i) => (20 + i / 10).toFixed(1));
  const compare = (name: string, topics: readonly string[]): Figure[] => {
    const topic = (i: number) => topics[i % topics.length] ?? '';
    const payload = (i: number) => payloads[i % payloads.length] ?? '';
    const ours: number[] = [];
    const peers: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(
        nanoseconds((i) => {
          module.publish(topic(i), payload(i), 0, false);
          if (i % BATCH === 0) module.step(0);
        }),
      );
      peers.push(nanoseconds((i) => generate({ cmd: 'publish', topic: topic(i), payload: payload(i), qos: 0, dup: false, retain: false })));
    }
    const ratios = peers.map((peer, round) => peer / (ours[round] ?? Number.NaN));
    return [
      timed(`encode PUBLISH QoS 0 from strings, ${name}`, median(ours), 'ns', 'mqtt-packet generate', median(peers)),
      ratio(`encode PUBLISH QoS 0 from strings, ${name}, speed`, median(ratios), 3, 'mqtt-packet generate', 1),
    ];
  };
  return [
    ...compare('one topic', ['myhome/底楼/客厅/温度']),
    ...compare(
      '16 topics in turn',
      Array.from({ length: 16 }, (_, i) => `myhome/底楼/客厅${i}/温度`),
    ),
  ];
}
