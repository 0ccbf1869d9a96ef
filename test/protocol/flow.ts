import type { Clause, Report } from './clauses.js';
import type { Publish } from './packets.js';

export type Direction = 'client' | 'server';

/** A message above QoS 0 between its PUBLISH and its last acknowledgement. */
interface Flight {
  readonly message: Publish;
  /** Counts first sendings. */
  readonly rank: number;
  state: 'sent' | 'received' | 'released';
  /** PUBACK or PUBREC, and PUBCOMP, that are due on this connection: a message sent twice is answered twice. */
  answers: number;
  completions: number;
  /** Sent, or sent again, on this connection. */
  here: boolean;
  /** Who sent a malformed packet that the other side must not answer. */
  brokenBy?: Direction | undefined;
}

/**
 * Delivery in one direction of a session, over all its connections. An acknowledgement that was seen may still be lost with the connection, so
 * on the next connection a sender may do as if it had not been.
 */
export class Flow {
  /** False when the session began before the capture. */
  known = true;
  /** The last connection broke off: what was sent into it may never have come by. */
  #gap = false;
  readonly #receiver: Direction;
  readonly #flights = new Map<number, Flight>();
  /** Acknowledged in full on this connection. */
  readonly #done = new Map<number, Flight>();
  /** Acknowledged in full on an earlier one. */
  readonly #settled = new Map<number, Flight>();
  /** PUBLISHes of this connection without an answer; PUBRECs without their PUBREL. */
  #unanswered: Publish[] = [];
  #unreleased: Publish[] = [];
  #sent = 0;
  #resent: Flight[] = [];
  #overtaken = false;

  constructor(readonly sender: Direction) {
    this.#receiver = sender === 'client' ? 'server' : 'client';
  }

  inUse(id: number): boolean {
    return this.#flights.has(id);
  }

  /** Answers whether it is a message that was sent before. `taken` are identifiers that other requests hold. */
  publish(message: Publish, broken: boolean, report: Report, taken: { has(id: number): boolean }): boolean {
    const { id, dup, qos } = message;
    const shown = `identifier ${id}`;
    const reused: Clause = this.sender === 'client' ? 'MQTT-2.3.1-2' : 'MQTT-2.3.1-4';
    let flight = this.#flights.get(id);
    if (flight && !same(flight.message, message)) {
      report(reused, `${shown} is in use by a PUBLISH to ${JSON.stringify(flight.message.topic)}`);
      this.#flights.delete(id);
      flight = undefined;
    } else if (flight) {
      if (!dup) report('MQTT-3.3.1-1', shown);
      if (flight.state === 'released') report('MQTT-4.3.3-1', `${shown} is sent again after its PUBREL`);
    } else if (dup) {
      const settled = this.#settled.get(id);
      if (settled && same(settled.message, message)) flight = { ...settled, state: 'sent', here: false };
      else if (this.known && !this.#gap) report(qos === 1 ? 'MQTT-4.3.2-1' : 'MQTT-4.3.3-1', `${shown} was not sent before`);
    } else if (taken.has(id)) {
      report(reused, `${shown} is in use by a request`);
    }
    this.#settled.delete(id);

    const again = flight !== undefined;
    if (flight && !flight.here) this.#resend(flight, report);
    if (!flight) {
      if (!dup) this.#checkOvertaking(report);
      flight = { message, rank: this.#sent++, state: 'sent', answers: 0, completions: 0, here: true };
    }
    if (broken) flight.brokenBy = this.sender;
    flight.here = true;
    flight.answers++;
    this.#flights.set(id, flight);
    this.#unanswered.push(flight.message);
    return again;
  }

  puback(id: number, broken: boolean, report: Report): void {
    const flight = this.#answer(id, 1, broken, report);
    if (!flight) return;
    this.#flights.delete(id);
    this.#done.set(id, flight);
  }

  pubrec(id: number, broken: boolean, report: Report): void {
    const flight = this.#answer(id, 2, broken, report);
    if (flight?.state !== 'sent') return;
    flight.state = 'received';
    this.#unreleased.push(flight.message);
  }

  pubrel(id: number, broken: boolean, report: Report): void {
    let flight = this.#flights.get(id);
    const done = this.#done.get(id);
    if (!flight && done?.message.qos === 2) {
      done.completions++; // answers the PUBREC of a message sent twice
      return;
    }
    if (!flight) {
      flight = this.#settled.get(id);
      if (!flight && !this.known) {
        const message: Publish = { name: 'PUBLISH', dup: false, qos: 2, retain: false, topic: '', id, payload: new Uint8Array(0) };
        flight = { message, rank: this.#sent++, state: 'released', answers: 0, completions: 0, here: true };
      }
    }
    if (flight?.message.qos !== 2) {
      report('MQTT-2.3.1-6', `PUBREL of identifier ${id}`);
      return;
    }
    this.#flights.set(id, flight);
    this.#settled.delete(id);
    this.#notAnswered(flight, this.#receiver, report);
    if (flight.state === 'sent') report('MQTT-4.3.3-1', `PUBREL of identifier ${id} before its PUBREC`);
    const earlier = take(this.#unreleased, flight.message);
    if (this.sender === 'client' && earlier[0]) report('MQTT-4.6.0-4', `PUBREL of ${id} before that of ${earlier[0].id}`);
    else this.#topicOrder(flight, earlier, 'PUBREL', report);
    flight.state = 'released';
    flight.here = true;
    flight.completions++;
    if (broken) flight.brokenBy = this.sender;
  }

  pubcomp(id: number, report: Report): void {
    const flight = this.#flights.get(id);
    if (flight?.state === 'released') {
      this.#notAnswered(flight, this.sender, report);
      flight.completions--;
      this.#flights.delete(id);
      this.#done.set(id, flight);
      return;
    }
    const done = this.#done.get(id);
    if (done && done.completions > 0) done.completions--;
    else report('MQTT-4.3.3-2', `PUBCOMP of identifier ${id}`);
  }

  /** The connection is over, and the session is kept. */
  interrupt(cut: boolean): void {
    this.#gap = cut;
    for (const [id, flight] of this.#done) this.#settled.set(id, { ...flight, answers: 0, completions: 0 });
    for (const flight of this.#flights.values()) Object.assign(flight, { answers: 0, completions: 0, here: false, brokenBy: undefined });
    this.#done.clear();
    this.#unanswered = [];
    this.#unreleased = [];
    this.#resent = [];
    this.#overtaken = false;
  }

  /** The peer has lost the session: what is in flight may be sent again, but need not be. */
  release(): void {
    for (const [id, flight] of this.#flights) {
      if (flight.here) continue;
      this.#flights.delete(id);
      this.#settled.set(id, flight);
    }
  }

  #answer(id: number, qos: number, broken: boolean, report: Report): Flight | undefined {
    const flight = this.#flights.get(id);
    const kind = qos === 1 ? 'PUBACK' : 'PUBREC';
    if (!flight) {
      const done = this.#done.get(id);
      if (done?.message.qos === qos && done.answers > 0) done.answers--;
      else report(done ? 'MQTT-3.3.4-1' : 'MQTT-2.3.1-6', `${kind} of identifier ${id}`);
      return undefined;
    }
    if (flight.message.qos !== qos) {
      report('MQTT-3.3.4-1', `${kind} of identifier ${id}, a PUBLISH of QoS ${flight.message.qos}`);
      return undefined;
    }
    if (flight.state !== 'sent' && flight.answers === 0) {
      report('MQTT-3.3.4-1', `a second ${kind} of identifier ${id}`);
      return undefined;
    }
    this.#notAnswered(flight, this.sender, report);
    // Only a client is bound to the order of its acknowledgements.
    const earlier = take(this.#unanswered, flight.message).find((message) => message.qos === qos);
    if (this.#receiver === 'client' && earlier) {
      report(qos === 1 ? 'MQTT-4.6.0-2' : 'MQTT-4.6.0-3', `${kind} of ${id} before that of ${earlier.id}`);
    }
    flight.answers = Math.max(0, flight.answers - 1);
    if (broken) flight.brokenBy = this.#receiver;
    return flight;
  }

  #notAnswered(flight: Flight, by: Direction, report: Report): void {
    if (flight.brokenBy !== by) return;
    flight.brokenBy = undefined;
    report('MQTT-4.8.0-1', `identifier ${flight.message.id}: the packet that this answers was malformed`);
  }

  #resend(flight: Flight, report: Report): void {
    const later = this.#resent.filter(({ rank }) => rank > flight.rank).map(({ message }) => message);
    if (this.sender === 'client' && later[0]) report('MQTT-4.6.0-1', `${flight.message.id} after ${later[0].id}`);
    else this.#topicOrder(flight, later, 'PUBLISH again', report);
    this.#resent.push(flight);
  }

  /** A server is bound to the order within a topic. */
  #topicOrder(flight: Flight, others: readonly Publish[], what: string, report: Report): void {
    const { topic, qos, id } = flight.message;
    const other = others.find((message) => message.topic === topic && message.qos === qos);
    if (this.sender === 'server' && other) report('MQTT-4.6.0-6', `${what}: ${id} and ${other.id} changed places`);
  }

  /** A new message must not come before those that the last connection left in flight. */
  #checkOvertaking(report: Report): void {
    if (this.#overtaken) return;
    for (const { here, message } of this.#flights.values()) {
      if (here) continue;
      this.#overtaken = true;
      report('MQTT-4.4.0-1', `identifier ${message.id} was not sent again before a new message`);
      return;
    }
  }
}

function same(a: Publish, b: Publish): boolean {
  return a.topic === b.topic && a.qos === b.qos && a.retain === b.retain && Buffer.compare(a.payload, b.payload) === 0;
}

/** Takes a message out of the list; answers those that stand before it. */
function take(list: Publish[], message: Publish): Publish[] {
  const at = list.indexOf(message);
  if (at < 0) return [];
  list.splice(at, 1);
  return list.slice(0, at);
}
