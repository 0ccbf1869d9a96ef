import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { twobyte } from './cli/cli.js';

/** This file runs as build/js/test/security.test.js. */
const root = fileURLToPath(new URL('../../../', import.meta.url));
const text = readFileSync(`${root}SECURITY.md`, 'utf8');

test('each limit of SECURITY.md has its place in the code', () => {
  const places = [...text.matchAll(/`((?:host|assembly|firmware)\/[\w/.]+)`/g)].map(([, path = '']) => path);
  assert.ok(places.length > 25);
  for (const path of places) assert.ok(existsSync(`${root}${path}`), path);
});

test('each option of a limit in SECURITY.md is one of the gateway, with the default that stands there', async () => {
  const { stdout } = await twobyte(['gateway', '--help']);
  const help = String(stdout).replace(/\s+/g, ' ');
  const limits = [...text.matchAll(/(\d[\d,]*)(?: bytes| a second)? `(--[\w-]+)`/g)];
  assert.ok(limits.length >= 11);
  for (const [, number = '', option = ''] of limits) {
    const [, usual] = new RegExp(`${option} <n> .*?\\(default: (\\d+)\\)`).exec(help) ?? [];
    assert.equal(usual, number.replace(',', ''), option);
  }
});
