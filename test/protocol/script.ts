import { Checker } from './checker.js';

/**
 * Plays a conversation into a checker. A line is what one side sends, written as bytes: `>` the client, `<` the server, hex digits, and text
 * between quotes. `|` ends the connection in order, `/` cuts it. `split` is the size of the pieces.
 */
export function play(script: string, split = Number.POSITIVE_INFINITY): Checker {
  const checker = new Checker();
  for (const line of script.split('\n').map((text) => text.trim())) {
    if (line === '') continue;
    if (line === '|' || line === '/') {
      checker.end(line === '/');
      continue;
    }
    const data = bytes(line.slice(1));
    const size = Math.min(split, data.length);
    for (let at = 0; at < data.length; at += size) {
      const piece = data.subarray(at, at + size);
      if (line.startsWith('>')) checker.client(piece);
      else if (line.startsWith('<')) checker.server(piece);
      else throw new Error(`neither > nor <: ${line}`);
    }
  }
  checker.end();
  return checker;
}

/** Of hex digits, with text between quotes: `0001 'a'`. */
export function bytes(notation: string): Buffer {
  const hex = notation.replace(/'([^']*)'/g, (_, text: string) => Buffer.from(text).toString('hex')).replace(/\s/g, '');
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Error(`not bytes: ${notation}`);
  return Buffer.from(hex, 'hex');
}
