import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { connect } from '../../host/index.js';

// One client, dropped again and again by its broker. Prints what it holds after some reconnections, and after many.

const WARM = 2000;
const MANY = 4000;

const connack = Buffer.of(0x20, 2, 0, 0);
const server = createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', () => socket.end(connack));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const client = connect(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, { reconnectPeriod: 1, maxReconnectPeriod: 1 });
client.on('error', () => {});

let closed = 0;
client.on('close', () => closed++);

async function reconnects(count: number): Promise<void> {
  while (closed < count) await setTimeout(10);
}

function figures(): Record<string, number> {
  gc?.();
  gc?.();
  const listeners = client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0);
  const resources = process.getActiveResourcesInfo();
  return { heap: process.memoryUsage().heapUsed, listeners, timers: resources.filter((name) => name === 'Timeout').length };
}

await reconnects(WARM);
const before = figures();
await reconnects(MANY);
const after = figures();
console.log(JSON.stringify({ before, after }));
client.end(true);
server.close();
