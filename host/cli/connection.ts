import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { PredefinedError, readPredefined } from '../gateway/predefined.js';
import { type Address, parseAddress, redact } from '../links/address.js';
import type { ClientOptions, QoS } from '../options.js';
import { payloadLimit, topicFault } from './topics.js';
import { qosLevel, repeated, UsageError, whole } from './usage.js';

/** What the options that all commands share come to. */
export interface Connection {
  /** The brokers in the order in which they are tried. */
  urls: readonly string[];
  /** Their addresses as they may be shown. */
  names: readonly string[];
  options: ClientOptions;
  /** The topic in the URL of -L. */
  topic: string | undefined;
  tls: boolean;
  /** It speaks MQTT-SN. */
  sn: boolean;
  debug: boolean;
  quiet: boolean;
}

/** As commander names them. */
export interface ConnectionValues {
  host?: string;
  port?: number;
  url?: string[];
  id?: string;
  idPrefix?: string;
  disableCleanSession?: true;
  keepalive?: number;
  username?: string;
  pw?: string;
  willTopic?: string;
  willPayload?: string;
  willQos?: QoS;
  willRetain?: true;
  cafile?: string;
  capath?: string;
  tlsUseOsCerts?: true;
  cert?: string;
  key?: string;
  insecure?: true;
  tlsVersion?: 'tlsv1.2' | 'tlsv1.3';
  predefined?: string;
  debug?: true;
  quiet?: true;
}

const TLS_PORT = 8883;

const mqtt311 = (text: string): string => {
  if (/^(mqttv)?311$/.test(text)) return text;
  throw new InvalidArgumentError('MQTT 3.1.1 is what twobyte speaks: 311 or mqttv311.');
};

export function addConnectionOptions(command: Command): Command {
  const option = (flags: string, description: string) => {
    const added = new Option(flags, description);
    command.addOption(added);
    return added;
  };
  command
    .optionsGroup('Where to:')
    .option('-h, --host <host>', 'name or address of the broker (default: localhost)')
    .option('-p, --port <port>', `(default: 1883, with TLS ${TLS_PORT})`, whole(1, 65535));
  option(
    '-L, --url <url>',
    'mqtt(s)://[user[:password]@]host[:port][/topic]; ws(s)://…, whose path is the WebSocket’s; mqtt-sn://host[:port][/topic]; mqtt-sn+serial:///dev/…[?baud=…]; repeated, the brokers are tried in this order',
  )
    .conflicts(['host', 'port'])
    .argParser(repeated);
  command.optionsGroup('As whom:');
  option('-i, --id <id>', 'client id (default: random)').conflicts('idPrefix');
  command
    .option('-I, --id-prefix <prefix>', 'client id that ends with the process id')
    .option('-c, --disable-clean-session', 'the broker keeps the session; needs -i')
    .option('-k, --keepalive <seconds>', '0 turns it off (default: 60)', whole(0, 65535))
    .option('-u, --username <name>', 'or TWOBYTE_USERNAME in the environment')
    .option('-P, --pw <password>', 'better TWOBYTE_PASSWORD in the environment')
    .addOption(new Option('-V, --protocol-version <version>').argParser(mqtt311).hideHelp())
    .optionsGroup('Will:')
    .option('--will-topic <topic>', 'what the broker publishes should this client be lost')
    .option('--will-payload <text>', '(default: empty)')
    .option('--will-qos <qos>', '(default: 0)', qosLevel)
    .option('--will-retain', 'as a retained message')
    .optionsGroup('TLS (mqtts:// and wss:// in -L; else any of these but --insecure, or port 8883):')
    .option('--cafile <file>', 'PEM file of the authorities to trust in place of the system’s')
    .option('--capath <directory>', 'the same from all .crt and .pem files of a directory')
    .option('--tls-use-os-certs', 'trust the authorities of the system')
    .option('--cert <file>', 'own certificate, with --key')
    .option('--key <file>', 'own private key, with --cert');
  option('--tls-version <version>', 'this version only').choices(['tlsv1.2', 'tlsv1.3']);
  return command
    .option('--insecure', 'do not compare the name in the certificate with the host; its authority and dates still count. For trials only')
    .optionsGroup('MQTT-SN (mqtt-sn:// and mqtt-sn+serial:// in -L; it has no user names and no TLS):')
    .option('--predefined <file>', 'topics that the gateway knows by their ids: a line `id topic` each, as `twobyte gateway` reads it')
    .optionsGroup('This program:')
    .option('-d, --debug', 'tell each event on stderr')
    .option('--quiet', 'tell nothing on stderr but bad usage and what --insecure does')
    .helpOption('--help', 'print this');
}

/** What --insecure does, for stderr; said even with --quiet. */
export const INSECURE =
  '--insecure: the name in the certificate is not compared with the host: whoever is on the way and has a certificate of a trusted authority ' +
  'for any name can read and change everything, passwords too';

/** `options`: those that would show a password in the list of processes. */
export const secretsHelp = (options: string): string => `
Secrets: other users of a machine can read command lines in \`ps\`. Put the user name and the password into the environment
variables TWOBYTE_USERNAME and TWOBYTE_PASSWORD instead of ${options}; the options go before the variables.
`;

/** Checks the shared options. Throws a UsageError. */
export function connectionOf(values: ConnectionValues): Connection {
  const targets = values.url?.map(urlTarget) ?? [hostTarget(values)];
  const target = oneOf(targets);
  const { topic, tls, sn } = target;
  if (!sn && values.predefined !== undefined)
    throw new UsageError('--predefined: MQTT has no topic ids; they are of MQTT-SN, as in -L mqtt-sn://…');
  if (values.disableCleanSession && !values.id)
    throw new UsageError('-c: a session is kept under its client id, which has to be the same each time; give one with -i');
  return {
    urls: targets.map(({ url }) => url),
    names: targets.map(({ name }) => name),
    topic,
    tls,
    sn,
    options: {
      ...identity(values, target),
      ...will(values),
      ...(sn ? snOptions(values) : tlsOptions(values, tls)),
    },
    debug: values.debug ?? false,
    quiet: values.quiet ?? false,
  };
}

interface Target {
  url: string;
  name: string;
  topic: string | undefined;
  username: string | undefined;
  password: string | undefined;
  tls: boolean;
  sn: boolean;
}

/** What all brokers have in common. */
function oneOf(targets: readonly Target[]): Target {
  const [first] = targets;
  if (!first) throw new UsageError('-L: no address');
  const all = { ...first };
  for (const { sn, tls, topic, username, password } of targets.slice(1)) {
    if (sn !== all.sn) throw new UsageError('-L: of several addresses all are of MQTT, or all of MQTT-SN');
    if (topic !== undefined && topic !== (all.topic ?? topic))
      throw new UsageError(`-L: '${all.topic}' and '${topic}' are two topics; name one`);
    if (username !== undefined && (username !== (all.username ?? username) || password !== (all.password ?? password)))
      throw new UsageError('-L: all brokers are told one user name and password');
    all.tls ||= tls;
    all.topic ??= topic;
    all.username ??= username;
    all.password ??= password;
  }
  return all;
}

function hostTarget(values: ConnectionValues): Target {
  const { host = 'localhost', cafile, capath, tlsUseOsCerts, cert, key, tlsVersion } = values;
  if (/[/?#@\s]/.test(host)) throw new UsageError(`-h: '${redact(host)}' is not a name or an address; a whole URL goes to -L`);
  const tls = [cafile, capath, tlsUseOsCerts, cert, key, tlsVersion].some((value) => value !== undefined) || values.port === TLS_PORT;
  const scheme = tls ? 'mqtts' : 'mqtt';
  const port = values.port ?? (tls ? TLS_PORT : 1883);
  // An address of IPv6 stands in brackets in a URL, and without them on a command line.
  const url = `${scheme}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  parsed('-h', url);
  return { url, name: url, topic: undefined, username: undefined, password: undefined, tls, sn: false };
}

function parsed(option: string, url: string): Address {
  try {
    return parseAddress(url);
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
}

/** Takes the URL apart by hand: what follows the host is a topic as it stands, in which # and ? and % have no meaning of a URL. */
function urlTarget(text: string): Target {
  const [, scheme = '', authority = '', path] = /^([^:/]*:\/\/)([^/]*)(\/.*)?$/s.exec(text) ?? [];
  const at = authority.lastIndexOf('@');
  const isWhole = /^(wss?|mqtt-sn\+serial):/i.test(scheme); // its path is no topic
  const bare = scheme + authority.slice(at + 1);
  const url = isWhole ? bare + (path ?? '') : bare;
  const { carrier } = parsed('-L', scheme ? url : text);
  const [username, password] = at < 0 ? [] : credentials(authority.slice(0, at));
  const topic = isWhole ? undefined : path?.slice(1) || undefined;
  const sn = carrier === 'udp' || carrier === 'serial';
  if (sn && at >= 0) throw new UsageError('-L: MQTT-SN 1.2 has no user names and passwords; leave out what stands before the @');
  return { url, name: sn ? url : bare, topic, username, password, tls: carrier === 'tls' || carrier === 'wss', sn };
}

function credentials(text: string): [username: string, password: string | undefined] {
  const colon = text.indexOf(':');
  try {
    if (colon < 0) return [decodeURIComponent(text), undefined];
    return [decodeURIComponent(text.slice(0, colon)), decodeURIComponent(text.slice(colon + 1))];
  } catch {
    throw new UsageError(
      '-L: in the user name or the password, a % is not followed by two hexadecimal digits; write %25 for the sign itself',
    );
  }
}

function identity(values: ConnectionValues, target: Target): ClientOptions {
  const env = target.sn ? {} : process.env; // what MQTT needs may stand there, and MQTT-SN has no use for it
  const username = values.username ?? target.username ?? (env.TWOBYTE_USERNAME || undefined); // an empty variable is none
  const password = values.pw ?? target.password ?? (env.TWOBYTE_PASSWORD || undefined);
  if (target.sn && (values.username ?? values.pw) !== undefined)
    throw new UsageError(`${values.username === undefined ? '-P' : '-u'}: MQTT-SN 1.2 has no user names and passwords; leave it out`);
  if (password !== undefined && username === undefined) {
    const source = values.pw === undefined ? 'TWOBYTE_PASSWORD' : '-P';
    throw new UsageError(`${source}: MQTT has no password without a user name; give one with -u or TWOBYTE_USERNAME`);
  }
  const clientId = values.idPrefix === undefined ? values.id : `${values.idPrefix}${process.pid}`;
  return {
    ...(clientId !== undefined && { clientId }),
    ...(values.keepalive !== undefined && { keepalive: values.keepalive }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    clean: !values.disableCleanSession,
  };
}

function will({ willTopic, willPayload, willQos, willRetain }: ConnectionValues): ClientOptions {
  if (willTopic === undefined) {
    const given = Object.entries({ '--will-payload': willPayload, '--will-qos': willQos, '--will-retain': willRetain });
    const [stray] = given.find(([, value]) => value !== undefined) ?? [];
    if (stray) throw new UsageError(`${stray}: a will needs a topic; give one with --will-topic`);
    return {};
  }
  const fault = topicFault(willTopic);
  if (fault) throw new UsageError(`--will-topic '${willTopic}': ${fault}`);
  return { will: { topic: willTopic, payload: willPayload ?? '', qos: willQos ?? 0, retain: willRetain ?? false } };
}

/** Until a request is sent again, and how often: somebody waits, for half a minute when nobody answers. */
const RETRY_MS = 2000;
const RETRIES = 3;

function snOptions(values: ConnectionValues): ClientOptions {
  const stray = strayTlsOption(values);
  if (stray) throw new UsageError(`${stray}: MQTT-SN has no TLS; leave it out`);
  return {
    retryInterval: RETRY_MS,
    retries: RETRIES,
    ...(values.predefined !== undefined && { predefinedTopics: predefinedTopics(values.predefined) }),
  };
}

function predefinedTopics(path: string): Record<number, string> {
  try {
    return Object.fromEntries(readPredefined(path).entries());
  } catch (error) {
    if (error instanceof PredefinedError) throw new UsageError(`--predefined: ${error.message}`);
    throw error;
  }
}

/** An option of TLS that was given. */
function strayTlsOption({ cafile, capath, cert, key, insecure, tlsUseOsCerts, tlsVersion }: ConnectionValues): string | undefined {
  const given = Object.entries({ '--cafile': cafile, '--capath': capath, '--cert': cert, '--key': key, '--insecure': insecure });
  const more = Object.entries({ '--tls-use-os-certs': tlsUseOsCerts, '--tls-version': tlsVersion });
  return [...given, ...more].find(([, value]) => value !== undefined)?.[0];
}

function tlsOptions(values: ConnectionValues, tls: boolean): ClientOptions {
  const { cafile, capath, cert, key, insecure, tlsUseOsCerts, tlsVersion } = values;
  if (!tls) {
    const stray = strayTlsOption(values);
    if (stray)
      throw new UsageError(
        `${stray}: this connection is without TLS; use -L mqtts://…, -L wss://…, -p ${TLS_PORT}, --cafile or --tls-use-os-certs`,
      );
    return {};
  }
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError(
      cert === undefined
        ? '--key: it needs the certificate that belongs to it, with --cert'
        : '--cert: it needs its private key, with --key',
    );
  if (tlsUseOsCerts && (cafile !== undefined || capath !== undefined))
    throw new UsageError('--tls-use-os-certs: --cafile and --capath take the place of the system’s authorities; give one or the other');
  const version = tlsVersion && (tlsVersion === 'tlsv1.3' ? 'TLSv1.3' : 'TLSv1.2');
  const ca = [...(cafile === undefined ? [] : [readOption('--cafile', cafile)]), ...(capath === undefined ? [] : readAuthorities(capath))];
  return {
    ...(ca.length > 0 && { ca }),
    ...(cert !== undefined && { cert: readOption('--cert', cert) }),
    ...(key !== undefined && { key: readOption('--key', key) }),
    ...(version && { minVersion: version, maxVersion: version }),
    ...(insecure && { checkServerIdentity: () => undefined }),
  };
}

function readOption(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${option}: ${unreadable(path, error)}`);
  }
}

function readAuthorities(directory: string): Buffer[] {
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => /\.(crt|pem)$/.test(name));
  } catch (error) {
    throw new UsageError(`--capath: ${unreadable(directory, error)}`);
  }
  if (names.length === 0) throw new UsageError(`--capath: '${directory}' has no file that ends in .crt or .pem`);
  return names.map((name) => readOption('--capath', join(directory, name)));
}

/** Why a file cannot be read, for people. */
export function unreadable(path: string, error: unknown): string {
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'reading it is not permitted',
    EISDIR: 'it is a directory',
    ENOTDIR: 'it is not a directory',
  };
  const { code = '', message } = error as NodeJS.ErrnoException;
  return `cannot read '${path}': ${reasons[code] ?? message}`;
}

export function tooLarge(what: string): string {
  return `${what} is larger than a message may be: the limit is ${payloadLimit()} bytes of payload`;
}
