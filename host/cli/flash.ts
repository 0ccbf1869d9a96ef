import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Command } from 'commander';
import { CONFIG_FILE } from '../build/project.js';
import { boardPath, chips } from '../config/index.js';
import { findEsptool } from '../flash/esptool.js';
import { flash } from '../flash/flash.js';
import { chipName, chipTitle, FlashFault, harmed, type Image, readImage, withModule, withSettings } from '../flash/image.js';
import type { Progress } from '../flash/output.js';
import { faultBefore } from '../ports/open.js';
import { choosePort, PortFault } from '../ports/ports.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith, UsageError, whole } from './usage.js';

interface Values {
  port?: string;
  board?: string;
  chip?: string;
  image?: string;
  module?: string;
  settings?: string;
  baud: number;
  erase?: true;
}

const DEFAULT_BAUD = 460_800;
const [LEAST_BAUD, MOST_BAUD] = [9600, 3_000_000];

/** The chips that are flashed. */
const flashed = Object.values(chips)
  .filter(({ gpio }) => gpio.length > 0)
  .map(({ name }) => name);

const after = `
The port is the only one with a board, unless --port names it; the board is that of twobyte.config.json in this directory, unless --board or --chip names
it. The firmware is what \`npm run firmware\` built in a checkout of Twobyte, in build/firmware/. Settings on the board stay, unless --erase. esptool 5 does the work and has to be
installed (pip install 'esptool>=5'); it looks at the chip first, and another than the board's is left as it is.

Exit status: 0 written and compared · 1 bad usage, or it could not be done

Example: twobyte flash --board esp32-c3-devkitm
`;

export function flashCommand(): Command {
  const command = discreet(new Command('flash'))
    .description('Writes the firmware to a board at a serial port.')
    .optionsGroup('Board:')
    .option('--port <path>', 'its serial port')
    .option('--board <name>', 'one of boards/, or a JSON file of your own')
    .option('--chip <name>', 'esp32, esp32c3, esp32s3, in place of --board')
    .optionsGroup('What:')
    .option('--image <dir>', 'a build of ESP-IDF (default: build/firmware/ with the name of the board or of its chip)')
    .option('--module <file>', 'a module to run, in place of the one of the build')
    .option('--settings <file>', 'settings: an NVS image for their partition')
    .option('--erase', 'erase all of the flash first: settings, certificates and what waits to be sent are gone')
    .option('--baud <n>', `bits per second, ${LEAST_BAUD} to ${MOST_BAUD}`, whole(LEAST_BAUD, MOST_BAUD), DEFAULT_BAUD)
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action((values: Values) => exitWith(command, () => run(values)));
}

async function run(values: Values): Promise<number> {
  const abort = new AbortController();
  const interrupt = () => abort.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, interrupt);
  const show = new ProgressLine();
  const scratch = mkdtempSync(join(tmpdir(), 'twobyte-flash-'));
  try {
    const { image, target } = imageOf(values, scratch);
    const esptool = await findEsptool();
    const port = await choosePort(values.port);
    const fault = faultBefore(port);
    if (fault !== undefined) throw new PortFault(fault);
    const bytes = image.parts.reduce((sum, { size }) => sum + size, 0);
    process.stdout.write(
      `${port}: ${image.parts.length} files, ${kilobytes(bytes)} KB for ${target.words}, by esptool ${esptool.version}\n`,
    );
    const begun = performance.now();
    const options = { port, baud: values.baud, board: target.clause, erase: values.erase ?? false, signal: abort.signal };
    await flash(esptool, image, options, (step) => show.step(step, image));
    show.end();
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    process.stdout.write(`${port}: written and compared in ${seconds} s; the board starts. twobyte monitor shows what it says\n`);
    return EXIT_OK;
  } catch (error) {
    show.end();
    if (!(error instanceof FlashFault || error instanceof PortFault)) throw error;
    process.stderr.write(`twobyte flash: ${error.message}\n`);
    return EXIT_FAILURE;
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The board for which to flash. */
interface Target {
  name: string;
  chip: string;
  /** For people, as in `an ESP32-C3 (esp32-c3-devkitm)`, and as a clause. */
  words: string;
  clause: string;
}

function imageOf(values: Values, scratch: string): { image: Image; target: Target } {
  const target = targetOf(values);
  const directory = values.image ?? (target ? defaultImage(target) : undefined);
  if (directory === undefined)
    throw new UsageError('--board: which board is it? Name one of boards/, or its chip with --chip, or the firmware with --image');
  let image = readImage(directory, target?.chip ?? 'esp32c3');
  const title = chipTitle(image.chip);
  if (target && target.chip !== image.chip)
    throw new FlashFault(
      `the firmware in ${directory} is for ${title}, and ${target.clause}; build it for that chip (npm run firmware -- --target ${target.chip}, in a checkout of Twobyte) or name another with --image`,
    );
  if (values.module !== undefined) image = withModule(image, values.module, scratch);
  if (values.settings !== undefined) image = withSettings(image, values.settings);
  const loss = values.erase ? undefined : harmed(image, values.settings);
  if (loss)
    throw new FlashFault(
      `the firmware in ${directory} would overwrite the partition '${loss.name}', which keeps the board's settings; give --erase if they may go`,
    );
  return {
    image,
    target: target ?? { name: image.chip, chip: image.chip, words: title, clause: `the firmware in ${directory} is for ${title}` },
  };
}

function defaultImage({ name, chip }: Target): string {
  const own = join('build', 'firmware', name);
  return existsSync(own) ? own : join('build', 'firmware', chip);
}

function targetOf({ board, chip }: Values): Target | undefined {
  if (board !== undefined && chip !== undefined)
    throw new UsageError('--chip: the board of --board says which chip it has; give one of the two');
  if (chip !== undefined) {
    const name = chipName(chip);
    if (!flashed.some((known) => known === name)) throw new UsageError(`--chip '${chip}' is not known; write one of ${flashed.join(', ')}`);
    return { name, chip: name, words: chipTitle(name), clause: `--chip says ${chipTitle(name)}` };
  }
  if (board !== undefined) return boardTarget(board, `--board '${board}'`);
  const named = configuredBoard();
  return named === undefined ? undefined : boardTarget(named, `${CONFIG_FILE}: board "${named}"`);
}

/** `shown` is where the board was named, for sentences. */
function boardTarget(named: string, shown: string): Target {
  const path = boardPath(named);
  const name = basename(path, '.json');
  let chip: unknown;
  try {
    ({ chip } = JSON.parse(readFileSync(path, 'utf8')) as { chip?: unknown });
  } catch (error) {
    const why = error instanceof SyntaxError ? 'it is not JSON' : `${path} cannot be read`;
    throw new UsageError(`${shown}: ${why}; name one of boards/, or a JSON file like those`);
  }
  if (typeof chip !== 'string' || !chip.toLowerCase().startsWith('esp'))
    throw new UsageError(
      `${shown}: it has no chip that is flashed, its "chip" is ${JSON.stringify(chip) ?? 'missing'}; name a board with one of ${flashed.join(', ')}`,
    );
  const title = chipTitle(chipName(chip));
  return { name, chip: chipName(chip), words: `${title} (${name})`, clause: `the board ${name} has an ${title}` };
}

/** The board that the project's configuration names, where there is one. What is wrong with it is for `twobyte config` to say. */
function configuredBoard(): string | undefined {
  try {
    const { board } = JSON.parse(readFileSync(CONFIG_FILE, 'utf8')) as { board?: unknown };
    return typeof board === 'string' ? board : undefined;
  } catch {
    return undefined;
  }
}

const kilobytes = (bytes: number) => Math.ceil(bytes / 1024);

/** Shows how far it is: one line that changes on a terminal, else a line for each step. */
class ProgressLine {
  #last = '';
  #dirty = false;

  step({ stage, fraction, part }: Progress, image: Image): void {
    const name = basename(image.parts[part]?.path ?? '');
    const what = stage === 'writing' || stage === 'verifying' ? `${stage} ${name}` : stage;
    if (process.stdout.isTTY) {
      const bar = '█'.repeat(Math.round(fraction * 30)).padEnd(30, '░');
      process.stdout.write(
        `\r\x1b[K${bar} ${String(Math.floor(fraction * 100)).padStart(3)} % ${what}`.slice(0, (process.stdout.columns || 80) + 3),
      );
      this.#dirty = true;
    } else if (what !== this.#last) process.stdout.write(`${String(Math.floor(fraction * 100)).padStart(3)} % ${what}\n`);
    this.#last = what;
  }

  /** Makes room for what comes next. */
  end(): void {
    if (this.#dirty) process.stdout.write('\r\x1b[K');
    this.#dirty = false;
  }
}
