// npm run bench: tables of each figure beside its bound and a peer's, bench/results.json and docs/bench.svg. --json prints one array instead of
// tables; --counted leaves out what is timed, writes nothing, and ends with status 1 also when something that has a bound cannot be measured here.

import { parseArgs } from 'node:util';
import { command, isThere, prepare, progress } from './prepare.js';

await command(async () => {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, counted: { type: 'boolean', default: false } } });
  await prepare();
  const [{ bench }, { modules }, { operationBenches }, { nativePeers }, { encoder }] = await Promise.all([
    import('../build/js/bench/bench.js'),
    import('./modules.js'),
    import('./benches.js'),
    import('./peers.js'),
    import('./encoder.js'),
  ]);
  const built = await operationBenches(progress);
  const native = await nativePeers();
  const alone = isThere(process.env.CC ?? 'cc')
    ? await encoder()
    : { missing: 'The encoder alone needs a C compiler. On Debian: apt-get install build-essential.' };
  const missing = [...built.missing, ...('missing' in alone ? [alone.missing] : [])];
  for (const sentence of native.missing) progress(sentence);
  const encodeBench = 'missing' in alone ? undefined : alone.program;
  const setting = {
    modules,
    benches: built.benches,
    images: built.images,
    peers: native.peers,
    encodeBench,
    has: isThere,
    missing,
    progress,
  };
  return (await bench(setting, values)) ? 0 : 1;
});
