import { relative } from 'node:path';
import { Command } from 'commander';
import { CreateFault, createProject } from '../create/create.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith } from './usage.js';

const after = `
The folder gets a package.json that depends on this package, index.ts with a sensor of some twenty lines, a test of it on the virtual board, and
twobyte.config.json for the board.

Exit status: 0 the project is there · 1 bad usage, the folder is not empty, or the board is not known

Example: twobyte create my-node --board esp32-c3-devkitm
`;

export function createCommand(): Command {
  const command = discreet(new Command('create'))
    .description('Makes a small project whose index.ts is a sensor of your own, with its test.')
    .argument('<folder>', 'new or empty; its name is the project’s')
    .option('--board <name>', 'the board it is for, of boards/', 'esp32-c3-devkitm')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action((folder: string, { board }: { board: string }) =>
    exitWith(command, async () => {
      try {
        const { name, directory, boardTitle } = createProject({ folder, board });
        process.stdout.write(`${name} is there, for ${boardTitle}:

  cd ${relative('', directory) || '.'}
  npm install
  npm test       builds index.ts and tests it on a virtual board
  npm start      runs it here with simulated sensors, and shows its readings
`);
        return EXIT_OK;
      } catch (error) {
        if (!(error instanceof CreateFault)) throw error;
        process.stderr.write(`${error.message}\n`);
        return EXIT_FAILURE;
      }
    }),
  );
}
