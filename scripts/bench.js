// npm run bench: each figure beside its bound and a peer's. --json prints one array; --counted leaves out what is timed.

import { parseArgs } from 'node:util';
import { command, isThere, prepare, progress } from './prepare.js';

await command(async () => {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, counted: { type: 'boolean', default: false } } });
  await prepare();
  const [{ bench }, { modules }, { posixBoard }, { encoder }] = await Promise.all([
    import('../build/js/bench/bench.js'),
    import('./modules.js'),
    import('./posix.js'),
    import('./encoder.js'),
  ]);
  const board = await posixBoard(progress);
  if ('missing' in board) progress(board.missing);
  const publishBench = 'missing' in board ? undefined : board.bench;
  const alone = 'missing' in board ? board : await encoder();
  if (!('missing' in board) && 'missing' in alone) progress(`left out: the encoder alone. ${alone.missing}`);
  const encodeBench = 'missing' in alone ? undefined : alone.program;
  return (await bench({ modules, publishBench, encodeBench, has: isThere, progress }, values)) ? 0 : 1;
});
