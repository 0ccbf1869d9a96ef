/** One figure beside its bound and a peer's: of the same run, unless the peer's name says that it was measured once. */
export interface Figure {
  /** The table it stands in. */
  table: string;
  name: string;
  /** Where it was measured, one of the table's columns, where the same is measured in several places; otherwise null. */
  on: string | null;
  value: number;
  unit: string;
  /** Counted, so the same in every run: over its bound it fails the command. A timed one never does. */
  counted: boolean;
  /** The most a count may be, the least a ratio may be; null where the figure is for information. */
  bound: number | null;
  /** What the peer's figure is of, or null where nothing does the same. */
  peer: string | null;
  peerValue: number | null;
  ok: boolean;
  /** What `value` grows with, if that was asked: the points that were measured. */
  growth?: Growth;
}

export interface Growth {
  with: string;
  at: number[];
  values: number[];
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
  return { table: '', name, on: null, value, unit, counted: true, bound, peer, peerValue, ok: bound === null || value <= bound };
}

/** How many times the peer's figure ours is: timed, so only printed. */
export function ratio(name: string, value: number, bound: number | null, peer: string, peerValue: number): Figure {
  return { ...timed(name, value, '×', peer, peerValue), bound, ok: bound === null || value >= bound };
}

/** A timed figure beside a peer's, without a bound. */
export function timed(name: string, value: number, unit: string, peer: string, peerValue: number): Figure {
  return { ...seen(name, value, unit), peer, peerValue: round(peerValue) };
}

/** A timed figure of this run alone, with nothing beside it. */
export function seen(name: string, value: number, unit: string): Figure {
  return { table: '', name, on: null, value: round(value), unit, counted: false, bound: null, peer: null, peerValue: null, ok: true };
}

/** The same figures as rows of `table`. */
export function under(table: string, figures: readonly Figure[]): Figure[] {
  return figures.map((figure) => ({ ...figure, table }));
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Whether every count kept its bound. */
export function kept(figures: readonly Figure[]): boolean {
  return figures.every(({ ok, counted }) => ok || !counted);
}
