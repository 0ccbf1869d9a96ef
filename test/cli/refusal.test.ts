import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Certificates, makeCertificates } from '../certificates.js';
import { freePort, type Mosquitto, passwordFile, skipMosquitto, startMosquitto } from '../mosquitto.js';
import { type Ended, start, twobyte } from './cli.js';

const commands: [name: string, words: string[]][] = [
  ['pub', ['-t', 'a', '-m', 'x']],
  ['pub -l', ['-t', 'a', '-l']],
  ['sub', ['-t', 'a']],
];

/** Runs each command against a port. */
async function each(port: number, judge: (ended: Ended, name: string) => void, ...more: string[]): Promise<void> {
  for (const [name, words] of commands) {
    judge(await twobyte([name.slice(0, 3), '-h', '127.0.0.1', '-p', String(port), ...words, ...more], { input: 'x\n' }), name);
  }
}

async function listening(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe('what cannot be reached or is no broker ends with status 1 and says so', () => {
  test('nobody listens', async () => {
    await each(await freePort(), ({ status, stderr }, name) => {
      assert.match(stderr, /^twobyte \w+: mqtt:\/\/127\.0\.0\.1:\d+: connection refused.*-h and -p[^\n]*\n$/, name);
      assert.equal(status, 1, name);
    });
  });

  test('--quiet says nothing', async () => {
    await each(await freePort(), ({ status, stderr }) => assert.deepEqual([status, stderr], [1, '']), '--quiet');
  });

  test('a name that does not exist', async () => {
    const { status, stderr } = await twobyte(['pub', '-h', 'nowhere.invalid', '-t', 'a', '-m', 'x']);
    assert.match(stderr, /the host name is not known.*-h/);
    assert.equal(status, 1);
  });

  test('a server that answers HTTP', async (t) => {
    const port = await listening(t, createHttpServer());
    await each(port, ({ status, stderr }, name) => {
      assert.match(stderr, /the peer sent|the broker closed/, name);
      assert.equal(status, 1, name);
    });
  });

  test('a server that hangs up', async (t) => {
    const port = await listening(
      t,
      createServer((socket) => socket.end()),
    );
    await each(port, ({ status, stderr }, name) => {
      assert.match(stderr, /does this port want TLS/, name);
      assert.equal(status, 1, name);
    });
  });

  for (const [code, says] of [
    [1, /protocol version/],
    [2, /-i/],
    [3, /unavailable/],
    [4, /-u and -P/],
    [5, /not authorized/],
  ] as const) {
    test(`a CONNACK of ${code} gives the exit status ${code}`, async (t) => {
      const port = await listening(
        t,
        createServer((socket) => socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, code])))),
      );
      await each(port, ({ status, stderr }, name) => {
        assert.match(stderr, says, name);
        assert.equal(status, code, name);
      });
    });
  }

  test('a connection that is lost before the acknowledgement is a failure of a single message', async (t) => {
    const server = createServer((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.from([0x20, 2, 0, 0]));
        socket.once('data', () => socket.end());
      });
    });
    const port = await listening(t, server);
    const { status, stderr } = await twobyte(['pub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-m', 'x', '-q', '1']);
    assert.match(stderr, /the broker closed the connection/);
    assert.equal(status, 1);
  });

  test('-W ends it when no CONNACK comes', async (t) => {
    const port = await listening(t, createServer());
    assert.equal((await twobyte(['sub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-W', '1'])).status, 27);
  });
});

test('pub -l stops reading while its messages are not acknowledged', async (t) => {
  const server = createServer((socket) => socket.once('data', () => socket.write(Buffer.from([0x20, 2, 0, 0]))));
  const port = await listening(t, server);
  const run = start(['pub', '-d', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-l', '-q', '1']);
  run.child.stdin.write('x\n'.repeat(1_000_000));
  await run.says(/4096 messages are not acknowledged: the standard input waits/);
  assert.ok(run.child.stdin.writableLength > 0);
  run.child.kill('SIGTERM');
  assert.equal((await run.ended).status, 143);
});

describe('logins', { skip: skipMosquitto }, () => {
  let broker: Mosquitto;
  let address: string[];
  before(async () => {
    broker = await startMosquitto(async (directory) => {
      const acl = join(directory, 'acl');
      await writeFile(acl, 'user 客\ntopic readwrite open/#\n', { mode: 0o600 });
      return [
        'allow_anonymous false',
        `password_file ${await passwordFile(join(directory, 'users'), { 客: 'p:w@d%/密' })}`,
        `acl_file ${acl}`,
      ];
    });
    address = ['-h', '127.0.0.1', '-p', String(broker.port)];
  });
  after(() => broker?.stop());

  const user = '客';
  const password = 'p:w@d%/密';

  test('a refused login has the exit status of its CONNACK and points to the options', async () => {
    for (const words of [[], ['-u', user, '-P', 'wrong']]) {
      await each(
        broker.port,
        ({ status, stderr }, name) => {
          assert.match(stderr, /not authorized; check -u and -P, or TWOBYTE_USERNAME and TWOBYTE_PASSWORD\n$/, name);
          assert.equal(status, 5, name);
        },
        ...words,
      );
    }
  });

  test('user name and password come from the options, the URL or the environment', async () => {
    const url = `mqtt://${encodeURIComponent(user)}:${encodeURIComponent(password)}@127.0.0.1:${broker.port}/open/a`;
    const cases: [words: string[], env: Record<string, string>][] = [
      [[...address, '-t', 'open/a', '-u', user, '-P', password], {}],
      [['-L', url], {}],
      [[...address, '-t', 'open/a'], { TWOBYTE_USERNAME: user, TWOBYTE_PASSWORD: password }],
      [[...address, '-t', 'open/a', '-u', user, '-P', password], { TWOBYTE_USERNAME: 'other', TWOBYTE_PASSWORD: 'other' }],
    ];
    for (const [words, env] of cases) {
      const { status, stderr } = await twobyte(['pub', ...words, '-m', 'x', '-q', '1'], { env });
      assert.deepEqual([status, stderr], [0, '']);
    }
  });

  test('no message shows the password of a URL', async () => {
    const { stderr, status } = await twobyte(['pub', '-d', '-L', `mqtt://someone:secret@127.0.0.1:${broker.port}/a`, '-m', 'x']);
    assert.equal(status, 5);
    assert.doesNotMatch(stderr, /secret/);
  });
});

describe('a subscription that is refused', () => {
  /** A broker that answers a SUBSCRIBE with these return codes. */
  const granting = (codes: number[]) =>
    createServer((socket) =>
      socket.once('data', () => {
        socket.write(Buffer.from([0x20, 2, 0, 0]));
        socket.on('data', (bytes) => {
          if (bytes[0] === 0x82) socket.write(Buffer.from([0x90, 2 + codes.length, bytes[2] ?? 0, bytes[3] ?? 0, ...codes]));
        });
      }),
    );

  test('ends the command with status 1 when none was granted', async (t) => {
    const port = await listening(t, granting([128, 128]));
    const { status, stderr } = await twobyte(['sub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-t', 'b/#']);
    assert.match(stderr, /-t 'a': the broker refused.*\n.*-t 'b\/#': the broker refused/);
    assert.equal(status, 1);
  });

  test('is told, and the others are listened to', async (t) => {
    const port = await listening(t, granting([128, 0]));
    const { status, stderr } = await twobyte(['sub', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-t', 'b/#', '-W', '1']);
    assert.match(stderr, /-t 'a': the broker refused/);
    assert.doesNotMatch(stderr, /'b\/#'/);
    assert.equal(status, 27);
  });
});

describe('TLS', { skip: skipMosquitto }, () => {
  let directory = '';
  let files: Certificates;
  let broker: Mosquitto;
  let ports: { server: number; wrongHost: number; client: number };
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-cli-'));
    files = await makeCertificates(directory);
    ports = { server: await freePort(), wrongHost: await freePort(), client: await freePort() };
    const listener = (port: number, { cert, key }: { cert: string; key: string }) => [
      `listener ${port} 127.0.0.1`,
      `cafile ${files.ca}`,
      `certfile ${cert}`,
      `keyfile ${key}`,
    ];
    broker = await startMosquitto([
      ...listener(ports.server, files.server),
      ...listener(ports.wrongHost, files.wrongHost),
      ...listener(ports.client, files.server),
      'require_certificate true',
    ]);
  });
  after(async () => {
    await broker?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const publish = (port: number, ...words: string[]) =>
    twobyte(['pub', '-h', 'localhost', '-p', String(port), '-t', 'a', '-m', 'x', '-q', '1', ...words]);

  test('a broker with a certificate of the authority in --cafile is trusted', async () => {
    assert.deepEqual(await publish(ports.server, '--cafile', files.ca), { status: 0, stdout: Buffer.alloc(0), stderr: '' });
  });

  test('--capath takes the authorities of a directory', async () => {
    const path = await mkdtemp(join(directory, 'authorities-'));
    await writeFile(join(path, 'ca.crt'), await readFile(files.ca));
    assert.equal((await publish(ports.server, '--capath', path)).status, 0);
  });

  test('the scheme mqtts asks for TLS', async () => {
    const { status } = await twobyte(['pub', '-L', `mqtts://localhost:${ports.server}/a`, '-m', 'x', '--cafile', files.ca]);
    assert.equal(status, 0);
  });

  test('--tls-version holds to one version', async () => {
    for (const version of ['tlsv1.2', 'tlsv1.3'])
      assert.equal((await publish(ports.server, '--cafile', files.ca, '--tls-version', version)).status, 0);
  });

  test('a certificate of an authority that is not trusted is refused', async () => {
    const { status, stderr } = await publish(ports.server, '--tls-use-os-certs');
    assert.match(stderr, /the certificate of the broker cannot be trusted.*--cafile/);
    assert.equal(status, 1);
  });

  test('a certificate for another host is refused', async () => {
    const { status, stderr } = await publish(ports.wrongHost, '--cafile', files.ca);
    assert.match(stderr, /the certificate of the broker cannot be trusted.*localhost/);
    assert.equal(status, 1);
  });

  test('--insecure accepts it', async () => {
    assert.equal((await publish(ports.wrongHost, '--cafile', files.ca, '--insecure')).status, 0);
  });

  test('--cert and --key show who we are, where the broker asks', async () => {
    assert.equal((await publish(ports.client, '--cafile', files.ca, '--cert', files.client.cert, '--key', files.client.key)).status, 0);
    const { status, stderr } = await publish(ports.client, '--cafile', files.ca);
    assert.notEqual(stderr, '');
    assert.equal(status, 1);
  });

  test('TLS with a port that does not speak it ends and says so', async () => {
    const { status, stderr } = await publish(broker.port, '--cafile', files.ca);
    assert.match(stderr, /does this port speak TLS/);
    assert.equal(status, 1);
  });
});
