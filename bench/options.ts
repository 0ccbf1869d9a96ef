import { Command } from 'commander';

export interface Options {
  json: boolean;
  counted: boolean;
}

const after = `
Writes bench/results.json and docs/bench.svg, unless something is left out for want of a tool; that is said, with what to install. With --counted it
writes nothing. It takes some ten minutes, with --counted a few; the first run builds first. Progress goes to stderr.

Exit status: 0 · 1 a counted figure is over its bound, with --counted also one that could not be measured here, bad usage, or failure. A timed figure that misses its bound is told and changes no status.

Example: npm run -s bench -- --counted --json | jq '.[] | select(.ok | not)'
`;

/** The command line of `npm run bench`; ends the process on bad usage and for help. */
export function readOptions(argv: readonly string[]): Options {
  return new Command('npm run bench --')
    .description('Measures ours and the peers’ in one run, and prints tables of each figure beside its bound and a peer’s.')
    .option('--counted', 'only what is the same in every run: bytes, instructions, heap; leaves out what is timed', false)
    .option('--json', 'one array of JSON instead of tables; npm’s own words stay out of it with npm run -s', false)
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .showHelpAfterError()
    .addHelpText('after', after)
    .parse(argv, { from: 'user' })
    .opts<Options>();
}
