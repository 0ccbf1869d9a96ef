/** Set to a seed, it is the only one that is run. */
const VARIABLE = 'TWOBYTE_SEED';

/** Runs with seeds 1 to `count`. What fails says its seed and how to run that one again. */
export function withSeeds(count: number, run: (seed: number) => void): void {
  const one = process.env[VARIABLE];
  const seeds = one === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(one)];
  for (const seed of seeds) {
    try {
      run(seed);
    } catch (error) {
      if (error instanceof Error) error.message = `seed ${seed} (${VARIABLE}=${seed} runs it again): ${error.message}`;
      throw error;
    }
  }
}
