import { Device } from './device.js';

interface ClientExports {
  topic_buffer(): number;
  payload_buffer(): number;
  set_topic(length: number): number;
  publish(length: number, qos: number, retain: number): number;
  add_filter(length: number, qos: number): number;
  subscribe(): number;
}

/** The same with a client module: the test says what it publishes. */
export class ClientDevice extends Device {
  get #calls(): ClientExports {
    return this.exports as unknown as ClientExports;
  }

  publish(topic: string, payload: string, qos: number): void {
    const calls = this.#calls;
    const length = this.#write(topic, calls.topic_buffer());
    const answers = [calls.set_topic(length), calls.publish(this.#write(payload, calls.payload_buffer()), qos, 0)];
    if (answers.some((answer) => answer < 0)) throw new Error(`publish answered ${answers}`);
    this.step();
  }

  subscribe(filter: string, qos: number): void {
    const calls = this.#calls;
    const answers = [calls.add_filter(this.#write(filter, calls.topic_buffer()), qos), calls.subscribe()];
    if (answers.some((answer) => answer < 0)) throw new Error(`subscribe answered ${answers}`);
    this.step();
  }

  #write(text: string, at: number): number {
    const bytes = Buffer.from(text);
    this.memory.set(bytes, at);
    return bytes.length;
  }
}
