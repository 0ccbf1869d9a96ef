import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Esptool, plainOutput } from './esptool.js';
import { FlashFault, type Image } from './image.js';
import { EsptoolOutput, explainFailure, type Progress } from './output.js';

export interface FlashOptions {
  port: string;
  /** Bits per second while it writes. */
  baud: number;
  /** What the board is, for people: a clause. */
  board: string;
  /** Erases all of the flash first, settings included. */
  erase: boolean;
  /** Ends it; the board may be left with half a firmware. */
  signal?: AbortSignal;
}

/**
 * Writes an image through esptool, which looks at the chip first and writes nothing to another, and compares what the flash then holds.
 * Rejects with a FlashFault, a sentence.
 */
export async function flash(esptool: Esptool, image: Image, options: FlashOptions, progress: (step: Progress) => void): Promise<void> {
  const { port, baud, board, erase, signal } = options;
  const output = new EsptoolOutput(image.parts);
  const child = spawn(
    esptool.command,
    [
      ...[
        ...esptool.args,
        '--chip',
        image.chip,
        '--port',
        port,
        '--baud',
        String(baud),
        '--before',
        'default-reset',
        '--after',
        'hard-reset',
      ],
      ...['write-flash', ...image.settings, ...(erase ? ['--erase-all'] : [])],
      ...image.parts.flatMap(({ offset, path }) => [`0x${offset.toString(16)}`, path]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...plainOutput }, ...(signal && { signal, killSignal: 'SIGINT' }) },
  );
  const hear = (stream: Readable) =>
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      const step = output.line(line);
      if (step) progress(step);
    });
  hear(child.stdout);
  hear(child.stderr);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error) => {
      if (!signal?.aborted) reject(new FlashFault(`esptool does not start: ${error.message}`));
    });
    child.on('close', resolve);
  });
  if (signal?.aborted)
    throw new FlashFault(output.begun ? 'interrupted: the board has half a firmware; run this again' : 'interrupted: nothing was written');
  if (status !== 0) throw new FlashFault(explainFailure(output.words, port, board, output.begun));
  if (output.verified < image.parts.length)
    throw new FlashFault(
      `esptool ${esptool.version} ended without comparing all that it wrote at ${port}; run it again, or take another version of esptool`,
    );
}
