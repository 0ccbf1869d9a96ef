import { setImmediate } from 'node:timers/promises';
import { type EmbeddedGateway, startGateway } from '../gateway/embedded.js';
import { connection, freePort, freeUdpPort, type OwnBroker, type OwnBrokerOptions, type Protocol } from './ground.js';
import type { ScriptedProxy } from './proxy.js';

/** Where a broker may be, or a gateway with a broker behind it: it comes to the same ports each time, and knows nothing of before. */
export interface Place {
  /** For boards: of the proxy in front, which comes and goes with it. */
  address: string;
  /** What is behind that proxy: a port of the loopback address. */
  target: number;
  /** The broker's, for clients. */
  port: number;
  comes(): Promise<void>;
  goes(): Promise<void>;
  /** Over MQTT-SN the gateway stays. */
  brokerAlone: { comes(): Promise<void>; goes(): Promise<void> };
}

export interface PlaceParts {
  startBroker(options: OwnBrokerOptions): Promise<OwnBroker>;
  /** Starts a proxy at `port` to what is at `target`. */
  startProxy(target: number, port: number): Promise<ScriptedProxy>;
}

export async function placeFor(protocol: Protocol, { startBroker, startProxy }: PlaceParts): Promise<Place> {
  const overSn = protocol === 'mqtt-sn';
  const port = await freePort();
  const target = overSn ? await freeUdpPort() : port;
  const front = await (overSn ? freeUdpPort() : freePort());
  let broker: OwnBroker | undefined;
  let gateway: EmbeddedGateway | undefined;
  let proxy: ScriptedProxy | undefined;
  const brokerAlone = {
    async comes() {
      broker = await startBroker({ port });
    },
    async goes() {
      await broker?.stop();
    },
  };
  return {
    address: `${protocol}://127.0.0.1:${front}`,
    target,
    port,
    async comes() {
      await brokerAlone.comes();
      if (overSn) gateway = await startGateway(`mqtt://127.0.0.1:${port}`, { port: target, connection });
      proxy = await startProxy(target, front);
    },
    async goes() {
      const closing = gateway?.close();
      for (let turn = 0; turn < 2; turn++) await setImmediate(); // its farewell is read from the proxy's socket, and passes
      await proxy?.close(); // before a board tries again: only a closed port tells it at once that nobody is there
      await closing;
      await brokerAlone.goes();
    },
    brokerAlone,
  };
}
