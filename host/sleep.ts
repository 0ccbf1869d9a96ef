import { TwobyteError } from './errors.js';

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Who waits for a client to fall asleep, to wake, or to have fetched what its gateway held for it. */
export class Sleep {
  /** The gateway knows that we sleep. */
  asleep = false;
  #sleepers: (Waiter & { seconds: number })[] = [];
  #wakers: Waiter[] = [];
  /** Asked for, and under way. */
  #asked: Waiter[] = [];
  #collecting: Waiter[] = [];
  #seconds = 0;

  /** Resolves when the gateway has confirmed a sleep of so many seconds, which takes the place of any other. */
  began(seconds: number): Promise<void> {
    const others = this.#sleepers.filter((each) => each.seconds !== seconds);
    this.#sleepers = this.#sleepers.filter((each) => each.seconds === seconds);
    for (const { reject } of others) reject(new TwobyteError(`another sleep, of ${seconds} s, was asked for`, 'ERROR_STATE'));
    if (this.asleep && seconds === this.#seconds) return Promise.resolve();
    return new Promise((resolve, reject) => this.#sleepers.push({ seconds, resolve, reject }));
  }

  ended(): Promise<void> {
    return new Promise((resolve, reject) => this.#wakers.push({ resolve, reject }));
  }

  collected(): Promise<void> {
    return new Promise((resolve, reject) => this.#asked.push({ resolve, reject }));
  }

  /** EVENT_ASLEEP. */
  slept(seconds: number): void {
    this.asleep = true;
    this.#seconds = seconds;
    const ready = this.#sleepers.filter((each) => each.seconds === seconds);
    this.#sleepers = this.#sleepers.filter((each) => each.seconds !== seconds);
    for (const { resolve } of [...ready, ...this.#collecting.splice(0)]) resolve();
  }

  /** EVENT_AWAKE: what was asked for is on its way. */
  fetching(): void {
    this.#collecting.push(...this.#asked.splice(0));
  }

  /** A connection was made. */
  woke(): void {
    this.asleep = false;
    for (const { resolve } of this.#wakers.splice(0)) resolve();
    this.#failCollectors(new TwobyteError('the client woke up; what waited arrives as messages', 'ERROR_STATE'));
  }

  /** The sleep that was asked for is called off. */
  calledOff(error: Error): void {
    for (const { reject } of this.#sleepers.splice(0)) reject(error);
  }

  /** The gateway is lost. A sleep that was asked for begins over the next connection. */
  lost(error: Error): void {
    this.asleep = false;
    for (const { reject } of this.#wakers.splice(0)) reject(error);
    this.#failCollectors(error);
  }

  #failCollectors(error: Error): void {
    for (const { reject } of [...this.#asked.splice(0), ...this.#collecting.splice(0)]) reject(error);
  }
}
