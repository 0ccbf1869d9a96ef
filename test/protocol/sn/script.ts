import { bytes } from '../script.js';
import { Conversation, type Options } from './checker.js';
import type { Datagram } from './datagram.js';

/**
 * A conversation as text. A line is a datagram: `>` of the client, `<` of the gateway, in the notation of bytes(); behind an `x` it is lost. `+500`
 * lets 500 ms pass, `!` is a power cut of the client.
 */
export function play(script: string, options: Options = {}): Conversation {
  const conversation = new Conversation(options);
  for (const part of parts(script)) {
    if (part === 'power cut') conversation.restart('client');
    else conversation.take(part);
  }
  return conversation;
}

/** The datagrams of a script. */
export function datagrams(script: string): Datagram[] {
  return parts(script).filter((part) => part !== 'power cut');
}

function parts(script: string): (Datagram | 'power cut')[] {
  const found: (Datagram | 'power cut')[] = [];
  let at = 0;
  for (const line of script.split('\n').map((text) => text.trim())) {
    const [, lost, arrow, notation = ''] = /^(x?)([<>])(.*)/.exec(line) ?? [];
    if (arrow) found.push({ from: arrow === '>' ? 'client' : 'gateway', bytes: bytes(notation), at, ...(lost && { lost: true }) });
    else if (line.startsWith('+')) at += Number(line.slice(1));
    else if (line === '!') found.push('power cut');
    else if (line !== '') throw new Error(`not a line of a conversation: ${line}`);
  }
  return found;
}
