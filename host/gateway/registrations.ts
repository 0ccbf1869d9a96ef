const MOST_IDS = 0xfffe; // 0000 and FFFF are reserved (SN 5.3.11)
/** The first id is not above this: there are clients that take ids for signed numbers of 16 bits, and fail from 8000 on. */
const FIRST_MOST = 0x4000;

/**
 * The topic ids of one client. They begin anywhere, so that an id which a client still holds from before the gateway was started again is
 * most likely unknown, and not another topic's.
 */
export class Registrations {
  readonly #limit: number;
  readonly #byteLimit: number;
  #bytes = 0;
  readonly #byId = new Map<number, string>();
  readonly #byName = new Map<string, number>();
  /** Ids that the client was told, or used. */
  readonly #known = new Set<number>();
  /** Ids that the client asked for; the others were made for messages to it. */
  readonly #asked = new Set<number>();
  /** The id of a message that waits for its answer, or 0: it does not make room. */
  inFlight = 0;
  #next: number;

  /** `limit`: most ids; `byteLimit`: most bytes of their names; `random`: 32 bits. */
  constructor(limit: number, byteLimit: number, random: number) {
    this.#limit = Math.min(limit, MOST_IDS - 1); // one is always free, for the next
    this.#byteLimit = byteLimit;
    this.#next = ((random >>> 0) % FIRST_MOST) + 1;
  }

  get size(): number {
    return this.#byId.size;
  }

  topicOf(id: number): string | undefined {
    return this.#byId.get(id);
  }

  idOf(topic: string): number | undefined {
    return this.#byName.get(topic);
  }

  /**
   * The id of `topic` that the client asks for, a new one if it has none. The oldest that were made for messages make room; undefined when the
   * client has asked for too many.
   */
  add(topic: string): number | undefined {
    const id = this.#idFor(topic, (other) => !this.#asked.has(other));
    if (id !== undefined) this.#asked.add(id);
    return id;
  }

  /**
   * The id of `topic` for a message to the client. The oldest make room, at last such as the client asked for: it is told that they are unknown
   * when it uses them, and asks again. Undefined when the name is longer than all may be.
   */
  introduce(topic: string): number | undefined {
    return this.#idFor(topic, (other) => !this.#asked.has(other)) ?? this.#idFor(topic, () => true);
  }

  /** The id of `topic`. Where a new one has no room, the oldest that `mayGo` are given up, or none when that is not enough. */
  #idFor(topic: string, mayGo: (id: number) => boolean): number | undefined {
    const known = this.#byName.get(topic);
    if (known !== undefined) return known;
    const size = Buffer.byteLength(topic);
    let tooMany = this.#byId.size + 1 - this.#limit;
    let tooLong = this.#bytes + size - this.#byteLimit;
    const going: string[] = [];
    if (tooMany > 0 || tooLong > 0) {
      for (const [id, name] of this.#byId) {
        if (id === this.inFlight || !mayGo(id)) continue;
        going.push(name);
        tooMany--;
        tooLong -= Buffer.byteLength(name);
        if (tooMany <= 0 && tooLong <= 0) break;
      }
    }
    if (tooMany > 0 || tooLong > 0) return undefined;
    const id = this.#free();
    for (const name of going) this.remove(name);
    this.#byId.set(id, topic);
    this.#byName.set(topic, id);
    this.#bytes += size;
    return id;
  }

  /** Gives up the id of `topic`; add() gives it another. */
  remove(topic: string): void {
    const id = this.#byName.get(topic);
    if (id === undefined) return;
    this.#byName.delete(topic);
    this.#byId.delete(id);
    this.#bytes -= Buffer.byteLength(topic);
    this.#known.delete(id);
    this.#asked.delete(id);
  }

  /** Whether the client knows what `id` stands for. */
  knows(id: number): boolean {
    return this.#known.has(id);
  }

  learned(id: number): void {
    if (this.#byId.has(id)) this.#known.add(id);
  }

  forgot(id: number): void {
    this.#known.delete(id);
  }

  /** The client may have been started anew: it is told every id again before it is used. The ids stay good in the other direction. */
  forgotAll(): void {
    this.#known.clear();
  }

  /** An id that stands for nothing, and did not for as long as can be. */
  #free(): number {
    while (this.#byId.has(this.#next)) this.#advance();
    const id = this.#next;
    this.#advance();
    return id;
  }

  #advance(): void {
    this.#next = (this.#next % MOST_IDS) + 1;
  }
}
