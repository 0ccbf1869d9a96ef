import { join } from 'node:path';
import { Command } from 'commander';
import { realClock } from '../clock.js';
import { brokerAt } from '../gateway/broker.js';
import { Gateway, type Transport } from '../gateway/gateway.js';
import { defaultLimits, type Limits } from '../gateway/limits.js';
import { Predefined, PredefinedError, readPredefined } from '../gateway/predefined.js';
import { type SerialTransport, serialTransport } from '../gateway/serial.js';
import { openUdp, type UdpTransport } from '../gateway/udp.js';
import { FileJournal } from '../journal/file-journal.js';
import { DEFAULT_BAUD, redact } from '../links/address.js';
import { type Connection, type ConnectionValues, connectionOf, INSECURE, secretsHelp } from './connection.js';
import { serialPort } from './serial-port.js';
import { discreet, EXIT_FAILURE, EXIT_OK, exitWith, repeated, seconds, secondsAboveZero, UsageError, whole } from './usage.js';

interface Values extends ConnectionValues {
  broker: string;
  udp?: number;
  serial?: string[];
  bind: string;
  group?: string;
  predefined?: string;
  journal?: string;
  advertise: number;
  gatewayId: number;
  /** false with --no-qos-minus-1. */
  qosMinus1: boolean;
  qosMinus1Rate: number;
  clients: number;
  registrations: number;
  registrationBytes: number;
  subscriptions: number;
  subscriptionBytes: number;
  bufferMessages: number;
  bufferBytes: number;
  inflight: number;
  totalInflight: number;
  brokerAbsence: number;
  connectDeadline: number;
  retryTime: number;
  retries: number;
  congestionWait: number;
  clientIdBytes: number;
}

/** The port that MQTT-SN clients take for granted. */
const DEFAULT_PORT = 1884;
const MOST = 1_000_000;

const exitHelp = `
SIGUSR2 prints statistics. SIGINT and SIGTERM end in order: clients are told, and no will is published.

Exit status: 0 ended by a signal · 1 bad usage, or the port or the journal cannot be had
`;

export function gatewayCommand(): Command {
  const { gatewayId, clients, registrations, subscriptions, bufferedMessages, bufferedBytes, inflight, totalInflight, retries, clientId } =
    defaultLimits;
  const inSeconds = (ms: number) => ms / 1000;
  const command = discreet(new Command('gateway'))
    .description('An MQTT-SN 1.2 gateway: each client gets a connection to the broker of its own.')
    .optionsGroup('Broker:')
    .requiredOption('--broker <url>', 'mqtt(s)://[user[:password]@]host[:port], or ws(s)://host[:port]/path')
    .option('-u, --username <name>', 'or TWOBYTE_USERNAME in the environment')
    .option('-P, --pw <password>', 'better TWOBYTE_PASSWORD in the environment')
    .option('--cafile <file>', 'PEM file of the authorities to trust in place of the system’s')
    .option('--cert <file>', 'own certificate, with --key')
    .option('--key <file>', 'own private key, with --cert')
    .option('--insecure', 'do not compare the name in the certificate with the host; its authority and dates still count. For trials only')
    .optionsGroup('Clients:')
    .option('--udp <port>', `listen for datagrams; 0 takes a free port (default: ${DEFAULT_PORT}, without --serial)`, whole(0, 65_535))
    .option('--serial <path[@baud]>', `a serial line, may be repeated (default baud: ${DEFAULT_BAUD}); also 'path?baud=N'`, repeated)
    .option('--bind <address>', 'listen at this address only', '0.0.0.0')
    .option('--predefined <file>', 'topics known beforehand: a line `id topic` each, # begins a comment')
    .option('--advertise <seconds>', 'send ADVERTISE so often; 0 never', whole(0, 65_535), 0)
    .option(
      '--group <address:port>',
      'multicast or broadcast address for ADVERTISE and SEARCHGW (default with --advertise: 255.255.255.255:1884)',
    )
    .option('--gateway-id <id>', 'the gateway’s number', whole(1, 255), gatewayId)
    .option(
      '--no-qos-minus-1',
      'refuse publications without a connection (they are taken by default: only to pre-defined and two-byte topics)',
    )
    .optionsGroup('Limits:')
    .option('--clients <n>', 'connected, asleep, or with a session that is kept', whole(1, MOST), clients)
    .option('--registrations <n>', 'topic ids a client', whole(1, 65_533), registrations)
    .option('--registration-bytes <n>', 'bytes of their names', whole(1, 2 ** 30), defaultLimits.registrationBytes)
    .option('--subscriptions <n>', 'subscriptions a client', whole(1, MOST), subscriptions)
    .option('--subscription-bytes <n>', 'bytes of their filters', whole(1, 2 ** 30), defaultLimits.subscriptionBytes)
    .option('--buffer-messages <n>', 'messages that wait for one client; the oldest go first', whole(1, MOST), bufferedMessages)
    .option('--buffer-bytes <n>', 'their bytes', whole(1, 2 ** 30), bufferedBytes)
    .option('--inflight <n>', 'requests of one client that wait for the broker', whole(1, MOST), inflight)
    .option('--total-inflight <n>', 'requests of all clients', whole(1, MOST), totalInflight)
    .option(
      '--qos-minus-1-rate <n>',
      'publications without a connection, a second from one address',
      whole(1, MOST),
      defaultLimits.qosMinusOneRate,
    )
    .option('--client-id-bytes <n>', 'the longest client id', whole(1, 65_535), clientId)
    .optionsGroup('Times in seconds:')
    .option('--retry-time <s>', 'Tretry: until a request is sent again', secondsAboveZero, inSeconds(defaultLimits.retryTime))
    .option('--retries <n>', 'Nretry: so often, then the client is lost', whole(0, 100), retries)
    .option('--congestion-wait <s>', 'TWAIT: how long a congested client is left alone', seconds, inSeconds(defaultLimits.congestionWait))
    .option('--broker-absence <s>', 'how long a broker that is away is waited for', seconds, inSeconds(defaultLimits.brokerAbsence))
    .option('--connect-deadline <s>', 'for the broker to answer a connection', secondsAboveZero, inSeconds(defaultLimits.connectDeadline))
    .optionsGroup('This program:')
    .option(
      '--journal <directory>',
      'keep what was taken and not passed on there: of QoS 1 and 2 nothing is lost then when this program dies',
    )
    .option('-d, --debug', 'tell each event on stderr')
    .option('--quiet', 'tell nothing on stderr but bad usage and what ends it')
    .helpOption('--help', 'print this')
    .allowExcessArguments(false)
    .addHelpText('after', `${secretsHelp('-u, -P and --broker')}${exitHelp}`);
  return command.action((values: Values) => exitWith(command, () => run(values)));
}

async function run(values: Values): Promise<number> {
  const connection = brokerOf(values);
  const predefined = predefinedOf(values);
  const group = groupOf(values);
  const serial = (values.serial ?? []).map((text) => serialPort(text));
  if (values.journal === '') throw new UsageError('--journal: the directory has an empty name');
  const port = values.udp ?? (serial.length > 0 ? undefined : DEFAULT_PORT);
  const tell = (text: string) => process.stderr.write(`twobyte gateway: ${text}\n`);
  const say = values.quiet ? () => {} : tell;

  if (values.insecure) tell(INSECURE);
  let journal: FileJournal | undefined;
  try {
    if (values.journal !== undefined) journal = new FileJournal(join(values.journal, 'gateway.journal'), { damaged: tell });
  } catch (error) {
    tell(`--journal: ${(error as Error).message}`);
    return EXIT_FAILURE;
  }
  let gateway: Gateway | undefined;
  const receive = (datagram: Uint8Array, peer: string) => gateway?.receive(datagram, peer);
  let udp: UdpTransport | undefined;
  const lines: SerialTransport[] = [];
  const close = () => {
    udp?.close();
    for (const line of lines) line.close();
  };
  try {
    for (const { path, baud } of serial) lines.push(await opened('--serial', serialTransport(path, baud, receive, say, realClock)));
    if (port !== undefined) {
      const opening = openUdp({ port, host: values.bind, ...(group && { group }) }, receive);
      udp = await opened(`--udp: cannot listen at port ${port} of ${values.bind}`, opening);
    }
  } catch (error) {
    close();
    journal?.close();
    tell((error as Error).message);
    return EXIT_FAILURE;
  }
  const running = new Gateway({
    transport: joined(udp, lines),
    openBroker: brokerAt(connection.urls, connection.options),
    limits: limitsOf(values),
    predefined,
    journal,
    say,
    ...(values.debug && { debug: say }),
  });
  gateway = running;
  const ended = untilSignal(() => tell(statistics(running, udp)));
  running.start();
  const places = [...(udp ? [`UDP port ${udp.port} of ${values.bind}`] : []), ...serial.map(({ path }) => path)];
  process.stdout.write(`listening at ${places.join(', ')}; broker ${connection.names[0]}\n`);
  await ended;
  await new Promise<void>((resolve) => {
    running.stop(resolve);
    close(); // at once: a client that connects again must not speak to one that does not answer
  });
  journal?.close();
  if (values.debug && !values.quiet) tell(statistics(running, udp));
  return EXIT_OK;
}

/** Waits for a place to listen at; says which when it cannot be had. */
async function opened<Place>(what: string, opening: Promise<Place>): Promise<Place> {
  try {
    return await opening;
  } catch (error) {
    throw new Error(`${what}: ${listenFault(error)}`);
  }
}

/** One transport of several: each peer's name tells where it is. */
function joined(udp: UdpTransport | undefined, lines: readonly SerialTransport[]): Transport {
  const of = (peer: string): Transport | undefined => lines.find((line) => line.peer === peer) ?? udp;
  return {
    send: (peer, datagram) => of(peer)?.send(peer, datagram),
    broadcast(datagram) {
      udp?.broadcast?.(datagram);
      for (const line of lines) line.broadcast?.(datagram);
    },
    largest: (peer) => of(peer)?.largest?.(peer) ?? Number.POSITIVE_INFINITY,
  };
}

function brokerOf(values: Values): Connection {
  const { username, pw, cafile, cert, key, insecure } = values;
  let connection: Connection;
  try {
    connection = connectionOf({
      url: [values.broker],
      ...(username !== undefined && { username }),
      ...(pw !== undefined && { pw }),
      ...(cafile !== undefined && { cafile }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(insecure && { insecure }),
    });
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(error.message.replace(/-L\b/g, '--broker'));
    throw error;
  }
  if (connection.sn) throw new UsageError('--broker: a gateway leads to an MQTT broker, not to another gateway; use mqtt:// or mqtts://');
  if (connection.topic) throw new UsageError(`--broker: '${redact(connection.topic)}' is a topic, and a gateway has none`);
  return connection;
}

function predefinedOf({ predefined }: Values): Predefined {
  if (predefined === undefined) return new Predefined();
  try {
    return readPredefined(predefined);
  } catch (error) {
    if (error instanceof PredefinedError) throw new UsageError(`--predefined: ${error.message}`);
    throw error;
  }
}

function groupOf({ group, advertise }: Values): { host: string; port: number } | undefined {
  if (group === undefined) return advertise > 0 ? { host: '255.255.255.255', port: DEFAULT_PORT } : undefined;
  const [, bracketed, plain, port = String(DEFAULT_PORT)] = /^(?:\[([\da-f:]+)\]|([\d.]+))(?::(\d+))?$/i.exec(group) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new UsageError(`--group: '${group}' is not an address with a port, as in 239.1.2.3:1884 or [ff02::1]:1884`);
  return { host, port: Number(port) };
}

function limitsOf(values: Values): Partial<Limits> {
  const ms = (time: number) => Math.round(time * 1000);
  return {
    gatewayId: values.gatewayId,
    advertise: values.advertise,
    clients: values.clients,
    registrations: values.registrations,
    registrationBytes: values.registrationBytes,
    subscriptions: values.subscriptions,
    subscriptionBytes: values.subscriptionBytes,
    bufferedMessages: values.bufferMessages,
    bufferedBytes: values.bufferBytes,
    inflight: values.inflight,
    totalInflight: values.totalInflight,
    clientId: values.clientIdBytes,
    retryTime: ms(values.retryTime),
    retries: values.retries,
    congestionWait: ms(values.congestionWait),
    brokerAbsence: ms(values.brokerAbsence),
    connectDeadline: ms(values.connectDeadline),
    qosMinusOne: values.qosMinus1,
    qosMinusOneRate: values.qosMinus1Rate,
  };
}

function listenFault(error: unknown): string {
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another program has it; choose another with --udp, or 0 for a free one',
    EACCES: 'that is not permitted; ports below 1024 are for root',
    EADDRNOTAVAIL: 'this machine has no such address; see --bind',
    ENOTFOUND: 'there is no such address; see --bind',
  };
  const { code = '', message } = error as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}

function statistics(gateway: Gateway, udp: UdpTransport | undefined): string {
  const states = new Map<string, number>();
  for (const { state } of gateway.clients) states.set(state, (states.get(state) ?? 0) + 1);
  const unsent = udp && udp.dropped > 0 ? [['datagrams dropped: the system takes no more', udp.dropped]] : [];
  const lines = [...states, ...Object.entries(gateway.counters.all()), ...unsent].map(([what, count]) => `  ${what}: ${count}`);
  return ['statistics', ...lines].join('\n');
}

/** SIGUSR1 is Node's own. */
function untilSignal(report: () => void): Promise<void> {
  process.on('SIGUSR2', report);
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });
}
