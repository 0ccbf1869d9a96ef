import type { Device, Peer } from './device.js';

const RESEND_MS = 15_000;

/** An MQTT-SN gateway of one client that keeps its session and registers, in as few lines as a simulated year bears. */
export class SoakGateway implements Peer {
  readonly datagrams = true;
  readonly #device: Device;
  readonly #topic: string;
  readonly #commandTopic: string;
  #state: 'unknown' | 'active' | 'asleep' = 'unknown';
  #topics = new Map<string, number>();
  #readingId = 0;
  #commandId = 0;
  /** Each start of the gateway gives out ids of its own. */
  #nextTopicId = 0;
  readonly #open = new Set<number>();
  #commands: string[] = [];
  #messageId = 0;
  #sentAt = 0;
  #pinged = false;
  #retained: string | undefined;

  constructor(device: Device, topic: string, commandTopic: string) {
    this.#device = device;
    this.#topic = topic;
    this.#commandTopic = commandTopic;
  }

  get waits(): boolean {
    return this.#commands.length > 0;
  }

  ended(): void {}

  forgets(): void {
    this.#state = 'unknown';
    this.#topics.clear();
    this.#open.clear();
    this.#commands = [];
    this.#readingId = this.#commandId = 0;
    this.#nextTopicId = (this.#nextTopicId + 8) & 0xff;
  }

  command(payload: string, retain = false): void {
    if (retain) this.#retained = payload;
    if (!this.#commandId) return;
    this.#commands.push(payload);
    if (this.#commands.length > 1) return;
    this.#messageId = (this.#messageId % 65_535) + 1;
    if (this.#state === 'active') this.#sendCommand(0);
  }

  #sendCommand(dup: number): void {
    const [payload = ''] = this.#commands;
    const [topic, id] = [this.#commandId, this.#messageId];
    this.#sentAt = this.#device.now;
    this.#answer(7 + payload.length, 0x0c, dup | 0x20, topic >> 8, topic & 255, id >> 8, id & 255, ...Buffer.from(payload));
  }

  #answer(...bytes: number[]): void {
    this.#device.answer(Uint8Array.from(bytes));
  }

  registers(): void {
    this.#registerCommand();
  }

  expels(): void {
    this.#state = 'unknown';
    this.#answer(2, 0x18);
  }

  renumbers(): void {
    this.#messageId = this.#nextTopicId = 0;
  }

  takes(memory: Uint8Array, at: number, length: number): void {
    if (memory[at] !== length) throw new Error('a datagram that does not have its length');
    const type = memory[at + 1] ?? 0;
    const p = at + 2;
    if (this.#state === 'unknown' && type !== 0x04 && type !== 0x07 && type !== 0x09) {
      this.#answer(2, 0x18);
      return;
    }
    if (this.waits && this.#state === 'active' && this.#device.now - this.#sentAt > RESEND_MS) this.#sendCommand(0x80);
    const high = memory[p] ?? 0;
    const low = memory[p + 1] ?? 0;
    switch (type) {
      case 0x04: // CONNECT, with a will or of a sleeper
        if (high & 8) {
          this.#answer(2, 0x06);
          return;
        }
        this.#state = 'active';
        this.#answer(3, 0x05, 0);
        return;
      case 0x07:
        this.#answer(2, 0x08);
        return;
      case 0x09:
        this.#state = 'active';
        this.#topics.clear();
        this.#readingId = this.#commandId = 0;
        this.#answer(3, 0x05, 0);
        return;
      case 0x0a: {
        const id = this.#register(Buffer.from(memory.subarray(at + 6, at + length)).toString());
        this.#answer(7, 0x0b, id >> 8, id & 255, memory[p + 2] ?? 0, memory[p + 3] ?? 0, 0);
        return;
      }
      case 0x0c:
        this.#message(memory, at, length);
        return;
      case 0x0d: // PUBACK of a command
        if (memory[p + 4] === 2) {
          this.#registerCommand();
          return;
        }
        this.#commands.shift();
        if (this.waits) {
          this.#messageId = (this.#messageId % 65_535) + 1;
          this.#sendCommand(0);
        } else if (this.#pinged) {
          this.#pinged = false;
          this.#answer(2, 0x17);
        }
        return;
      case 0x10:
        this.#open.delete((high << 8) | low);
        this.#answer(4, 0x0e, high, low);
        return;
      case 0x12: {
        const id = this.#register(Buffer.from(memory.subarray(at + 5, at + length)).toString());
        this.#answer(8, 0x13, 0x20, id >> 8, id & 255, memory[p + 1] ?? 0, memory[p + 2] ?? 0, 0);
        if (this.#retained && !this.waits) this.command(this.#retained);
        return;
      }
      case 0x16:
        if (this.waits) {
          this.#pinged = true;
          this.#sendCommand(0);
          return;
        }
        this.#answer(2, 0x17);
        return;
      case 0x18:
        this.#state = length > 2 ? 'asleep' : 'unknown';
        this.#answer(2, 0x18);
        return;
      case 0x0b: // REGACK
        if (this.waits) this.#sendCommand(0);
        return;
      case 0x17:
        return;
    }
    throw new Error(`a message that no client sends: ${type}`);
  }

  #register(name: string): number {
    let id = this.#topics.get(name);
    if (!id) {
      id = this.#nextTopicId + this.#topics.size + 1;
      this.#topics.set(name, id);
      if (name === this.#topic) this.#readingId = id;
      if (name === this.#commandTopic) this.#commandId = id;
    }
    return id;
  }

  /** The device has forgotten the topic of the command. */
  #registerCommand(): void {
    const name = Buffer.from(this.#commandTopic);
    this.#answer(6 + name.length, 0x0a, this.#commandId >> 8, this.#commandId & 255, 0, 1, ...name);
  }

  #message(memory: Uint8Array, at: number, length: number): void {
    const flags = memory[at + 2] ?? 0;
    const topic = ((memory[at + 3] ?? 0) << 8) | (memory[at + 4] ?? 0);
    const high = memory[at + 5] ?? 0;
    const low = memory[at + 6] ?? 0;
    const id = (high << 8) | low;
    const qos = (flags >> 5) & 3;
    const isKnown = [...this.#topics.values()].includes(topic);
    if (!isKnown) {
      this.#answer(7, 0x0d, topic >> 8, topic & 255, high, low, 2);
      return;
    }
    if (qos < 2 || !this.#open.has(id)) {
      if (topic === this.#readingId) this.#device.delivered(memory, at + 7, length - 7);
      else this.#device.counts.availability++;
      if (qos === 2) this.#open.add(id);
    }
    if (qos === 1) this.#answer(7, 0x0d, topic >> 8, topic & 255, high, low, 0);
    else if (qos === 2) this.#answer(4, 0x0f, high, low);
  }
}
