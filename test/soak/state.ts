import { RECORD_MESSAGE, RECORD_TOPIC } from '../../host/contract.js';
import type { Device, State } from './device.js';

export const TOPIC = 'myhome/底楼/客厅/温度';
export const AVAILABILITY_TOPIC = 'myhome/底楼/状态';
export const COMMAND_TOPIC = 'myhome/set';

/** The state of a module at a mark, and what had moved on by then. */
export interface Mark extends State {
  moved: Record<string, number>;
}

export function marked(device: Device, moved: Readonly<Record<string, number>> = {}): Mark {
  const of = (kind: number) => [...device.records].filter(([key]) => key >> 16 === kind).map(([, record]) => Buffer.from(record));
  const sequence = Math.max(0, ...of(RECORD_MESSAGE).map((record) => record.readInt32LE(4)));
  const epoch = Math.max(0, ...of(RECORD_TOPIC).map((record) => record.readUInt16LE(4)));
  return { ...device.state, moved: { ...moved, sequence, epoch } };
}

/**
 * What of the state is not as it was at another mark, but for what moves on by its nature: the counts of dropped readings and datagrams
 * (events tell them), over MQTT-SN the message id of the last REGISTER, which wraps; in a journal the turns of the packet identifiers, which are the
 * upper half of the sequence, and the epoch of the topics, both also in records, behind their check.
 */
export function drift(before: Mark, after: Mark): string[] {
  const pairs = Object.entries(after.moved).map(([name, to]) => [before.moved[name] ?? 0, to] as const);
  const turns = pairs.map(([from, to]) => [from & ~0xffff, to & ~0xffff] as const);
  // Behind a shorter message lies what is left of a REGACK, in the buffer and where its topic id would be.
  const [from = 0, to = 0] = [before.moved.registration, after.moved.registration];
  const left = [
    [from >> 8, to >> 8],
    [from & 255, to & 255],
    [(from & 255) << 8, (to & 255) << 8],
  ] as const;
  const isCount = (a: number, b: number) => [...pairs, ...turns].some(([from, to]) => from === a && to === b);
  const isLeft = (a: number, b: number) => left.some(([from, to]) => from === a && to === b);
  const variables = [...before.variables.keys()]
    .map((i) => [before.variables[i] ?? 0, after.variables[i] ?? 0] as const)
    .filter(([from, to]) => from !== to && !isCount(from, to) && !isLeft(from, to))
    .map(([from, to]) => `a variable: ${from} then ${to}`);
  const records = recordHeads(before, after);
  const bytes: string[] = [];
  for (let i = 0; i < before.memory.length; i++) {
    const [a = 0, b = 0] = [before.memory[i], after.memory[i]];
    if (a === b || records.has(i) || isLeft(a, b)) continue;
    const word = i & ~3;
    if (!isCount(before.memory.readInt32LE(word), after.memory.readInt32LE(word))) bytes.push(`byte ${i}: ${a} then ${b}`);
  }
  return [...variables, ...bytes];
}

/** Of a reading: sixteen bytes, its topic, six of payload. */
const RECORD_BYTES = 16 + Buffer.byteLength(TOPIC) + 6;

/** Addresses of what moves on in the records that lie in memory, also in what is left of old ones: turn or epoch, and the check before it. */
function recordHeads(before: Mark, after: Mark): Set<number> {
  const heads = new Set<number>();
  const find = (from: number, to: number) => {
    for (let i = 0; from !== to && i + 2 <= before.memory.length; i++) {
      if (before.memory.readUInt16LE(i) !== from || after.memory.readUInt16LE(i) !== to) continue;
      for (const at of [i, i + 1, ...[0, 1, 2, 3].map((byte) => i - 6 + byte)]) heads.add(at);
    }
  };
  const [from, to] = [(before.moved.sequence ?? 0) >>> 16, (after.moved.sequence ?? 0) >>> 16];
  find(from, to);
  find(from - 1, to - 1); // of the turn before
  if (!to) return heads;
  for (const topic of [TOPIC, AVAILABILITY_TOPIC, COMMAND_TOPIC])
    for (let at = after.memory.indexOf(topic); at >= 0; at = after.memory.indexOf(topic, at + 1)) {
      for (let i = 3; i <= 8; i++) heads.add(at - i);
      // Behind a shorter name among the registered topics lies what is left of a longer one.
      for (let i = Buffer.byteLength(topic); i < Buffer.byteLength(TOPIC); i++) heads.add(at + i);
    }
  // The outbox ends before the topic of the configuration, with less than a record of what was there once.
  const end = after.memory.lastIndexOf(TOPIC);
  for (let i = end - RECORD_BYTES; i < end; i++) heads.add(i);
  return heads;
}
