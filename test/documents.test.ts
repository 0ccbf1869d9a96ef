// What README.md, SECURITY.md and docs/ link to and show is in the repository.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** This file runs as build/js/test/documents.test.js. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const documents = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];

/** Where links and images in Markdown and HTML go, below the repository and without what is behind `#`. */
function targets(text: string, from: string): string[] {
  const all = [...text.matchAll(/\]\(\s*<?([^)\s>]+)|^\[[^\]]+\]:\s*(\S+)|(?:src|srcset|href)="([^"\s]+)/gm)].map(([, ...found]) =>
    found.join(''),
  );
  return all
    .filter((target) => !/^([a-z][a-z+.-]*:|\/\/|#)/i.test(target))
    .map((target) => normalize(join(dirname(from), decodeURI(target.replace(/[#?].*/, '')))));
}

/** The files that git has; without git, or out of a checkout, those that are there. */
const listed = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
const files = listed.status === 0 && existsSync(join(root, '.git')) ? listed.stdout.split('\0') : undefined;

function isInTree(target: string): boolean {
  const path = target.replace(/\/$/, '');
  return existsSync(join(root, path)) && (!files || files.some((file) => file === path || file.startsWith(`${path}/`)));
}

test('links and images of every form are found, those to elsewhere are not', () => {
  const text = '[a](b.md#c) ![d](../e.svg "title") [w](https://w.example/x) <img src="f.png"> [own](#g)\n[h]: i/j.md\n';
  assert.deepEqual(targets(text, 'docs/x.md'), ['docs/b.md', 'e.svg', 'docs/f.png', 'docs/i/j.md']);
});

describe('what a document links to or shows is in the repository', () => {
  for (const document of documents) {
    for (const target of new Set(targets(readFileSync(join(root, document), 'utf8'), document))) {
      test(`${document}: ${target}`, () => assert.ok(isInTree(target), `${target} is not in the repository`));
    }
  }
});
