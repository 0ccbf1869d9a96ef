import { type BoardConsole, type ConsoleEvent, UploadRefused } from '../console/console.js';
import { DeployFault, type DeployOptions } from './deployment.js';
import { readModuleFile } from './module-file.js';

const PATIENCE_MS = 180_000;

/** Deploys a module file to a board at a console. Resolves when the new module has reached its broker. Throws a DeployFault, or a BoardSilent. */
export async function deployOverLine(board: BoardConsole, file: Uint8Array, options: DeployOptions = {}): Promise<string> {
  const { name, version } = readModuleFile(file).header;
  const { patienceMs = PATIENCE_MS } = options;
  await board.ready();
  if ((await board.describe()).version === version) {
    await uploaded(board, file, options);
    return `${name} version ${version} runs`;
  }
  const outcome = followed(board, version, patienceMs);
  outcome.catch(() => {}); // when the upload fails first
  await uploaded(board, file, options);
  options.kept?.(`${name} version ${version} is kept and starts`);
  await outcome;
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

/** Resolves when a module of this version has started and is connected; rejects when another one starts behind it, or `ms` go by without a word of it. */
function followed(board: BoardConsole, version: number, ms: number): Promise<void> {
  let words = '';
  let began = false;
  return new Promise((resolve, reject) => {
    const over = (error?: Error) => {
      clearTimeout(timer);
      board.off('event', hear);
      board.off('says', note);
      if (error) reject(error);
      else resolve();
    };
    const hear = (event: ConsoleEvent) => {
      if (event.event === 'board' && event.version === version) began = true;
      else if (event.event === 'board' && began) over(new DeployFault(`the board went back to its old module: ${words}`));
      else if (event.event === 'connected' && began) over();
    };
    const note = (line: string) => {
      words = line;
    };
    const timer = setTimeout(
      () =>
        over(new DeployFault(`the new module did not reach its broker within ${Math.round(ms / 1000)} s; the board last said: ${words}`)),
      ms,
    );
    board.on('event', hear);
    board.on('says', note);
  });
}
