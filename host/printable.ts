/** Control characters, and those that turn the direction of a line: what a peer named must not move a terminal's cursor or begin a line of a log. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** `text` on one line, for people; what cannot be printed stands there as \u001b. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
