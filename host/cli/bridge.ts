import { Command } from 'commander';
import { Bridge, type Way } from '../bridge/bridge.js';
import { realClock } from '../clock.js';
import { BAUD_RANGE, DEFAULT_BAUD, linkTo, redact } from '../links/address.js';
import { type KeptPort, keepPort } from '../links/kept-port.js';
import { type Connection, connectionOf, INSECURE } from './connection.js';
import { arrivalLine, type Home, startHome } from './home.js';
import { serialPort } from './serial-port.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith, repeated, UsageError } from './usage.js';

interface Values {
  serial: string;
  broker?: string[];
  cafile?: string;
  cert?: string;
  key?: string;
  insecure?: true;
  quiet?: true;
}

/** Below, pieces of the stream take so long that either end repeats them for nothing. */
const LEAST_STREAM_BAUD = 9600;
/** Of events that the reader of stdout has not taken. */
const WAITING_BYTES = 1_048_576;

const after = `
The board connects when its firmware wants to, with the user name and password of its own settings; when the broker is away, the board hears it at once
and tries again after its back-off. Events of the board go to stdout, a line of JSON each; its console and remarks of the bridge go to stderr. A port
that goes away is opened again when it is back, looked for every 2 s. SIGINT and SIGTERM end in order: the board hears that its connection is over.
Without --broker, stdout has the messages that the board publishes in place of its events: topic, payload, QoS.

Exit status: 0 ended by a signal or by the reader of stdout · 1 bad usage, the port cannot be opened at the start, or stdout cannot be written

Examples: twobyte bridge --serial /dev/ttyUSB0
          twobyte bridge --serial /dev/ttyUSB0 --broker mqtt://127.0.0.1
`;

export function bridgeCommand(): Command {
  const [least, most] = BAUD_RANGE;
  const command = discreet(new Command('bridge'))
    .description('Leads a board at a serial port to a broker: MQTT as a stream, or MQTT-SN to a gateway.')
    .optionsGroup('Board:')
    .requiredOption(
      '--serial <path[@baud]>',
      `its port and bits per second, ${least} to ${most}, for MQTT from ${LEAST_STREAM_BAUD} (default: ${DEFAULT_BAUD}); also 'path?baud=N'`,
    )
    .optionsGroup('Broker:')
    .option(
      '--broker <url>',
      'mqtt(s)://host[:port] or ws(s)://host[:port]/path, of which several are tried in turn; or mqtt-sn://host[:port], a gateway; may be repeated (default: a broker in this process, whose messages are printed)',
      repeated,
    )
    .option('--cafile <file>', 'PEM file of the authorities to trust in place of the system’s')
    .option('--cert <file>', 'own certificate, with --key')
    .option('--key <file>', 'own private key, with --cert')
    .option('--insecure', 'do not compare the name in the certificate with the host; its authority and dates still count. For trials only')
    .optionsGroup('This program:')
    .option('--quiet', 'tell nothing on stderr but what the board says, bad usage and what --insecure does')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', after);
  return command.action((values: Values) => exitWith(command, () => run(values)));
}

async function run(values: Values): Promise<number> {
  const { path, baud } = serialPort(values.serial);
  const named = values.broker && waysOf(values, values.broker);
  if (named && named.brokers.length > 0 && baud < LEAST_STREAM_BAUD)
    throw new UsageError(
      `--serial '${values.serial}': ${baud} baud is too slow for a stream of MQTT, which needs ${LEAST_STREAM_BAUD}; a slower line carries MQTT-SN (--broker mqtt-sn://host)`,
    );
  const tell = (text: string) => void process.stderr.write(`twobyte bridge: ${text}\n`);
  const say = values.quiet ? () => {} : tell;
  const ofTls = ['cafile', 'cert', 'key', 'insecure'] as const;
  const idle = named ? undefined : ofTls.find((name) => values[name] !== undefined);
  if (idle)
    throw new UsageError(`--${idle}: there is no TLS on the way to the broker in this process; name one with --broker mqtts://host`);
  if (values.insecure) tell(INSECURE);

  const ended = untilEnd();
  const print = lineWriter(tell);
  const { home, ...ways } = named ?? waysTo(await startHome((arrival) => print(arrivalLine(arrival)), say), baud);
  let port: KeptPort | undefined;
  const bridge = new Bridge(
    {
      ...ways,
      baud,
      event: home ? () => {} : print,
      says: (line) => void process.stderr.write(`${line}\n`),
      tell: say,
    },
    (message) => port?.send(message),
  );
  try {
    port = await keepPort(
      path,
      baud,
      {
        received: (message) => bridge.take(message),
        away(why) {
          say(`${why}; it is looked for every 2 s`);
          bridge.wireLost();
        },
        back() {
          say(`${path} is back`);
          bridge.begin();
        },
      },
      realClock,
    );
  } catch (error) {
    tell(`--serial: ${(error as Error).message}`);
    await bridge.close();
    await home?.close();
    return EXIT_FAILURE;
  }
  const names = home
    ? ['a broker in this process; what it gets is printed']
    : [...ways.brokers, ...(ways.gateway ? [ways.gateway] : [])].map(({ name }) => name);
  say(`${path} at ${baud} baud leads to ${names.join(', ')}`);
  bridge.begin();
  const fault = await ended;
  await bridge.close();
  void port.close();
  await home?.close();
  if (fault === undefined) return EXIT_OK;
  tell(fault);
  return EXIT_FAILURE;
}

interface Ways {
  brokers: Way[];
  gateway?: Way;
  /** Where the ways lead when no broker is named. */
  home?: Home;
}

/** To the broker in this process: a slow line carries no stream. */
function waysTo(home: Home, baud: number): Ways {
  const way = (url: string): Way => ({ name: url, open: linkTo(url) });
  return { brokers: baud < LEAST_STREAM_BAUD ? [] : [way(home.broker.url)], gateway: way(home.gateway.url), home };
}

function waysOf({ cafile, cert, key, insecure }: Values, broker: readonly string[]): Ways {
  const isSn = (url: string) => /^\s*mqtt-sn:/i.test(url);
  const [gateway, second] = broker.filter(isSn);
  if (second !== undefined) throw new UsageError(`--broker: '${redact(second)}' is a second gateway; the board's datagrams go to one`);
  const streams = broker.filter((url) => !isSn(url));
  try {
    const tls = {
      ...(cafile !== undefined && { cafile }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(insecure && { insecure }),
    };
    const { urls, options } = streams.length > 0 ? connectionTo(streams, tls) : { urls: [], options: {} };
    if (streams.length === 0 && Object.keys(tls).length > 0)
      throw new UsageError(`--${Object.keys(tls)[0]}: there is no TLS on the way to a gateway; use it with mqtts:// or wss://`);
    return {
      brokers: urls.map((url) => ({ name: redact(url), open: linkTo(url, options) })),
      ...(gateway !== undefined && { gateway: { name: redact(gateway), open: linkTo(gateway) } }),
    };
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(`--broker: ${error.message}`);
    throw error;
  }
}

function connectionTo(url: string[], tls: Partial<Values>): Connection {
  let connection: Connection;
  try {
    connection = connectionOf({ url, ...tls });
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(error.message.replace(/-L\b/g, '--broker'));
    throw error;
  }
  const { sn, topic } = connection;
  if (url.some(hasCredentials))
    throw new UsageError(
      '--broker: the board says its user name and password itself; put them into its settings, and leave out what stands before the @',
    );
  if (sn)
    throw new UsageError(
      '--broker: a bridge leads to a network, not to another serial port; use mqtt://, mqtts://, ws(s):// or mqtt-sn://',
    );
  if (topic) throw new UsageError(`--broker: '${redact(topic)}' is a topic, and a bridge has none`);
  return connection;
}

function hasCredentials(text: string): boolean {
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

/** Writes lines to stdout; when its reader takes none for long, they are dropped, and that is told once. */
function lineWriter(tell: (text: string) => void): (line: string) => void {
  let dropping = false;
  return (line) => {
    const full = process.stdout.writableLength > WAITING_BYTES;
    if (full && !dropping) tell('the reader of stdout takes nothing: lines are dropped');
    dropping = full;
    if (!full) process.stdout.write(`${line}\n`);
  };
}

/** Resolves when a signal or the reader of stdout ends it; with words for people when stdout cannot be written. */
function untilEnd(): Promise<string | undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(undefined));
    process.stdout.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EPIPE' ? undefined : `cannot write to stdout: ${error.message}`),
    );
  });
}
