import { builtModule, type Imports, Module } from '../../host/module.js';
import { type Config, OpenClient } from './history.js';
import { SnClientHistory, SnHistory, type SnOptions } from './sn-history.js';

interface SnExports {
  topic_buffer(): number;
  payload_buffer(): number;
  sleep(seconds: number): number;
  wake(): void;
  collect(): void;
  update_will_topic(length: number, qos: number, retain: number): number;
  update_will_payload(length: number): number;
}

/** The client module with what only MQTT-SN has. */
export class SnClient extends OpenClient {
  get #sn(): SnExports {
    return this.exports as unknown as SnExports;
  }

  sleep(seconds: number): number {
    return this.#sn.sleep(seconds);
  }

  wake(): void {
    this.#sn.wake();
  }

  collect(): void {
    this.#sn.collect();
  }

  updateWillTopic(topic: string, qos = 0, retain = false): number {
    this.publish('', '', 0, false); // its topic buffer is written anew
    return this.#sn.update_will_topic(this.#write(topic, this.#sn.topic_buffer()), qos, retain ? 1 : 0);
  }

  updateWillPayload(payload: string): number {
    return this.#sn.update_will_payload(this.#write(payload, this.#sn.payload_buffer()));
  }

  /** `filters` bytes in the topic buffer are a filter of a subscription. */
  subscribeTo(filter: string, qos = 0): number {
    return this.subscribe([{ filter, qos }]);
  }

  #write(text: string, at: number): number {
    return this.memory.write(text, at);
  }
}

export class SnClientOnClock extends SnClientHistory {
  constructor(options: SnOptions = {}, module = 'client-mqttsn') {
    super(options, (imports: Imports) => new SnClient(imports, builtModule(module)));
  }

  override get module(): SnClient {
    return super.module as SnClient;
  }

  /** Registers `topic`, which becomes `id`; the client has asked for nothing since it connected. */
  registers(topic: string, id: string): this {
    this.publish(topic, '', 0);
    const [register] = this.heard();
    this.says(`07 0b ${id} ${register?.toString('hex', 4, 6)} 00`);
    this.heard();
    return this;
  }

  /** Asleep for `seconds`, from connected with nothing to do. */
  fallsAsleep(seconds = 60): this {
    this.module.sleep(seconds);
    this.hears(`04 18 ${seconds.toString(16).padStart(4, '0')}`);
    this.says('02 18');
    this.happens(`asleep ${seconds} 0`);
    return this;
  }
}

export const snClient = (config: Config = [], options: SnOptions = {}): SnClientOnClock => new SnClientOnClock({ ...options, config });

export const snSensor = (config: Config = [], options: SnOptions = {}, module = 'sensor-mqttsn'): SnHistory<Module> =>
  new SnHistory((imports) => new Module(builtModule(module), imports), { thermometers: [() => 23_449], ...options, config });
