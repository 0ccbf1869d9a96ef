import { relative } from 'node:path';
import { Command, Option } from 'commander';
import { buildProject } from '../build/build.js';
import { type Project, ProjectFault, type ProjectProtocol, protocols, readProject } from '../build/project.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith } from './usage.js';

const after = `
index.ts exports begin(now: i32): i32, which starts a reading and answers the ms until it is ready, and finish(): i32, which answers it in thousandths.
The module has these, the drivers of every sensor and the protocol; a setting 'reading_1 = own QUANTITY TOPIC' publishes what they read.

Exit status: 0 build/NAME.wasm is there · 1 bad usage, the sources do not compile, or the module is refused

Example: twobyte build my-node
`;

export function buildCommand(): Command {
  const command = discreet(new Command('build'))
    .description('Compiles the sensor of a project, its index.ts, into a module for a board: build/NAME.wasm.')
    .argument('[folder]', 'of the project', '.')
    .addOption(
      new Option('--protocol <protocol>', 'what the module speaks (default: by the address of the broker in twobyte.config.json)').choices(
        protocols,
      ),
    )
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action((folder: string, { protocol }: { protocol?: ProjectProtocol }) =>
    exitWith(command, async () => {
      try {
        await build({ ...readProject(folder), ...(protocol && { protocol }) });
        return EXIT_OK;
      } catch (error) {
        if (!(error instanceof ProjectFault)) throw error;
        process.stderr.write(`${error.message}\n`);
        return EXIT_FAILURE;
      }
    }),
  );
}

/** Builds, and tells people what came of it. */
async function build(project: Project): Promise<void> {
  const { file, bytes, budget, warnings } = await buildProject(project);
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  process.stdout.write(
    `${relative('', file)}: ${bytes} of at most ${budget} bytes, for ${project.protocol === 'both' ? 'both protocols' : project.protocol}\n`,
  );
}
