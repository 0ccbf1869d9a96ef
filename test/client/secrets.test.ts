import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { inspect } from 'node:util';
import { type Client, type ClientOptions, connect } from '../../host/index.js';
import { listening } from '../links/peers.js';
import { freePort } from '../mosquitto.js';

const SECRET = 'sesame-4711';
const INVALID = `${SECRET}\n`; // no header field may have a line break

function keepsIt(what: unknown, where: string): void {
  const shown = [
    inspect(what, { depth: 20, showHidden: false }),
    JSON.stringify(what, (_key, value) => (value instanceof Error ? { ...value, message: value.message, stack: value.stack } : value)) ??
      '',
  ];
  for (const text of shown) assert.ok(!text.includes(SECRET), `${where} shows the password:\n${text}`);
}

const ways: [what: string, url: (address: string) => string, options: ClientOptions][] = [
  ['the URL', (address) => `mqtt://u:${SECRET}@${address}`, {}],
  ['the options', (address) => `mqtt://${address}`, { username: 'u', password: SECRET }],
  ['bytes', (address) => `mqtt://${address}`, { username: 'u', password: Buffer.from(SECRET) }],
  ['a header field', (address) => `ws://${address}/?token=${SECRET}`, { headers: { Authorization: `Bearer ${SECRET}` } }],
  ['a passphrase', (address) => `mqtts://${address}`, { passphrase: SECRET, rejectUnauthorized: true }],
];

/** A server that refuses every login. */
const refusing = (t: TestContext) =>
  listening(
    t,
    createServer((socket) => socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, 5])))),
  );

for (const [what, url, options] of ways)
  for (const [fate, port] of [
    ['nobody listens', () => freePort()],
    ['the peer answers 20 02 00 05', refusing],
  ] as const)
    test(`a password in ${what} is in no error and no client that is printed, when ${fate}`, async (t) => {
      const client = connect(url(`127.0.0.1:${await port(t)}`), { reconnectPeriod: 0, ...options });
      t.after(() => client.endAsync(true));
      const error = await new Promise((resolve) => client.once('error', resolve));
      for (const [shown, where] of [
        [client, 'the client'],
        [client.options, 'its options'],
        [error, 'the error'],
      ] as const)
        keepsIt(shown, where);
    });

test('what is hidden is still there to be asked for', (t) => {
  const client: Client = connect('mqtt://127.0.0.1:1', { username: 'u', password: SECRET, keepalive: 7 });
  t.after(() => client.endAsync(true));
  assert.deepEqual([client.options.password, client.options.keepalive], [SECRET, 7]);
  assert.deepEqual(Object.keys(client.options), ['username', 'keepalive']);
});

const bad: [what: string, url: string, options?: ClientOptions][] = [
  ['no scheme', `u:${SECRET}@h`],
  ['another scheme', `amqp://u:${SECRET}@h`],
  ['a host that is no name', `mqtt://u:${SECRET}@a b`],
  ['an @ that is missing', `mqtt://u:${SECRET}`],
  ['a malformed escape', `mqtt://u:%${SECRET}@h`],
  ['a malformed escape in the user name', `mqtt://%u:${SECRET}@h`],
  ['a user name with U+0000', `mqtt://u%00:${SECRET}@h`],
  ['credentials for MQTT-SN', `mqtt-sn://u:${SECRET}@h`],
  ['a password option for MQTT-SN', 'mqtt-sn://h', { username: 'u', password: SECRET }],
  ['a password without a user name', 'mqtt://h', { password: SECRET }],
  ['a password over its limit', 'mqtt://h', { username: 'u', password: SECRET.repeat(10_000) }],
  ['a passphrase that does not fit', 'mqtts://h', { passphrase: SECRET, key: SECRET, cert: SECRET }],
  ['a header field that is none', 'wss://h', { headers: { Authorization: INVALID } }],
  ['a token in a malformed address', `wss://h:x/?token=${SECRET}`],
];
for (const [what, url, options] of bad)
  test(`${what} is refused by an error that does not show the password, nor do its stack and properties`, () => {
    assert.throws(
      () => connect(url, options),
      (error: Error & { cause?: unknown; input?: unknown }) => {
        keepsIt(error, 'the error');
        keepsIt([error.message, error.stack, error.cause, error.input, Object.getOwnPropertyDescriptors(error)], 'its properties');
        return true;
      },
    );
  });
