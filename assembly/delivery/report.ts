// What poll() of a session answers: the number of an event, with its details here until the next call.

export let eventA: i32 = 0;
export let eventB: i32 = 0;

export function report(event: i32, a: i32, b: i32): i32 {
  eventA = a;
  eventB = b;
  return event;
}
