import { performance } from 'node:perf_hooks';
import { type Ground, NotHere, type Protocol } from './ground.js';
import { within } from './heard.js';
import { type Scenario, whyNot } from './scenario.js';
import { timeline } from './timeline.js';
import { World } from './world.js';

/** What became of a scenario over a protocol. */
export interface Outcome {
  what: string;
  protocol: Protocol;
  status: 'passed' | 'failed' | 'skipped';
  /** In ms. */
  took: number;
  /** Why it was skipped, or what went wrong. */
  why?: string;
  /** Of one that failed: what boards said and what passed, in order. */
  timeline?: string[];
}

export interface Task {
  scenario: Scenario;
  ground: Ground;
}

/** Every wait of a scenario has a deadline; this is that of all of them together, in ms. */
const SCENARIO_MS = 120_000;

/**
 * Tells the scenarios, `jobs` at a time, begun in their order; `done` hears of each. When `signal` is aborted those that run are broken off, and all that
 * they had is ended before it resolves.
 */
export async function tell(
  tasks: readonly Task[],
  jobs: number,
  done: (outcome: Outcome) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...tasks];
  const interrupted = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Interrupted()), { once: true }));
  interrupted.catch(() => {}); // perhaps nobody waits
  const worker = async () => {
    for (let task = waiting.shift(); task && !signal.aborted; task = waiting.shift()) {
      const outcome = await tellOne(task, interrupted);
      if (!outcome) return;
      outcomes.push(outcome);
      done(outcome);
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return outcomes;
}

/** Somebody wants no more of it. */
class Interrupted extends Error {}

/** Undefined when it was interrupted. */
async function tellOne({ scenario, ground }: Task, interrupted: Promise<never>): Promise<Outcome | undefined> {
  const { protocol, rung } = ground;
  const began = performance.now();
  const outcome = (rest: Pick<Outcome, 'status' | 'why' | 'timeline'>): Outcome => ({
    what: scenario.what,
    protocol,
    took: performance.now() - began,
    ...rest,
  });
  const not = whyNot(scenario, rung, protocol);
  if (not !== false) return outcome({ status: 'skipped', why: not });
  let world: World | undefined;
  try {
    world = await World.on(ground);
    const run = scenario.run(world);
    await Promise.race([within(run, 'the end of the scenario', SCENARIO_MS), interrupted]);
    return outcome({ status: 'passed' });
  } catch (error) {
    if (error instanceof Interrupted) return undefined;
    if (error instanceof NotHere) return outcome({ status: 'skipped', why: error.message });
    const why = error instanceof Error ? error.message : String(error);
    return outcome({ status: 'failed', why, ...(world && { timeline: timeline(world, began) }) });
  } finally {
    await within(world?.end() ?? Promise.resolve(), 'the end of what the scenario had', SCENARIO_MS).catch(() => {});
  }
}
