/** Where a board's time comes from: the machine's, or a test's. */
export interface Clock {
  /** Milliseconds of any origin. */
  now(): number;
  /** Calls `action` once when `ms` have passed; answers a function that calls it off. */
  after(ms: number, action: () => void): () => void;
}

/** setTimeout takes no more: longer waits are cut, and step() is asked again. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const realClock: Clock = {
  now: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(Math.max(ms, 0), LONGEST_TIMER));
    return () => clearTimeout(timer);
  },
};
