import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chart } from './chart.js';
import type { Figure } from './figure.js';

/** This file runs as build/js/bench/results.js. */
const root = new URL('../../../', import.meta.url);
export const resultsFile = new URL('bench/results.json', root);
const chartFile = new URL('docs/bench.svg', root);

/** Keeps a run's figures, and the chart of them, in the repository; answers the files. */
export function write(figures: readonly Figure[]): string[] {
  writeFileSync(resultsFile, `${JSON.stringify(figures, undefined, 2)}\n`);
  writeFileSync(chartFile, chart(figures));
  return [resultsFile, chartFile].map((file) => fileURLToPath(file).slice(fileURLToPath(root).length));
}
