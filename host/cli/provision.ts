import { existsSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type Config, ConfigFault, readBoard, readConfig, settingsOf } from '../config/index.js';
import { BoardConsole, type Upload } from '../console/console.js';
import { type Provision, provide } from '../console/provide.js';
import { unreadable } from '../file-faults.js';
import { DEFAULT_BAUD } from '../links/address.js';
import { faultBefore } from '../ports/open.js';
import { choosePort, PortFault } from '../ports/ports.js';
import { printable } from '../printable.js';
import { serialPort } from './serial-port.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith, seconds, UsageError } from './usage.js';

interface Values {
  port?: string;
  config: string;
  settings?: string;
  cafile?: string;
  cert?: string;
  key?: string;
  wait: number;
  quiet?: true;
}

const DEFAULT_WAIT_S = 60;

const after = `
What is wrong with the configuration is told before anything is sent, as by \`twobyte config\`. The board keeps all of the settings or none: a line that is wrong is refused with the sentence that names it, and what the board had stays in force.
In place of a configuration --settings takes \`key = value\` lines; \`twobyte-posix --help\` names the keys.

Exit status: 0 the board is connected, or with --wait 0 has its settings · 1 bad usage, no board, settings that are refused, or no connection

Example: twobyte provision --port /dev/ttyUSB0
`;

export function provisionCommand(): Command {
  const command = discreet(new Command('provision'))
    .description('Writes settings and certificates to a board at a serial port, restarts it and waits until it is connected.')
    .option('--port <path[@baud]>', 'its port and bits per second, as in /dev/ttyUSB0@115200 (default: the only one with a board)')
    .option('--config <file>', 'the configuration', 'twobyte.config.json')
    .option('--settings <file>', 'settings, in place of the configuration')
    .option('--cafile <file>', 'PEM file of the authorities that the board is to trust, in place of the configuration’s')
    .option('--cert <file>', 'PEM file of the board’s certificate, with --key')
    .option('--key <file>', 'PEM file of its private key, with --cert')
    .option('--wait <seconds>', 'for the connection; 0: do not wait', seconds, DEFAULT_WAIT_S)
    .option('--quiet', 'tell nothing but what goes wrong')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action((values: Values) => exitWith(command, () => run(values)));
}

async function run(values: Values): Promise<number> {
  const say = (text: string) => void process.stderr.write(`twobyte provision: ${printable(text)}\n`);
  try {
    const named = values.port === undefined ? undefined : serialPort(values.port, '--port');
    const provision = provisionOf(values, values.quiet ? () => {} : say);
    const path = await choosePort(named?.path);
    const fault = faultBefore(path);
    if (fault !== undefined) throw new PortFault(fault);
    const console = await BoardConsole.open({ path, baud: named?.baud ?? DEFAULT_BAUD });
    try {
      await provide(console, path, provision, values.wait * 1000, values.quiet ? () => {} : say);
    } finally {
      await console.close();
    }
    return EXIT_OK;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    for (const fault of error instanceof ConfigFault ? error.faults : [(error as Error).message]) say(fault);
    return EXIT_FAILURE;
  }
}

function provisionOf(values: Values, say: (text: string) => void): Provision {
  if ((values.cert === undefined) !== (values.key === undefined)) throw new UsageError('--cert and --key belong together; give both');
  const config = values.settings === undefined ? configOf(values.config) : undefined;
  for (const warning of config?.warnings ?? []) say(warning);
  const board = config && readBoard(config.board);
  const bytes = config && board ? Buffer.from(settingsOf(config, board)) : contentOf('--settings', values.settings as string);
  const own = values.cert !== undefined;
  return {
    texts: [
      ...pemOf('authority', '--cafile', values.cafile ?? config?.broker.authority, 'CERTIFICATE'),
      ...pemOf('certificate', '--cert', own ? values.cert : config?.broker.certificate, 'CERTIFICATE'),
      ...pemOf('key', '--key', own ? values.key : config?.broker.key, 'PRIVATE KEY'),
      { what: 'settings', bytes },
    ],
    ...(board && { for: { name: board.name, chip: board.chip.name } }),
    settings: values.settings ?? 'the settings that twobyte config prints',
    byLine: /^\s*broker\s*=\s*"?mqtt(-sn)?\+(line|serial):/m.test(bytes.toString()),
  };
}

function configOf(file: string): Config {
  if (!existsSync(file)) throw new UsageError(`--config: ${file} is not there; twobyte create makes one, or give --settings`);
  return readConfig(file, process.env);
}

function contentOf(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${option}: ${file} cannot be read: ${unreadable(error)}`);
  }
}

function pemOf(what: Upload, option: string, file: string | undefined, label: string): { what: Upload; bytes: Buffer }[] {
  if (file === undefined) return [];
  const bytes = contentOf(option, file);
  if (!new RegExp(`-----BEGIN [A-Z ]*${label}-----`).test(bytes.toString('latin1')))
    throw new UsageError(`${option}: ${file} holds no ${label} in PEM; it begins with -----BEGIN …${label}-----`);
  return [{ what, bytes }];
}
