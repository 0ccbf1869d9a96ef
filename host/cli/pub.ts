import { createReadStream } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Command, Option } from 'commander';
import { TwobyteError } from '../errors.js';
import type { QoS } from '../options.js';
import {
  addConnectionOptions,
  type Connection,
  type ConnectionValues,
  connectionOf,
  secretsHelp,
  tooLarge,
  unreadable,
} from './connection.js';
import { LineSplitter } from './lines.js';
import { Session } from './session.js';
import { payloadLimit, topicFault } from './topics.js';
import { discreet, EXIT_FAILURE, exitWith, publishQosLevel, repeated, seconds, UsageError, whole } from './usage.js';

interface PubValues extends ConnectionValues {
  topic?: string[];
  message?: string;
  file?: string;
  stdinLine?: true;
  nullMessage?: true;
  stdinFile?: true;
  qos?: QoS | -1;
  retain?: true;
  maxInflight?: number;
  repeat?: number;
  repeatDelay?: number;
}

/** Messages that may be unacknowledged while more lines are read, and their bytes. */
const WINDOW_MESSAGES = 4096;
/** At QoS 2, -M decides: mosquitto hangs up on a client with more unreleased messages than its max_inflight_messages, which is 20 unless configured. */
const WINDOW_QOS_2 = 20;
const WINDOW_BYTES = 4 * 1024 * 1024;

const after = `${secretsHelp('-u, -P and -L')}
With -l a lost connection is made again and nothing is lost above QoS 0; with a single message it is a failure.

Exit status: 0 all is sent, and above QoS 0 acknowledged; 1 bad usage or failure; 1 to 5 the broker's CONNACK refused us (2 client id,
3 unavailable, 4 user name or password, 5 not authorized), or the return code of an MQTT-SN gateway that refused us or the message
(1 congestion, 2 invalid topic id, 3 not supported); 128 + n ended by signal n.

Example: echo 23.4 | twobyte pub -h broker -t myhome/底楼/客厅/温度 -l -q 1
`;

export function pubCommand(): Command {
  const command = discreet(new Command('pub')).description('publish to a topic, with the options of mosquitto_pub').optionsGroup('What:');
  const sources = ['message', 'file', 'stdinLine', 'nullMessage', 'stdinFile'];
  const source = (flags: string, description: string) => {
    const option = new Option(flags, description);
    command.addOption(option.conflicts(sources.filter((name) => name !== option.attributeName())));
  };
  command.option('-t, --topic <topic>', 'where to publish', repeated);
  source('-m, --message <text>', 'the message');
  source('-f, --file <file>', 'the bytes of a file as the message');
  source('-l, --stdin-line', 'each line of the standard input as a message');
  source('-n, --null-message', 'an empty message; with -r it clears what the topic retains');
  source('-s, --stdin-file', 'the whole standard input as the message');
  command
    .option('-q, --qos <qos>', '(default: 0); over MQTT-SN also -1: sent without a connection', publishQosLevel)
    .option('-r, --retain', 'as a retained message')
    .option(
      '-M, --max-inflight <n>',
      `with -l, unacknowledged messages at once (default: ${WINDOW_MESSAGES}, at QoS 2 ${WINDOW_QOS_2})`,
      whole(1, 65535),
    )
    .option('--repeat <n>', 'publish the message n times', whole(1, 2 ** 31 - 1))
    .option('--repeat-delay <seconds>', 'between one message and the next, with --repeat', seconds);
  addConnectionOptions(command).addHelpText('after', after);
  return command.action((values: PubValues) => exitWith(command, () => pub(values)));
}

async function pub(values: PubValues): Promise<number> {
  const connection = withoutConnecting(values, connectionOf(values));
  const topic = topicOf(values, connection.topic);
  if (connection.options.connectionless) checkTopicId(topic, connection);
  if (values.stdinLine && (values.repeat !== undefined || values.repeatDelay !== undefined))
    throw new UsageError('--repeat: it repeats one message, while -l publishes many; drop one of the two');
  const message = { topic, qos: values.qos ?? 0, retain: values.retain ?? false };
  if (values.stdinLine) {
    const window = values.maxInflight ?? (message.qos === 2 ? WINDOW_QOS_2 : WINDOW_MESSAGES);
    const options = { ...connection.options, maxInflight: window };
    const session = new Session({ command: 'pub', connection: { ...connection, options }, reconnect: true });
    await publishLines(session, message, window);
    return session.ended;
  }
  const payload = await payloadOf(values);
  const session = new Session({ command: 'pub', connection, reconnect: false });
  await publishOne(session, message, payload, values.repeat ?? 1, (values.repeatDelay ?? 0) * 1000);
  return session.ended;
}

/** QoS −1 needs no connection, so none is made. */
function withoutConnecting({ qos }: PubValues, connection: Connection): Connection {
  if (qos !== -1) return connection;
  if (!connection.sn) throw new UsageError('-q: QoS -1 is of MQTT-SN, as in -L mqtt-sn://…; over MQTT it is 0, 1 or 2');
  return { ...connection, options: { ...connection.options, connectionless: true } };
}

function checkTopicId(topic: string, { options }: Connection): void {
  if (Buffer.byteLength(topic) === 2 || Object.values(options.predefinedTopics ?? {}).includes(topic)) return;
  throw new UsageError(`-t '${topic}': QoS -1 needs a topic of two bytes, or one of the file that --predefined names`);
}

function topicOf({ topic: topics = [] }: PubValues, urlTopic: string | undefined): string {
  const [topic, another] = urlTopic === undefined ? topics : [urlTopic, ...topics];
  if (topic === undefined) throw new UsageError('-t: where to publish is missing; give a topic with -t or in the URL of -L');
  if (another !== undefined) throw new UsageError(`-t: '${topic}' and '${another}' are two topics; a message goes to one`);
  const fault = topicFault(topic);
  if (fault) throw new UsageError(`-t '${topic}': ${fault}`);
  return topic;
}

async function payloadOf({ message, file, nullMessage, stdinFile }: PubValues): Promise<Buffer> {
  if (message !== undefined) return Buffer.from(message);
  if (file !== undefined) return readAll('-f', `'${file}'`, file, createReadStream(file));
  if (stdinFile) return readAll('-s', 'the standard input', 'stdin', process.stdin);
  if (nullMessage) return Buffer.alloc(0);
  throw new UsageError(
    '-m: what to publish is missing; give one of -m TEXT, -f FILE, -l (lines of stdin), -s (all of stdin) and -n (nothing)',
  );
}

/** Reads up to the limit of a payload and no further: the input may be a device without an end. */
async function readAll(option: string, what: string, path: string, input: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of input) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > payloadLimit()) break;
    }
  } catch (error) {
    throw new UsageError(`${option}: ${unreadable(path, error)}`);
  }
  if (length > payloadLimit()) throw new UsageError(`${option}: ${tooLarge(what)}`);
  return Buffer.concat(chunks);
}

interface Heading {
  topic: string;
  qos: QoS | -1;
  retain: boolean;
}

async function publishOne(session: Session, { topic, qos, retain }: Heading, payload: Buffer, times: number, pause: number): Promise<void> {
  const over = new AbortController();
  session.client.once('end', () => over.abort());
  try {
    for (let sent = 0; sent < times && !session.over; sent++) {
      if (sent > 0 && pause > 0) await delay(pause, undefined, { signal: over.signal });
      await session.client.publishAsync(topic, payload, { qos, retain });
      session.debug(`published ${payload.length} bytes to '${topic}'`);
    }
    await session.finish();
  } catch (error) {
    // When the connection failed, the session has said so.
    if (!over.signal.aborted) session.fail((error as Error).message, statusOf(error as Error));
  }
}

/** A gateway's return code, where one refused the message. */
function statusOf(error: Error): number {
  return error instanceof TwobyteError && typeof error.code === 'number' ? error.code : EXIT_FAILURE;
}

async function publishLines(session: Session, { topic, qos, retain }: Heading, window: number): Promise<void> {
  const { client } = session;
  const limit = payloadLimit();
  const splitter = new LineSplitter(limit);
  let count = 0;
  let messages = 0;
  let bytes = 0;
  let wake = () => {};
  const change = () => new Promise<void>((resolve) => (wake = resolve));
  const isFull = () => messages >= window || bytes >= WINDOW_BYTES;

  const publish = async (lines: Iterable<Buffer | undefined>) => {
    for (const line of lines) {
      if (isFull()) session.debug(`${messages} messages are not acknowledged: the standard input waits`);
      while (isFull() && !session.over) await change();
      if (session.over) return;
      count++;
      if (!line) {
        while (messages > 0 && !session.over) await change(); // what came before is not lost with it
        return session.fail(`-l: ${tooLarge(`line ${count}`)}`);
      }
      messages++;
      bytes += line.length;
      client.publish(topic, line, { qos, retain }, (error) => {
        messages--;
        bytes -= line.length;
        if (error) session.fail(error.message, statusOf(error));
        else session.debug(`published ${line.length} bytes to '${topic}'`);
        wake();
      });
    }
  };

  client.once('end', () => {
    process.stdin.destroy(); // it may never end by itself
    wake();
  });
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      await publish(splitter.push(chunk));
      if (session.over) return;
    }
    await publish(splitter.end());
  } catch (error) {
    if (!session.over) session.fail(`-l: ${unreadable('stdin', error)}`);
  }
  while (messages > 0 && !session.over) await change();
  await session.finish();
}
