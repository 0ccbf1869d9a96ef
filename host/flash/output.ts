import { openingFault } from '../ports/open.js';
import { chipTitle, type Part } from './image.js';

/** What esptool is doing. */
export type Stage = 'connecting' | 'erasing' | 'writing' | 'verifying' | 'resetting';

export interface Progress {
  stage: Stage;
  /** Of all bytes of the image, from 0 to 1: those that are written. */
  fraction: number;
  /** Which piece is being written, from 0. */
  part: number;
}

/** Reads the output of esptool 5, line by line. */
export class EsptoolOutput {
  /** Pieces that were written, with their hash in the flash compared. */
  verified = 0;
  readonly #parts: readonly Part[];
  readonly #total: number;
  #part = -1;
  #erasing = false;
  #words: string[] = [];

  /** `parts` in the order in which they are written. */
  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#total = parts.reduce((sum, { size }) => sum + size, 0);
  }

  /** What a line says of the progress; undefined: nothing. */
  line(text: string): Progress | undefined {
    const line = text.trim();
    if (line === '') return undefined;
    this.#words.push(line);
    this.#words = this.#words.slice(-LAST_LINES);
    if (line.startsWith('Connecting')) return this.#at('connecting', 0);
    if (/^Erasing/.test(line)) {
      this.#erasing = true;
      return this.#at('erasing', 0);
    }
    if (/^Writing '/.test(line)) {
      this.#part++;
      return this.#at('writing', 0);
    }
    const percent = /^Writing at 0x[0-9a-f]+ .*?(\d+(?:\.\d+)?)\s*%/.exec(line)?.[1];
    if (percent !== undefined) return this.#at('writing', Number(percent) / 100);
    if (/^Wrote /.test(line)) return this.#at('writing', 1);
    if (/^Verifying /.test(line)) return this.#at('verifying', 1);
    if (/^Hash of data verified/.test(line)) this.verified++;
    if (/^Hard resetting/.test(line)) return this.#at('resetting', 1);
    return undefined;
  }

  /** Whether some of the flash may be written or erased. */
  get begun(): boolean {
    return this.#part >= 0 || this.#erasing;
  }

  /** What it said last, without what is only progress. */
  get words(): string {
    return this.#words.filter((line) => !/^Writing at/.test(line)).join('\n');
  }

  #at(stage: Stage, ofPart: number): Progress {
    const before = this.#parts.slice(0, Math.max(this.#part, 0)).reduce((sum, { size }) => sum + size, 0);
    const now = (this.#parts[this.#part]?.size ?? 0) * ofPart;
    return { stage, part: Math.max(this.#part, 0), fraction: this.#total === 0 ? 0 : Math.min((before + now) / this.#total, 1) };
  }
}

const LAST_LINES = 60;

const BUTTONS = 'hold BOOT, press and release RESET, let go of BOOT, and try again';

type Meaning = [pattern: RegExp, sentence: (found: RegExpExecArray, port: string, board: string) => string];

/** What esptool's words mean before anything is written, first to fit. */
const connecting: readonly Meaning[] = [
  [/Could not open [\s\S]*/, ([said], port) => openingFault(port, said.replace(/\s*\n\s*/g, ' '))],
  [
    /This chip is (\S+?),? not (\S+?)\.? Wrong chip/,
    ([, found], port, board) =>
      `the chip at ${port} is an ${chipTitle(String(found))}, and ${board}: nothing was written; name the right board with --board, or take the other port`,
  ],
  [
    /This chip doesn't appear to be|Failed to autodetect chip type|Unexpected chip ID/,
    (_, port, board) =>
      `the chip at ${port} is not one that this esptool knows, and ${board}: nothing was written; is there a newer esptool?`,
  ],
  [
    /Download mode successfully detected, but getting no sync reply/,
    (_, port) => `the chip at ${port} waits for the flasher and does not hear it; the wire to its RX is broken, or the cable or hub is bad`,
  ],
  [/Wrong boot mode detected/, (_, port) => `the chip at ${port} runs its firmware and not its boot loader; ${BUTTONS}`],
  [
    /Failed to connect to|No serial data received|Timed out waiting for packet header|Invalid head of packet|Could not connect to an Espressif/,
    (_, port) => `no chip answers at ${port}; ${BUTTONS}; else try another cable or port`,
  ],
];

/** What they mean at any time. */
const writing: readonly Meaning[] = [
  [
    /will not fit in (\S+) bytes of flash/,
    (_, port) => `the firmware does not fit into the flash of the board at ${port}; is it the board that --board names?`,
  ],
  [
    /Secure Boot|[Ff]lash encryption|Secure Download Mode|secure download mode/,
    (_, port) => `the chip at ${port} is locked, by secure boot or flash encryption, and takes no firmware of others`,
  ],
  [
    /MD5 of file does not match|[Vv]erif\w+ failed|[Dd]igest mismatch/,
    (_, port) =>
      `what was written at ${port} reads back otherwise: its flash is worn or its power poor; try again with --baud 115200 and another cable`,
  ],
];

/** The sentence for a run of esptool that failed. `begun`: some of the image is on the board. `board`: what it should be, a clause. */
export function explainFailure(words: string, port: string, board: string, begun: boolean): string {
  for (const [pattern, sentence] of begun ? writing : [...connecting, ...writing]) {
    const found = pattern.exec(words);
    if (found) return sentence(found, port, board);
  }
  if (!begun) return `esptool failed at ${port}: ${lastWords(words)}`;
  return `writing at ${port} broke off (${lastWords(words)}), and the board has half a firmware: check the cable, then run this again, with --baud 115200 if it stays so`;
}

/** The fault that esptool names, or the last line it said. */
function lastWords(words: string): string {
  const lines = words.split('\n');
  const fault =
    lines.findLast((line) => /error|exception|failed/i.test(line)) ?? lines.findLast((line) => line !== '') ?? 'it said nothing';
  return fault
    .replace(/^(ERROR: )?(A (fatal|serial exception) error occurred: )?/i, '')
    .replace(/[.!]$/, '')
    .trim();
}
