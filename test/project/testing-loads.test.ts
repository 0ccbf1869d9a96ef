import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

/** The modules that `entry` loads, itself included, as their source says. */
function loaded(entry: URL, all = new Set<string>()): Set<string> {
  if (all.has(entry.href)) return all;
  all.add(entry.href);
  for (const [, from = ''] of readFileSync(entry, 'utf8').matchAll(/^(?:import|export) .*?from '([^']+)';$/gm)) {
    if (from.startsWith('.')) loaded(new URL(from, entry), all);
    else all.add(from);
  }
  return all;
}

test('twobyte/testing loads no package, and no links and deployments of a real board', () => {
  const all = [...loaded(new URL('../../host/testing.js', import.meta.url))];
  assert.ok(all.some((name) => name.endsWith('/host/board.js')));
  assert.deepEqual(
    all.filter(
      (name) =>
        (/^[^:]+$/.test(name) && !name.startsWith('node:')) || /\/(links\/(serial|websocket|tcp|tls|udp)|deploy\/receiver)\.js$/.test(name),
    ),
    [],
  );
});
