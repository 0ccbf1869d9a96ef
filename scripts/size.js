// npm run size: the bytes of each module beside its budget. --json prints one array.

import { parseArgs } from 'node:util';
import { command, prepare } from './prepare.js';

await command(async () => {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });
  await prepare();
  const [{ printSizes }, { modules }] = await Promise.all([import('../build/js/bench/size.js'), import('../compiler/modules.js')]);
  return printSizes(modules, values.json) ? 0 : 1;
});
