import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { campaign, command, told } from './campaign.js';
import { range } from './cli.js';
import type { Counts } from './history.js';
import type { Kind } from './plan.js';

/** Runs the histories of these seeds; what fails says how to run it again. Prints and answers the counts. */
export async function holds(context: TestContext, kind: Kind, seeds: readonly number[]): Promise<Counts> {
  const begun = performance.now();
  const { counts, failures } = await campaign(kind, seeds);
  context.diagnostic(`${kind}, ${((performance.now() - begun) / 1000).toFixed(1)} s: ${told(counts)}`);
  assert.deepEqual(
    failures.map(({ seed, faults }) => `${faults[0]}: ${command(kind, seed)}`),
    [],
  );
  return counts;
}

/** Seeds that count through the places of the fault, and seeds that draw several faults. Even ones are MQTT, odd ones MQTT-SN. */
export function seedsOf(parity: 'even' | 'odd', counted: number, drawn: number): number[] {
  return [...range(0, counted), ...range(1_000_000, drawn)].filter((seed) => seed % 2 === (parity === 'even' ? 0 : 1));
}
