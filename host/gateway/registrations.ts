const MOST_IDS = 0xfffe; // 0000 and FFFF are reserved (SN 5.3.11)
/** The first id is not above this: there are clients that take ids for signed numbers of 16 bits, and fail from 8000 on. */
const FIRST_MOST = 0x4000;

/**
 * The topic ids of one client. They begin anywhere, so that an id which a client still holds from before the gateway was started again is
 * most likely unknown, and not another topic's.
 */
export class Registrations {
  readonly #limit: number;
  readonly #byId = new Map<number, string>();
  readonly #byName = new Map<string, number>();
  /** Ids that the client was told, or used. */
  readonly #known = new Set<number>();
  #next: number;

  /** `limit`: most ids; `random`: 32 bits. */
  constructor(limit: number, random: number) {
    this.#limit = Math.min(limit, MOST_IDS);
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

  /** The id of `topic`, a new one if it has none; undefined when there are too many. */
  add(topic: string): number | undefined {
    const known = this.#byName.get(topic);
    if (known !== undefined) return known;
    if (this.#byId.size >= this.#limit) return undefined;
    while (this.#byId.has(this.#next)) this.#advance();
    const id = this.#next;
    this.#advance();
    this.#byId.set(id, topic);
    this.#byName.set(topic, id);
    return id;
  }

  /** Gives up the id of `topic`; add() gives it another. */
  remove(topic: string): void {
    const id = this.#byName.get(topic);
    if (id === undefined) return;
    this.#byName.delete(topic);
    this.#byId.delete(id);
    this.#known.delete(id);
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

  #advance(): void {
    this.#next = (this.#next % MOST_IDS) + 1;
  }
}
