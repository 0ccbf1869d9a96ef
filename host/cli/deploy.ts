import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { BoardConsole } from '../console/console.js';
import { ABI_VERSION } from '../contract.js';
import { deploy } from '../deploy/deployment.js';
import { KeyFault, readPrivateKey } from '../deploy/keys.js';
import { isSigned, ModuleFault, NAME_BYTES, readModuleFile, signModule } from '../deploy/module-file.js';
import { deployOverLine } from '../deploy/over-line.js';
import { channelOver, STATUS } from '../deploy/over-mqtt.js';
import { loadFault } from '../deploy/receiver.js';
import { choosePort } from '../ports/ports.js';
import { printable } from '../printable.js';
import { connectionOf, unreadable } from './connection.js';
import { serialPort } from './serial-port.js';
import { Session } from './session.js';
import { topicFault } from './topics.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith, secondsAboveZero, UsageError, whole } from './usage.js';

interface Values {
  key?: string;
  broker?: string;
  port?: string;
  topic?: string;
  username?: string;
  cafile?: string;
  setVersion?: number;
  name?: string;
  out?: string;
  timeout: number;
  repeat: number;
  quiet?: true;
}

const after = `
MODULE is a file, or the name of a built module such as node-mqtt. A bare module is signed with --key; one that is signed already, as --out writes it, is
sent as it is. The board takes it while it runs on, starts it on trial, and goes back to the module before when the new one does not reach its broker.
Started again, the same command goes on where it was broken off.

The broker's user name and password are best in TWOBYTE_USERNAME and TWOBYTE_PASSWORD.

Exit status: 0 the new module runs and has reached its broker; 1 it was refused or left, or nothing was heard: the message says why; 1 to 5 the broker
refused us; 128 + n ended by signal n.

Example: twobyte deploy node-mqtt --key keys/deploy.key.pem --broker mqtt://192.168.1.2 --topic attic/update
`;

export function deployCommand(): Command {
  const command = discreet(new Command('deploy'))
    .description('Replaces the module of a board: signed, on trial, and back to the one before if it is no good.')
    .argument('<module>')
    .optionsGroup('Module:')
    .option('--key <file>', 'private key that signs it, as twobyte keygen makes one')
    .addOption(
      new Option(
        '--version <n>',
        'its number, 1 to 4294967295: boards take none older than what they run (default: the time of the file)',
      ).argParser(whole(1, 2 ** 32 - 1)),
    )
    .option('--name <text>', `what to call it, at most ${NAME_BYTES} bytes (default: the name of the file)`)
    .option('--out <file>', 'write the signed module to a file')
    .optionsGroup('Where to (default: the only serial port with a board; with --out alone it is only written):')
    .option('--port <path[@baud]>', 'a board at a serial port, through its console')
    .option('--broker <url>', 'mqtt(s)://host[:port], ws(s)://host[:port]/path or mqtt-sn://host[:port]')
    .option('--topic <topic>', `the board’s update_topic; it answers at that and ${STATUS}`)
    .option('--username <name>', 'of the broker')
    .option('--cafile <file>', 'PEM file of the authorities to trust in place of the system’s')
    .optionsGroup('This program:')
    .option('--timeout <seconds>', 'give up when nothing was heard of the board for so long', secondsAboveZero, 180)
    .option('--repeat <seconds>', 'send again what is not answered', secondsAboveZero, 5)
    .option('--quiet', 'tell only what fails')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action((module: string) => {
    const { version, ...values } = command.opts<Values & { version?: number }>();
    return exitWith(command, () => run(module, { ...values, ...(version !== undefined && { setVersion: version }) }));
  });
}

async function run(path: string, values: Values): Promise<number> {
  const file = moduleFile(path, values);
  if (values.out !== undefined) write(values.out, file);
  if (values.port !== undefined) {
    if (values.broker !== undefined)
      throw new UsageError('--port: a board is reached by its port or by a broker; give one of --port and --broker');
    return overLine(file, values.port, values);
  }
  if (values.broker === undefined) {
    if (values.topic !== undefined) throw new UsageError('--topic: the broker is missing; give one with --broker');
    return values.out === undefined ? overLine(file, undefined, values) : EXIT_OK;
  }
  return overMqtt(file, values.broker, values);
}

/** The signed module. */
function moduleFile(path: string, { key, setVersion, name }: Values): Buffer {
  const file = located(path);
  const bytes = readFileSync(file);
  try {
    if (isSigned(bytes)) {
      const given = Object.entries({ '--version': setVersion, '--name': name }).find(([, value]) => value !== undefined);
      if (given)
        throw new UsageError(
          `${given[0]}: '${path}' is signed already, and its version and name with it; leave it out, or take the bare module`,
        );
      readModuleFile(bytes);
      return bytes;
    }
    const fault = loadFault(bytes);
    if (fault) throw new UsageError(`'${path}': ${fault}`);
    if (key === undefined) throw new UsageError('--key: the private key that signs the module is missing; twobyte keygen makes one');
    const version = setVersion ?? Math.floor(statSync(file).mtimeMs / 1000);
    return signModule(bytes, { version, name: name ?? shortened(basename(file, '.wasm')), boundary: ABI_VERSION }, readPrivateKey(key));
  } catch (error) {
    if (error instanceof KeyFault) throw new UsageError(`--key: ${error.message}`);
    if (error instanceof ModuleFault) throw new UsageError(`'${path}': ${error.message}`);
    throw error;
  }
}

/** A file of that path, or a built module of that name. This file runs as build/js/host/cli/deploy.js. */
function located(path: string): string {
  const candidates = [path, ...(/^[\w-]+$/.test(path) ? [fileURLToPath(new URL(`../../../${path}.wasm`, import.meta.url))] : [])];
  let fault: unknown;
  for (const candidate of candidates) {
    try {
      if (statSync(candidate).isFile()) return candidate;
      fault = Object.assign(new Error(), { code: 'EISDIR' });
    } catch (error) {
      fault ??= error;
    }
  }
  throw new UsageError(unreadable(path, fault));
}

function shortened(name: string): string {
  let short = name;
  while (Buffer.byteLength(short) > NAME_BYTES) short = short.slice(0, -1);
  return short;
}

function write(path: string, file: Buffer): void {
  try {
    writeFileSync(path, file);
  } catch (error) {
    throw new UsageError(`--out: cannot write '${path}': ${(error as Error).message}`);
  }
}

async function overMqtt(file: Buffer, broker: string, values: Values): Promise<number> {
  const { topic, username, cafile, timeout, repeat, quiet } = values;
  if (topic === undefined) throw new UsageError("--topic: the board's update_topic is missing");
  const fault = topicFault(topic);
  if (fault) throw new UsageError(`--topic '${topic}': ${fault}`);
  const connection = connectionTo({
    url: [broker],
    ...(username !== undefined && { username }),
    ...(cafile !== undefined && { cafile }),
    ...(quiet && { quiet }),
  });
  const session = new Session({ command: 'deploy', connection, reconnect: true });
  const fail = (error: unknown) => {
    if (!session.over) process.stderr.write(`twobyte deploy: ${printable((error as Error).message)}\n`);
    session.end(EXIT_FAILURE);
  };
  const over = new AbortController();
  session.client.once('end', () => over.abort());
  try {
    const channel = await channelOver(session.client, topic);
    const words = await deploy(channel, file, {
      answerMs: repeat * 1000,
      patienceMs: timeout * 1000,
      signal: over.signal,
      progress: progressTo((text) => session.say(text)),
      kept: (text) => session.say(text),
    });
    session.say(words);
    session.end(EXIT_OK);
  } catch (error) {
    fail(error);
  }
  return session.ended;
}

/** As connectionOf, with this command's names for what is wrong. */
function connectionTo(values: Parameters<typeof connectionOf>[0]): ReturnType<typeof connectionOf> {
  try {
    return connectionOf(values);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const own = error.message
      .replace(/, -p \d+, --cafile or --tls-use-os-certs/, '')
      .replace(/-L\b/g, '--broker')
      .replace(/-u\b/g, '--username')
      .replace(/-P\b/g, 'TWOBYTE_PASSWORD');
    throw new UsageError(own);
  }
}

/** To the board at `port`, or at the only one that has a board. */
async function overLine(file: Buffer, port: string | undefined, { timeout, quiet }: Values): Promise<number> {
  const named = port === undefined ? undefined : serialPort(port, '--port');
  const tell = (text: string) => void process.stderr.write(`twobyte deploy: ${printable(text)}\n`);
  const say = quiet ? () => {} : tell;
  try {
    const path = await choosePort(named?.path);
    const board = await BoardConsole.open({ path, ...(named && { baud: named.baud }) });
    try {
      say(await deployOverLine(board, file, { patienceMs: timeout * 1000, progress: progressTo(say), kept: say }));
    } finally {
      await board.close();
    }
    return EXIT_OK;
  } catch (error) {
    tell((error as Error).message);
    return EXIT_FAILURE;
  }
}

/** Tells each tenth. */
function progressTo(say: (text: string) => void): (bytes: number, of: number) => void {
  let told = -1;
  return (bytes, of) => {
    const tenth = Math.floor((bytes * 10) / of);
    if (tenth === told) return;
    told = tenth;
    say(`${bytes} of ${of} bytes`);
  };
}
