// The time that step was given: milliseconds that may start anywhere and wrap at 2^32. Only differences mean anything.

export let now: i32 = 0;
/** Milliseconds that the step may be followed by none: what was looked at and is not due yet. */
export let idle: i32 = 0;

export function setNow(ms: i32): void {
  now = ms;
}

/** Milliseconds until `deadline`, 0 when it has passed. Deadlines lie at most 2^31 ms (24 days) ahead. */
export function remaining(deadline: i32): i32 {
  return max(deadline - now, 0);
}

/** Begins to look at what is due. */
export function beginLooking(): void {
  idle = i32.MAX_VALUE;
}

/** Whether `deadline` has passed; if not, a step is due when it does. */
export function isDue(deadline: i32): bool {
  const left = deadline - now;
  if (left <= 0) return true;
  idle = min(idle, left);
  return false;
}

/** A step is due at once. */
export function lookAgain(): void {
  idle = 0;
}
