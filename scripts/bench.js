// npm run bench: tables of each figure beside its bound and a peer's, bench/results.json and docs/bench.svg (bench/options.ts).

import { command, isThere, prepare, progress } from './prepare.js';

await command(async () => {
  await prepare();
  const { readOptions } = await import('../build/js/bench/options.js');
  const options = readOptions(process.argv.slice(2));
  const [{ bench }, { modules }, { operationBenches }, { nativePeers }, { encoder }] = await Promise.all([
    import('../build/js/bench/bench.js'),
    import('../compiler/modules.js'),
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
  return (await bench(setting, options)) ? 0 : 1;
});
