import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Aedes, type AedesOptions } from 'aedes';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** An MQTT 3.1.1 broker inside this process, for demonstrations and tests; it keeps nothing beyond its life. */
export interface Broker {
  /** mqtt://127.0.0.1:port */
  url: string;
  /** ws://127.0.0.1:port, where `websocket` was asked for. */
  websocketUrl: string | undefined;
  aedes: Aedes;
  close(): Promise<void>;
}

export interface BrokerOptions extends AedesOptions {
  /** Default: a free one. */
  port?: number;
  /** Listen for WebSocket connections too. Default false. */
  websocket?: boolean;
}

/** Starts a broker that listens on the loopback address only. */
export async function startBroker({ port = 0, websocket = false, ...options }: BrokerOptions = {}): Promise<Broker> {
  const aedes = await Aedes.createBroker(options);
  // A short answer behind another one would wait for the peer's delayed acknowledgement: 44 ms for each piece of a deployment.
  const servers: Server[] = [createServer({ noDelay: true }, (socket) => void aedes.handle(socket))];
  if (websocket) {
    const http = createHttpServer();
    // A broker answers with the subprotocol mqtt [MQTT-6.0.0-4].
    const sockets = new WebSocketServer({ server: http, handleProtocols: (asked) => asked.has('mqtt') && 'mqtt' });
    sockets.on('connection', (socket, request) => void aedes.handle(createWebSocketStream(socket), request));
    servers.push(http);
  }
  const ports = await Promise.all(servers.map((server, index) => listen(server, index === 0 ? port : 0)));
  return {
    url: `mqtt://127.0.0.1:${ports[0]}`,
    websocketUrl: websocket ? `ws://127.0.0.1:${ports[1]}` : undefined,
    aedes,
    async close() {
      await new Promise<void>((resolve) => aedes.close(resolve));
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
