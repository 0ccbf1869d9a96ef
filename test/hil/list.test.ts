import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Protocol } from '../../host/hil/ground.js';
import { scenariosOver } from '../../host/hil/list.js';
import { listing, merged } from '../../host/hil/report.js';
import { whyNot } from '../../host/hil/scenario.js';

const protocols: readonly Protocol[] = ['mqtt', 'mqtt-sn'];
const lower = ['posix', 'qemu-rv32', 'virtual'] as const;
const rows = merged(protocols, scenariosOver);

/** As the page has them: names on all three lower rungs, over MQTT, over MQTT-SN. */
const page = readFileSync(new URL('../../../../docs/hil.md', import.meta.url), 'utf8');
const counts = /^- (\d+) scenarios run on posix, .*: (\d+) of them over MQTT, (\d+) over MQTT-SN/m.exec(page)?.slice(1).map(Number);

describe('the list of scenarios', () => {
  test('has as many that run on posix, qemu-rv32 and virtual with the same names as docs/hil.md says', () => {
    const everywhere = (protocol: Protocol) =>
      scenariosOver(protocol).filter((scenario) => lower.every((rung) => whyNot(scenario, rung, protocol) === false));
    const names = new Set(protocols.flatMap((protocol) => everywhere(protocol).map(({ what }) => what)));
    assert.deepEqual([names.size, everywhere('mqtt').length, everywhere('mqtt-sn').length], counts);
    assert.ok(names.size >= 60);
  });

  for (const protocol of protocols)
    test(`names each scenario once over ${protocol}`, () => {
      const names = scenariosOver(protocol).map(({ what }) => what);
      assert.deepEqual(names, [...new Set(names)]);
    });

  test('gives a reason for each that does not run somewhere', () => {
    for (const { scenario, protocols: over } of rows)
      for (const protocol of over)
        for (const rung of [...lower, 'board'] as const) {
          const why = whyNot(scenario, rung, protocol);
          assert.ok(why === false || why.length > 10, `${scenario.what} on ${rung}: ${why}`);
        }
  });

  test('is printed with what runs on a rung, and why the others do not', () => {
    const lines = listing('virtual', protocols, rows);
    assert.equal(lines[0], 'mqtt      mqtt-sn   scenario');
    assert.ok(
      lines.includes(
        'skipped   skipped   nothing is allocated after the start: readings, commands, a lost connection, a broker that is away',
      ),
    );
    assert.ok(
      lines.includes(
        'skipped: nothing is allocated after the start: readings, commands, a lost connection, a broker that is away (mqtt): JavaScript has no such count',
      ),
    );
    assert.ok(lines.includes('-         runs      a sleeper collects the command that waited for it'));
    assert.equal(lines.at(-1), `${rows.length} scenarios on virtual`);
  });
});
