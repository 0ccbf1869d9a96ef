import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { root } from './core/compile.js';

const page = readFileSync(join(root, 'docs/reliability.md'), 'utf8');

/** Each file of a row with the words that it is quoted with. */
const quoted = [...page.matchAll(/`((?:test|host\/hil)\/[^`]+\.ts)`: (\*[^*]+\*(?: · \*[^*]+\*)*)/g)].flatMap(([, file = '', names = '']) =>
  [...names.matchAll(/\*([^*]+)\*/g)].map(([, name = '']) => ({ file, name })),
);

describe('docs/reliability.md', () => {
  test('quotes tests', () => assert.ok(quoted.length > 40, `${quoted.length}`));
  for (const { file, name } of quoted) test(`${file} has: ${name}`, () => assert.ok(readFileSync(join(root, file), 'utf8').includes(name)));

  test('names no file of a test without words of it', () => {
    const files = [...page.matchAll(/`((?:test|host\/hil)\/[^`]+\.ts)`(.)/g)].filter(
      ([, file = '', next]) => next !== ':' && !file.startsWith('test/soak/') && file !== 'test/reliability.test.ts',
    );
    assert.deepEqual(
      files.map(([, file]) => file),
      [],
    );
  });

  test('has a test for each pain', () => {
    const [, table = ''] = /## The pains of others\n(.*?)\n## /s.exec(page) ?? [];
    const rows = table.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| pain'));
    assert.equal(rows.length, 15);
    for (const row of rows) assert.match(row, /`(test|host\/hil)\//);
  });
});
