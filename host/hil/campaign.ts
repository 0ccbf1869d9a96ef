import { readFileSync } from 'node:fs';
import { parseAddress, redact, type SerialAddress } from '../links/address.js';
import { boardBehindPort } from './behind-port.js';
import { boardFile } from './board-file.js';
import { embeddedBroker } from './embedded.js';
import {
  addressOf,
  type Ground,
  type OwnBroker,
  type OwnBrokerOptions,
  type Protocol,
  type RungName,
  type SharedBroker,
} from './ground.js';
import { hearing } from './hearing.js';
import { type BuiltRung, rungNamed } from './rungs.js';

export interface CampaignOptions {
  rung?: BuiltRung;
  /** A file as in boards/, or a name there. */
  board?: string;
  /** A serial port. */
  port?: SerialAddress;
  /** Of a broker to use in place of the embedded one. */
  broker?: string;
  progress(text: string): void;
}

/** Where scenarios are to be told. */
export interface Campaign {
  rung: RungName;
  /** How many at a time, usually and at most. */
  jobs: number;
  mostJobs: number;
  /** Builds and starts what is needed; throws a sentence when it is not there. */
  begin(): Promise<{ grounds(protocol: Protocol): Ground; close(): Promise<void> }>;
}

const JOBS = 4;

/** Of this release; this file runs as build/js/host/hil/campaign.js. */
const { version } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as { version: string };

/** Chooses by what the command line says; throws a sentence when that is not enough, or too much. */
export async function campaign({ rung, board, port, broker, progress }: CampaignOptions): Promise<Campaign> {
  const shared = broker === undefined ? undefined : sharedBroker(broker);
  const described = board === undefined ? undefined : await boardFile(board);
  if (port !== undefined && rung === undefined) return atPort(port, { broker: shared, chip: described?.chip });
  if (rung !== undefined && port !== undefined) throw new Error(`--rung ${rung} has no port; leave out --rung or --port`);
  if (rung !== undefined && described?.rung !== undefined && !rung.startsWith(described.rung))
    throw new Error(`--board ${board}: this board is of the rung ${described.rung}, and not of ${rung}`);
  if (rung !== undefined && described !== undefined && described.rung === undefined)
    throw new Error(
      `--board ${board}: a board with the chip ${described.chip} is behind a serial port, and not on the rung ${rung}; leave out --board, or --rung with --port in its place`,
    );
  const name = rung ?? described?.rung;
  if (name === undefined)
    throw new Error(
      described
        ? `--board ${board}: a board with the chip ${described.chip} is behind a serial port; say which with --port`
        : '--rung, --board or --port: one of them has to say where the board is',
    );
  return {
    rung: name,
    jobs: JOBS,
    mostJobs: Number.POSITIVE_INFINITY,
    begin: async () => withBrokers(await rungNamed(name, progress), name, shared),
  };
}

/** A board behind a port: its broker is this program's, by the line, or the one of --broker, by a network of its own. */
function atPort({ path, baud }: SerialAddress, { broker, chip }: { broker: SharedBroker | undefined; chip: string | undefined }): Campaign {
  return {
    rung: 'board',
    jobs: 1,
    mostJobs: 1,
    async begin() {
      const behind = await boardBehindPort({ path, baud, byLine: broker === undefined, firmware: version, chip });
      try {
        const { grounds, close } = await withBrokers(behind.start.bind(behind), 'board', broker);
        const lacks = {
          ...(behind.description.board !== 'posix' && { files: 'no file of this computer can be put on the board' }),
          ...(broker && { wire: 'the board reaches the broker of --broker by a network of its own, and nothing stands in between' }),
        };
        return {
          grounds: (protocol) => ({ ...grounds(protocol), lacks }),
          async close() {
            await close();
            await behind.close();
          },
        };
      } catch (error) {
        await behind.close();
        throw error;
      }
    },
  };
}

/** The broker at a URL. Its frames are read at the proxies: it is to speak plain MQTT. */
function sharedBroker(url: string): SharedBroker {
  const address = parseAddress(url);
  if (address.carrier !== 'tcp')
    throw new Error(
      `--broker ${redact(url)}: the packets to it are scripted one by one, so it has to speak plain MQTT, as at mqtt://host:1883`,
    );
  const { username, password } = new URL(url);
  return {
    host: address.host,
    port: address.port,
    ...(username && { username: decodeURIComponent(username), password: decodeURIComponent(password) }),
  };
}

/** Connects once; throws a sentence when that cannot be done. */
async function reach(broker: SharedBroker): Promise<void> {
  try {
    const { client } = await hearing(addressOf(broker), []);
    await client.endAsync(true);
  } catch (error) {
    const { host, port } = broker;
    const why = (error as Error).message;
    throw new Error(`--broker ${addressOf({ host, port })}: ${why}; start a broker there, or name another`);
  }
}

async function withBrokers(start: Ground['start'], rung: RungName, shared: SharedBroker | undefined) {
  if (shared) await reach(shared);
  const embedded: OwnBroker | undefined = shared ? undefined : await embeddedBroker();
  const broker = shared ?? { host: '127.0.0.1', port: embedded?.port ?? 0 };
  const ownBroker: (options: OwnBrokerOptions) => Promise<OwnBroker> = embeddedBroker;
  return {
    grounds: (protocol: Protocol): Ground => ({
      rung,
      protocol,
      start,
      broker,
      ownBroker: shared ? 'the broker of --broker is not ours to stop, and to say who may log in' : ownBroker,
    }),
    close: async () => embedded?.stop(),
  };
}
