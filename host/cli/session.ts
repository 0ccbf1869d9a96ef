import { type Client, connect } from '../client.js';
import { TwobyteError } from '../errors.js';
import { printable } from '../printable.js';
import { type Connection, INSECURE } from './connection.js';
import { EXIT_FAILURE, EXIT_OK, UsageError } from './usage.js';

export interface SessionParts {
  /** The command, for its messages. */
  command: string;
  connection: Connection;
  /** Connect again when a connection that was made is lost. The first attempt decides in any case. */
  reconnect: boolean;
  /** The exit status when a signal ends the command after it connected; before, it is 128 + the signal's number. */
  interrupted?: number;
}

const brokenOff = new Set<number | string>(['REASON_ENDED', 'REASON_RESET', 'REASON_TLS']);

/** The options of the client, as the command line calls them. */
const optionNames: Readonly<Record<string, string>> = {
  clientId: '-i',
  username: '-u',
  password: '-P',
  keepalive: '-k',
  clean: '-c',
  'will.topic': '--will-topic',
  'will.payload': '--will-payload',
  'will.qos': '--will-qos',
  'will.retain': '--will-retain',
  predefinedTopics: '--predefined',
};

const hints: Readonly<Record<string, string>> = {
  2: 'give another client id with -i',
  4: 'check -u and -P, or TWOBYTE_USERNAME and TWOBYTE_PASSWORD',
  5: 'check -u and -P, or TWOBYTE_USERNAME and TWOBYTE_PASSWORD',
  REASON_REFUSED: 'is the broker running? -h and -p say where',
  REASON_UNREACHABLE: 'check -h and -p',
  REASON_NAME: 'check -h',
  REASON_CERTIFICATE: 'give the authority that signed it with --cafile, and with -h the name that stands in it',
  REASON_WEBSOCKET: 'check the path of -L; many brokers want /mqtt',
};

/** The same over MQTT-SN, whose return codes are others. */
const snHints: Readonly<Record<string, string>> = {
  1: 'its broker is away, or it has no room for us; try again later',
  3: 'give another client id with -i',
  REASON_REFUSED: 'is the gateway running? Its usual port is 1884; MQTT itself goes to -h and -p',
  REASON_UNREACHABLE: 'check the address in -L',
  REASON_NAME: 'check the host in -L',
  TIMEOUT_CONNACK: 'does a gateway of MQTT-SN listen at this address? Check host, port or baud rate in -L',
  TIMEOUT_SEARCH: 'is one in this network, and does it hear searches? One whose address is known needs no search',
};

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** A client in the service of one command: faults are told on stderr, a signal ends it in order, and what it comes to is an exit status. */
export class Session {
  readonly client: Client;
  /** Resolves with the exit status when the client has stopped. */
  readonly ended: Promise<number>;
  /** The command is over: nothing more is to be printed or sent. */
  over = false;
  readonly #parts: SessionParts;
  #everConnected = false;
  /** Attempts that failed before the first connection. */
  #failures = 0;
  #status: number | undefined;
  /** The status if the client should stop by itself now. */
  #fate = EXIT_OK;

  /** Throws a UsageError when the options cannot be used. */
  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.client = this.#connect();
    if (parts.connection.options.checkServerIdentity) process.stderr.write(`twobyte ${parts.command}: ${INSECURE}\n`);
    this.ended = new Promise((resolve) => {
      this.client.once('end', () => {
        this.over = true;
        resolve(this.#status ?? this.#fate);
      });
    });
    this.#listen();
  }

  /** Tells something on stderr. */
  say(text: string): void {
    if (!this.#parts.connection.quiet) process.stderr.write(`twobyte ${this.#parts.command}: ${printable(text)}\n`);
  }

  debug(text: string): void {
    if (this.#parts.connection.debug) this.say(text);
  }

  /** Ends at once, with DISCONNECT where there is a connection. The first status counts. */
  end(status: number): void {
    if (this.over) return;
    this.over = true;
    this.#status = status;
    this.client.end(true);
  }

  /** Tells what went wrong and ends. */
  fail(fault: string, status = EXIT_FAILURE): void {
    if (this.over) return;
    this.say(fault);
    this.end(status);
  }

  /** Ends when all that was published has left, over the next connection if there is none now. */
  async finish(): Promise<void> {
    while (!this.client.connected && !this.over) await this.#next();
    if (!this.over) this.client.end();
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.client.once('connect', () => resolve());
      this.client.once('end', () => resolve());
    });
  }

  #connect(): Client {
    const { connection, reconnect } = this.#parts;
    try {
      const once = !reconnect && connection.urls.length === 1;
      return connect(connection.urls, {
        stopOnRefusal: connection.urls.length === 1,
        ...connection.options,
        ...(once && { reconnectPeriod: 0 }),
      });
    } catch (error) {
      if (!(error instanceof TwobyteError || error instanceof TypeError)) throw error;
      const text = error.message.replace(/^option ([\w.]+)(?: \(\w+\))?/, (whole, name: string) => optionNames[name] ?? whole);
      throw new UsageError(text.replace(/^TLS to \S+: /, '--cafile, --cert, --key: '));
    }
  }

  #listen(): void {
    const { client } = this;
    const { names, options } = this.#parts.connection;
    const name = names.join(', ');
    this.debug(`connecting to ${name}${options.clientId === undefined ? '' : ` as '${options.clientId}'`}`);
    client.on('connect', ({ sessionPresent }) => {
      if (this.#everConnected) this.say(`connected to ${name} again`);
      else if (this.#parts.connection.sn) this.debug(options.connectionless ? 'ready to send' : 'connected');
      else this.debug(`connected; the broker ${sessionPresent ? 'has kept our session' : 'begins a new session'}`);
      this.#everConnected = true;
      this.#fate = EXIT_OK;
    });
    client.on('error', (error) => this.#fault(error));
    client.on('reconnect', () => this.debug(`connecting to ${name} again`));
    client.on('close', () => this.debug('the connection is closed'));
    for (const [signal, number] of Object.entries(signals)) {
      process.once(signal, () => {
        this.debug(`ended by ${signal}`);
        this.end(this.#everConnected ? (this.#parts.interrupted ?? 128 + number) : 128 + number);
      });
    }
  }

  #fault(error: TwobyteError): void {
    if (this.over) return;
    const { code } = error;
    const hint = this.#hint(code);
    const { names } = this.#parts.connection;
    this.say(`${names[this.client.server] ?? ''}: ${error.message}${hint ? `; ${hint}` : ''}`);
    this.#fate = typeof code === 'number' && code >= 1 && code <= 5 ? code : EXIT_FAILURE;
    const isLast = this.#everConnected ? !this.#parts.reconnect : ++this.#failures >= names.length;
    if (isLast) this.end(this.#fate);
  }

  /** What to do about it. A connection that has worked needs no advice about its options. */
  #hint(code: number | string): string | undefined {
    if (this.#everConnected && typeof code === 'string') return undefined;
    if (this.#parts.connection.sn) return snHints[code];
    if (!brokenOff.has(code)) return hints[code];
    if (this.#parts.connection.tls) return 'does this port speak TLS, and trust our certificate? Plain MQTT is mostly at port 1883';
    return 'does this port want TLS (--cafile, or -L mqtts://…), or speak another protocol?';
  }
}
