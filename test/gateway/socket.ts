import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { decode } from '../../host/gateway/decode.js';
import * as sn from '../../host/gateway/encode.js';
import type { Message } from '../../host/gateway/messages.js';
import { describe } from './world.js';

const DEADLINE_MS = 15_000;

/** The message of a type, where several types may share their fields. */
export type Answer<Type, One = Message> = One extends { type: infer Types } ? (Type extends Types ? One : never) : never;

/** A device with a UDP socket. It answers what a client owes by itself, so that a test only waits for what it is about. */
export class SocketDevice implements AsyncDisposable {
  /** Payloads of what was delivered, each once. */
  readonly delivered: string[] = [];
  readonly lines: string[] = [];
  readonly #socket: Socket;
  readonly #port: number;
  readonly #messages: Message[] = [];
  #changed = () => {};
  readonly #received = new Set<number>();

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (datagram) => this.#take(datagram));
  }

  /** A device that speaks to the gateway at `port` of this machine. */
  static async to(port: number): Promise<SocketDevice> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new SocketDevice(socket, port);
  }

  get port(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  send(datagram: Uint8Array): void {
    this.#socket.send(datagram, this.#port, '127.0.0.1');
  }

  /** Sends, and waits for an answer of `type`. */
  async ask<Type extends Message['type']>(datagram: Uint8Array, type: Type): Promise<Answer<Type>> {
    this.#messages.length = 0;
    this.send(datagram);
    return this.hears(type);
  }

  async hears<Type extends Message['type']>(type: Type): Promise<Answer<Type>> {
    await this.until(() => this.#messages.some((message) => message.type === type), `hear ${type}`);
    const at = this.#messages.findIndex((message) => message.type === type);
    return this.#messages.splice(at, 1)[0] as Answer<Type>;
  }

  async connects(clientId: string, { clean = true, duration = 60 } = {}): Promise<void> {
    const { code } = await this.ask(sn.connect({ will: false, clean, duration, clientId }), 'CONNACK');
    assert.equal(code, 0);
  }

  async connectsWithWill(clientId: string, topic: string, message: string): Promise<void> {
    await this.ask(sn.connect({ will: true, clean: true, duration: 60, clientId }), 'WILLTOPICREQ');
    await this.ask(sn.willtopic({ qos: 1, retain: false, topic }), 'WILLMSGREQ');
    assert.equal((await this.ask(sn.willmsg(Buffer.from(message)), 'CONNACK')).code, 0);
  }

  async subscribes(topicName: string, qos: 0 | 1 | 2): Promise<void> {
    const request = sn.subscribe({ dup: false, qos, msgId: 1, topicType: 0, topicId: 0, topicName });
    assert.equal((await this.ask(request, 'SUBACK')).code, 0);
  }

  async registers(topic: string): Promise<number> {
    return (await this.ask(sn.register(0, 2, topic), 'REGACK')).topicId;
  }

  /** Waits until something holds, which may change with each message that comes. */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    while (!condition()) {
      await new Promise<void>((resolve, reject) => {
        this.#changed = resolve;
        deadline.addEventListener('abort', () => reject(new Error(`the device did not ${what}; it heard:\n${this.lines.join('\n')}`)), {
          once: true,
        });
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #take(datagram: Uint8Array): void {
    const message = decode(datagram);
    assert.ok(typeof message !== 'string', String(message));
    this.lines.push(describe(message));
    this.#messages.push(message);
    if (message.type === 'REGISTER') this.send(sn.regack(message.topicId, message.msgId, 0));
    if (message.type === 'PUBREL') {
      this.#received.delete(message.msgId);
      this.send(sn.pubcomp(message.msgId));
    }
    if (message.type === 'PUBREC') this.send(sn.pubrel(message.msgId));
    if (message.type === 'PUBLISH') {
      const { qos, msgId, topicId } = message;
      if (qos < 2 || !this.#received.has(msgId)) this.delivered.push(Buffer.from(message.data).toString());
      if (qos === 1) this.send(sn.puback(topicId, msgId, 0));
      if (qos === 2) {
        this.#received.add(msgId);
        this.send(sn.pubrec(msgId));
      }
    }
    this.#changed();
  }
}
