import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startBroker } from '../../host/broker.js';
import { freePort, passwordFile, skipMosquitto, startMosquitto } from '../mosquitto.js';

export interface Running {
  port: number;
  url: string;
  websocketUrl: string;
  stop(): Promise<void>;
}

/** A broker under which the table of interoperability runs. */
export interface BrokerKind {
  name: string;
  skip: string | false;
  /** Anonymous clients are welcome; `sensor` needs its password. */
  start(): Promise<Running>;
  /** The CONNACK's return code for a wrong password. */
  badPassword: number;
  /** The largest payload it sends over WebSocket at once. */
  websocketBytes: number;
  /** Grants subscriptions below open/ only. */
  startGuarded(): Promise<Running>;
  skipGuarded: string | false;
}

const users = { sensor: 'pässword' };

const plugin = readdirSync('/usr/lib', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => join('/usr/lib', name))
  .flatMap((directory) => {
    try {
      return readdirSync(directory).map((file) => join(directory, file));
    } catch {
      return []; // one that only root reads
    }
  })
  .find((file) => file.endsWith('/mosquitto_dynamic_security.so'));

/** An ACL file of mosquitto filters messages and grants every subscription; its own plugin refuses them. */
const guard = {
  defaultACLAccess: { publishClientSend: true, publishClientReceive: true, subscribe: false, unsubscribe: true },
  clients: [],
  groups: [{ groupname: 'everybody', roles: [{ rolename: 'reader' }] }],
  anonymousGroup: 'everybody',
  roles: [{ rolename: 'reader', acls: [{ acltype: 'subscribePattern', topic: 'open/#', allow: true }] }],
};

async function mosquitto(lines: (directory: string) => Promise<readonly string[]>): Promise<Running> {
  const websocketPort = await freePort();
  const broker = await startMosquitto(async (directory) => [
    ...(await lines(directory)),
    `listener ${websocketPort} 127.0.0.1`,
    'protocol websockets',
  ]);
  return {
    port: broker.port,
    url: `mqtt://127.0.0.1:${broker.port}`,
    websocketUrl: `ws://127.0.0.1:${websocketPort}`,
    stop: () => broker.stop(),
  };
}

async function aedes(options: Parameters<typeof startBroker>[0] = {}): Promise<Running> {
  const { url, websocketUrl = '', close } = await startBroker({ websocket: true, ...options });
  return { port: Number(new URL(url).port), url, websocketUrl, stop: close };
}

export const brokers: readonly BrokerKind[] = [
  {
    name: 'mosquitto',
    skip: skipMosquitto,
    badPassword: 5,
    websocketBytes: 16_384, // of a large one, 2.0.11 keeps a rest back until it has something else to send
    start: () => mosquitto(async (directory) => [`password_file ${await passwordFile(join(directory, 'passwords'), users)}`]),
    startGuarded: () =>
      mosquitto(async (directory) => {
        const file = join(directory, 'guard.json');
        await writeFile(file, JSON.stringify(guard), { mode: 0o600 });
        return [`plugin ${plugin}`, `plugin_opt_config_file ${file}`];
      }),
    skipGuarded: plugin ? false : 'mosquitto_dynamic_security.so is missing: apt-get install mosquitto',
  },
  {
    name: 'aedes',
    skip: false,
    badPassword: 4,
    websocketBytes: 1_048_576,
    start: () =>
      aedes({
        authenticate(_client, username, password, done) {
          if (!username || users[username as keyof typeof users] === String(password)) return done(null, true);
          done(Object.assign(new Error('bad user name or password'), { returnCode: 4 }), false);
        },
      }),
    startGuarded: () => aedes({ authorizeSubscribe: (_client, asked, done) => done(null, asked.topic.startsWith('open/') ? asked : null) }),
    skipGuarded: false,
  },
];
