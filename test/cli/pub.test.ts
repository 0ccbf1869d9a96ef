import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Mosquitto, startMosquitto } from '../mosquitto.js';
import { program, skipPeers, start, twobyte } from './cli.js';

describe('twobyte pub, read by mosquitto_sub', { skip: skipPeers }, () => {
  let broker: Mosquitto;
  let address: string[];
  before(async () => {
    broker = await startMosquitto(['queue_qos0_messages true', 'max_queued_messages 0', 'max_inflight_messages 0']);
    address = ['-h', '127.0.0.1', '-p', String(broker.port)];
  });
  after(() => broker?.stop());

  /** Makes the broker keep what is published to `topic` for a reader; answers the function that reads `count` messages of it. */
  async function inbox(topic: string): Promise<(count: number, format?: string) => Promise<string[]>> {
    const reader = [...address, '-c', '-i', `reader of ${topic}`, '-q', '2', '-t', topic];
    assert.equal((await program('mosquitto_sub', [...reader, '-E'])).status, 0);
    return async (count, format = '%t %q %p') => {
      const { status, stdout } = await program('mosquitto_sub', [...reader, '-C', String(count), '-W', '10', '-F', format]);
      assert.equal(status, 0);
      return String(stdout).split('\n').slice(0, -1);
    };
  }

  for (const qos of ['0', '1', '2']) {
    test(`-m arrives at QoS ${qos}`, async () => {
      const read = await inbox(`m/${qos}`);
      const { status, stderr } = await twobyte(['pub', ...address, '-t', `m/${qos}`, '-m', '23.4', '-q', qos]);
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.deepEqual(await read(1), [`m/${qos} ${qos} 23.4`]);
    });
  }

  test('Chinese topics and payloads arrive as they are', async () => {
    const topic = 'myhome/底楼/客厅/温度';
    const read = await inbox(topic);
    assert.equal((await twobyte(['pub', ...address, '-t', topic, '-m', '二十三度 °C'])).status, 0);
    assert.deepEqual(await read(1), [`${topic} 0 二十三度 °C`]);
  });

  test('-L names the broker and the topic, # and % and all', async () => {
    const read = await inbox('l/%41 ?/底');
    assert.equal((await twobyte(['pub', '-L', `mqtt://127.0.0.1:${broker.port}/l/%41 ?/底`, '-m', 'x', '-q', '1'])).status, 0);
    assert.deepEqual(await read(1), ['l/%41 ?/底 1 x']);
  });

  test('-f sends the bytes of a file, up to the limit of a payload', async () => {
    const path = join(broker.directory, 'file');
    const bytes = Buffer.alloc(1_048_576, Buffer.from([0, 0xff, 0x0a, 0x0d]));
    await writeFile(path, bytes);
    const read = await inbox('f');
    assert.equal((await twobyte(['pub', ...address, '-t', 'f', '-f', path, '-q', '1'])).status, 0);
    assert.deepEqual(await read(1, '%l %x'), [`${bytes.length} ${bytes.toString('hex')}`]);
  });

  test('-s sends the whole standard input as one message', async () => {
    const read = await inbox('s');
    assert.equal((await twobyte(['pub', ...address, '-t', 's', '-s', '-q', '1'], { input: 'one\ntwo\n' })).status, 0);
    assert.deepEqual(await read(1, '%x'), [Buffer.from('one\ntwo\n').toString('hex')]);
  });

  for (const qos of ['0', '1', '2']) {
    test(`-l sends each line as a message, in order, at QoS ${qos}`, async () => {
      // The broker takes long to keep many messages for a reader; several windows are enough.
      const lines = Array.from({ length: 9000 }, (_, index) => (index % 7 === 3 ? '' : `line ${index} 楼`));
      const read = await inbox(`l/${qos}`);
      const { status, stderr } = await twobyte(['pub', ...address, '-t', `l/${qos}`, '-l', '-q', qos], { input: lines.join('\n') });
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assert.deepEqual(await read(lines.length, '%p'), lines);
    });
  }

  test('-l sends a line when it comes', async () => {
    const read = await inbox('live');
    const run = start(['pub', ...address, '-t', 'live', '-l', '-q', '1']);
    for (const line of ['one', 'two']) {
      run.child.stdin.write(`${line}\n`);
      assert.deepEqual(await read(1, '%p'), [line]);
    }
    run.child.stdin.end();
    assert.equal((await run.ended).status, 0);
  });

  test('-l of nothing sends nothing', async () => {
    assert.equal((await twobyte(['pub', ...address, '-t', 'none', '-l'])).status, 0);
  });

  test('-l refuses a line over the limit by its number, after the lines before it', async () => {
    const read = await inbox('long');
    const input = Buffer.concat([Buffer.from('short\n'), Buffer.alloc(1_048_577, 'x'), Buffer.from('\n')]);
    const { status, stderr } = await twobyte(['pub', ...address, '-t', 'long', '-l', '-q', '1'], { input });
    assert.match(stderr, /-l: line 2 is larger .* 1048576 bytes/);
    assert.equal(status, 1);
    assert.deepEqual(await read(1, '%p'), ['short']);
  });

  test('-l goes on with a broker that came back, and nothing is lost', async () => {
    await using first = await startMosquitto();
    const { port } = first;
    const run = start(['pub', '-d', '-h', '127.0.0.1', '-p', String(port), '-t', 'a', '-l', '-q', '1']);
    run.child.stdin.write('before\n');
    await run.says(/published 6 bytes/);
    await first.stop('SIGKILL');
    await run.says(/the broker closed the connection|broke off/);
    run.child.stdin.end('while it was away\n');
    await using _again = await startMosquitto([], port);
    const { status, stderr } = await run.ended;
    assert.match(stderr, /connected to .* again.*published 17 bytes/s);
    assert.equal(status, 0);
  });

  test('-n with -r clears what a topic retains', async () => {
    assert.equal((await twobyte(['pub', ...address, '-t', 'kept', '-r', '-m', 'x', '-q', '1'])).status, 0);
    const kept = await program('mosquitto_sub', [...address, '-t', 'kept', '-C', '1', '-W', '10', '-F', '%r %p']);
    assert.equal(String(kept.stdout), '1 x\n');
    assert.equal((await twobyte(['pub', ...address, '-t', 'kept', '-r', '-n', '-q', '1'])).status, 0);
    const cleared = await program('mosquitto_sub', [...address, '-t', 'kept', '-W', '1']);
    assert.equal(cleared.status, 27);
    assert.equal(String(cleared.stdout), '');
  });

  test('--repeat sends a message so many times', async () => {
    const read = await inbox('repeated');
    const { status } = await twobyte([
      'pub',
      ...address,
      '-t',
      'repeated',
      '-m',
      'x',
      '--repeat',
      '3',
      '--repeat-delay',
      '0.01',
      '-q',
      '2',
    ]);
    assert.equal(status, 0);
    assert.deepEqual(await read(3, '%p'), ['x', 'x', 'x']);
  });

  test('the will is published when the command is killed, and not when it ends in order', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const topic = `will/${signal}`;
      const read = await inbox(topic);
      const words = ['--will-topic', topic, '--will-payload', 'lost', '--will-qos', '1', '--will-retain'];
      const run = start(['pub', '-d', ...address, ...words, '-t', 'a', '-l']);
      await run.says(/connected/);
      run.child.kill(signal);
      const { status } = await run.ended.catch(() => ({ status: signal }));
      assert.equal(status, signal === 'SIGTERM' ? 143 : 'SIGKILL');
      assert.equal((await twobyte(['pub', ...address, '-t', topic, '-m', 'after', '-q', '1'])).status, 0);
      const [first] = await read(1, '%p');
      assert.equal(first, signal === 'SIGTERM' ? 'after' : 'lost');
    }
  });

  test('-i, -I and -k are those of the connection', async () => {
    await twobyte(['pub', ...address, '-t', 'a', '-n', '-i', 'an id', '-k', '17']);
    assert.match(broker.log, /as an id \(p2, c1, k17\)/);
    await twobyte(['pub', ...address, '-t', 'a', '-n', '-I', 'prefix-']);
    assert.match(broker.log, /as prefix-\d+ \(p2, c1, k60\)/);
    await twobyte(['pub', ...address, '-t', 'a', '-n', '-i', 'kept id', '-c']);
    assert.match(broker.log, /as kept id \(p2, c0, k60\)/);
  });
});
