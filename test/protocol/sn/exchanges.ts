import type { Fields, Name, Publish } from './messages.js';
import type { Report, Rule } from './rules.js';

/** What the judged side knows about topic ids of its connection. */
export class Topics {
  /** Of this connection. */
  readonly told = new Map<number, string>();
  /** Of the session before: good again once the gateway uses them. */
  readonly earlier = new Map<number, string>();

  /** A new connection; `clean` when nothing of the session is left. */
  connect(clean: boolean): void {
    if (clean) this.earlier.clear();
    else for (const [id, name] of this.told) this.earlier.set(id, name);
    this.told.clear();
  }

  /** An id of the session before counts from now on. */
  revive(id: number): void {
    const name = this.earlier.get(id);
    if (name !== undefined && !this.told.has(id)) this.told.set(id, name);
  }

  knows(id: number): boolean {
    return this.told.has(id) || this.earlier.has(id);
  }

  forget(id: number): void {
    this.told.delete(id);
    this.earlier.delete(id);
  }
}

/** Answers that are due, with the message that asks for each. */
export class Owed {
  readonly #owed = new Map<string, Fields[]>();

  add(answer: Name, id: number, to: Fields): void {
    const key = `${answer} ${id}`;
    const waiting = this.#owed.get(key);
    if (waiting) waiting.push(to);
    else this.#owed.set(key, [to]);
  }

  /** Takes the oldest that this answers, of those that fit best where there are any. */
  take(answer: Name, id = 0, fits: (asked: Fields) => boolean = () => true): Fields | undefined {
    const key = `${answer} ${id}`;
    const waiting = this.#owed.get(key) ?? [];
    const [taken] = waiting.splice(Math.max(waiting.findIndex(fits), 0), 1);
    if (waiting.length === 0) this.#owed.delete(key);
    return taken;
  }
}

interface Request {
  readonly id: number;
  readonly content: string;
}

/** Rules that one of a kind is outstanding. */
const ONE: Partial<Record<Name, Rule>> = {
  REGISTER: 'SN 6.5 one',
  SUBSCRIBE: 'SN 6.9 one',
  UNSUBSCRIBE: 'SN 6.9 one',
  WILLTOPICUPD: 'SN 6.4 one',
  WILLMSGUPD: 'SN 6.4 one',
};

/** Requests of the judged side that are not PUBLISHes. */
export class Requests {
  readonly #open = new Map<Name, Request>();
  /** Contents sent in earlier connections, or refused, that may come again: with DUP or without. */
  readonly #before = new Set<string>();
  /** What was answered last, of each kind. */
  readonly #answered = new Map<Name, string>();

  /** `strict`: see Outgoing. */
  constructor(readonly strict: boolean) {}

  connect(): void {
    for (const { content } of this.#open.values()) this.#before.add(content);
    this.#open.clear();
    this.#answered.clear();
  }

  holds(id: number, except?: Name): boolean {
    return [...this.#open].some(([name, request]) => name !== except && request.id === id);
  }

  /** `dup` is undefined where the message has no such flag. */
  send(name: Name, id: number, content: string, dup: boolean | undefined, report: Report): void {
    const open = this.#open.get(name);
    if (!open && !this.strict && this.#answered.get(name) === content) return; // it crosses its answer
    if (open && open.content === content) {
      if (dup === false) report('SN 5.3.4 dup', `${name} ${id} is sent again without DUP`);
      return;
    }
    const rule = ONE[name];
    if (open && rule) report(rule, `${name} ${open.id} has no answer yet`);
    if (dup && !this.#before.has(content)) report('SN 5.3.4 dup', `${name} ${id} was not sent before`);
    this.#before.delete(content);
    this.#open.set(name, { id, content });
  }

  /** An answer came. A request that was refused may be made again. */
  answered(name: Name, id: number, code = 0): boolean {
    const open = this.#open.get(name);
    if (!open || open.id !== id) return false;
    this.#open.delete(name);
    this.#answered.set(name, open.content);
    if (code !== 0) this.#before.add(open.content);
    return true;
  }
}

interface Flight {
  readonly publish: Publish;
  /** Its topic's name where it is known: topic ids change from connection to connection. */
  readonly topic: string | undefined;
  state: 'sent' | 'received' | 'released' | 'refused';
  /** Sent in this connection. */
  here: boolean;
  /** Its PUBREC came when its sender perhaps no longer took it. */
  doubtful: boolean;
  /** The session in which it was sent is over: whether it counts as sent before is for its sender to say. */
  over: boolean;
}

/** The PUBLISHes above QoS 0 of the judged side. */
export class Outgoing {
  readonly #flights = new Map<number, Flight>();
  /** Acknowledged in full, the last under each id. */
  readonly #done = new Map<number, Publish>();
  /** Acknowledged when their sender perhaps no longer took it: they may come again. */
  readonly #doubtful = new Map<number, Publish>();
  /** PUBRECs for messages that are not known here: PUBREL is the way to end them. */
  readonly #stray = new Set<number>();
  /** A power cut: what was sent before it is not known. */
  #forgetful = false;

  /** `strict` is where the judged side stands itself; elsewhere an acknowledgement may still be on its way. `one` of a client. */
  constructor(
    readonly strict: boolean,
    readonly one: boolean,
  ) {}

  holds(id: number): boolean {
    return this.#flights.get(id)?.over === false;
  }

  connect(clean: boolean): void {
    for (const flight of this.#flights.values()) {
      flight.here = false;
      if (clean) flight.over = true;
    }
    this.#done.clear();
    this.#stray.clear();
  }

  /** Its sender is not connected: whether an answer that came counts is for it to say. */
  doubt(): void {
    for (const flight of this.#flights.values()) if (flight.state === 'received') flight.doubtful = true;
    for (const [id, publish] of this.#done) this.#doubtful.set(id, publish);
  }

  forget(): void {
    this.#flights.clear();
    this.#forgetful = true;
  }

  publish(publish: Publish, topic: string | undefined, report: Report): void {
    const { id, dup } = publish;
    const shown = `PUBLISH ${id}`;
    let flight = this.#flights.get(id);
    if (flight && !isSame(flight, publish, topic)) {
      if (!flight.over && flight.state !== 'refused') report('SN 5.3.7 in use', `${shown}: another message has this id`);
      this.#flights.delete(id);
      flight = undefined;
      if (dup) report('SN 5.3.4 dup', `${shown} was not sent before`);
    } else if (flight) {
      const again = !flight.over && flight.state !== 'refused';
      if (again && !dup) report('SN 5.3.4 dup', `${shown} is sent again without DUP`);
      const crosses = !this.strict && flight.state === 'received';
      if (again && flight.state !== 'sent' && !crosses && !flight.doubtful)
        report('SN 6.6 qos 2', `${shown} is sent again after its PUBREC`);
    } else if (dup && !this.strict && this.#isDone(publish))
      return; // it crosses its acknowledgement
    else if (dup) this.#checkFirst(publish, report);
    const other = [...this.#flights].find(([number, each]) => number !== id && each.here && each.state !== 'refused');
    if (this.one && other && !flight?.here) report('SN 6.6 one', `PUBLISH ${other[0]} is not acknowledged yet`);
    const state = flight && !flight.over && flight.state !== 'refused' ? flight.state : 'sent';
    this.#flights.set(id, { publish, topic, state, here: true, doubtful: flight?.doubtful ?? false, over: false });
  }

  #checkFirst(publish: Publish, report: Report): void {
    const doubtful = this.#doubtful.get(publish.id);
    if (doubtful?.data === publish.data && doubtful.qos === publish.qos) return;
    if (this.#isDone(publish)) report('SN 6.6 again', `PUBLISH ${publish.id}`);
    else if (!this.#forgetful) report('SN 5.3.4 dup', `PUBLISH ${publish.id} was not sent before`);
  }

  /** Whether it is the message that was acknowledged last under this id. */
  #isDone({ id, data, topicId }: Publish): boolean {
    const done = this.#done.get(id);
    return done !== undefined && done.data === data && done.topicId === topicId;
  }

  /** Answers the message, when it is in flight. */
  puback(id: number, code: number): Publish | undefined {
    const flight = this.#flights.get(id);
    if (!flight) return undefined;
    if (code !== 0) flight.state = 'refused';
    else if (flight.publish.qos === 1) this.#end(id, flight);
    return flight.publish;
  }

  pubrec(id: number): void {
    const flight = this.#flights.get(id);
    if (flight?.publish.qos === 2) {
      if (flight.state === 'sent') flight.state = 'received';
      flight.doubtful = false;
    } else this.#stray.add(id);
  }

  pubrel(id: number, report: Report): void {
    const flight = this.#flights.get(id);
    if (flight && (flight.state === 'received' || flight.state === 'released')) {
      flight.state = 'released';
      flight.here = true;
    } else if (!this.strict && this.#done.get(id)?.qos === 2)
      return; // it crosses PUBCOMP
    else if (this.#doubtful.get(id)?.qos === 2) return;
    else if (!this.#stray.has(id) && !this.#forgetful) report('SN 6.6 qos 2', `PUBREL ${id} before its PUBREC`);
  }

  pubcomp(id: number): void {
    const flight = this.#flights.get(id);
    if (flight?.state === 'released') this.#end(id, flight);
    this.#stray.delete(id);
  }

  #end(id: number, flight: Flight): void {
    this.#flights.delete(id);
    this.#done.set(id, flight.publish);
  }
}

function isSame({ publish, topic, here }: Flight, other: Publish, otherTopic: string | undefined): boolean {
  if (publish.qos !== other.qos || publish.retain !== other.retain || publish.data !== other.data) return false;
  if (publish.kind === other.kind && publish.topicId === other.topicId && here) return true;
  return topic === otherTopic || topic === undefined || otherTopic === undefined;
}
