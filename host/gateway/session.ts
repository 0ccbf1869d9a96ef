import type { Clock } from '../clock.js';
import type { Counters } from './counters.js';
import { connack, disconnect, pingresp, willmsgresp, willtopicresp } from './encode.js';
import { Exchange } from './exchange.js';
import type { ForgettingJournal } from './forgetting.js';
import { Greeting } from './greeting.js';
import { Kept, type Reserved } from './kept.js';
import { COPY_MS, type Limits } from './limits.js';
import { ACCEPTED, CONGESTION, type ConnectMessage, type Message, NOT_SUPPORTED } from './messages.js';
import type { Predefined } from './predefined.js';
import type { Publication } from './publication.js';
import { Silence } from './silence.js';
import { type Broker, Uplink } from './uplink.js';
import { Will } from './will.js';

/** Where a client is: a peer of the transport, and behind a forwarder the wireless node. */
export interface Address {
  /** The whole address as one text. */
  key: string;
  peer: string;
  node: Uint8Array | undefined;
}

/** What a session needs of its gateway. */
export interface SessionParts {
  clock: Clock;
  limits: Limits;
  counters: Counters;
  predefined: Predefined;
  broker: Broker;
  /** Where what was taken outlives the gateway. */
  journal: ForgettingJournal | undefined;
  /** 32 random bits. */
  random(): number;
  send(address: Address, datagram: Uint8Array): void;
  /** Largest datagram to an address. */
  largest(address: Address): number;
  /** The session is at `address` from now on, or at none. */
  moved(session: Session, address: Address | undefined): void;
  /** Nothing of the session is kept. */
  over(session: Session): void;
  say(text: string): void;
  debug(text: () => string): void;
}

/**
 * SN 6.14 with one state more: `connecting` from CONNECT to CONNACK. `disconnected` and `lost` are only seen when the session is kept; a lost
 * client's connection to the broker stays, so that messages are buffered for it.
 */
export type State = 'connecting' | 'active' | 'asleep' | 'awake' | 'disconnected' | 'lost';

/** What does not tell a sleeper from one that is awake: answers, which are late, and DISCONNECT, which says itself what it means. */
const NOT_FROM_AWAKE: ReadonlySet<Message['type']> = new Set(['REGACK', 'PUBACK', 'PUBREC', 'PUBCOMP', 'PINGRESP', 'DISCONNECT']);

const SILENCE = 1.5; // SN 6.11: this many keep alives without a word, and a client is lost

/** One client: its states, its will, its connection to the broker. */
export class Session {
  readonly clientId: string;
  state: State = 'disconnected';
  address: Address | undefined;
  /** When the client disconnected, or was lost. */
  restsSince = 0;
  readonly #parts: SessionParts;
  readonly #uplink: Uplink;
  readonly #kept: Kept | undefined;
  #exchange: Exchange;
  #clean = true;
  readonly #will = new Will();
  /** Seconds: keep alive, or the time of sleep. */
  #keepAlive = 0;
  #sleep = 0;
  readonly #silence: Silence;
  #greeting: Greeting | undefined;
  /** The state before the greeting. */
  #before: State = 'disconnected';
  /** The CONNECT that was answered last. */
  #greeted: { message: ConnectMessage; address: string; at: number } | undefined;
  /** The client has sent something since it was told that it is connected. */
  #spoke = false;
  /** It was told that the broker is away. */
  #brokerAway = false;
  /** The broker was away and has published the will meanwhile: the client is to connect again. */
  #willFired = false;
  /** A sleeper has perhaps woken: its CONNECT was answered, but may have been a copy. What it says next decides. */
  #stirs = false;

  constructor(clientId: string, parts: SessionParts) {
    this.clientId = clientId;
    this.#parts = parts;
    this.#silence = new Silence(parts.clock);
    this.#kept =
      parts.journal &&
      new Kept(parts.journal, clientId, {
        taken: () => this.#exchange.requests.taken,
        reserve: () => this.#exchange.delivery.reserve(),
        arrived: (message, reserved) => this.#deliver(message, reserved),
        acknowledged: (offered) => this.#exchange.requests.acknowledged(offered),
        confirmed: (offered) => this.#exchange.requests.confirm(offered),
        failed: () => parts.counters.count('messages that the journal did not take'),
      });
    this.#uplink = new Uplink(
      clientId,
      parts.broker,
      {
        connected: () => {
          if (this.#brokerAway) parts.say(`client '${clientId}': the broker is back`);
          this.#brokerAway = false;
          this.#brokerThere();
        },
        message: (message) => this.#deliver(message),
        away: (reason) => {
          this.#brokerAway = true;
          parts.say(`client '${clientId}': the broker is away: ${reason}`);
        },
        refused: (reason) => this.#brokerRefused(reason),
        notGranted: (filter) => parts.say(`client '${clientId}': the broker no longer grants the subscription to '${filter}'`),
        trouble: (what) => parts.say(`client '${clientId}': ${what}`),
      },
      this.#kept,
    );
    this.#exchange = this.#begin();
  }

  /** Connected, or asleep. */
  get isLive(): boolean {
    return this.state === 'active' || this.state === 'asleep' || this.state === 'awake';
  }

  get isGreeting(): boolean {
    return this.state === 'connecting';
  }

  /** Messages that wait for the client. */
  get buffered(): number {
    return this.#exchange.delivery.size;
  }

  /** Of them, those that a restart of the gateway does not lose. */
  get kept(): number {
    return this.#exchange.delivery.kept;
  }

  /** Messages of the client that the broker does not have yet. */
  get offered(): number {
    return this.#exchange.requests.taken.offered;
  }

  /** Takes back what an earlier gateway left in the journal. */
  restore(): void {
    if (!this.#kept) return;
    this.#clean = false;
    this.#exchange.restore(this.#kept, this.#parts.clock.now());
  }

  /** What the client had published goes on to the broker, without waiting for it. */
  goOn(): void {
    if (this.offered === 0) return;
    this.#rest('lost');
    this.#watch();
    this.#uplink.open(false, undefined);
  }

  /** A CONNECT with this client's id, from any address. */
  connect(message: ConnectMessage, address: Address): void {
    if (this.#isCopy(message, address)) return;
    if (this.#greeting && sameConnect(this.#greeting.message, message)) {
      this.#move(address);
      this.#greeting.askForWill();
      return;
    }
    if (!this.#greeting) this.#before = this.state;
    this.#endGreeting();
    this.#exchange.delivery.close();
    this.#silence.end();
    this.#stirs = false;
    if (message.clean) {
      this.#forget();
      this.#before = 'disconnected';
    }
    // A sleeper that wakes goes on with its session as it began: CleanSession of 0 says that nothing is to be forgotten (SN 6.14).
    const wakes = !message.clean && (this.#before === 'asleep' || this.#before === 'awake');
    const clean = wakes ? this.#clean : message.clean;
    this.#move(address);
    this.state = 'connecting';
    this.#greeting = new Greeting(message, {
      clock: this.#parts.clock,
      limits: this.#parts.limits,
      send: (datagram) => this.#send(datagram),
      willGiven: (will) => {
        this.#will.current = will;
        this.#awaitBroker(clean);
      },
      willRefused: (fault) => this.#refuse(fault),
      silent: () => {
        this.#parts.counters.count('connections given up: no will came');
        this.#greetingFailed();
      },
      late: () => {
        this.#parts.counters.count('connections refused: the broker is away');
        this.#send(connack(CONGESTION));
        this.#greetingFailed();
      },
    });
    if (message.will) this.#greeting.askForWill();
    else this.#awaitBroker(clean);
  }

  /** Any other message from the client's address. */
  handle(message: Message): void {
    this.#silence.heard();
    if (this.#isGreetingsEnd(message)) {
      this.#send(connack(ACCEPTED));
      return;
    }
    this.#spoke = true;
    if (this.#greeting && message.type !== 'DISCONNECT') {
      this.#greeting.handle(message);
      return;
    }
    const isAwake = this.#stirs && !NOT_FROM_AWAKE.has(message.type);
    this.#act(message);
    if (isAwake) this.#resume();
  }

  #act(message: Message): void {
    if (this.#exchange.handle(message)) return;
    switch (message.type) {
      case 'PINGREQ':
        this.#send(pingresp());
        break;
      case 'DISCONNECT':
        if (message.duration > 0 && !this.#greeting) this.#fallAsleep(message.duration);
        else this.#leave();
        break;
      case 'WILLTOPICUPD':
        this.#send(willtopicresp(this.#will.updateTopic(message)));
        break;
      case 'WILLMSGUPD':
        this.#send(willmsgresp(this.#will.updateMessage(message.message)));
        break;
      default: // an answer nobody waits for, or a copy of one
        this.#parts.counters.count('messages out of place');
        break;
    }
  }

  /** PINGREQ with this client's id, from any address: a sleeper asks for what was buffered (SN 6.14). */
  wake(address: Address): void {
    this.#silence.heard();
    this.#spoke = true;
    this.#move(address);
    if (this.#willFired) {
      this.#send(disconnect());
      return;
    }
    if (this.state === 'active') {
      this.#send(pingresp());
      return;
    }
    this.#stirs = false;
    this.state = 'awake';
    this.#exchange.delivery.flush();
  }

  /** Another client speaks from this one's address. */
  displaced(): void {
    this.address = undefined;
    if (this.#greeting) this.#greetingFailed();
    else this.lose();
  }

  /** The client was not heard for too long: it is gone without a word. */
  lose(): void {
    if (!this.isLive) return;
    this.#parts.counters.count('clients lost');
    this.#parts.debug(() => `client '${this.clientId}' is lost`);
    this.#rest('lost');
    const will = this.#will.current;
    if (this.#clean) {
      if (!will) this.#uplink.close();
      else if (!this.#uplink.closeWith(will)) this.#willDropped(will);
      this.#over();
      return;
    }
    if (will && !this.#uplink.publishWill(will)) this.#willDropped(will);
    this.#watch();
  }

  #willDropped({ topic }: Publication): void {
    this.#parts.counters.count('wills dropped: no connection to the broker');
    this.#parts.say(`client '${this.clientId}' is lost, and its will for '${topic}' with it: there was no connection to the broker`);
  }

  /** A session that is kept has to make room: what waits for its client is gone. */
  giveUp(): void {
    const { buffered } = this;
    if (buffered > 0) {
      this.#parts.counters.count('messages dropped: session forgotten', buffered);
      this.#parts.say(`client '${this.clientId}' had to make room for another: ${buffered} messages that waited for it are gone`);
    }
    if (this.offered > 0 && !this.#uplink.isOpen) {
      this.#parts.counters.count('publications dropped: session forgotten', this.offered);
      this.#parts.say(`client '${this.clientId}' had to make room for another: ${this.offered} messages of it never reached the broker`);
    }
    this.#wipe();
    this.#uplink.close();
    this.#over();
  }

  /** The gateway stops: the client is told, the broker keeps its will to itself. */
  stop(): void {
    if (this.state !== 'disconnected' && this.state !== 'lost') this.#send(disconnect());
    this.#endGreeting();
    this.#rest('disconnected');
    this.#uplink.close();
  }

  #begin(): Exchange {
    const { counters, debug } = this.#parts;
    return new Exchange({
      ...this.#parts,
      uplink: this.#uplink,
      kept: this.#kept,
      send: (datagram) => this.#send(datagram),
      largest: () => (this.address ? this.#parts.largest(this.address) : Number.POSITIVE_INFINITY),
      dropped: (why) => {
        counters.count(`messages dropped: ${why}`);
        debug(() => `client '${this.clientId}': a message was dropped: ${why}`);
      },
      flushed: () => this.#sleepOn(),
      unanswered: () => this.#unanswered(),
      debug: (text) => debug(() => `client '${this.clientId}': ${text()}`),
    });
  }

  /** CleanSession: nothing of before counts any more (SN 6.3). */
  #forget(): void {
    this.#exchange.abandon();
    this.#wipe();
    this.#uplink.subscriptions.clear();
    this.#uplink.close();
    this.#will.current = undefined;
    this.#greeted = undefined;
    this.#exchange = this.#begin();
  }

  #wipe(): void {
    if (this.#kept?.wipe() !== false) return;
    this.#parts.say(
      `client '${this.clientId}': the journal cannot note that its session is forgotten; it is tried again with what is written next`,
    );
  }

  /**
   * Networks duplicate a CONNECT. A copy must not end the session that the first began, so one that comes right behind it, or while the client
   * has said nothing since and so may have missed our CONNACK, is only answered again.
   */
  #isCopy(message: ConnectMessage, address: Address): boolean {
    const greeted = this.#greeted;
    if (!this.isLive || !greeted || greeted.address !== address.key || !sameConnect(greeted.message, message)) return false;
    const soon = this.#parts.clock.now() - greeted.at < COPY_MS;
    if (!soon && (this.#spoke || message.will)) return false;
    this.#send(connack(ACCEPTED));
    if (this.state !== 'active') {
      this.#stirs = true;
      this.#silence.heard();
      this.#watch();
    }
    return true;
  }

  /** The last message of a greeting with a will, again: the client has said nothing since, and so may have missed our CONNACK. */
  #isGreetingsEnd(message: Message): boolean {
    if (this.state !== 'active' || this.#spoke || !this.#greeted?.message.will) return false;
    return message.type === 'WILLMSG' || (message.type === 'WILLTOPIC' && message.topic === '');
  }

  #awaitBroker(clean: boolean): void {
    const uplink = this.#uplink;
    // A will that changed goes into a new CONNECT, unless something is under way that must not be sent twice.
    const fits = uplink.clean === clean && (this.#will.is(uplink.will) || uplink.isBusy || !uplink.connected);
    if (uplink.isOpen && !fits) uplink.close();
    this.#greeting?.awaitBroker();
    if (!uplink.isOpen) uplink.open(clean, this.#will.current);
    if (uplink.isUsable) this.#accept();
  }

  #brokerThere(): void {
    if (this.#greeting?.waitsForBroker) this.#accept();
    else if (this.isLive && this.#uplink.will) {
      // The broker has published the will when it lost us: only the client can say that it is there, on a new connection.
      this.#willFired = true;
      if (this.state === 'active') this.#send(disconnect());
    }
  }

  #accept(): void {
    const message = this.#greeting?.message;
    if (!message) return;
    this.#endGreeting();
    const now = this.#parts.clock.now();
    this.#clean = this.#uplink.clean;
    this.#keepAlive = message.duration;
    this.#greeted = { message, address: this.address?.key ?? '', at: now };
    this.#spoke = this.#willFired = false;
    this.#silence.heard();
    this.#parts.counters.count('connections');
    this.#parts.debug(() => `client '${this.clientId}' is connected from ${this.address?.key}`);
    this.#send(connack(ACCEPTED));
    this.#resume();
  }

  /** The client listens. */
  #resume(): void {
    this.#stirs = false;
    this.state = 'active';
    this.#watch();
    this.#exchange.resume();
  }

  #brokerRefused(reason: string): void {
    if (this.#greeting) {
      this.#refuse(`the broker refuses it: ${reason}`);
      return;
    }
    this.#parts.say(`client '${this.clientId}': the broker has ended its session: ${reason}`);
    this.#send(disconnect());
    this.#rest('disconnected');
    if (this.#clean) this.#over();
  }

  /** Ends a greeting with words for people and a code for the client. */
  #refuse(reason: string): void {
    this.#parts.counters.count('connections refused: not supported');
    this.#parts.say(`client '${this.clientId}' cannot connect: ${reason}`);
    this.#send(connack(NOT_SUPPORTED));
    this.#greetingFailed();
  }

  #endGreeting(): void {
    this.#greeting?.end();
    this.#greeting = undefined;
  }

  /** The client is not connected; what was kept before is kept on. */
  #greetingFailed(): void {
    const greeting = this.#greeting;
    this.#endGreeting();
    const from = this.#before;
    if (greeting?.message.clean || (this.#clean && from === 'disconnected')) {
      this.#rest('disconnected');
      this.#uplink.close();
      this.#over();
    } else if (from === 'lost') {
      this.#rest('lost');
      this.#watch();
    } else if (from === 'disconnected') {
      this.#rest('disconnected');
      this.#uplink.close();
    } else {
      this.state = 'active'; // it went without a word: its will is due
      this.lose();
    }
  }

  /** DISCONNECT without a duration. A session that is kept is kept by the broker. */
  #leave(): void {
    this.#parts.debug(() => `client '${this.clientId}' has disconnected`);
    const forgotten = this.#clean || this.#greeting?.message.clean;
    this.#endGreeting();
    this.#send(disconnect());
    this.#rest('disconnected');
    this.#uplink.close();
    if (forgotten) this.#over();
  }

  /** DISCONNECT with a duration in s; also changes the time of a sleeper. */
  #fallAsleep(duration: number): void {
    this.#parts.debug(() => `client '${this.clientId}' sleeps for ${duration} s`);
    this.#sleep = duration;
    this.#stirs = false;
    this.#exchange.delivery.close();
    this.state = 'asleep';
    this.#send(disconnect());
    this.#watch();
  }

  /** All that was buffered has arrived. */
  #sleepOn(): void {
    this.state = 'asleep';
    this.#silence.heard();
    this.#send(pingresp());
    this.#watch();
  }

  /** A sleeper may have gone back to sleep when a datagram was lost: it is expected again within its time. */
  #unanswered(): void {
    if (this.state !== 'awake') {
      this.lose();
      return;
    }
    this.#exchange.delivery.close();
    this.state = 'asleep';
    this.#watch();
  }

  #deliver(message: Publication, reserved?: Reserved): void {
    if ((this.state === 'lost' || this.state === 'disconnected') && message.qos === 0) return;
    this.#exchange.delivery.add(message, reserved);
  }

  /** The client does not listen any more. */
  #rest(state: 'disconnected' | 'lost'): void {
    this.state = state;
    this.restsSince = this.#parts.clock.now();
    this.#stirs = false;
    this.#silence.end();
    this.#exchange.delivery.close();
    this.#exchange.delivery.forgetUnreliable();
    this.#move(undefined);
  }

  #over(): void {
    this.#silence.end();
    this.#parts.over(this);
  }

  #move(address: Address | undefined): void {
    if (address?.key === this.address?.key) return;
    this.#parts.moved(this, address);
    this.address = address;
  }

  /** Watches that the client is heard in time. */
  #watch(): void {
    if (this.state === 'lost') this.#silence.watch(this.#parts.limits.lostExpiry, () => this.#retire());
    else this.#silence.watch(this.#promised * 1000 * SILENCE, () => this.lose());
  }

  /** Seconds within which the client is to be heard; 0 where it promised nothing. */
  get #promised(): number {
    if (this.state === 'active') return this.#keepAlive;
    return this.#stirs && (this.#keepAlive === 0 || this.#keepAlive > this.#sleep) ? this.#keepAlive : this.#sleep;
  }

  /** The client was lost for so long that nothing is buffered for it any more but by the broker. */
  #retire(): void {
    this.#rest('disconnected');
    this.#uplink.close();
  }

  #send(datagram: Uint8Array): void {
    if (this.address) this.#parts.send(this.address, datagram);
  }
}

function sameConnect(a: ConnectMessage, b: ConnectMessage): boolean {
  return a.clean === b.clean && a.will === b.will && a.duration === b.duration;
}
