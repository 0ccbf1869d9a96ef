// npm start: installs and builds what is missing, then runs the demonstration (host/cli/start.ts).

import { command, prepare, progress } from './prepare.js';

await command(async () => {
  await prepare();
  const [{ start }, { posixBoard }, { qemuImages }, { recordedTemperatures }] = await Promise.all([
    import('../build/js/host/cli/start.js'),
    import('./posix.js'),
    import('./qemu.js'),
    import('./recording.js'),
  ]);
  return start(process.argv.slice(2), {
    progress,
    recording: () => recordedTemperatures(progress),
    async posixBoard(engine) {
      const made = await posixBoard(progress, { engine });
      return 'missing' in made ? made : { executable: made.board };
    },
    emulatedBoard: (engine) => qemuImages(progress, { engine }),
  });
});
