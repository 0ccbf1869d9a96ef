import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Mosquitto, startMosquitto } from '../mosquitto.js';
import { program, type Run, skipPeers, start, twobyte } from './cli.js';

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

describe('twobyte sub, written to by mosquitto_pub', { skip: skipPeers }, () => {
  let broker: Mosquitto;
  let address: string[];
  before(async () => {
    broker = await startMosquitto(['queue_qos0_messages true', 'max_queued_messages 0']);
    address = ['-h', '127.0.0.1', '-p', String(broker.port)];
  });
  after(() => broker?.stop());

  const publish = async (...args: string[]) => assert.equal((await program('mosquitto_pub', [...address, ...args])).status, 0);

  /** A running `sub` whose first `filters` are subscribed to. */
  async function subscribed(args: string[], filters = 1): Promise<Run> {
    const run = start(['sub', '-d', ...address, ...args]);
    await run.says(new RegExp(`(subscribed to[^]*){${filters}}`));
    return run;
  }

  for (const qos of ['0', '1', '2']) {
    test(`prints payloads at QoS ${qos}, and ends after -C of them exactly`, async () => {
      const run = await subscribed(['-t', `c/${qos}`, '-q', qos, '-C', '3']);
      await program('mosquitto_pub', [...address, '-t', `c/${qos}`, '-q', qos, '-l'], { input: 'one\ntwo\nthree\nfour\nfive\n' });
      const { status, stdout } = await run.ended;
      assert.equal(String(stdout), 'one\ntwo\nthree\n');
      assert.equal(status, 0);
    });
  }

  test('-C takes no message from a kept session that it does not print', async () => {
    const kept = ['-c', '-i', 'kept', '-t', 'kept/#', '-q', '1'];
    assert.equal((await twobyte(['sub', ...address, ...kept, '-E'])).status, 0);
    for (const payload of ['1', '2', '3']) await publish('-t', 'kept/底', '-m', payload, '-q', '1');
    assert.equal(String((await twobyte(['sub', ...address, ...kept, '-C', '2'])).stdout), '1\n2\n');
    assert.equal(String((await twobyte(['sub', ...address, ...kept, '-C', '1'])).stdout), '3\n');
  });

  test('-v prints Chinese topics and payloads as they are', async () => {
    const run = await subscribed(['-v', '-t', 'myhome/+/客厅/温度', '-C', '1']);
    await publish('-t', 'myhome/底楼/客厅/温度', '-m', '二十三度 °C');
    assert.equal(String((await run.ended).stdout), 'myhome/底楼/客厅/温度 二十三度 °C\n');
  });

  test('-N prints a payload of any bytes and nothing else', async () => {
    const path = join(broker.directory, 'bytes');
    await writeFile(path, EVERY_BYTE);
    const run = await subscribed(['-N', '-t', 'bytes', '-C', '1']);
    await publish('-t', 'bytes', '-f', path);
    assert.deepEqual((await run.ended).stdout, EVERY_BYTE);
  });

  test('a message larger than the receive buffer is printed whole', async () => {
    const path = join(broker.directory, 'large');
    const bytes = Buffer.alloc(20 * 1024 * 1024, EVERY_BYTE); // more than the client puts together unasked
    await writeFile(path, bytes);
    const run = await subscribed(['-N', '-t', 'large', '-C', '1']);
    await publish('-t', 'large', '-f', path);
    const { stdout } = await run.ended;
    assert.ok(stdout.equals(bytes), `${stdout.length} bytes`);
  });

  test('-W ends with status 27, as mosquitto_sub does, whatever was printed', async () => {
    await publish('-t', 'w', '-m', 'x', '-r');
    const words = [...address, '-t', 'w', '-W', '1'];
    const [ours, theirs] = await Promise.all([twobyte(['sub', ...words]), program('mosquitto_sub', words)]);
    assert.equal(ours.status, theirs.status);
    assert.equal(ours.status, 27);
    assert.equal(String(ours.stdout), 'x\n');
    assert.match(ours.stderr, /timed out: 1 s/);
  });

  test('-R leaves retained messages out, --retained-only prints no others and ends at the first', async () => {
    await publish('-t', 'r/kept', '-m', 'old', '-r');
    const fresh = await subscribed(['-R', '-t', 'r/#', '-C', '1']);
    await publish('-t', 'r/fresh', '-m', 'new');
    assert.equal(String((await fresh.ended).stdout), 'new\n');
    const retained = await subscribed(['--retained-only', '-t', 'r/#']);
    await retained.prints('old\n');
    await publish('-t', 'r/fresh', '-m', 'newer');
    const { status, stdout } = await retained.ended;
    assert.equal(String(stdout), 'old\n');
    assert.equal(status, 0);
  });

  test('-T leaves topics out', async () => {
    const run = await subscribed(['-v', '-t', 'bbc/#', '-T', 'bbc/radio3/#', '-T', 'bbc/+/x', '-C', '1']);
    for (const topic of ['bbc/radio3', 'bbc/radio3/a', 'bbc/4/x', 'bbc/4/y']) await publish('-t', topic, '-m', 'm');
    assert.equal(String((await run.ended).stdout), 'bbc/4/y m\n');
  });

  test('-U unsubscribes from what a kept session has', async () => {
    const session = [...address, '-c', '-i', 'unsubscriber'];
    assert.equal((await twobyte(['sub', ...session, '-q', '1', '-t', 'u/1', '-t', 'u/2', '-E'])).status, 0);
    assert.equal((await twobyte(['sub', ...session, '-U', 'u/1', '-E'])).status, 0);
    for (const topic of ['u/1', 'u/2']) await publish('-t', topic, '-m', topic, '-q', '1');
    assert.equal(String((await twobyte(['sub', ...session, '-t', 'u/3', '-C', '1'])).stdout), 'u/2\n');
  });

  test('several filters, also that of -L, are subscribed to', async () => {
    const url = `mqtt://127.0.0.1:${broker.port}/s/a/#`;
    const run = start(['sub', '-d', '-L', url, '-t', 's/b', '-v', '-C', '2']);
    await run.says(/subscribed to 's\/a\/#'.*subscribed to 's\/b'/s);
    await publish('-t', 's/b', '-m', '1');
    await publish('-t', 's/a/底', '-m', '2');
    assert.equal(String((await run.ended).stdout), 's/b 1\ns/a/底 2\n');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends with a DISCONNECT and status 0`, async () => {
      const run = await subscribed(['-t', 'x', '-i', `ended by ${signal}`]);
      run.child.kill(signal);
      assert.equal((await run.ended).status, 0);
      assert.match(broker.log, new RegExp(`Received DISCONNECT from ended by ${signal}`));
    });
  }

  test('a reader that leaves ends it quietly', async () => {
    const run = start(['sub', ...address, '-t', 'leaves']);
    await publish('-t', 'leaves', '-m', 'x', '-r');
    await run.prints('x');
    run.child.stdout.destroy();
    // The first write may still be taken by the pipe.
    while (run.child.exitCode === null) await publish('-t', 'leaves', '-m', 'y');
    const { status, stderr } = await run.ended;
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });

  test('a slow reader makes the broker wait, and gets everything', async () => {
    const path = join(broker.directory, 'block');
    await writeFile(path, Buffer.alloc(1024 * 1024, 'x'));
    const run = start(['sub', '-d', '-N', ...address, '-t', 'slow', '-q', '1', '-C', '40'], {}, false);
    await run.says(/subscribed to/);
    await publish('-t', 'slow', '-q', '1', '-f', path, '--repeat', '40');
    await run.says(/the broker waits/);
    assert.ok((run.stderr.match(/received/g)?.length ?? 0) < 5);
    run.read();
    const { status, stdout } = await run.ended;
    assert.equal(status, 0);
    assert.equal(stdout.length, 40 * 1024 * 1024);
  });

  test('it subscribes again when the broker comes back', async () => {
    await using first = await startMosquitto();
    const { port } = first;
    const there = ['-h', '127.0.0.1', '-p', String(port)];
    const run = start(['sub', '-d', ...there, '-t', 'a', '-C', '1']);
    await run.says(/subscribed to/);
    await first.stop('SIGKILL');
    await run.says(/the broker closed the connection|broke off/);
    await using again = await startMosquitto([], port);
    await run.says(/connected to .* again/);
    await program('mosquitto_pub', [...there, '-t', 'a', '-m', 'back', '-r', '-q', '1']);
    const { status, stdout } = await run.ended;
    assert.equal(String(stdout), 'back\n', again.log);
    assert.equal(status, 0);
  });

  describe('prints the same bytes as mosquitto_sub', () => {
    const payloads: [what: string, payload: Buffer][] = [
      ['text', Buffer.from('23.4 °C 底楼')],
      ['nothing', Buffer.alloc(0)],
      ['JSON', Buffer.from(' {"t": 23, "a":[true, null, "楼\\n"] } ')],
      ['quotes and control characters', Buffer.from('a"b\\c/\b\f\n\r\t\x01\x1f\x7f')],
      ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0x80, 0x61])],
    ];
    const everything = [
      '%t|%p|%q|%r|%l|%m|%x|%X|%%',
      '%j|%J',
      '%20t|%-20t|%.3t|%8.3t|%-8.3t|%020t|%2t',
      '%4l|%-4l|%04l|%4m|%-4m|%06m',
      '%40p|%-40p|%040p|%3p',
      '%A%C%D%E%F%P%R%S|%3A|%03E|%4C|%-5S|',
      '@Y-@m-@d @a @A @b @B @C @D @e @F @g @G @h @j @m @n @t @u @U @V @w @W @x @y @z @@',
      '底楼 \\\\ \\a \\e[92m \\n \\r \\t \\v',
    ].join('\\n');
    const lines = [[], ['-v'], ['-N'], ['-v', '-N'], ['-F', everything], ['-v', '-N', '-F', '%t\\0%p\\0']];
    /** Compares the first message that each of the two prints. */
    async function same(ours: string[], theirs: string[]): Promise<void> {
      const env = { TZ: 'Asia/Kolkata' };
      const ended = await Promise.all([
        twobyte(['sub', ...address, ...ours, '-C', '1'], { env }),
        program('mosquitto_sub', [...address, ...theirs, '-C', '1'], { env }),
      ]);
      // Only the moment differs.
      const [left, right] = ended.map(({ stdout }) =>
        stdout.toString('latin1').replace(/"tst":"[-\d]{10}T[:\d]{8}\.\d{6}Z\+0530"/g, '"tst":"now"'),
      );
      assert.equal(left, right, ours.join(' '));
      assert.equal(ended[0].status, ended[1].status);
    }

    for (const [index, [what, payload]] of payloads.entries()) {
      test(`of ${what}`, async () => {
        const path = join(broker.directory, `payload-${index}`);
        await writeFile(path, payload);
        const topic = `f/底楼/${index}`;
        const retained = `${topic}/retained`;
        await publish('-t', retained, '-f', path, '-r', '-q', '1');
        for (const [number, words] of lines.entries()) {
          const kept = (who: string) => ['-c', '-i', `${who}-${index}-${number}`, '-q', '2', '-t', topic];
          for (const who of ['ours', 'theirs']) assert.equal((await program('mosquitto_sub', [...address, ...kept(who), '-E'])).status, 0);
          await publish('-t', topic, '-f', path, '-q', '2');
          await same([...kept('ours'), ...words], [...kept('theirs'), ...words]);
          // An empty message is never retained.
          if (payload.length > 0) await same(['-t', retained, '-q', '1', ...words], ['-t', retained, '-q', '1', ...words]);
        }
      });
    }
  });
});
