import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { brokerAt } from '../../host/gateway/broker.js';
import { decode } from '../../host/gateway/decode.js';
import * as sn from '../../host/gateway/encode.js';
import { Gateway } from '../../host/gateway/gateway.js';
import type { Limits } from '../../host/gateway/limits.js';
import type { Message } from '../../host/gateway/messages.js';
import { Predefined } from '../../host/gateway/predefined.js';
import { openUdp } from '../../host/gateway/udp.js';
import type { Answer } from '../gateway/socket.js';
import { Heard } from '../interop/peers.js';

/** A gateway at a port of its own, before the broker at `url`; it ends with the test. Answers its address. */
export async function gatewayBefore(
  t: TestContext,
  url: string,
  { limits = {}, predefined = {} }: { limits?: Partial<Limits>; predefined?: Record<number, string> } = {},
): Promise<string> {
  let gateway: Gateway | undefined;
  const transport = await openUdp({ port: 0, host: '127.0.0.1' }, (datagram, peer) => gateway?.receive(datagram, peer));
  const topics = Object.entries(predefined).map(([id, topic]) => [Number(id), topic] as const);
  const running = new Gateway({ transport, openBroker: brokerAt(url), limits, predefined: new Predefined(topics) });
  gateway = running;
  t.after(async () => {
    await new Promise<void>((resolve) => running.stop(resolve));
    transport.close();
  });
  return `mqtt-sn://127.0.0.1:${transport.port}`;
}

/** What a gateway says to a message: nothing, or a datagram or more. */
export type Script = (message: Message) => Uint8Array | Uint8Array[] | undefined;

/** Says yes to everything a client asks for. */
export const agreeable: Script = (message) => {
  switch (message.type) {
    case 'SEARCHGW':
      return sn.gwinfo(7);
    case 'CONNECT':
      return message.will ? sn.willtopicreq() : sn.connack(0);
    case 'WILLTOPIC':
      return sn.willmsgreq();
    case 'WILLMSG':
      return sn.connack(0);
    case 'REGISTER':
      return sn.regack(1, message.msgId, 0);
    case 'PUBLISH':
      return message.qos === 1 ? sn.puback(message.topicId, message.msgId, 0) : undefined;
    case 'SUBSCRIBE':
      return sn.suback(message.qos, 0, message.msgId, 0);
    case 'PINGREQ':
      return sn.pingresp();
    case 'DISCONNECT':
      return sn.disconnect();
    case 'WILLTOPICUPD':
      return sn.willtopicresp(0);
    case 'WILLMSGUPD':
      return sn.willmsgresp(0);
  }
  return undefined;
};

/** A gateway that answers as a test wants: by its own script where that answers, else agreeably. An empty answer is silence. */
export class ScriptedGateway {
  readonly heard = new Heard<Message>();
  readonly #socket: Socket;
  #script: Script;
  #peer: RemoteInfo | undefined;

  private constructor(socket: Socket, script: Script) {
    this.#socket = socket;
    this.#script = script;
    socket.on('message', (datagram, from) => {
      this.#peer = from;
      const message = decode(datagram);
      if (typeof message === 'string') throw new Error(`${message}: ${datagram.toString('hex')}`);
      this.heard.add(message);
      const answers = this.#script(message) ?? agreeable(message) ?? [];
      for (const answer of Array.isArray(answers) ? answers : [answers]) this.send(answer);
    });
  }

  static async at(t: TestContext, script: Script = () => undefined): Promise<ScriptedGateway> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    return new ScriptedGateway(socket, script);
  }

  get url(): string {
    return `mqtt-sn://127.0.0.1:${(this.#socket.address() as AddressInfo).port}`;
  }

  /** Sends to whoever was heard last. */
  send(datagram: Uint8Array): void {
    if (this.#peer) this.#socket.send(datagram, this.#peer.port, this.#peer.address);
  }

  /** Answers differently from now on. */
  follows(script: Script): void {
    this.#script = script;
  }

  /** From now on it says nothing. */
  dies(): void {
    this.#script = () => [];
  }

  /** Waits for the message of a type, the first or a later one. */
  async hears<Type extends Message['type']>(type: Type, count = 1): Promise<Answer<Type>> {
    const of = (all: readonly Message[]) => all.filter((message) => message.type === type);
    const all = await this.heard.until((messages) => of(messages).length >= count, `${type} number ${count}`);
    return of(all)[count - 1] as Answer<Type>;
  }
}
