// Instructions of each operation and of a reading's way to the link, on every target and engine, beside the native peers.

import { counted, type Figure } from './figure.js';
import { type Bench, cost, type Operation, type Peer, type Protocol, peerCost, protocolNames } from './operations.js';

/**
 * Instructions of encoding a QoS 0 PUBLISH with Paho's embedded C libraries: MQTTSerialize_publish, and MQTTSNSerialize_publish of the one of
 * MQTT-SN. Constants: no package is known that has these libraries, so no run builds them. Measured once, native on x86-64, gcc -O2; which
 * versions was not noted.
 */
export const PAHO_ENCODE = 173;
const PAHO_SN_ENCODE = 171;
export const MEASURED_ONCE = 'measured once';

const operations: [name: string, what: string][] = [
  ['connect', 'start to CONNECT sent'],
  ['publish0', 'publish, QoS 0'],
  ['publish1', 'publish, QoS 1, to PUBACK'],
  ['publish2', 'publish, QoS 2, to PUBCOMP'],
  ['inbound0', 'inbound PUBLISH, QoS 0'],
  ['inbound1', 'inbound PUBLISH, QoS 1, with PUBACK'],
  ['inbound2', 'inbound PUBLISH, QoS 2, with PUBREC, PUBCOMP'],
  ['keepalive', 'keep alive: PINGREQ and PINGRESP'],
];

/** What is flashed, and what it speaks when it is measured. */
export const flashed: readonly [module: string, protocol: Protocol][] = [
  ['sensor-mqtt', 'mqtt'],
  ['sensor-mqttsn', 'mqttsn'],
  ['sensor', 'mqtt'],
  ['sensor', 'mqttsn'],
  ['sensor-mqtt-journal', 'mqtt'],
  ['sensor-mqttsn-journal', 'mqttsn'],
  ['sensor-journal', 'mqtt'],
  ['sensor-journal', 'mqttsn'],
];

export const over = (module: string, protocol: Protocol) => `${module} over ${protocolNames[protocol]}`;
export const place = ({ target, engine }: Bench) => `${target} ${engine}`;

/** Most instructions from the return of temperature() to the call of link_send(). */
function pathBound({ target, engine }: Bench, protocol: Protocol): number | null {
  if (target !== 'rv32') return null;
  return engine === 'aot' ? 1000 : protocol === 'mqtt' ? 6000 : 4000;
}

/** Most instructions of an operation: an earlier bound, twelve times the encoding alone. */
function operationBound(bench: Bench, { name, protocol }: Operation): number | null {
  return name === 'publish0' && protocol === 'mqtt' && place(bench) === 'x86-64 wasm3' ? 12 * PAHO_ENCODE : null;
}

/** All operations of the client's modules, each also of the native peers. */
export async function operationFigures(benches: readonly Bench[], peers: readonly Peer[]): Promise<Figure[]> {
  const rows = (['mqtt', 'mqttsn'] as const).flatMap((protocol) =>
    operations.map(async ([name, what]) => {
      const operation: Operation = { name, protocol, module: `client-${protocol}` };
      const [values, natives] = await Promise.all([
        Promise.all(benches.map((bench) => cost(bench, operation))),
        Promise.all(protocol === 'mqtt' ? peers.map((peer) => peerCost(peer, name)) : []),
      ]);
      const peer = natives[0] === undefined ? null : nativeName(peers[0]);
      return [
        ...benches.map((bench, i) => {
          const bound = operationBound(bench, operation);
          return { ...counted(what, values[i] ?? Number.NaN, 'instructions', bound, peer, natives[0] ?? null), on: place(bench) };
        }),
        ...natives.map((value, i) => ({ ...counted(what, value, 'instructions', null), on: nativeName(peers[i]) })),
      ].map((figure) => ({ ...figure, table: `Instructions an operation, client module, ${protocolNames[protocol]}` }));
    }),
  );
  return (await Promise.all(rows)).flat();
}

/** In a native client's figure are its calls with what they allocate and copy; neither the kernel nor the broker. */
export const nativeName = (peer: Peer | undefined) => `${peer?.name}, x86-64 native`;

/** What a reading costs a sensor in steady state at QoS 0: from reading to link, and the whole step. */
export async function readingFigures(benches: readonly Bench[]): Promise<Figure[]> {
  const rows = [
    ['path', 'Instructions from the return of temperature() to the call of link_send(), QoS 0'],
    ['step', 'Instructions of the whole step in which that happens'],
  ].flatMap(([name = '', table = '']) =>
    flashed.flatMap(([module, protocol]) =>
      benches.map(async (bench) => {
        const value = await cost(bench, { name, protocol, module });
        const bound = name === 'path' ? pathBound(bench, protocol) : null;
        const peer = name === 'path' ? (protocol === 'mqtt' ? 'Paho embedded C' : 'Paho MQTT-SN embedded C') : null;
        const encode = protocol === 'mqtt' ? PAHO_ENCODE : PAHO_SN_ENCODE;
        const figure = counted(
          over(module, protocol),
          value,
          'instructions',
          bound,
          peer && `${peer}, x86-64 native, encoding alone, ${MEASURED_ONCE}`,
          peer ? encode : null,
        );
        return { ...figure, table, on: place(bench) };
      }),
    ),
  );
  return Promise.all(rows);
}
