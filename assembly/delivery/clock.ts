// The time that step was given: milliseconds that may start anywhere and wrap at 2^32. Only differences mean anything.

export let now: i32 = 0;
/** All is done until restUntil, if nothing happens before: a step in between need not look. */
export let resting: bool = false;
export let restUntil: i32 = 0;

export function setNow(ms: i32): void {
  now = ms;
}

/** Milliseconds until `deadline`, 0 when it has passed. Deadlines lie at most 2^31 ms (24 days) ahead. */
export function remaining(deadline: i32): i32 {
  return max(deadline - now, 0);
}

export function hasPassed(deadline: i32): bool {
  return deadline - now <= 0;
}

/** Whether something is due, or has happened. */
export function isStirred(): bool {
  return !resting || restUntil - now <= 0;
}

/** Something happened: a step is due at once. */
export function stir(): void {
  resting = false;
}

/** Rests for `ms`; answers them. */
export function restFor(ms: i32): i32 {
  resting = true;
  restUntil = now + ms;
  return ms;
}

/** Begins to look at what is due. */
export function beginLooking(): void {
  resting = true;
  restUntil = now + i32.MAX_VALUE;
}

/** Whether `deadline` has passed; if not, it ends the rest. */
export function isDue(deadline: i32): bool {
  if (hasPassed(deadline)) return true;
  if (deadline - restUntil < 0) restUntil = deadline;
  return false;
}
