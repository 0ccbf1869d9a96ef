import { Command, InvalidArgumentError } from 'commander';
import type { Message } from '../messages.js';
import type { QoS } from '../options.js';
import type { Granted } from '../requests.js';
import { addConnectionOptions, type Connection, type ConnectionValues, connectionOf, secretsHelp } from './connection.js';
import { customFormat, FormatError, type Formatter, payloadFormat, verboseFormat } from './format.js';
import { Session } from './session.js';
import { filterFault, matches } from './topics.js';
import { discreet, EXIT_FAILURE, EXIT_OK, EXIT_TIMEOUT, exitWith, MOST_SECONDS, qosLevel, repeated, UsageError, whole } from './usage.js';

interface SubValues extends ConnectionValues {
  topic?: string[];
  filterOut?: string[];
  unsubscribe?: string[];
  qos?: QoS;
  verbose?: true;
  F?: string;
  N?: true;
  C?: number;
  W?: number;
  R?: true;
  retainedOnly?: true;
  E?: true;
}

/** The largest payload that MQTT can carry: no message is left out, however large. */
const ANY_SIZE = 268_435_455;

const after = `${secretsHelp('-u, -P and -L')}
-F: %t topic, %p payload, %x %X payload in hexadecimal, %l its length, %q QoS, %r retained, %m message id, %j JSON, %J JSON with a payload that
is JSON itself, %I time in ISO 8601, %U seconds since 1970, %% a %; a width, 0 or - may stand after the %, as in %-20t. @Y @m @d @H @M @S … as
strftime has them, @N nanoseconds, @@ a @. \\n \\r \\t \\v \\a \\e \\0 \\\\.

A lost connection is made again; the first has to succeed.

Exit status: 0 after -C, -E, --retained-only or a signal; 1 bad usage, failure, or every subscription refused; 1 to 5 the broker's CONNACK
refused us (2 client id, 3 unavailable, 4 user name or password, 5 not authorized), or the return code of an MQTT-SN gateway (1 congestion,
2 invalid topic id, 3 not supported); 27 -W is over; 128 + n signal n before it was connected.

Example: twobyte sub -h broker -t 'myhome/#' -v
`;

const formatText = (text: string): string => {
  try {
    customFormat(text, true);
  } catch (error) {
    if (error instanceof FormatError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
  return text;
};

export function subCommand(): Command {
  const command = discreet(new Command('sub'))
    .description('subscribe and print what arrives, with the options of mosquitto_sub')
    .optionsGroup('What:')
    .option('-t, --topic <filter>', 'what to subscribe to; may be repeated', repeated)
    .option('-q, --qos <qos>', 'the most that messages come with (default: 0)', qosLevel)
    .option('-T, --filter-out <filter>', 'do not print these topics; may be repeated', repeated)
    .option('-U, --unsubscribe <filter>', 'unsubscribe, in a kept session; may be repeated', repeated)
    .option('-R', 'do not print retained messages')
    .option('--retained-only', 'print retained messages, and end at the first other one')
    .optionsGroup('How:')
    .option('-v, --verbose', 'topic, space, payload')
    .option('-F <format>', 'as given below', formatText)
    .option('-N', 'no end of line after a message')
    .optionsGroup('How long:')
    .option('-C <n>', 'end after n messages', whole(1, 2 ** 31 - 1))
    .option('-W <seconds>', 'end after this time, with exit status 27', whole(1, MOST_SECONDS))
    .option('-E', 'end when the broker has answered the subscriptions');
  addConnectionOptions(command).addHelpText('after', after);
  return command.action((values: SubValues) => exitWith(command, () => sub(values)));
}

async function sub(values: SubValues): Promise<number> {
  const connection = connectionOf(values);
  const { topic = [], unsubscribe = [], filterOut = [] } = values;
  const filters = connection.topic === undefined ? topic : [connection.topic, ...topic];
  if (filters.length === 0 && unsubscribe.length === 0)
    throw new UsageError('-t: what to subscribe to is missing; give a topic filter with -t or in the URL of -L');
  if (values.R && values.retainedOnly)
    throw new UsageError('-R: it prints no retained messages, and --retained-only no others; drop one of the two');
  checkFilters('-t', filters);
  checkFilters('-U', unsubscribe);
  checkFilters('-T', filterOut);
  return listen(values, connection, filters, unsubscribe).ended;
}

function checkFilters(option: string, filters: readonly string[]): void {
  for (const filter of filters) {
    const fault = filterFault(filter);
    if (fault) throw new UsageError(`${option} '${filter}': ${fault}`);
  }
}

function listen(values: SubValues, connection: Connection, filters: readonly string[], unsubscribe: readonly string[]): Session {
  const options = { ...connection.options, maximumMessageSize: ANY_SIZE };
  const session = new Session({ command: 'sub', connection: { ...connection, options }, reconnect: true, interrupted: EXIT_OK });
  const { client } = session;
  const print = printer(values, session);

  let left = values.C ?? Number.POSITIVE_INFINITY;
  client.on('message', (topic, _payload, message) => {
    if (session.over) return;
    if (values.retainedOnly && !message.retain) return session.end(EXIT_OK);
    if (values.R && message.retain) return;
    if (values.filterOut?.some((filter) => matches(filter, topic))) return;
    print(message);
    if (--left === 0) session.end(EXIT_OK);
  });

  // Asked for before there is a connection, so that a session's first message finds everything in place.
  let unanswered = 0;
  const answered = () => {
    if (--unanswered === 0 && values.E) session.end(EXIT_OK);
  };
  if (filters.length > 0) {
    unanswered++;
    client.subscribe(filters, { qos: values.qos ?? 0 }, (error, granted) => {
      if (error) return session.fail(error.message);
      if (!judge(session, granted)) return session.end(EXIT_FAILURE);
      answered();
    });
  }
  if (unsubscribe.length > 0) {
    unanswered++;
    client.unsubscribe(unsubscribe, (error) => {
      if (error) return session.fail(error.message);
      session.debug(`unsubscribed from '${unsubscribe.join("', '")}'`);
      answered();
    });
  }

  if (values.W !== undefined) {
    const timer = setTimeout(() => {
      session.say(`timed out: ${values.W} s are over (-W)`);
      session.end(EXIT_TIMEOUT);
    }, values.W * 1000);
    client.once('end', () => clearTimeout(timer));
  }
  return session;
}

/** Tells which subscriptions were refused; false when all were. */
function judge(session: Session, granted: readonly Granted[]): boolean {
  for (const { topic, qos } of granted) {
    if (qos === 128) session.say(`-t '${topic}': the broker refused the subscription; may this user read the topic?`);
    else session.debug(`subscribed to '${topic}' with QoS ${qos}`);
  }
  return granted.some(({ qos }) => qos !== 128);
}

function printer(values: SubValues, session: Session): (message: Message) => void {
  const format = formatter(values);
  const write = writer(session);
  const complain = (fault: string) => session.say(fault);
  return (message) => {
    session.debug(
      `received ${message.payload.length} bytes to '${message.topic}', QoS ${message.qos}${message.retain ? ', retained' : ''}`,
    );
    write(format(message, new Date(), complain));
  };
}

function formatter({ F: format, N: noEndOfLine, verbose }: SubValues): Formatter {
  if (format !== undefined) return customFormat(format, !noEndOfLine);
  return verbose ? verboseFormat(!noEndOfLine) : payloadFormat(!noEndOfLine);
}

/** Writes to the standard output; while its reader is slow, the broker is not read. */
function writer(session: Session): (bytes: Buffer) => void {
  const { stdout } = process;
  const { client } = session;
  let paused = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE')
      session.end(EXIT_OK); // the reader has had enough, as `head` has
    else session.fail(`cannot write the messages: ${error.message}`);
  });
  stdout.on('drain', () => {
    if (paused) client.resume();
    paused = false;
  });
  return (bytes) => {
    if (!stdout.writableCorked) {
      stdout.cork(); // what arrived together leaves in one write
      process.nextTick(() => stdout.uncork());
    }
    stdout.write(bytes);
    if (paused || !stdout.writableNeedDrain) return;
    paused = true;
    client.pause();
    session.debug('the reader of the standard output is slow: the broker waits');
  };
}
