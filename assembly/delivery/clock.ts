// The time that step was given: milliseconds that may start anywhere and wrap at 2^32. Only differences mean anything.

export let now: i32 = 0;

export function setNow(ms: i32): void {
  now = ms;
}

/** Milliseconds until `deadline`, 0 when it has passed. Deadlines lie at most 2^31 ms (24 days) ahead. */
export function remaining(deadline: i32): i32 {
  return max(deadline - now, 0);
}
