import { type BoardConsole, BoardSilent, type Upload, UploadRefused } from './console.js';

// What `twobyte provision` does at a board's console.

/** What goes to the board, in this order: the settings last, as what they name is there by then. */
export interface Provision {
  texts: readonly { what: Upload; bytes: Buffer }[];
  /** The board that the settings are for, where that is known: its name, and its chip. */
  for?: { name: string; chip: string };
  /** The file of which the settings were made, for sentences. */
  settings: string;
  /** The board's link goes by the same line: it connects when a bridge leads it to its broker. */
  byLine: boolean;
}

/** For a board to say that it starts, behind a restart. */
const START_MS = 10_000;

const names: Readonly<Record<Upload, string>> = {
  settings: 'the settings',
  module: 'the module',
  authority: 'the authorities',
  certificate: 'its certificate',
  key: 'its key',
};

/**
 * Gives the board at `path` what is in `provision`, restarts it, and waits until it is connected, for `waitMs`, or until it has started, without a time or
 * where it is connected by this line. `say` hears each step. Rejects with a sentence for people.
 */
export async function provide(
  console: BoardConsole,
  path: string,
  { texts, settings, for: wanted, byLine }: Provision,
  waitMs: number,
  say: (text: string) => void,
): Promise<void> {
  await console.ready();
  const { board, chip, firmware, module } = await console.describe();
  say(`${path}: a ${board} board (${chip}), firmware ${firmware}${module && `, ${module}`}`);
  if (wanted && wanted.chip !== chip)
    throw new Error(
      `the configuration is for ${wanted.name}, whose chip is ${wanted.chip}, and ${path} has a board with ${chip}; name the other port, or change "board"`,
    );
  for (const { what, bytes } of texts) {
    await console.upload(what, bytes).catch((error: Error) => {
      if (!(error instanceof UploadRefused)) throw error;
      // The board knows the line of what it was given, and not the file.
      const why = what === 'settings' ? error.message.replace(/^settings(?=:\d)/, settings) : error.message;
      throw new Error(`the board refuses ${names[what]}: ${why}`);
    });
    say(`the board has ${names[what]}, ${bytes.length} bytes`);
  }
  await restarted(console, path, byLine ? 0 : waitMs, say);
  if (byLine) say(`it reaches its broker by this line: twobyte bridge --serial ${path} --broker mqtt://host leads it there`);
}

/** Restarts the board; resolves when it is connected, or without a time to wait when it has started. */
async function restarted(console: BoardConsole, path: string, waitMs: number, say: (text: string) => void): Promise<void> {
  let begun = false;
  let words = '';
  const listen = (line: string) => {
    words = line;
  };
  const wanted = waitMs > 0 ? 'connected' : 'started';
  const silent = `the board at ${path} was told to restart, and does not speak again`;
  const board = console.next(({ event }) => event === 'board', START_MS, silent);
  // At once: what the board says of its start comes in one piece, perhaps.
  const outcome = console.next(
    ({ event }) => {
      if (event === 'board') words = '';
      begun ||= event === 'board';
      return begun && (event === wanted || event === 'unconfigured');
    },
    waitMs || START_MS,
    '',
  );
  for (const promise of [board, outcome]) promise.catch(() => {}); // the command fails first, perhaps
  console.on('says', listen);
  try {
    await console.command('restart');
    await board;
    const { event } = await outcome;
    if (event === 'unconfigured') throw new Error(`the board does not start with these settings: ${words || 'it gives no reason'}`);
    say(waitMs > 0 ? 'the board is connected' : 'the board has started');
  } catch (error) {
    if (!(error instanceof BoardSilent) || !begun) throw error;
    const seconds = (waitMs || START_MS) / 1000;
    throw new Error(
      `the board has its settings, and is not connected within ${seconds} s; ${words ? `it says: ${words}` : 'it says nothing'}`,
    );
  } finally {
    console.off('says', listen);
  }
}
