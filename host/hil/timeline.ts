import { printable } from '../printable.js';
import type { Protocol } from './ground.js';
import { credentialsAt } from './packets.js';
import type { Frame } from './proxy.js';
import type { World } from './world.js';

/** Of a frame, so many bytes are shown. */
const SHOWN_BYTES = 48;
/** A scenario that runs on and on shows the end of it. */
const MOST_LINES = 400;

/** Bytes in hexadecimal, as many as are shown; a table and a file of results are read by others, so that what logs in is in neither. */
function shownBytes({ from, name, bytes }: Frame, protocol: Protocol): string {
  const open = protocol === 'mqtt' && from === 'board' && name === 'CONNECT' ? credentialsAt(bytes) : bytes.length;
  const end = Math.min(open, SHOWN_BYTES);
  const hex = Buffer.from(bytes.subarray(0, end)).toString('hex').replace(/../g, '$& ').trimEnd();
  if (open < bytes.length) return `${hex} … ${bytes.length} bytes, without user name and password`;
  return bytes.length > end ? `${hex} … ${bytes.length} bytes` : hex;
}

function frameLine(frame: Frame, protocol: Protocol): string {
  const { from, connection, name, dup, fate } = frame;
  const way = from === 'board' ? 'board → peer ' : 'peer  → board';
  return `${way}  ${connection}  ${name}${dup ? ' DUP' : ''}${fate === 'passed' ? '' : ` (${fate})`}  ${shownBytes(frame, protocol)}`;
}

/** What boards said and all frames at their proxies, in the order of their times, in seconds since `began` (of performance.now()). */
export function timeline({ frames, remarks, protocol }: World, began: number): string[] {
  const all = [
    ...frames.map((frame) => ({ at: frame.at, text: frameLine(frame, protocol) })),
    ...remarks.map(({ at, board, what }) => ({ at, text: `board ${board}        ${printable(what)}` })),
  ].sort((one, other) => one.at - other.at);
  const lines = all.map(({ at, text }) => `${((at - began) / 1000).toFixed(3).padStart(8)}  ${text}`);
  const left = lines.length - MOST_LINES;
  return left > 0 ? [`(${left} lines before)`, ...lines.slice(left)] : lines;
}
