import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { WebSocketServer } from 'ws';
import { startGateway } from '../../host/gateway/embedded.js';
import * as sn from '../../host/gateway/encode.js';
import { connect, type TwobyteError } from '../../host/index.js';
import { type Certificates, makeCertificates, type Pair } from '../certificates.js';
import { start } from '../cli/cli.js';
import { SocketDevice } from '../gateway/socket.js';
import { listening } from './peers.js';

// What is trusted, by whatever leads to a broker: the Node client, pub and sub, the gateway; over mqtts:// and wss://. Every one has to say the
// same of the same certificate, and none sends a byte of MQTT, and with it a password, before it trusts.

type Trust = 'ca' | 'another ca' | 'the system';

interface Case {
  what: string;
  pair: Exclude<keyof Certificates, 'ca' | 'otherCa'>;
  trust?: Trust;
  /** Of the address. Default: localhost. */
  host?: string;
  server?: TlsOptions;
  /** Words and code of the refusal; without them it is trusted. */
  says?: RegExp;
  code?: RegExp;
}

const CERTIFICATE = /^REASON_CERTIFICATE$/;
const cases: readonly Case[] = [
  { what: 'the right certificate', pair: 'server' },
  { what: 'the right certificate, asked for by address', pair: 'server', host: '127.0.0.1' },
  { what: 'a chain that is whole', pair: 'chained' },
  { what: 'a certificate for another host', pair: 'wrongHost', says: /elsewhere\.example/, code: CERTIFICATE },
  { what: 'a certificate of the name, asked for by address', pair: 'nameOnly', host: '127.0.0.1', says: /127\.0\.0\.1/, code: CERTIFICATE },
  { what: 'an expired certificate', pair: 'expired', says: /expired/, code: CERTIFICATE },
  { what: 'a certificate that is not yet valid', pair: 'notYet', says: /not yet valid/, code: CERTIFICATE },
  { what: 'a certificate signed with its own key', pair: 'selfSigned', says: /self-signed/, code: CERTIFICATE },
  {
    what: 'an authority that is not the one that is trusted',
    pair: 'server',
    trust: 'another ca',
    says: /issuer|first certificate/,
    code: CERTIFICATE,
  },
  {
    what: 'a private authority that nobody named',
    pair: 'server',
    trust: 'the system',
    says: /issuer|first certificate/,
    code: CERTIFICATE,
  },
  { what: 'a chain whose middle is missing', pair: 'unchained', says: /issuer|first certificate/, code: CERTIFICATE },
  { what: 'a certificate of a client', pair: 'client', says: /purpose/, code: CERTIFICATE },
  { what: 'a wildcard for everything', pair: 'wideWildcard', says: /localhost/, code: CERTIFICATE },
  { what: 'a name that ends for C where U+0000 stands', pair: 'nul', says: /localhost/, code: CERTIFICATE },
  { what: 'a URI that looks like a list of names', pair: 'lookalike', says: /localhost/, code: CERTIFICATE },
  {
    what: 'a server that speaks TLS 1.0 and 1.1 only',
    pair: 'server',
    server: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    says: /version/,
    code: /^REASON_TLS$/,
  },
  {
    what: 'a server that wants a certificate of the client',
    pair: 'server',
    server: { requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' },
    says: /handshake|hang up|reset|closed|secure/i,
    code: /^REASON_(TLS|RESET)$/,
  },
  {
    what: 'a server that speaks MQTT in plain text',
    pair: 'server',
    server: { plain: true } as TlsOptions,
    says: /packet|version|TLS|secure|ssl/i,
    code: /^REASON_TLS$/,
  },
];

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

for (const scheme of ['mqtts', 'wss'] as const)
  describe(`${scheme}: what certificates are trusted`, { timeout: 120_000 }, () => {
    let dir = '';
    let made: Certificates;
    before(async () => {
      dir = await mkdtemp(join(tmpdir(), 'twobyte-certificates-'));
      made = await makeCertificates(dir);
    });
    after(() => rm(dir, { recursive: true }));

    const authority = ({ trust = 'ca' }: Case) => (trust === 'the system' ? undefined : trust === 'ca' ? made.ca : made.otherCa);

    /** A broker of a CONNACK; `heard` are the bytes of MQTT that came. */
    async function broker(t: TestContext, { pair, server: options = {} }: Case) {
      const heard: Buffer[] = [];
      const take = (bytes: Buffer) => {
        heard.push(bytes);
        return CONNACK;
      };
      if ('plain' in options) {
        // as brokers do with what is no CONNECT
        const port = await listening(
          t,
          createTcpServer((socket) => socket.once('data', () => socket.end())),
        );
        return { port, heard };
      }
      const { cert, key }: Pair = made[pair];
      const tls = createTlsServer({
        cert: await readFile(cert),
        key: await readFile(key),
        ...(options.requestCert && { ca: await readFile(made.ca) }),
        ...options,
      });
      tls.on('tlsClientError', () => {});
      if (scheme === 'mqtts')
        tls.on('secureConnection', (socket) => socket.on('error', () => {}).on('data', (bytes) => socket.write(take(bytes))));
      else {
        const http = createHttpServer();
        tls.on('secureConnection', (socket) =>
          http.emit(
            'connection',
            socket.on('error', () => {}),
          ),
        );
        new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' }).on('connection', (socket) =>
          socket.on('message', (bytes: Buffer) => socket.send(take(bytes))),
        );
      }
      return { port: await listening(t, tls), heard };
    }

    for (const each of cases) {
      const { what, host = 'localhost', says, code } = each;
      test(`${what} is ${says ? 'refused' : 'trusted'} by the client, pub, sub and the gateway`, async (t) => {
        const { port, heard } = await broker(t, each);
        const url = `${scheme}://${host}:${port}`;
        const ca = authority(each);
        const options = ca === undefined ? {} : { ca: await readFile(ca) };

        const client = connect(url, { reconnectPeriod: 0, username: 'u', password: 'secret', ...options });
        t.after(() => client.endAsync(true));
        const error = await new Promise<TwobyteError | undefined>((resolve) => {
          client.once('connect', () => resolve(undefined));
          client.once('error', resolve);
        });
        if (says) {
          assert.match(String(error?.code), code as RegExp, error?.message);
          assert.match(String(error?.message), says);
        } else assert.equal(error, undefined);
        await client.endAsync(true);

        let tell = (_text: string) => {};
        const told = new Promise<string>((resolve) => {
          tell = resolve;
        });
        const gateway = await startGateway(url, { connection: options, say: (text) => tell(text) });
        t.after(() => gateway.close());
        await using device = await SocketDevice.to(gateway.port);
        device.send(sn.connect({ will: false, clean: true, duration: 60, clientId: 'c' }));
        if (says) assert.match(await told, says);
        else assert.equal((await device.hears('CONNACK')).code, 0);

        const trust = ca === undefined ? [] : ['--cafile', ca];
        await Promise.all(
          [
            ['pub', '-m', 'x'],
            ['sub', '-E'],
          ].map(async ([command = '', ...more]) => {
            const run = start([command, '-L', url, '-t', 'a', '-u', 'u', '-P', 'secret', '-d', ...more, ...trust]);
            run.child.stdin.end();
            if (says) await run.says(says);
            else await run.says(/connected/);
            run.child.kill();
            const { stderr } = await run.ended;
            if (says) assert.doesNotMatch(stderr, /: connected/);
          }),
        );
        if (says) assert.deepEqual(heard, [], 'not a byte of MQTT before the certificate is trusted');
      });
    }

    for (const [name, accepted] of [
      ['x.elsewhere.example', true],
      ['x.y.elsewhere.example', false],
      ['elsewhere.example', false],
    ] as const)
      test(`*.elsewhere.example is ${accepted ? '' : 'not '}for ${name}`, async (t) => {
        const { port } = await broker(t, { what: '', pair: 'wildcard' });
        const client = connect(`${scheme}://localhost:${port}`, { reconnectPeriod: 0, ca: await readFile(made.ca), servername: name });
        t.after(() => client.endAsync(true));
        const outcome = await new Promise((resolve) => {
          client.once('connect', () => resolve(true));
          client.once('error', ({ code }) => resolve(code));
        });
        assert.equal(outcome, accepted || 'REASON_CERTIFICATE');
      });

    for (const [command, option] of [
      ['pub', '-L'],
      ['gateway', '--broker'],
    ] as const)
      test(`--insecure of ${command} says once what it does: the host's name does not count, the authority does`, async (t) => {
        for (const [pair, trusted] of [
          ['wrongHost', true],
          ['expired', false],
          ['selfSigned', false],
        ] as const) {
          const { port } = await broker(t, { what: '', pair });
          const words = command === 'pub' ? ['-t', 'a', '-m', 'x', '-d'] : ['--udp', '0', '--bind', '127.0.0.1', '-d'];
          const run = start([command, option, `${scheme}://localhost:${port}`, '--cafile', made.ca, '--insecure', ...words]);
          run.child.stdin.end();
          if (command === 'gateway') {
            await run.prints('listening at UDP port');
            await using device = await SocketDevice.to(Number(/UDP port (\d+)/.exec(run.stdout)?.[1]));
            const { code } = await device.ask(sn.connect({ will: false, clean: true, duration: 60, clientId: 'c' }), 'CONNACK');
            assert.equal(code, trusted ? 0 : 1, pair);
            run.child.kill('SIGTERM');
          } else await run.says(trusted ? /: connected/ : /cannot be trusted/);
          run.child.kill('SIGTERM');
          const { stderr } = await run.ended;
          assert.equal(stderr.match(/--insecure: /g)?.length, 1, stderr);
          assert.match(stderr, /--insecure: the name in the certificate is not compared with the host/);
        }
      });
  });

test('rejectUnauthorized: false warns on stderr, once a process, by name', async (t) => {
  const warned: Error[] = [];
  const heed = (warning: Error) => warned.push(warning);
  process.on('warning', heed);
  t.after(() => process.off('warning', heed));
  for (let i = 0; i < 3; i++) {
    const client = connect('mqtts://localhost:1', { reconnectPeriod: 0, rejectUnauthorized: false });
    await new Promise((resolve) => client.once('error', resolve));
    await client.endAsync(true);
  }
  const ours = warned.filter((warning) => (warning as { code?: string }).code === 'TWOBYTE_INSECURE');
  assert.equal(ours.length, 1);
  assert.match(String(ours[0]?.message), /rejectUnauthorized: false.*the client of localhost:1 accepts any certificate/);
});

test('an option of Node cannot bring back TLS 1.1', () => {
  const code = `import tls from 'node:tls'; import { tlsSocket } from '${new URL('../../host/links/tls.js', import.meta.url)}';
    const socket = tlsSocket('localhost', 1)(); socket.on('error', () => {});
    console.log(tls.DEFAULT_MIN_VERSION, socket._tlsOptions.secureContext.context.getMinProto());`;
  const words = execFileSync(process.execPath, ['--tls-min-v1.0', '--input-type=module', '-e', code]).toString();
  const [weakened, ours] = words.trim().split(' ');
  assert.equal(weakened, 'TLSv1');
  assert.equal(Number(ours), 0x0303);
});
