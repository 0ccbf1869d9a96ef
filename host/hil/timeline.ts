import { printable } from '../printable.js';
import type { Frame } from './proxy.js';
import type { World } from './world.js';

/** Of a frame, so many bytes are shown. */
const SHOWN_BYTES = 48;
/** A scenario that runs on and on shows the end of it. */
const MOST_LINES = 400;

function frameLine({ from, connection, name, dup, bytes, fate }: Frame): string {
  const way = from === 'board' ? 'board → peer ' : 'peer  → board';
  const more = bytes.length > SHOWN_BYTES ? ` … ${bytes.length} bytes` : '';
  const hex = Buffer.from(bytes.subarray(0, SHOWN_BYTES)).toString('hex').replace(/../g, '$& ').trimEnd();
  return `${way}  ${connection}  ${name}${dup ? ' DUP' : ''}${fate === 'passed' ? '' : ` (${fate})`}  ${hex}${more}`;
}

/** What boards said and all frames at their proxies, in the order of their times, in seconds since `began` (of performance.now()). */
export function timeline({ frames, remarks }: World, began: number): string[] {
  const all = [
    ...frames.map((frame) => ({ at: frame.at, text: frameLine(frame) })),
    ...remarks.map(({ at, board, what }) => ({ at, text: `board ${board}        ${printable(what)}` })),
  ].sort((one, other) => one.at - other.at);
  const lines = all.map(({ at, text }) => `${((at - began) / 1000).toFixed(3).padStart(8)}  ${text}`);
  const left = lines.length - MOST_LINES;
  return left > 0 ? [`(${left} lines before)`, ...lines.slice(left)] : lines;
}
