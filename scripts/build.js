// npm run build: everything that needs no C compiler, into build/.

import { command, prepare } from './prepare.js';

await command(async () => {
  await prepare();
  return 0;
});
