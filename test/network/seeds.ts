/** Set to a seed, it is the only one that is run. */
const VARIABLE = 'TWOBYTE_SEED';

/** Which of the seeds a file runs, and its name for `npm test`. */
export interface Share {
  of: 'odd' | 'even';
  file: string;
}

/** Runs with seeds 1 to `count`, or a share of them. What fails says its seed and how to run that one again. */
export function withSeeds(count: number, run: (seed: number) => void, share?: Share): void {
  const one = process.env[VARIABLE];
  const seeds = one === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(one)];
  const isOurs = (seed: number) => !share || seed % 2 === (share.of === 'odd' ? 1 : 0);
  for (const seed of seeds.filter(isOurs)) {
    try {
      run(seed);
    } catch (error) {
      const command = `${VARIABLE}=${seed}${share ? ` npm test -- ${share.file}` : ''}`;
      if (error instanceof Error) error.message = `seed ${seed} (${command} runs it again): ${error.message}`;
      throw error;
    }
  }
}
