import type { Protocol, RungName } from './ground.js';
import type { Outcome } from './runner.js';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** What XML 1.0 takes as a character; all else becomes U+FFFD. */
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

const attribute = (text: string) => text.replace(NOT_XML, '\ufffd').replace(/[&<>"'\n\t]/g, (character) => escapes[character] ?? character);
const content = (text: string) => text.replace(NOT_XML, '\ufffd').replace(/[&<>]/g, (character) => escapes[character] ?? character);
const seconds = (ms: number) => (ms / 1000).toFixed(3);

function testcase({ what, status, why = '', took, timeline }: Outcome, suite: string): string {
  const head = `    <testcase name="${attribute(what)}" classname="${attribute(suite)}" time="${seconds(took)}"`;
  if (status === 'passed') return `${head}/>`;
  if (status === 'skipped') return `${head}>\n      <skipped message="${attribute(why)}"/>\n    </testcase>`;
  const [first = ''] = why.split('\n');
  const log = timeline ? `\n      <system-out>${content(timeline.join('\n'))}</system-out>` : '';
  return `${head}>\n      <failure message="${attribute(first)}" type="failure">${content(why)}</failure>${log}\n    </testcase>`;
}

/** The outcomes as JUnit XML: a suite for each protocol. `began`: when, for people. */
export function junit(rung: RungName, outcomes: readonly Outcome[], began: Date): string {
  const count = (all: readonly Outcome[], status: Outcome['status']) => all.filter((outcome) => outcome.status === status).length;
  const counts = (all: readonly Outcome[]) =>
    `tests="${all.length}" failures="${count(all, 'failed')}" errors="0" skipped="${count(all, 'skipped')}" ` +
    `time="${seconds(all.reduce((sum, { took }) => sum + took, 0))}"`;
  const suites = (['mqtt', 'mqtt-sn'] satisfies Protocol[]).flatMap((protocol) => {
    const all = outcomes.filter((outcome) => outcome.protocol === protocol);
    if (all.length === 0) return [];
    const name = `${rung} over ${protocol}`;
    const cases = all.map((outcome) => testcase(outcome, name)).join('\n');
    return [`  <testsuite name="${name}" ${counts(all)} timestamp="${began.toISOString().slice(0, 19)}">\n${cases}\n  </testsuite>`];
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="twobyte hil" ${counts(outcomes)}>\n${suites.join('\n')}\n</testsuites>\n`;
}
