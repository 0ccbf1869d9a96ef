import { Board } from '../board.js';
import { type Clock, realClock } from '../clock.js';
import {
  EVENT_CONFIG_REFUSED,
  EVENT_CONNECTED,
  EVENT_MESSAGE,
  EVENT_PUBLISHED,
  EVENT_RECORD_LOST,
  EVENT_STOPPED,
  EVENT_STORE_FAILED,
  EVENT_SUBSCRIBED,
  EVENT_UNSUBSCRIBED,
} from '../contract.js';
import { connectionError, errorCode, errorText, isForGood, journalError, TwobyteError } from '../errors.js';
import type { OpenLink } from '../links/link.js';
import { Assembly } from '../messages.js';
import { builtModule, ClientModule } from '../module.js';
import { configError, type QoS } from '../options.js';
import { type BrokerConnection, type BrokerListener, type Failure, failureBy } from './connection.js';
import type { Kept } from './kept.js';
import type { Publication } from './publication.js';
import type { Offered } from './taken.js';

export interface KeptConnectionParts {
  links: readonly OpenLink[];
  config: ReadonlyMap<number, string | number | Uint8Array>;
  kept: Kept;
  listener: BrokerListener;
  /** Bytes of the largest payload that is put together. */
  most: number;
  clock?: Clock;
  /** Calls an action when the present turn is over. */
  soon?(action: () => void): void;
  random?: () => number;
}

type Waiting =
  | { kind: 'publish' | 'unsubscribe'; done: (failure?: Failure) => void }
  | { kind: 'subscribe'; done: (granted: QoS | 128 | Failure) => void };

/** A connection whose messages outlive the gateway. Its owner hears of what the journal has by Kept, and of the rest by its listener. */
export class KeptConnection implements BrokerConnection {
  readonly #parts: KeptConnectionParts;
  readonly #board: Board<ClientModule>;
  readonly #assembly: Assembly;
  readonly #waiting = new Map<number, Waiting>();
  readonly #soon: (action: () => void) => void;
  #last = 'the connection ended';
  #configFault: TwobyteError | undefined;
  #isConnected = false;
  #stepWanted = false;
  #stopped = false;
  /** end() was called; it is called when the connection has ended. */
  #ended: (() => void) | undefined;
  #leaving = false;

  constructor(parts: KeptConnectionParts) {
    this.#parts = parts;
    this.#assembly = new Assembly(parts.most);
    this.#soon = parts.soon ?? setImmediate;
    const { links, config, kept, clock = realClock, random } = parts;
    this.#board = new Board(
      {
        links,
        config,
        clock,
        ...(random && { random }),
        storage: kept.storage(),
        event: (code, a, b) => this.#happened(code, a, b),
        stepped: () => this.#stepped(),
      },
      (imports) => new ClientModule(imports, builtModule('client-mqtt-journal')),
    );
    const result = this.#board.start();
    if (result < 0) throw this.#configFault ?? new TwobyteError(errorText(-result), errorCode(-result));
  }

  publish({ topic, payload, qos, retain }: Publication, done: (failure?: Failure) => void, offered?: Offered): void {
    const answer = this.#parts.kept.publishing(offered, () => this.#board.module.publish(topic, payload, qos, retain));
    if (qos === 0 && answer === 0) this.#soon(done);
    this.#asked(answer, { kind: 'publish', done });
  }

  subscribe(filter: string, qos: QoS, done: (granted: QoS | 128 | Failure) => void): void {
    this.#asked(this.#board.module.subscribe([{ filter, qos }]), { kind: 'subscribe', done });
  }

  unsubscribe(filter: string, done: (failure?: Failure) => void): void {
    this.#asked(this.#board.module.unsubscribe([filter]), { kind: 'unsubscribe', done });
  }

  end(force: boolean, done: () => void): void {
    if (this.#stopped) {
      this.#ended ??= done;
      this.#soon(done);
      return;
    }
    if (this.#ended) {
      this.#board.halt(); // it had its time
      this.#stopped = true;
      this.#failAll();
      this.#parts.kept.tell();
      this.#soon(done);
      return;
    }
    this.#ended = done;
    if (force || !this.#isConnected || this.#board.module.held === 0) this.#leave();
  }

  #asked(answer: number, waiting: Waiting): void {
    if (answer < 0) {
      const failure = failureBy(errorCode(-answer));
      this.#soon(() => waiting.done(failure));
      return;
    }
    if (answer > 0) this.#waiting.set(answer, waiting);
    if (this.#stepWanted) return;
    this.#stepWanted = true;
    this.#soon(() => {
      this.#stepWanted = false;
      this.#board.step();
    });
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#board.stop();
  }

  #stepped(): void {
    this.#parts.kept.tell();
    if (this.#ended && this.#board.module.held === 0) this.#leave();
  }

  #happened(code: number, a: number, b: number): void {
    const { listener, kept } = this.#parts;
    switch (code) {
      case EVENT_MESSAGE: {
        const message = this.#assembly.add(this.#board.module.message());
        if (message instanceof TwobyteError) this.#trouble(message);
        else if (message) kept.take({ topic: message.topic, payload: message.payload, qos: message.qos, retain: message.retain });
        return;
      }
      case EVENT_PUBLISHED:
      case EVENT_UNSUBSCRIBED: {
        const waiting = this.#answered(a);
        if (waiting && waiting.kind !== 'subscribe') waiting.done();
        return;
      }
      case EVENT_SUBSCRIBED: {
        const waiting = this.#answered(a);
        if (waiting?.kind === 'subscribe') waiting.done((b & 255) as QoS | 128);
        return;
      }
      case EVENT_CONNECTED:
        this.#isConnected = true;
        if (!this.#ended) listener.connected(a === 1);
        return;
      case EVENT_CONFIG_REFUSED:
        this.#configFault = configError(a, b);
        return;
      case EVENT_STORE_FAILED:
      case EVENT_RECORD_LOST:
        this.#trouble(journalError(code, a, b));
        return;
      case EVENT_STOPPED:
        this.#stopped = true;
        this.#failAll();
        if (this.#ended) this.#ended();
        else this.#tell(() => listener.refused(this.#last));
        return;
    }
    const error = connectionError(code, a, this.#board.linkMessage);
    if (!error) return;
    const { message } = error;
    this.#last = message;
    this.#isConnected = false;
    this.#assembly.reset();
    this.#tell(() => listener.away(message));
    if (this.#ended || isForGood(code, a)) this.#leave();
  }

  #answered(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #failAll(): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { done } of all) done('ended');
  }

  #trouble({ message }: Error): void {
    const { listener } = this.#parts;
    this.#soon(() => listener.trouble?.(message));
  }

  /** The module is being started, perhaps: nobody has this connection yet. */
  #tell(action: () => void): void {
    this.#soon(() => this.#ended || action());
  }
}
