/** Control characters, and those that turn the direction of a line: what a peer named must not move a terminal's cursor or begin a line of a log. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** A line is not longer, in characters: a topic may have 65,535 bytes. */
const LONGEST_LINE = 2000;

/** `text` on one line, for people; what cannot be printed stands there as \u001b, and what is too long is cut. */
export function printable(text: string): string {
  const line = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text;
  return line.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
