import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type EmbeddedGateway, startGateway } from '../../host/gateway/embedded.js';
import { freePort, type Mosquitto, startMosquitto } from '../mosquitto.js';
import { Capture } from '../protocol/capture.js';
import { Capture as SnCapture } from '../protocol/sn/capture.js';
import type { Protocol } from './world.js';

/** How a gateway of a test connects to its broker: again at once. */
export const connection = { reconnectPeriod: 20, maxReconnectPeriod: 50 };

/** Where a broker may be, or a gateway with a broker behind it: it comes to the same ports each time, and knows nothing of before. */
export interface Place {
  /** For boards. */
  address: string;
  /** The broker's, for clients. */
  port: number;
  comes(): Promise<void>;
  goes(): Promise<void>;
  /** Over MQTT-SN the gateway stays. */
  brokerAlone: { comes(): Promise<void>; goes(): Promise<void> };
}

export async function placeFor(protocol: Protocol): Promise<Place> {
  const port = await freePort();
  const gatewayPort = protocol === 'mqtt-sn' ? await freeUdpPort() : 0;
  let broker: Mosquitto | undefined;
  let gateway: EmbeddedGateway | undefined;
  const brokerAlone = {
    async comes() {
      broker = await startMosquitto([], port);
    },
    async goes() {
      await broker?.stop();
    },
  };
  return {
    address: protocol === 'mqtt' ? `mqtt://127.0.0.1:${port}` : `mqtt-sn://127.0.0.1:${gatewayPort}`,
    port,
    async comes() {
      await brokerAlone.comes();
      if (protocol === 'mqtt-sn') gateway = await startGateway(`mqtt://127.0.0.1:${port}`, { port: gatewayPort, connection });
    },
    async goes() {
      await gateway?.close();
      await brokerAlone.goes();
    },
    brokerAlone,
  };
}

/** A port of 127.0.0.1 that no datagrams went to a moment ago. */
export async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}

/** A proxy between boards and what they connect to, whichever their protocol. */
export interface Wire {
  /** For boards. */
  address: string;
  /** From now on nothing that boards say arrives. */
  hold(): void;
  release(): void;
  /** Resolves when so many PINGRESPs came. */
  pinged(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function wireTo(protocol: Protocol, port: number): Promise<Wire> {
  if (protocol === 'mqtt') {
    const capture = await Capture.to(port);
    return {
      address: `mqtt://127.0.0.1:${capture.port}`,
      hold: () => capture.hold('client'),
      release: () => capture.release(),
      pinged: (count) => capture.until('server', 'PINGRESP', count),
      close: () => capture.close(),
    };
  }
  const capture = await SnCapture.to(port);
  return {
    address: `mqtt-sn://127.0.0.1:${capture.port}`,
    hold: () => capture.lose('client', undefined, Number.POSITIVE_INFINITY),
    release: () => capture.loseNothing(),
    pinged: (count) => capture.until('gateway', 'PINGRESP', count),
    close: () => capture.close(),
  };
}
