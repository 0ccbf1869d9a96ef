import type { Protocol, RungName } from './ground.js';
import type { Outcome } from './runner.js';
import { type Scenario, whyNot } from './scenario.js';

/** A scenario, and the protocols over which it is told. */
export interface Listed {
  scenario: Scenario;
  protocols: readonly Protocol[];
}

/** The scenarios of several protocols, each name once, in the order of the lists. */
export function merged(protocols: readonly Protocol[], over: (protocol: Protocol) => readonly Scenario[]): Listed[] {
  const rows = new Map<string, { scenario: Scenario; protocols: Protocol[] }>();
  for (const protocol of protocols)
    for (const scenario of over(protocol)) {
      const row = rows.get(scenario.what) ?? { scenario, protocols: [] };
      row.protocols.push(protocol);
      rows.set(scenario.what, row);
    }
  return [...rows.values()];
}

/** What is told of the list on a rung, with the reasons why not. */
export function listing(rung: RungName, protocols: readonly Protocol[], rows: readonly Listed[]): string[] {
  const reasons: string[] = [];
  const lines = rows.map(({ scenario, protocols: over }) => {
    const cells = protocols.map((protocol) => {
      if (!over.includes(protocol)) return '-';
      const not = whyNot(scenario, rung, protocol);
      if (not !== false) reasons.push(skippedLine(scenario.what, protocol, not));
      return not === false ? 'runs' : 'skipped';
    });
    return row(cells, scenario.what);
  });
  return [header(protocols), ...lines, ...reasons, `${rows.length} scenarios on ${rung}`];
}

const skippedLine = (what: string, protocol: Protocol, why: string) => `skipped: ${what} (${protocol}): ${why}`;

const WIDTH = 10;
const row = (cells: readonly string[], what: string) => `${cells.map((cell) => cell.padEnd(WIDTH)).join('')}${what}`;
const header = (protocols: readonly Protocol[]) => row(protocols, 'scenario');

/** The table of a run: a line for each scenario, in the order of the list, as soon as it and those before it are known. */
export class Table {
  readonly #protocols: readonly Protocol[];
  readonly #print: (line: string) => void;
  /** By name, in the order of the list: the protocols it is told over, and what became of it. */
  readonly #rows: Map<string, Map<Protocol, Outcome | undefined>>;

  constructor(protocols: readonly Protocol[], rows: readonly Listed[], print: (line: string) => void) {
    this.#protocols = protocols;
    this.#print = print;
    this.#rows = new Map(
      rows.map(({ scenario, protocols: over }) => [scenario.what, new Map(over.map((protocol) => [protocol, undefined]))]),
    );
    print(header(protocols));
  }

  add(outcome: Outcome): void {
    this.#rows.get(outcome.what)?.set(outcome.protocol, outcome);
    for (const [what, cells] of this.#rows) {
      if ([...cells.values()].includes(undefined)) return;
      const shown = this.#protocols.map((protocol) => cells.get(protocol)?.status ?? '-');
      this.#print(
        row(
          shown.map((cell) => (cell === 'failed' ? 'FAILED' : cell)),
          what,
        ),
      );
      this.#rows.delete(what);
    }
  }
}

/** What comes behind the table: who was skipped and why, what failed and all that was said then, and the counts. */
export function summary(rung: RungName, outcomes: readonly Outcome[], took: number): string[] {
  const of = (status: Outcome['status']) => outcomes.filter((outcome) => outcome.status === status);
  const failed = of('failed').flatMap(({ what, protocol, why = '', timeline = [] }) => [
    '',
    `FAILED: ${what} (${protocol})`,
    ...why.split('\n').map((line) => `  ${line}`),
    '  What boards and their peers said, in seconds since it began:',
    ...timeline.map((line) => `  ${line}`),
  ]);
  const counts = `${of('passed').length} passed, ${of('failed').length} failed, ${of('skipped').length} skipped`;
  return [
    ...of('skipped').map(({ what, protocol, why = '' }) => skippedLine(what, protocol, why)),
    ...failed,
    ...(failed.length > 0 ? [''] : []),
    `${rung}: ${counts} in ${(took / 1000).toFixed(0)} s`,
  ];
}
