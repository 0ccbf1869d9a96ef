import type { Device, Peer } from './device.js';

/** A command on its way to the device. */
interface Command {
  payload: string;
  qos: 1 | 2;
  id: number;
  /** PUBREC came. */
  isReleased: boolean;
}

/** An MQTT broker of one session that keeps it, in as few lines and bytes as a simulated year bears. */
export class SoakBroker implements Peer {
  readonly datagrams = false;
  readonly #device: Device;
  /** Bytes of the topic of readings, the only one of its length. */
  readonly #topicLength: number;
  readonly #commandTopic: string;
  #isConnected = false;
  #hasSession = false;
  readonly #open = new Set<number>();
  #commands: Command[] = [];
  #nextId = 0;
  #retained: string | undefined;

  constructor(device: Device, topic: string, commandTopic: string) {
    this.#device = device;
    this.#topicLength = Buffer.byteLength(topic);
    this.#commandTopic = commandTopic;
  }

  get waits(): boolean {
    return this.#commands.length > 0;
  }

  ended(): void {
    this.#isConnected = false;
  }

  forgets(): void {
    this.#hasSession = false;
    this.#open.clear();
    this.#commands = [];
  }

  command(payload: string, retain = false): void {
    if (retain) this.#retained = payload;
    if (!this.#hasSession) return;
    this.#nextId = (this.#nextId % 65_535) + 1;
    // At QoS 2, too: a kept session may hold the subscription of an earlier configuration.
    const command: Command = { payload, qos: this.#nextId % 2 ? 1 : 2, id: this.#nextId, isReleased: false };
    this.#commands.push(command);
    if (this.#isConnected && this.#commands.length === 1) this.#send(command, 0);
  }

  #send({ payload, qos, id, isReleased }: Command, dup: number): void {
    if (isReleased) {
      this.#device.answer(Uint8Array.of(0x62, 2, id >> 8, id & 255));
      return;
    }
    const topic = Buffer.from(this.#commandTopic);
    const length = 2 + topic.length + 2 + payload.length;
    this.#device.answer(
      Buffer.concat([
        Buffer.of(0x30 | dup | (qos << 1), length, 0, topic.length),
        topic,
        Buffer.of(id >> 8, id & 255),
        Buffer.from(payload),
      ]),
    );
  }

  registers(): void {}

  expels(): void {
    this.#device.answer(Uint8Array.of(0xf0, 0));
  }

  renumbers(): void {
    this.#nextId = 0;
  }

  takes(memory: Uint8Array, at: number, length: number): void {
    const end = at + length;
    while (at < end) {
      const first = memory[at] ?? 0;
      let size = memory[at + 1] ?? 0;
      let body = at + 2;
      if (size > 127) {
        size = (size & 127) | ((memory[body] ?? 0) << 7);
        body++;
      }
      if (body + size > end) throw new Error('half a packet');
      this.#packet(first, memory, body, size);
      at = body + size;
    }
  }

  #packet(first: number, memory: Uint8Array, body: number, size: number): void {
    const high = memory[body] ?? 0;
    const low = memory[body + 1] ?? 0;
    switch (first >> 4) {
      case 1:
        this.#welcome();
        return;
      case 3:
        this.#message(first, memory, body, size);
        return;
      case 4:
      case 7:
        this.#commands.shift();
        if (this.#commands[0]) this.#send(this.#commands[0], 0);
        return;
      case 5: {
        const command = this.#commands[0];
        if (command) command.isReleased = true;
        this.#device.answer(Uint8Array.of(0x62, 2, high, low));
        return;
      }
      case 6:
        this.#open.delete((high << 8) | low);
        this.#device.answer(Uint8Array.of(0x70, 2, high, low));
        return;
      case 8:
        this.#device.answer(Uint8Array.of(0x90, 3, high, low, memory[body + size - 1] ?? 0));
        if (this.#retained && !this.waits) this.command(this.#retained);
        return;
      case 12:
        this.#device.answer(Uint8Array.of(0xd0, 0));
        return;
      case 14:
        return;
    }
    throw new Error(`a packet that no client sends: ${first}`);
  }

  #welcome(): void {
    this.#device.answer(Uint8Array.of(0x20, 2, this.#hasSession ? 1 : 0, 0));
    this.#isConnected = this.#hasSession = true;
    if (this.#commands[0]) this.#send(this.#commands[0], 8);
  }

  #message(first: number, memory: Uint8Array, body: number, size: number): void {
    const qos = (first >> 1) & 3;
    const topicLength = ((memory[body] ?? 0) << 8) | (memory[body + 1] ?? 0);
    let at = body + 2 + topicLength;
    const id = qos ? ((memory[at] ?? 0) << 8) | (memory[at + 1] ?? 0) : 0;
    if (qos) at += 2;
    if (qos < 2 || !this.#open.has(id)) {
      if (topicLength === this.#topicLength) this.#device.delivered(memory, at, body + size - at);
      else this.#device.counts.availability++;
      if (qos === 2) this.#open.add(id);
    }
    if (qos) this.#device.answer(Uint8Array.of(qos === 1 ? 0x40 : 0x50, 2, id >> 8, id & 255));
  }
}
