import { RECORD_INBOX, RECORD_MESSAGE, RECORD_READING, RECORD_RELEASE } from '../../host/contract.js';

// The promises, written apart from the code that keeps them, and judged at both ends.
//
// - Outbound: a message whose call came back with an identifier arrives at the broker at QoS 1 at least once, at QoS 2 exactly once, at QoS 0 at most
//   once. Across a power cut this holds for messages whose record the storage took. A call that the cut did not let come back has promised nothing:
//   its message may arrive, as its QoS says.
// - Inbound: what the broker holds for the client at QoS 1 and 2 is told to the application at least once, or exactly once.
// - In order: the first copies of the messages of one topic and QoS come in the order in which they were made. Nothing is invented.
// - What an event tells as lost may be lost, and nothing else: `record_lost`, `reading_dropped`, and `store_failed` should the power go.
// - A broker that forgets its sessions may be sent once more what it had taken at QoS 2 and not completed, and loses what it had not delivered.
//
// At a power cut an application in memory is forgotten with what it was told. At QoS 2 a delivery therefore is pending until the storage has taken its
// `inbox` record, which is before PUBREC is sent: a cut discards what is pending, and it has to come again; what is recorded must not. An application
// that keeps things of its own keeps them during the event: between its write and the record no two storages can be made one, and a cut right there
// lets it hear the message once more. At QoS 1 all that was told counts.

export type Level = 0 | 1 | 2;
export type Direction = 'up' | 'down';

export interface Message {
  readonly direction: Direction;
  /** Counts all messages; in the order of their making. */
  readonly number: number;
  readonly topic: string;
  readonly qos: Level;
  readonly payload: string;
}

interface Fate extends Message {
  /** Outbound: its call came back. Inbound: the broker holds it. */
  promised: boolean;
  /** Its call answered that it was not taken. */
  refused: boolean;
  /** The storage took its record. */
  recorded: boolean;
  /** The application was told that it is acknowledged. */
  acknowledged: boolean;
  /** Packet identifier; of an inbound message the last it was heard under. */
  id: number;
  /** Of a reading that waits, the place of its record; -1 without one. */
  slot: number;
  /** Copies that arrived for good. */
  copies: number;
  /** Told to the application and not recorded. */
  pending: boolean;
  /** Copies beyond the first that are explained. */
  repeats: number;
  /** Why it need not arrive. */
  excuse: string;
}

/** Places of records: an identifier's low bits. */
export interface Places {
  outbox: number;
  inbox: number;
}

export interface ModelOptions {
  places: Places;
  /** Most copies of a message at QoS 0: 1 where the network makes none. */
  copies: number;
  /** Whether QoS 0 comes in order, too. */
  ordered: boolean;
}

export class Model {
  readonly faults: string[] = [];
  readonly fates = new Map<string, Fate>();
  /** Copies of QoS 1 messages beyond the first, and deliveries that a power cut made undone. */
  copies = 0;
  undone = 0;
  told = { lost: 0, dropped: 0 };
  readonly #options: ModelOptions;
  readonly #byId = new Map<number, Fate>();
  /** The first copies by topic and QoS: number of the last. */
  readonly #last = new Map<string, number>();
  /** Those of which a first copy came, even if it was made undone: it comes again behind others. */
  readonly #begun = new Set<Fate>();
  /** The message whose call has not come back. */
  #calling: Fate | undefined;
  /** The storage refused something since that call began. */
  #wasRefused = false;

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  /** The application asks for it to be sent. */
  publishes(message: Message): void {
    this.#calling = this.#made(message);
    this.#wasRefused = false;
  }

  get isCalling(): boolean {
    return this.#calling !== undefined;
  }

  /** Its call came back with `id`, 0 at QoS 0 and of a reading that waits. */
  accepted(id: number): void {
    const fate = this.#called();
    if (fate.qos > 0 && !fate.recorded && !this.#wasRefused) this.#fault(fate, 'was taken without its record');
    fate.promised = true;
    fate.id = id;
    if (id) this.#byId.set(id, fate);
  }

  /** A reading that waited is a message now. */
  leaves(payload: string, id: number): void {
    const fate = this.fates.get(`up ${payload}`);
    if (!fate) return;
    fate.id = id;
    this.#byId.set(id, fate);
    if (this.#wasRefused) fate.recorded = false; // and its own record no longer counts, when others left behind it
    this.#wasRefused = false;
  }

  refused(): void {
    this.#called().refused = true;
    this.told.dropped++;
  }

  /** The application was told that the message under `id` is acknowledged. Answers whether one is known. */
  published(id: number): boolean {
    const fate = this.#byId.get(id);
    if (!fate) return false;
    fate.acknowledged = true;
    if (fate.copies === 0 && !fate.excuse) this.#fault(fate, 'was told as acknowledged and has not arrived');
    return true;
  }

  /** The broker gave it to its subscribers. */
  arrived(topic: string, qos: number, payload: string): void {
    const fate = this.#known('up', topic, qos, payload);
    if (!fate) return;
    if (fate.refused) this.#fault(fate, 'arrived, but its call was refused');
    this.#counts(fate);
  }

  /** The broker holds it for the client. */
  queued(message: Message): void {
    this.#made(message).promised = true;
  }

  /** The application is told of a message. */
  heard(topic: string, qos: number, payload: string, id: number): void {
    const fate = this.#known('down', topic, qos, payload);
    if (!fate) return;
    fate.id = id;
    if (fate.qos < 2) {
      this.#counts(fate);
      return;
    }
    if (fate.pending) this.#fault(fate, 'was told twice');
    if (fate.copies > fate.repeats) this.#fault(fate, `was told ${fate.copies + 1} times`);
    this.#inOrder(fate);
    fate.pending = true;
  }

  /** The storage says that it has a record of that kind and place, of so many bytes; 0 when it was removed. */
  recorded(kind: number, place: number, length: number): void {
    if (kind === RECORD_MESSAGE) this.#wasRefused = false;
    if ((kind === RECORD_MESSAGE || kind === RECORD_READING) && length > 0 && this.#calling) {
      this.#calling.recorded = true;
      if (kind === RECORD_READING) this.#calling.slot = place;
    }
    if (kind === RECORD_INBOX) {
      for (const fate of this.fates.values())
        if (fate.pending && (fate.id & this.#options.places.inbox) === place) {
          fate.pending = false;
          fate.copies++;
        }
    }
  }

  /** The storage did not take a record. */
  notTaken(): void {
    this.#wasRefused = true;
  }

  /** The power goes. */
  cut(): void {
    if (this.#calling && !this.#calling.excuse) this.#calling.excuse = 'its call did not come back';
    this.#calling = undefined;
    for (const fate of this.fates.values()) {
      if (fate.direction === 'up' && !fate.recorded && !fate.acknowledged) fate.excuse ||= 'the storage did not have it at a power cut';
      if (fate.pending) {
        fate.pending = false;
        this.undone++;
      }
    }
  }

  /** An event tells that a record was lost. */
  recordLost(kind: number, place: number): void {
    this.told.lost++;
    const { outbox, inbox } = this.#options.places;
    if (kind === RECORD_READING) {
      const last = [...this.fates.values()].filter(({ slot }) => slot === place).at(-1);
      if (last) last.excuse ||= 'its record was told as lost';
      return;
    }
    if (kind === RECORD_INBOX) {
      for (const fate of this.fates.values())
        if (fate.direction === 'down' && fate.copies > 0 && (fate.id & inbox) === place) fate.repeats++;
      return;
    }
    const last = [...this.#byId.values()].filter(({ id }) => (id & outbox) === place).at(-1);
    if (!last || last.acknowledged) return;
    if (kind === RECORD_MESSAGE) last.excuse ||= 'its record was told as lost';
    if (kind === RECORD_RELEASE) last.repeats++;
  }

  /** The broker, or a gateway, lost its memory. */
  forgotten(): void {
    for (const fate of this.fates.values()) {
      if (fate.direction === 'up' && fate.copies > 0 && !fate.acknowledged) fate.repeats++;
      if (fate.direction === 'down' && fate.copies === 0) fate.excuse ||= 'the broker forgot it';
    }
  }

  /** At the end of a history, when all is quiet. */
  judge(): void {
    for (const fate of this.fates.values()) {
      if (fate.pending) {
        fate.pending = false;
        fate.copies++;
      }
      if (fate.qos > 0 && fate.promised && !fate.refused && fate.copies === 0 && !fate.excuse) this.#fault(fate, 'never came');
    }
  }

  count(direction: Direction, qos?: Level): number {
    return [...this.fates.values()].filter((fate) => fate.direction === direction && (qos === undefined || fate.qos === qos)).length;
  }

  /** Messages above QoS 0 that did not come, each with its excuse. */
  get excused(): number {
    return [...this.fates.values()].filter(({ qos, copies, refused }) => qos > 0 && copies === 0 && !refused).length;
  }

  #made(message: Message): Fate {
    const fate: Fate = {
      ...message,
      promised: false,
      refused: false,
      recorded: false,
      acknowledged: false,
      id: 0,
      slot: -1,
      copies: 0,
      pending: false,
      repeats: 0,
      excuse: '',
    };
    this.fates.set(`${message.direction} ${message.payload}`, fate);
    return fate;
  }

  #called(): Fate {
    const fate = this.#calling;
    if (!fate) throw new Error('no call is under way');
    this.#calling = undefined;
    return fate;
  }

  #known(direction: Direction, topic: string, qos: number, payload: string): Fate | undefined {
    const fate = this.fates.get(`${direction} ${payload}`);
    if (fate?.topic === topic && fate.qos === qos) return fate;
    this.faults.push(`${direction}: '${payload}' on ${topic} at QoS ${qos} was never sent so`);
    return undefined;
  }

  #counts(fate: Fate): void {
    fate.copies++;
    if (fate.copies > 1) {
      if (fate.qos === 1) this.copies++;
      const most = fate.qos === 0 ? this.#options.copies : 1 + fate.repeats;
      if (fate.qos !== 1 && fate.copies > most) this.#fault(fate, `came ${fate.copies} times`);
      return;
    }
    this.#inOrder(fate);
  }

  #inOrder(fate: Fate): void {
    if (fate.qos === 0 && !this.#options.ordered) return;
    const stream = `${fate.direction} ${fate.topic} ${fate.qos}`;
    const last = this.#last.get(stream) ?? -1;
    if (!this.#begun.has(fate) && fate.number < last) this.#fault(fate, `came behind ${last}`);
    this.#begun.add(fate);
    if (fate.number > last) this.#last.set(stream, fate.number);
  }

  #fault({ direction, number, topic, qos }: Fate, what: string): void {
    this.faults.push(`${direction}: message ${number} on ${topic} at QoS ${qos} ${what}`);
  }
}
