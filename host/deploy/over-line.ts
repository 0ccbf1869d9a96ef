import { type BoardConsole, type ConsoleEvent, UploadRefused } from '../console/console.js';
import { DeployFault, type DeployOptions, PATIENCE_MS } from './deployment.js';
import { readModuleFile } from './module-file.js';

/** Deploys a module file to a board at a console. Resolves when the new module has reached its broker. Throws a DeployFault, or a BoardSilent. */
export async function deployOverLine(board: BoardConsole, file: Uint8Array, options: DeployOptions = {}): Promise<string> {
  const { name, version } = readModuleFile(file).header;
  const { patienceMs = PATIENCE_MS } = options;
  await board.ready();
  if ((await board.describe()).version === version) {
    await uploaded(board, file, options);
    return `${name} version ${version} runs`;
  }
  const { outcome, cancel } = follow(board, version, patienceMs);
  outcome.catch(() => {}); // when the upload fails first
  try {
    await uploaded(board, file, options);
    options.kept?.(`${name} version ${version} is kept and starts`);
    await outcome;
  } finally {
    cancel(); // a timer that is left would keep the program waiting
  }
  return `${name} version ${version} runs, on trial for a minute`;
}

async function uploaded(board: BoardConsole, file: Uint8Array, { progress }: DeployOptions): Promise<void> {
  try {
    await board.upload('module', file, (sent) => progress?.(sent, file.length));
  } catch (error) {
    if (error instanceof UploadRefused) throw new DeployFault(`the board refuses the module: ${error.message}`);
    throw error;
  }
}

interface Followed {
  /** Resolves when the module has started and is connected; rejects when another one starts behind it, or `ms` go by without a word of it. */
  outcome: Promise<void>;
  /** Listens no more. */
  cancel(): void;
}

/** Listens what becomes of the module of this version. */
function follow(board: BoardConsole, version: number, ms: number): Followed {
  let words = '';
  let began = false;
  let cancel = () => {};
  const outcome = new Promise<void>((resolve, reject) => {
    const hear = (event: ConsoleEvent) => {
      if (event.event === 'board' && event.version === version) began = true;
      else if (event.event === 'board' && began) reject(new DeployFault(`the board went back to its old module: ${words}`));
      else if (event.event === 'connected' && began) resolve();
    };
    const note = (line: string) => {
      words = line;
    };
    const late = () =>
      reject(new DeployFault(`the new module did not reach its broker within ${Math.round(ms / 1000)} s; the board last said: ${words}`));
    const timer = setTimeout(late, ms);
    board.on('event', hear);
    board.on('says', note);
    cancel = () => {
      clearTimeout(timer);
      board.off('event', hear);
      board.off('says', note);
    };
  });
  return { outcome, cancel };
}
