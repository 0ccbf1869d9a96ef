import type { ClientOptions } from '../options.js';
import { brokerAt } from './broker.js';
import { Gateway, type GatewayParts } from './gateway.js';
import { openUdp, type UdpOptions } from './udp.js';

/** A gateway inside this process, for demonstrations and tests. */
export interface EmbeddedGateway {
  /** mqtt-sn://127.0.0.1:port */
  url: string;
  port: number;
  gateway: Gateway;
  /** Ends in order: its clients are told. Once more does nothing. */
  close(): Promise<void>;
}

export interface EmbeddedOptions extends Partial<Pick<UdpOptions, 'port' | 'group'>>, Omit<GatewayParts, 'transport' | 'openBroker'> {
  /** What all its connections to the broker share. */
  connection?: ClientOptions;
}

/** Starts a gateway to the broker at `url` that listens on the loopback address only, at a free port unless told which. */
export async function startGateway(url: string, { port = 0, group, connection, ...parts }: EmbeddedOptions = {}): Promise<EmbeddedGateway> {
  let receive: Gateway['receive'] = () => {};
  const udp = await openUdp({ port, host: '127.0.0.1', ...(group && { group }) }, (datagram, peer) => receive(datagram, peer));
  const gateway = new Gateway({ ...parts, transport: udp, openBroker: brokerAt(url, connection) });
  receive = gateway.receive.bind(gateway);
  gateway.start();
  let closed: Promise<void> | undefined;
  return {
    url: `mqtt-sn://127.0.0.1:${udp.port}`,
    port: udp.port,
    gateway,
    close() {
      closed ??= new Promise<void>((resolve) => {
        gateway.stop(resolve);
        udp.close(); // at once: a client that connects again must not speak to one that does not answer
      });
      return closed;
    },
  };
}
