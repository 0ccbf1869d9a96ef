import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** This file runs as build/js/test/console/board-version.test.js. */
const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../../../${path}`, import.meta.url)), 'utf8');

test('the firmware says the version of the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  assert.match(read('firmware/shell/version.h'), new RegExp(`#define FIRMWARE_VERSION "${version.replaceAll('.', '\\.')}"`));
});
