import * as sn from '../../host/gateway/encode.js';
import { published, world } from '../gateway/world.js';

// A gateway in virtual time that many clients visit, each with an id of its own: they register, publish, and leave in order or by
// silence. Prints what it holds when some have left, and when many have.

const WARM = 5000;
const MANY = 15_000;
/** So many addresses take turns. */
const ADDRESSES = 500;

const { clock, gateway, broker, device } = world();

function visit(number: number): void {
  const visitor = device(`device ${number % ADDRESSES}`);
  visitor.connects(`visitor-${number}`, { duration: 10 });
  const id = visitor.registers(`visits/${number}`);
  visitor.sends(published(id, 'hello', { qos: 1, msgId: 1 }));
  if (number % 2) visitor.sends(sn.disconnect());
  clock.advance(100);
}

function visits(from: number, to: number): void {
  for (let number = from; number < to; number++) visit(number);
}

function figures(): Record<string, number> {
  broker.connections.length = broker.published.length = 0; // the test's own notes
  clock.advance(3_600_000);
  gc?.();
  gc?.();
  return { heap: process.memoryUsage().heapUsed, clients: gateway.clients.length };
}

visits(0, WARM);
const before = figures();
visits(WARM, MANY);
const after = figures();
console.log(JSON.stringify({ before, after }));
