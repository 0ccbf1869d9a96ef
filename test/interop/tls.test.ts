import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type ClientOptions, connect } from '../../host/index.js';
import { type Certificates, makeCertificates, type Pair } from '../certificates.js';
import { freePort, type Mosquitto, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { connected, firstError, Heard, ownTopic, within } from './peers.js';

/** What mosquitto shows, by listener; the others show `server`. */
const pairs = {
  'mqtts of another host': 'wrongHost',
  'mqtts expired': 'expired',
  'wss expired': 'expired',
  'mqtts not yet valid': 'notYet',
  'mqtts self-signed': 'selfSigned',
  'mqtts without its chain': 'unchained',
  'wss without its chain': 'unchained',
  'mqtts with its chain': 'chained',
} as const;
const listeners = [...['mqtts', 'wss', 'mqtts with client certificates', 'wss with client certificates'], ...Object.keys(pairs)] as (
  | 'mqtts'
  | 'wss'
  | 'mqtts with client certificates'
  | 'wss with client certificates'
  | keyof typeof pairs
)[];
type Listener = (typeof listeners)[number];

describe('a broker whose certificate cannot be trusted for a while', { skip: skipMosquitto, timeout: 60_000 }, () => {
  for (const [what, wrong] of [
    ['expired', 'expired'],
    ['of another host', 'wrongHost'],
    ['self-signed', 'selfSigned'],
  ] as const)
    test(`${what}: told at each attempt, and connected to when it is right again, with what was published meanwhile`, async (t) => {
      const port = await freePort();
      let made: Certificates | undefined;
      const holder = await startMosquitto(async (directory) => {
        made = await makeCertificates(directory); // they stay as long as it does
        return [];
      });
      t.after(() => holder.stop());
      assert.ok(made);
      const { ca, server, [wrong]: untrustedPair } = made;
      const behind = ({ cert, key }: Pair) => startMosquitto([`listener ${port} 127.0.0.1`, `certfile ${cert}`, `keyfile ${key}`]);
      const untrusted = await behind(untrustedPair);
      t.after(() => untrusted.stop());
      const client = connect(`mqtts://localhost:${port}`, { ca: await readFile(ca), reconnectPeriod: 10, maxReconnectPeriod: 50 });
      t.after(() => client.endAsync(true));
      const codes = new Heard<number | string>();
      client.on('error', ({ code }) => codes.add(code));
      const published = client.publishAsync('tls/late', 'x', { qos: 1 });
      await codes.count(3);
      assert.deepEqual([...new Set(codes.all)], ['REASON_CERTIFICATE']);
      await untrusted.stop();
      const trusted = await behind(server);
      t.after(() => trusted.stop());
      await within(published, 'the acknowledgement');
      assert.ok(client.connected);
    });
});

describe('mosquitto behind TLS with a private authority', { skip: skipMosquitto, timeout: 60_000 }, () => {
  let broker: Mosquitto;
  let ca: Buffer;
  let otherCa: Buffer;
  let client: { cert: Buffer; key: Buffer };
  const ports = {} as Record<Listener, number>;

  before(async () => {
    for (const listener of listeners) ports[listener] = await freePort();
    broker = await startMosquitto(async (directory) => {
      const made = await makeCertificates(directory);
      ca = await readFile(made.ca);
      otherCa = await readFile(made.otherCa);
      client = { cert: await readFile(made.client.cert), key: await readFile(made.client.key) };
      return listeners.flatMap((listener) => lines(listener, made));
    });
  });
  after(() => broker.stop());

  function lines(listener: Listener, made: Certificates): string[] {
    const { ca } = made;
    const { cert, key } = listener in pairs ? made[pairs[listener as keyof typeof pairs]] : made.server;
    return [
      `listener ${ports[listener]} 127.0.0.1`,
      ...(listener.startsWith('wss') ? ['protocol websockets'] : []),
      ...[`certfile ${cert}`, `keyfile ${key}`, `cafile ${ca}`],
      ...(listener.includes('client certificates') ? ['require_certificate true'] : []),
    ];
  }

  const address = (listener: Listener) => `${listener.replace(/ .*/, '')}://localhost:${ports[listener]}`;

  const accepted: [listener: Listener, what: string, options: () => ClientOptions][] = [
    ['mqtts', 'the authority is given', () => ({ ca })],
    ['wss', 'the authority is given', () => ({ ca })],
    ['mqtts', 'the user says not to verify', () => ({ rejectUnauthorized: false })],
    ['mqtts of another host', 'the name in the certificate is given', () => ({ ca, servername: 'elsewhere.example' })],
    ['mqtts with its chain', 'the authority behind it is given', () => ({ ca })],
    ['mqtts with client certificates', 'one is shown', () => ({ ca, ...client })],
    ['wss with client certificates', 'one is shown', () => ({ ca, ...client })],
  ];
  for (const [listener, what, options] of accepted)
    test(`${listener}: a message makes its way when ${what}`, async (t) => {
      const topic = ownTopic();
      const { client, messages } = await connected(t, address(listener), options());
      await client.subscribeAsync(topic, { qos: 2 });
      const payload = Buffer.alloc(10_000, '°');
      await client.publishAsync(topic, payload, { qos: 2 });
      const [message] = await messages.count(1);
      assert.ok(message?.payload.equals(payload));
    });

  const refused: [listener: Listener, what: string, options: () => ClientOptions, code: string, words: RegExp][] = [
    ['mqtts', 'the authority is not known', () => ({}), 'REASON_CERTIFICATE', /certificate/],
    ['wss', 'the authority is not known', () => ({}), 'REASON_CERTIFICATE', /certificate/],
    ['mqtts of another host', 'the certificate is for another host', () => ({ ca }), 'REASON_CERTIFICATE', /elsewhere\.example/],
    ['mqtts', 'another authority is given', () => ({ ca: otherCa }), 'REASON_CERTIFICATE', /issuer|first certificate|self-signed/],
    ['mqtts expired', 'its time is over', () => ({ ca }), 'REASON_CERTIFICATE', /expired/],
    ['wss expired', 'its time is over', () => ({ ca }), 'REASON_CERTIFICATE', /expired/],
    ['mqtts not yet valid', 'its time has not begun', () => ({ ca }), 'REASON_CERTIFICATE', /not yet valid/],
    ['mqtts self-signed', 'nobody vouches for it', () => ({ ca }), 'REASON_CERTIFICATE', /self-signed/],
    ['mqtts without its chain', 'the authority between is missing', () => ({ ca }), 'REASON_CERTIFICATE', /issuer|first certificate/],
    ['wss without its chain', 'the authority between is missing', () => ({ ca }), 'REASON_CERTIFICATE', /issuer|first certificate/],
  ];
  for (const [listener, what, options, code, words] of refused)
    test(`${listener}: the broker is refused when ${what}`, async (t) => {
      const error = await firstError(t, address(listener), options());
      assert.equal(error.code, code);
      assert.match(error.message, words);
    });

  for (const listener of ['mqtts with client certificates', 'wss with client certificates'] as const)
    test(`${listener}: the client is refused without one, and says that it was TLS`, async (t) => {
      const error = await firstError(t, address(listener), { ca });
      assert.equal(error.code, 'REASON_TLS', error.message);
      assert.match(error.message, /certificate required|handshake failure|peer did not return a certificate/i);
    });

  test('mqtt to a port that speaks TLS ends in an error, not in silence', async (t) => {
    const error = await firstError(t, `mqtt://localhost:${ports.mqtts}`);
    assert.match(String(error.code), /^(REASON|ERROR)_/);
  });

  test('mqtts to a port that does not is an error of the handshake', async (t) => {
    const error = await firstError(t, `mqtts://localhost:${broker.port}`, { ca });
    assert.match(String(error.code), /^REASON_(TLS|RESET|ENDED)$/);
  });
});
