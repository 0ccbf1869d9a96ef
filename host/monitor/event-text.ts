import { errorNames, reasonNames, timeoutNames } from '../contract.js';
import { printable } from '../printable.js';

/** What the numbers a and b of an event are, where that is not plain: a text in place of `a=1`; undefined: nothing worth telling. */
type Field = (value: number) => string | undefined;

const inThousandths: Field = (value) => String(value / 1000);
const named =
  (names: Readonly<Record<number, string>>): Field =>
  (value) =>
    names[value] ?? String(value);
const retry: Field = (value) => `again in ${value} ms`;

const fields: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  reading: { a: inThousandths, b: (id) => (id === 0 ? undefined : `message ${id}`) },
  measured: { a: (index) => `${index}:`, b: inThousandths },
  link_closed: { a: named(reasonNames), b: retry },
  timeout: { a: named(timeoutNames), b: retry },
  protocol_error: { a: named(errorNames), b: retry },
};

/** An event of a board as a line for people: `reading 23.5 message 7`, `link_closed reset again in 1000 ms`. What is not JSON stands as it is. */
export function eventText(json: string): string {
  let event: unknown;
  try {
    event = JSON.parse(json);
  } catch {
    return printable(json);
  }
  if (event === null || typeof event !== 'object' || !('event' in event) || typeof event.event !== 'string') return printable(json);
  const { event: name, at: _at, ...rest } = event as Record<string, unknown> & { event: string };
  const words = Object.entries(rest).map(([key, value]) => {
    const field = fields[name]?.[key];
    if (field && typeof value === 'number') return field(value);
    if ((key === 'a' || key === 'b') && value === 0) return undefined;
    return `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  return printable([name, ...words.filter((word) => word !== undefined)].join(' '));
}
