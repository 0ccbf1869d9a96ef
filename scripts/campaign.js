// npm run campaign: histories full of faults, judged by a model. -- --kind K --seed S replays one, -- --seeds N runs so many of each kind.

import { command, prepare } from './prepare.js';

await command(async () => {
  await prepare();
  const { run } = await import('../build/js/test/campaign/cli.js');
  return (await run(process.argv.slice(2))) ? 0 : 1;
});
