/** One figure beside its bound and a peer's figure of the same run. */
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** The most a count may be, the least a ratio may be; null where the figure is for information. */
  bound: number | null;
  /** What the peer's figure is of, or null where nothing does the same. */
  peer: string | null;
  peerValue: number | null;
  ok: boolean;
}

/** A count of bytes, instructions or allocations: the same in every run, so a bound that is passed fails the command. */
export function counted(
  name: string,
  value: number,
  unit: string,
  bound: number | null,
  peer: string | null = null,
  peerValue: number | null = null,
): Figure {
  return { name, value, unit, bound, peer, peerValue, ok: bound === null || value <= bound };
}

/** How many times the peer's figure ours is: timed, so only printed. */
export function ratio(name: string, value: number, bound: number | null, peer: string, peerValue: number): Figure {
  return { name, value: round(value), unit: '×', bound, peer, peerValue: round(peerValue), ok: bound === null || value >= bound };
}

/** A timed figure beside a peer's, without a bound. */
export function timed(name: string, value: number, unit: string, peer: string, peerValue: number): Figure {
  return { name, value: round(value), unit, bound: null, peer, peerValue: round(peerValue), ok: true };
}

/** A figure of this run alone, with nothing beside it. */
export function seen(name: string, value: number, unit: string): Figure {
  return { name, value: round(value), unit, bound: null, peer: null, peerValue: null, ok: true };
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Prints a table for people, or with `json` one array and nothing else. Answers whether every count kept its bound. */
export function print(figures: readonly Figure[], json: boolean): boolean {
  if (json) {
    console.log(JSON.stringify(figures, undefined, 2));
  } else {
    const rows = figures.map(({ name, value, unit, bound, peer, peerValue, ok }) => [
      name,
      `${value.toLocaleString('en')} ${unit}`.trimEnd(),
      bound === null ? '' : `${unit === '×' ? '≥' : '≤'} ${bound.toLocaleString('en')}`,
      bound === null ? '' : ok ? 'ok' : 'NO',
      peer === null ? '' : `${peerValue?.toLocaleString('en')} · ${peer}`,
    ]);
    const header = ['figure', 'value', 'bound', '', 'peer'];
    const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
    for (const row of [header, ...rows])
      console.log(
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd(),
      );
  }
  return figures.every(({ ok, unit }) => ok || unit === '×');
}
