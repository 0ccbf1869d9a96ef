// docs/getting-started.md and docs/own-sensor.md: each message that they quote is one that the sources have, and each command is one that there is.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { twobyte } from './cli/cli.js';

/** This file runs as build/js/test/getting-started.test.js. */
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** All that prints words for people, as one text. */
const sources = ['host', 'compiler', 'assembly', 'firmware/shell', 'firmware/ports']
  .flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|js|c|h)$/.test(name))
      .map((name) => readFileSync(join(root, room, name), 'utf8')),
  )
  .join('\n');

for (const page of ['getting-started', 'own-sensor']) {
  const text = readFileSync(join(root, 'docs', `${page}.md`), 'utf8');
  describe(`docs/${page}.md`, () => {
    const [, ...tables] = text.split('\n| it says |');
    const quoted = tables.flatMap((table) =>
      [...(table.split('\n\n')[0] ?? '').matchAll(/^\| `([^`]+)`/gm)].map(([, words = '']) => words),
    );
    test('quotes messages', () => assert.ok(quoted.length >= 9, `${quoted.length}`));
    for (const words of quoted)
      test(`'${words}' is what a tool says`, () => assert.ok(sources.includes(words), 'no source has these words'));

    const commands = new Set(
      [...text.matchAll(/\btwobyte (create|build|run|flash|monitor|provision|bridge|config|deploy|keygen|sub)\b/g)].map(
        ([, name = '']) => name,
      ),
    );
    for (const name of commands)
      test(`twobyte ${name} is a command`, async () => {
        const { status, stdout } = await twobyte([name, '--help']);
        assert.match(String(stdout), new RegExp(`^Usage: twobyte ${name} `));
        assert.equal(status, 0);
      });
  });
}

describe('a picture of wiring', () => {
  const pictures = readdirSync(join(root, 'docs/wiring'));
  for (const name of pictures)
    test(`${name} is small, has its words as text, and a title for who cannot see it`, () => {
      const svg = readFileSync(join(root, 'docs/wiring', name), 'utf8');
      assert.ok(svg.length < 10_000, `${svg.length} bytes`);
      assert.match(svg, /<title id="title">.+<\/title>\n<desc id="desc">.+<\/desc>/);
      assert.match(svg, /<text [^>]*>3V3<\/text>/);
    });
});
