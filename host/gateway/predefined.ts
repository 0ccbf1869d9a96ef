import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { topicFault } from './topics.js';

/** A file of pre-defined topics cannot be used. The message names the file, the line and the fault. */
export class PredefinedError extends Error {}

/** Topics whose ids all clients and the gateway know beforehand (SN 6.5). */
export class Predefined {
  readonly #byId = new Map<number, string>();
  readonly #byTopic = new Map<string, number>();

  constructor(topics: Iterable<readonly [id: number, topic: string]> = []) {
    for (const [id, topic] of topics) {
      this.#byId.set(id, topic);
      this.#byTopic.set(topic, id);
    }
  }

  get size(): number {
    return this.#byId.size;
  }

  entries(): Iterable<[id: number, topic: string]> {
    return this.#byId.entries();
  }

  topicOf(id: number): string | undefined {
    return this.#byId.get(id);
  }

  idOf(topic: string): number | undefined {
    return this.#byTopic.get(topic);
  }
}

/** Reads a file of lines `id topic`; empty lines and lines that begin with # are skipped. Throws a PredefinedError. */
export function readPredefined(path: string): Predefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new PredefinedError(`cannot read '${path}': ${(error as Error).message}`);
  }
  return parsePredefined(bytes, path);
}

/** The same from bytes; `name` is the file's, for messages. */
export function parsePredefined(bytes: Uint8Array, name: string): Predefined {
  const lineOfId = new Map<number, number>();
  const lineOfTopic = new Map<string, number>();
  const topics: [number, string][] = [];
  let number = 0;
  for (const line of linesOf(bytes)) {
    number++;
    const refuse = (fault: string) => new PredefinedError(`${name}:${number}: ${fault}`);
    if (!isUtf8(line) || line.includes(0)) throw refuse('the line is not UTF-8 text');
    const text = line
      .toString()
      .replace(number === 1 ? /^\ufeff/ : /$^/, '')
      .trim();
    if (text === '' || text.startsWith('#')) continue;
    const [, digits, topic] = /^(\S+)\s+(.+)$/.exec(text) ?? [];
    if (digits === undefined || topic === undefined) throw refuse(`'${text}' is not an id and a topic, as in: 1 myhome/底楼/客厅/温度`);
    const id = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
    if (id < 1 || id > 65_534) throw refuse(`the id '${digits}' is not a whole number from 1 to 65534`);
    const fault = topicFault(topic);
    if (fault) throw refuse(`topic '${topic}': ${fault}`);
    const sameId = lineOfId.get(id);
    if (sameId !== undefined) throw refuse(`the id ${id} was given in line ${sameId}`);
    const sameTopic = lineOfTopic.get(topic);
    if (sameTopic !== undefined) throw refuse(`the topic '${topic}' has an id since line ${sameTopic}`);
    lineOfId.set(id, number);
    lineOfTopic.set(topic, number);
    topics.push([id, topic]);
  }
  return new Predefined(topics);
}

/** Cut before it is decoded, so that bytes which are no text are found in their line. */
function* linesOf(bytes: Uint8Array): Generator<Buffer> {
  const whole = Buffer.from(bytes);
  for (let from = 0; from <= whole.length; ) {
    const end = whole.indexOf(0x0a, from);
    yield whole.subarray(from, end < 0 ? whole.length : end);
    if (end < 0) return;
    from = end + 1;
  }
}
