import { Command } from 'commander';
import { KeyFault, makeKeys } from '../deploy/keys.js';
import { discreet, EXIT_OK, exitWith, UsageError } from './usage.js';

const after = `
Makes deploy.key.pem, which signs modules and is to be kept: whoever has it can put programs on your boards, and without it no board that trusts it
takes a new module again. deploy.pub.hex is for the setting public_key of a board; deploy.pub.pem is the same for other tools.

Exit status: 0 made; 1 bad usage, or a file is there already: nothing is overwritten

Example: twobyte keygen --out keys
`;

export function keygenCommand(): Command {
  const command = discreet(new Command('keygen'))
    .description('Makes the keys by which boards know whose modules they take.')
    .option('--out <directory>', 'where to', '.')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action(({ out }: { out: string }) => exitWith(command, async () => keygen(out)));
}

function keygen(out: string): number {
  try {
    const { privateKey, publicPem, publicHex } = makeKeys(out);
    process.stdout.write(`${privateKey}  keep it, and keep it secret\n${publicHex}  public_key of your boards\n${publicPem}\n`);
    return EXIT_OK;
  } catch (error) {
    if (error instanceof KeyFault) throw new UsageError(`--out: ${error.message}`);
    throw error;
  }
}
