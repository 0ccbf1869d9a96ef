import type { Figure } from './figure.js';

/** Prints tables for people, or with `json` one array and nothing else. */
export function print(figures: readonly Figure[], json: boolean): void {
  console.log(json ? JSON.stringify(figures, undefined, 2) : tables(figures).join('\n\n'));
}

/** The tables in the order of their first figure, each as text. */
export function tables(figures: readonly Figure[]): string[] {
  return [...new Set(figures.map(({ table }) => table))].map((title) => {
    const rows = figures.filter(({ table }) => table === title);
    const table = rows.some(({ on }) => on !== null) ? matrix(rows) : list(rows);
    return [title, ...aligned(table)].filter((line) => line !== '').join('\n');
  });
}

/** A figure a row. */
function list(figures: readonly Figure[]): string[][] {
  return [
    ['figure', 'value', 'bound', '', 'peer'],
    ...figures.map(({ name, value, unit, counted, bound, peer, peerValue, ok }) => [
      name,
      `${number(value)} ${unit}`.trimEnd(),
      bound === null ? '' : `${counted ? '≤' : '≥'} ${number(bound)}`,
      bound === null ? '' : ok ? 'ok' : 'NO',
      peer === null ? '' : `${peerValue === null ? '' : number(peerValue)} · ${peer}`,
    ]),
  ];
}

/** A name a row, and a place a column; a bound stands behind its value. */
function matrix(figures: readonly Figure[]): string[][] {
  const places = [...new Set(figures.map(({ on }) => on ?? ''))];
  const units = new Set(figures.map(({ unit }) => unit));
  const names = [...new Set(figures.map(({ name }) => name))];
  return [
    [[...units].join(', '), ...places],
    ...names.map((name) => [
      name,
      ...places.map((place) => {
        const figure = figures.find((figure) => figure.name === name && (figure.on ?? '') === place);
        if (!figure) return '';
        const { value, bound, ok } = figure;
        return bound === null ? number(value) : `${number(value)} ${ok ? '≤' : 'NOT ≤'} ${number(bound)}`;
      }),
    ]),
  ];
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
