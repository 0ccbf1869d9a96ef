import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { twobyte } from './cli.js';

const LONG = 'x'.repeat(65_536);

describe('a command line that cannot be used ends with status 1, before connecting, and names the option', () => {
  const cases: [what: string, args: string[], says: RegExp][] = [
    ['no such command', ['fly'], /unknown command 'fly'/],
    ['no such option', ['pub', '--fly'], /unknown option '--fly'/],
    ['an option without its value', ['pub', '-t'], /'-t, --topic <topic>' argument missing/],
    ['stray words', ['pub', '-t', 'a', '-m', 'hello', 'world'], /too many arguments/],
    ['nowhere to publish', ['pub', '-m', 'x'], /-t: .* is missing/],
    ['two topics', ['pub', '-t', 'a', '-t', 'b', '-m', 'x'], /-t: 'a' and 'b' are two topics/],
    ['a topic in -L and in -t', ['pub', '-L', 'mqtt://h/a', '-t', 'b', '-m', 'x'], /-t: 'a' and 'b' are two topics/],
    ['an empty topic', ['pub', '-t', '', '-m', 'x'], /-t '': the topic is empty/],
    ['+ in a topic', ['pub', '-t', 'a/+', '-m', 'x'], /-t 'a\/\+': .*must not contain/],
    ['# in a topic', ['pub', '-L', 'mqtt://h/a/#', '-m', 'x'], /-t 'a\/#': .*must not contain/],
    ['a topic over the limit', ['pub', '-t', LONG, '-m', 'x'], /-t .*longer than the limit/],
    ['nothing to publish', ['pub', '-t', 'a'], /-m: .*-m TEXT, -f FILE, -l .*, -s .* and -n/],
    ['-m and -f', ['pub', '-t', 'a', '-m', 'x', '-f', 'y'], /'-m, --message <text>' cannot be used with option '-f, --file <file>'/],
    ['-l and -n', ['pub', '-t', 'a', '-l', '-n'], /cannot be used with/],
    ['-s and -m', ['pub', '-t', 'a', '-s', '-m', 'x'], /cannot be used with/],
    ['--repeat with -l', ['pub', '-t', 'a', '-l', '--repeat', '2'], /--repeat: /],
    ['QoS 3', ['pub', '-t', 'a', '-m', 'x', '-q', '3'], /'-q, --qos <qos>' argument '3' is invalid. It must be 0/],
    ['a file that is not there', ['pub', '-t', 'a', '-f', '/nonexistent/x'], /-f: cannot read '\/nonexistent\/x': there is no such file/],
    ['a directory as the file', ['pub', '-t', 'a', '-f', tmpdir()], /-f: cannot read .*: it is a directory/],
    ['nothing to subscribe to', ['sub'], /-t: .* is missing/],
    ['an empty filter', ['sub', '-t', ''], /-t '': the topic is empty/],
    ['# within a filter', ['sub', '-t', 'a/#/b'], /-t 'a\/#\/b': the topic filter is malformed/],
    ['+ beside a letter', ['sub', '-t', 'a', '-T', 'a+'], /-T 'a\+': the topic filter is malformed/],
    ['a bad filter to unsubscribe from', ['sub', '-U', '#/a'], /-U '#\/a': the topic filter is malformed/],
    ['-C 0', ['sub', '-t', 'a', '-C', '0'], /'-C <n>' argument '0' is invalid/],
    ['-W with a fraction', ['sub', '-t', 'a', '-W', '1.5'], /'-W <seconds>' argument '1.5' is invalid/],
    ['-R with --retained-only', ['sub', '-t', 'a', '-R', '--retained-only'], /-R: .*--retained-only/],
    ['a format that is cut off', ['sub', '-t', 'a', '-F', '%t %'], /'-F <format>' .*'%' is cut off/],
    ['a format with an unknown parameter', ['sub', '-t', 'a', '-F', '%10z'], /'%10z' is not known; % takes one of/],
    ['a format with an unknown time', ['sub', '-t', 'a', '-F', '@Q'], /'@Q' is not known; @ takes one of/],
    ['a format with an unknown escape', ['sub', '-t', 'a', '-F', '\\q'], /'\\q' is not known/],
    ['port 0', ['sub', '-t', 'a', '-p', '0'], /'-p, --port <port>' argument '0' is invalid/],
    ['a port that is no number', ['sub', '-t', 'a', '-p', '0x10'], /argument '0x10' is invalid/],
    ['port 65536 in the URL', ['sub', '-L', 'mqtt://h:65536/a'], /-L: .*port 65536/],
    ['a URL without a scheme', ['sub', '-L', 'h/a'], /-L: .*no scheme/],
    ['a URL of another scheme', ['sub', '-L', 'http://h/a'], /-L: .*http:\/\/ is not known/],
    ['a URL without a host', ['sub', '-L', 'mqtt:///a'], /-L: .*host/],
    ['a URL beside a host', ['sub', '-L', 'mqtt://h/a', '-h', 'i'], /cannot be used with option '-h, --host <host>'/],
    ['a WebSocket URL, whose path is no topic', ['sub', '-L', 'ws://h/a'], /-t: .* is missing/],
    ['a lone % in the user name of a URL', ['sub', '-L', 'mqtt://u%@h/a'], /-L: .*write %25/],
    ['a URL as the host', ['sub', '-t', 'a', '-h', 'mqtt://h'], /-h: 'mqtt:\/\/h' .*-L/],
    ['an empty host', ['sub', '-t', 'a', '-h', ''], /-h: .*host is missing/],
    ['-i with -I', ['sub', '-t', 'a', '-i', 'x', '-I', 'y'], /cannot be used with/],
    ['a client id over the limit', ['sub', '-t', 'a', '-i', LONG], /-i: .*longer/],
    ['-c without -i', ['sub', '-t', 'a', '-c'], /-c: .*-i/],
    ['-P without -u', ['sub', '-t', 'a', '-P', 'secret'], /-P: .*-u/],
    ['-k 65536', ['sub', '-t', 'a', '-k', '65536'], /'-k, --keepalive <seconds>' argument '65536' is invalid/],
    ['another version of MQTT', ['sub', '-t', 'a', '-V', 'mqttv5'], /MQTT 3\.1\.1/],
    ['--will-payload without a topic', ['sub', '-t', 'a', '--will-payload', 'x'], /--will-payload: .*--will-topic/],
    ['a wildcard in the topic of the will', ['sub', '-t', 'a', '--will-topic', 'a/#'], /--will-topic 'a\/#': .*must not contain/],
    ['a payload of the will over the limit', ['sub', '-t', 'a', '--will-topic', 'w', '--will-payload', LONG], /--will-payload: .*longer/],
    ['an unreadable --cafile', ['sub', '-t', 'a', '--cafile', '/nonexistent/x'], /--cafile: cannot read/],
    ['a directory without authorities', ['sub', '-t', 'a', '--capath', '/proc/self/fd'], /--capath: /],
    ['--cert without --key', ['sub', '-t', 'a', '--cert', 'x'], /--cert: .*--key/],
    ['--key without --cert', ['sub', '-t', 'a', '--key', 'x'], /--key: .*--cert/],
    ['--insecure without TLS', ['sub', '-t', 'a', '--insecure'], /--insecure: .*without TLS/],
    ['--cafile with mqtt://', ['sub', '-L', 'mqtt://h/a', '--cafile', 'x'], /--cafile: .*without TLS/],
  ];
  for (const [what, args, says] of cases) {
    test(what, async () => {
      const { status, stdout, stderr } = await twobyte(args, { env: { TWOBYTE_USERNAME: '', TWOBYTE_PASSWORD: '' } });
      assert.match(stderr, says);
      assert.equal(status, 1);
      assert.equal(String(stdout), '');
      assert.doesNotMatch(stderr, / {4}at /, 'no stack');
    });
  }
});

describe('files that cannot be used', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'twobyte-cli-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  test('a file over the limit of a payload is refused with the limit', async () => {
    const path = join(directory, 'large');
    await writeFile(path, Buffer.alloc(1_048_577));
    const { status, stderr } = await twobyte(['pub', '-t', 'a', '-f', path]);
    assert.match(stderr, /-f: .*the limit is 1048576 bytes/);
    assert.equal(status, 1);
  });

  test('a file without an end is not read to its end', async () => {
    const { status, stderr } = await twobyte(['pub', '-t', 'a', '-f', '/dev/zero']);
    assert.match(stderr, /-f: .*the limit is 1048576 bytes/);
    assert.equal(status, 1);
  });

  test('standard input over the limit is refused with the limit', async () => {
    const { status, stderr } = await twobyte(['pub', '-t', 'a', '-s'], { input: Buffer.alloc(1_048_577) });
    assert.match(stderr, /-s: .*the limit is 1048576 bytes/);
    assert.equal(status, 1);
  });

  test('a certificate that is none is named', async () => {
    const path = join(directory, 'none.pem');
    await writeFile(path, 'none');
    const { status, stderr } = await twobyte(['sub', '-t', 'a', '--cert', path, '--key', path]);
    assert.match(stderr, /--cafile, --cert, --key: /);
    assert.equal(status, 1);
  });
});

test('--help tells the options, how to keep secrets and the exit statuses', async () => {
  for (const command of ['pub', 'sub']) {
    const { status, stdout } = await twobyte([command, '--help']);
    assert.match(String(stdout), /-h, --host <host>.*TWOBYTE_PASSWORD.*Exit status/s);
    assert.equal(status, 0);
  }
});
