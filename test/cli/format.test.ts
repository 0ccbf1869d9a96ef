import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { customFormat } from '../../host/cli/format.js';
import { strftime } from '../../host/cli/strftime.js';
import { matches } from '../../host/cli/topics.js';
import type { Message } from '../../host/messages.js';

// What mosquitto_sub prints is compared with it in sub.test.ts; here is what differs from it, or cannot be had from it at will.

const message = (payload: string | Buffer): Message => {
  return { topic: 'a/底', payload: Buffer.from(payload as string), qos: 1, retain: true, dup: false, messageId: 7 };
};
const time = new Date(2026, 0, 2, 3, 4, 5, 6);

function print(format: string, payload: string | Buffer): { text: string; faults: string[] } {
  const faults: string[] = [];
  const bytes = customFormat(format, false)(message(payload), time, (fault) => faults.push(fault));
  return { text: bytes.toString('latin1'), faults };
}

function withoutTime(text: string): string {
  return Buffer.from(text, 'latin1')
    .toString()
    .replace(/"tst":"[^"]*",/, '');
}

describe('%J prints the JSON of the payload', () => {
  const head = '{"topic":"a/底","qos":1,"retain":1';
  const cases: [what: string, payload: string, printed: string][] = [
    ['without the blanks between its tokens', ' { "a b" : [ 1 ,\t2 ] }\n', '{"a b":[1,2]}'],
    ['with the digits of a long number', '{"id":12345678901234567890,"t":27.0}', '{"id":12345678901234567890,"t":27.0}'],
    ['with members in their order, and twice where they come twice', '{"2":0,"1":0,"2":0}', '{"2":0,"1":0,"2":0}'],
    ['with its text as it is', '"\\u5e95 \\" 楼"', '"\\u5e95 \\" 楼"'],
    ['as null when it is empty', '', 'null'],
  ];
  for (const [what, payload, printed] of cases) {
    test(what, () => {
      const { text, faults } = print('%J', payload);
      assert.equal(withoutTime(text), `${head},"payloadlen":${Buffer.byteLength(payload)},"mid":7,"payload":${printed}}`);
      assert.deepEqual(faults, []);
    });
  }

  test('and complains where it is none', () => {
    const { text, faults } = print('[%J]', '{a}');
    assert.equal(text, '[]');
    assert.match(String(faults), /'a\/底' is not valid JSON/);
  });
});

test('%j keeps every byte of a payload, NUL included', () => {
  assert.ok(print('%j', Buffer.from([0x61, 0, 0xff, 0x22])).text.endsWith('"payload":"a\\u0000\xff\\""}'));
});

test('a width of hexadecimal digits pads what is shorter', () => {
  assert.equal(print('[%8x|%-8X|%08x]', 'm\xf6'.slice(0, 1)).text, '[      6d|6D      |0000006d]');
});

test('times are those of strftime', () => {
  assert.match(print('%I', '').text, /^2026-01-02T03:04:05[+-]\d{4}$/);
  assert.equal(print('%U', '').text, `${Math.floor(time.getTime() / 1000)}.006000000`);
  assert.equal(print('@Y-@m-@d @@ @N', '').text, '2026-01-02 @ 006000000');
});

describe('each time conversion gives what the C library gives', () => {
  const letters = 'aAbBcCdDeFgGhHIjklmMpPrRsSTuUVwWxXyYz';
  let skip: string | false = false;
  try {
    execFileSync('date', ['-d', '@0', '+%s'], { stdio: 'pipe' });
  } catch {
    skip = 'date takes no -d: it is of GNU coreutils';
  }
  // The ends of years decide about the weeks.
  for (const day of ['2020-12-31', '2021-01-01', '2021-01-03', '2023-01-01', '2024-02-29', '2024-12-30', '2025-06-15', '2026-12-31']) {
    for (const hour of ['00:00:00', '12:30:09', '23:59:59']) {
      test(`${day} ${hour}`, { skip }, () => {
        const moment = new Date(`${day}T${hour}`);
        const seconds = moment.getTime() / 1000;
        const format = [...letters].map((letter) => `${letter}:%${letter}`).join('\n');
        const expected = execFileSync('date', ['-d', `@${seconds}`, `+${format}`], { env: { ...process.env, LC_ALL: 'C' } });
        const got = [...letters].map((letter) => `${letter}:${strftime(letter, moment)}`).join('\n');
        assert.equal(`${got}\n`, String(expected));
      });
    }
  }
});

describe('-T leaves out the topics that its filter matches', () => {
  const cases: [filter: string, topic: string, matched: boolean][] = [
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', 'a/b', false],
    ['a/b', 'a', false],
    ['+', 'a', true],
    ['+', 'a/b', false],
    ['+/b', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/+/c', 'a/b/c', true],
    ['#', 'a/b', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['/#', 'a', false],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
    ['底/+', '底/楼', true],
  ];
  for (const [filter, topic, matched] of cases) {
    test(`${filter} ${matched ? 'matches' : 'does not match'} ${topic}`, () => assert.equal(matches(filter, topic), matched));
  }
});
