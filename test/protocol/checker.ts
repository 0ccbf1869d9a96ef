import type { Clause, Report } from './clauses.js';
import { type Direction, Flow } from './flow.js';
import {
  type Connack,
  type Connect,
  decode,
  type Fields,
  Framer,
  Malformed,
  matches,
  type Name,
  nameOf,
  type Publish,
  type Request,
  type Suback,
} from './packets.js';

// Decisions and restrictions:
//
// - Written from MQTT 3.1.1 (OASIS, 29 October 2014); it shares nothing with the codec it judges.
// - It stands between the peers and sees packets in the order of the wire. What it saw may still be lost on the way, so it demands only what
//   holds for every observer there: no timing, and no conclusion from an acknowledgement once the connection is gone.
// - Sessions are told apart by client identifier and outlive their connections.
// - A broken rule is reported once and then taken as given, so that one fault is one finding.

export type { Direction } from './flow.js';

export interface Finding {
  readonly clause: Clause;
  /** Who sent the packet. */
  readonly direction: Direction;
  /** Its name and its first bytes. */
  readonly packet: string;
  readonly what: string;
}

/** One topic filter of one SUBSCRIBE. It is never forgotten within a session: what is queued may come after UNSUBACK [MQTT-3.10.4-3]. */
interface Subscription {
  readonly filter: string;
  readonly connection: Connection;
  /** Topics of the retained messages that it brought. */
  readonly retained: Set<string>;
}

class Session {
  readonly client = new Flow('client');
  readonly server = new Flow('server');
  subscriptions: Subscription[] = [];
  /** The connection that took it over last. */
  owner: Connection | undefined;
  /** The server can have nothing of it: it began with clean session 1 and is over. */
  over = false;
}

const FROM: Readonly<Record<Direction, ReadonlySet<Name>>> = {
  client: new Set(['CONNECT', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBSCRIBE', 'UNSUBSCRIBE', 'PINGREQ', 'DISCONNECT']),
  server: new Set(['CONNACK', 'PUBLISH', 'PUBACK', 'PUBREC', 'PUBREL', 'PUBCOMP', 'SUBACK', 'UNSUBACK', 'PINGRESP']),
};

const SHOWN_BYTES = 24;

/** Checks connections, one after another or side by side. `client`, `server` and `end` serve those who have one at a time. */
export class Checker {
  readonly findings: Finding[] = [];
  /** Packets that could be read, by sender. */
  readonly kinds: Readonly<Record<Direction, Set<Name>>> = { client: new Set(), server: new Set() };
  readonly #sessions = new Map<string, Session>();
  #current: Connection | undefined;

  connection(): Connection {
    return new Connection(this, this.#sessions);
  }

  client(bytes: Uint8Array): void {
    this.#current ??= this.connection();
    this.#current.client(bytes);
  }

  server(bytes: Uint8Array): void {
    this.#current ??= this.connection();
    this.#current.server(bytes);
  }

  /** The connection is over; the next bytes begin another. One that was `cut` may end within a packet. */
  end(cut = false): void {
    this.#current?.end(cut);
    this.#current = undefined;
  }
}

/** One connection, taken in as bytes of either side, in the order of the wire and split anywhere. */
export class Connection {
  readonly #framers: Readonly<Record<Direction, Framer>> = { client: new Framer(), server: new Framer() };
  /** Sides that cannot be cut into packets any more. */
  readonly #lost = new Set<Direction>();
  readonly #requests = new Map<number, Request & { broken: boolean }>();
  /** PINGREQs without an answer; true for one that was malformed. */
  readonly #pings: boolean[] = [];
  #session = new Session();
  #connect: { fields: Connect | undefined; broken: Clause[] } | undefined;
  #clientSpoke = false;
  #serverSpoke = false;
  #accepted = false;
  #refused = false;
  #disconnected = false;
  /** Another version of the protocol, whose rules are not known here. */
  #foreign = false;

  constructor(
    readonly checker: Checker,
    readonly sessions: Map<string, Session>,
  ) {}

  client(bytes: Uint8Array): void {
    this.#take('client', bytes);
  }

  server(bytes: Uint8Array): void {
    this.#take('server', bytes);
  }

  end(cut = false): void {
    for (const direction of ['client', 'server'] as const) {
      const { rest } = this.#framers[direction];
      if (cut || rest.length === 0 || this.#lost.has(direction)) continue;
      const clause = direction === 'client' && this.#disconnected ? 'MQTT-3.14.4-2' : 'MQTT-2.2.3';
      this.#found(direction, rest, clause, `the connection ended within a packet, after ${rest.length} bytes`);
    }
    const session = this.#session;
    if (session.owner !== this) return;
    session.owner = undefined;
    session.client.interrupt(cut);
    session.server.interrupt(cut);
    const { cleanSession, clientId } = this.#connect?.fields ?? {};
    if (!this.#accepted || !cleanSession || clientId === undefined || this.sessions.get(clientId) !== session) return;
    const next = new Session();
    next.over = true;
    this.sessions.set(clientId, next);
  }

  #take(direction: Direction, bytes: Uint8Array): void {
    if (this.#lost.has(direction)) return;
    const framer = this.#framers[direction];
    framer.push(bytes);
    try {
      for (let frame = framer.next(); frame; frame = framer.next()) this.#packet(direction, frame.raw, frame.header);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      this.#lost.add(direction);
      this.#found(direction, framer.rest, error.clause, error.message);
    }
  }

  #found(direction: Direction, raw: Uint8Array, clause: Clause, what: string): void {
    const hex = Buffer.from(raw.subarray(0, SHOWN_BYTES))
      .toString('hex')
      .replace(/(..)(?=.)/g, '$1 ');
    const packet = `${nameOf((raw[0] ?? 0) >> 4) ?? 'reserved'} ${hex}${raw.length > SHOWN_BYTES ? ' …' : ''}`;
    this.checker.findings.push({ clause, direction, packet, what });
  }

  #packet(direction: Direction, raw: Uint8Array, header: number): void {
    const report: Report = (clause, what) => this.#found(direction, raw, clause, what);
    const broken: Clause[] = [];
    let fields: Fields = { name: 'UNDECODED' };
    try {
      fields = decode({ raw, header }, (clause, what) => {
        broken.push(clause);
        report(clause, what);
      });
      if (fields.name !== 'UNDECODED') this.checker.kinds[direction].add(fields.name);
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      broken.push(error.clause);
      report(error.clause, error.message);
    }
    const name = nameOf((raw[0] ?? 0) >> 4);
    if (name === undefined || this.#foreign) return;
    if (!FROM[direction].has(name)) report('MQTT-2.2.1', `${name} from the ${direction}`);
    else if (direction === 'client') this.#fromClient(name, fields, broken, report);
    else this.#fromServer(name, fields, broken.length > 0, report);
  }

  #fromClient(name: Name, fields: Fields, broken: Clause[], report: Report): void {
    if (this.#disconnected) {
      report('MQTT-3.14.4-2', name);
      return;
    }
    if (name === 'CONNECT' && this.#connect) {
      report('MQTT-3.1.0-2', 'a second CONNECT');
      return;
    }
    if (name !== 'CONNECT' && !this.#clientSpoke) {
      report('MQTT-3.1.0-1', name);
      this.#session.owner = this;
    }
    this.#clientSpoke = true;
    if (name === 'CONNECT') {
      this.#connecting(fields.name === 'CONNECT' ? fields : undefined, broken);
      return;
    }
    if (name === 'DISCONNECT') this.#disconnected = true;
    if (name === 'PINGREQ') this.#pings.push(broken.length > 0);
    if (fields.name === 'SUBSCRIBE' || fields.name === 'UNSUBSCRIBE') this.#request(fields, broken.length > 0, report);
    else this.#delivery('client', fields, broken.length > 0, report);
  }

  #connecting(fields: Connect | undefined, broken: Clause[]): void {
    this.#connect = { fields, broken };
    this.#foreign = broken.includes('MQTT-3.1.2-1');
    if (!fields) return;
    const known = fields.clientId === '' ? undefined : this.sessions.get(fields.clientId);
    if (fields.cleanSession || !known) {
      this.#session = new Session();
      this.#session.client.known = fields.cleanSession;
      this.#session.server.known = fields.cleanSession;
    } else {
      this.#session = known;
      if (known.owner) {
        known.client.interrupt(true); // taken over from a connection that is not over yet
        known.server.interrupt(true);
      }
    }
    this.#session.owner = this;
  }

  #fromServer(name: Name, fields: Fields, broken: boolean, report: Report): void {
    if (this.#refused) {
      report('MQTT-3.2.2-5', `${name} after a refusal`);
      return;
    }
    if (name === 'CONNACK' && (this.#serverSpoke || !this.#connect)) {
      report('MQTT-3.2', this.#connect ? 'a second CONNACK' : 'CONNACK without a CONNECT');
      return;
    }
    if (name !== 'CONNACK' && !this.#serverSpoke) report('MQTT-3.2.0-1', name);
    this.#serverSpoke = true;
    if (fields.name === 'CONNACK') this.#connected(fields, report);
    else if (fields.name === 'SUBACK') this.#granted(fields, report);
    else if (fields.name === 'UNSUBACK') this.#answered('UNSUBSCRIBE', fields.id, report);
    else if (name === 'PINGRESP') {
      const answers = this.#pings.shift();
      if (answers === undefined) report('MQTT-3.13', 'no PINGREQ waits for it');
      else if (answers) report('MQTT-4.8.0-1', 'the PINGREQ was malformed');
    } else this.#delivery('server', fields, broken, report);
  }

  #connected({ code, sessionPresent }: Connack, report: Report): void {
    const { fields, broken = [] } = this.#connect ?? {};
    this.#checkAcceptance(code, broken, report);
    this.#refused = code !== 0;
    if (this.#refused && sessionPresent) report('MQTT-3.2.2-4', `return code ${code}`);
    if (!fields || this.#refused) return;
    this.#accepted = true;
    const session = this.#session;
    if (fields.clientId !== '') this.sessions.set(fields.clientId, session);
    if (fields.cleanSession) {
      if (sessionPresent) report('MQTT-3.2.2-1', 'session present');
    } else if (sessionPresent) {
      if (session.over) report('MQTT-3.1.2-6', 'the session of a client that had a clean one');
    } else {
      session.client.release();
      session.server.release();
      session.server.known = true;
      session.subscriptions = session.subscriptions.filter(({ connection }) => connection === this);
    }
    session.over = false;
  }

  /** Two faults of a CONNECT have a return code; after any other the connection is closed without a CONNACK. */
  #checkAcceptance(code: number, broken: readonly Clause[], report: Report): void {
    const [fault] = broken;
    if (fault === undefined) return;
    if (fault === 'MQTT-3.1.3-7' && broken.length === 1) {
      if (code !== 2) report('MQTT-3.1.3-8', `return code ${code}`);
    } else if (fault !== 'MQTT-3.1.2-2' || code !== 1) report('MQTT-3.1.4-1', `return code ${code}`);
  }

  #request(request: Request, broken: boolean, report: Report): void {
    const { name, id, filters } = request;
    if (this.#requests.has(id) || this.#session.client.inUse(id)) report('MQTT-2.3.1-2', `identifier ${id} is in use`);
    this.#requests.set(id, { ...request, broken });
    if (name === 'UNSUBSCRIBE') return;
    // Messages may come before the SUBACK.
    for (const { filter } of filters) this.#session.subscriptions.push({ filter, connection: this, retained: new Set() });
  }

  #answered(name: Request['name'], id: number, report: Report): Request | undefined {
    const request = this.#requests.get(id);
    if (request?.name !== name) {
      report('MQTT-2.3.1-7', `no ${name} has identifier ${id}`);
      return undefined;
    }
    this.#requests.delete(id);
    if (!request.broken) return request;
    report('MQTT-4.8.0-1', `the ${name} was malformed`);
    return undefined;
  }

  #granted({ id, codes }: Suback, report: Report): void {
    const request = this.#answered('SUBSCRIBE', id, report);
    if (!request) return;
    const { filters } = request;
    if (codes.length !== filters.length) {
      report('MQTT-3.8.4-5', `${codes.length} return codes for ${filters.length} filters`);
      return;
    }
    filters.forEach(({ filter, qos }, i) => {
      const code = codes[i] ?? 0;
      if (code <= 2 && code > qos) report('MQTT-3.8.4-6', `QoS ${code} where ${qos} was asked for`);
      if (code !== 0x80) return;
      const refused = this.#session.subscriptions.findLastIndex((subscription) => subscription.filter === filter);
      this.#session.subscriptions.splice(refused, 1);
    });
  }

  #delivery(from: Direction, fields: Fields, broken: boolean, report: Report): void {
    const session = this.#session;
    if (session.owner !== this) return; // taken over: what still comes here belongs to nothing
    const out = session[from];
    const back = session[from === 'client' ? 'server' : 'client'];
    switch (fields.name) {
      case 'PUBLISH': {
        const again = fields.qos > 0 && out.publish(fields, broken, report, from === 'client' ? this.#requests : new Set());
        if (from === 'server' && !again && !broken) this.#delivered(fields, report);
        break;
      }
      case 'PUBACK':
        back.puback(fields.id, broken, report);
        break;
      case 'PUBREC':
        back.pubrec(fields.id, broken, report);
        break;
      case 'PUBREL':
        out.pubrel(fields.id, broken, report);
        break;
      case 'PUBCOMP':
        back.pubcomp(fields.id, report);
        break;
    }
  }

  #delivered({ topic, retain, payload, dup }: Publish, report: Report): void {
    const { subscriptions, server } = this.#session;
    if (!server.known || dup) return; // it may belong to what was before the capture
    const matching = subscriptions.filter(({ filter }) => matches(filter, topic));
    if (matching.length === 0) {
      report('MQTT-3.3.2-3', `nothing is subscribed that matches ${JSON.stringify(topic)}`);
      return;
    }
    if (!retain) return;
    if (payload.length === 0) report('MQTT-3.3.1-11', topic);
    const first = matching.find(({ retained }) => !retained.has(topic));
    if (first) first.retained.add(topic);
    else report('MQTT-3.3.1-9', `${JSON.stringify(topic)} was already delivered as retained`);
  }
}
