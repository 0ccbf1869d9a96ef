import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as contract from '../../host/contract.js';
import { builtModule } from '../../host/module.js';
import { keepsJournal } from '../../host/rungs/rung.js';
import { root } from './compile.js';

const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const constants = Object.entries<unknown>({ ...contract }).filter((entry): entry is [string, number] => typeof entry[1] === 'number');

describe('the numbers of the boundary', () => {
  test('are in the generated files as assembly/contract.ts has them', async () => {
    const { generated } = (await import(pathToFileURL(`${root}scripts/contract.js`).href)) as { generated(): Record<string, string> };
    const files = generated();
    assert.deepEqual(Object.keys(files).sort(), ['firmware/shell/contract.h', 'host/contract.ts']);
    for (const [path, text] of Object.entries(files)) assert.equal(read(path), text, `${path} drifted: npm run build`);
  });

  test('are the ones of assembly/contract.ts, read apart from the generator', () => {
    const declared = [...read('assembly/contract.ts').matchAll(/^export const (\w+): i32 = (-?\d+);$/gm)].map(([, name, value]) => [
      name,
      Number(value),
    ]);
    assert.ok(declared.length > 80);
    assert.deepEqual(
      declared,
      constants.sort(([a], [b]) => declared.findIndex(([name]) => name === a) - declared.findIndex(([name]) => name === b)),
    );
    const defined = [...read('firmware/shell/contract.h').matchAll(/^#define ([A-Z0-9_]+) \(?(-?\d+)\)?$/gm)].map(([, name, value]) => [
      name,
      Number(value),
    ]);
    assert.deepEqual(defined, declared);
  });

  for (const family of ['LINK', 'REASON', 'ERROR', 'TIMEOUT', 'BUS', 'FAULT', 'EVENT', 'CONFIG']) {
    test(`are unique and above 0 in ${family}_…`, () => {
      const values = constants.filter(([name]) => name.startsWith(`${family}_`)).map(([, value]) => value);
      assert.ok(values.length >= 3);
      assert.ok(values.every((value) => value > 0));
      assert.equal(new Set(values).size, values.length);
    });
  }

  test('have the refusals in the order of the return codes of CONNACK', () => {
    assert.deepEqual(
      [
        contract.EVENT_REFUSED_VERSION,
        contract.EVENT_REFUSED_CLIENT_ID,
        contract.EVENT_REFUSED_UNAVAILABLE,
        contract.EVENT_REFUSED_CREDENTIALS,
        contract.EVENT_REFUSED_AUTHORIZATION,
      ],
      [1, 2, 3, 4, 5].map((code) => contract.EVENT_REFUSED_VERSION + code - 1),
    );
  });
});

describe('docs/boundary.md', () => {
  const text = read('docs/boundary.md');
  /** The names that stand in code in the first column of the tables below `heading`, up to `end`. */
  const names = (heading: string, end: string) => {
    const part = text.slice(text.indexOf(heading), text.indexOf(end, text.indexOf(heading)));
    const rows = part.split('\n').filter((line) => line.startsWith('| `'));
    assert.ok(rows.length > 0, heading);
    return rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)/g)].map(([, name]) => name ?? '')).sort();
  };
  const imports = names('## Imports', '## Exports');
  const common = names('## Exports', 'A sensor has these');
  const client = names('A sensor has these', '`client-mqttsn` has these');
  const clientSn = names('`client-mqttsn` has these', 'Every module with a journal');
  const journal = names('Every module with a journal', '## The inbound record');
  const exported = (module: string) => WebAssembly.Module.exports(builtModule(module)).map(({ name }) => name);
  const imported = (module: string) => WebAssembly.Module.imports(builtModule(module));

  test('lists every import of a module, and none that no module has', () => {
    const all = ['sensor-mqtt', 'sensor-mqttsn', 'sensor', 'sensor-journal', 'node', 'client-mqtt', 'client-mqttsn'].flatMap(imported);
    assert.deepEqual([...new Set(all.map(({ name }) => name))].sort(), imports);
    assert.deepEqual([...new Set(all.map(({ module, kind }) => `${module} ${kind}`))], ['board function']);
  });

  for (const [module, listed] of [
    ['sensor-mqtt', common],
    ['sensor-mqttsn', common],
    ['sensor', common],
    ['client-mqtt', [...common, ...client]],
    ['client-mqttsn', [...common, ...client, ...clientSn]],
    ['sensor-mqtt-journal', [...common, ...journal]],
    ['sensor-mqttsn-journal', [...common, ...journal]],
    ['sensor-journal', [...common, ...journal]],
    ['node-mqtt', [...common, ...journal]],
    ['node-mqttsn', [...common, ...journal]],
    ['node', [...common, ...journal]],
    ['client-mqtt-journal', [...common, ...client, ...journal]],
    ['client-mqttsn-journal', [...common, ...client, ...clientSn, ...journal]],
  ] as const) {
    test(`lists every export of ${module}, and no other`, () => {
      assert.deepEqual(exported(module).sort(), [...listed].sort());
    });
  }

  test('lists every import that assembly/board.ts declares', () => {
    const declared = [...read('assembly/board.ts').matchAll(/declare function (\w+)/g)].map(([, name]) => name).sort();
    assert.deepEqual(declared, imports);
  });
});

describe('assembly/limits.ts', () => {
  const memoryBytes = (name: string) => {
    const module = builtModule(name);
    const imports = WebAssembly.Module.imports(module).map((entry) => [entry.name, () => 0]);
    const { exports } = new WebAssembly.Instance(module, { board: Object.fromEntries(imports) });
    return (exports as { memory_bytes(): number }).memory_bytes();
  };

  /** Where the build lets the data begin. */
  const BELOW = 16;
  /** The inbound record (48 bytes), texts of the sensor, a table of the decoder, what a buffer has beside its limit, and up to 8 bytes of alignment each. */
  const OTHER_STATICS = 224;

  /** Variables that the build puts into the memory of a sensor with a journal. */
  const VARIABLES = 600;

  /** What a limit is where `flags` are set: a number, or one chosen by isDefined(FLAG). */
  const chosen = (limit: string, flags: readonly string[]): number => {
    const words = limit.match(/\w+|[?:()]/g) ?? [];
    const value = (): number => {
      const word = words.shift() ?? '';
      if (word === '(') {
        const inner = value();
        words.shift();
        return inner;
      }
      if (word !== 'isDefined') return Number(word);
      const [, flag = ''] = words.splice(0, 4); // ( FLAG ) ?
      const yes = value();
      words.shift();
      const no = value();
      return flags.includes(flag) ? yes : no;
    };
    return value();
  };

  /** The bytes that the limits of a profile cost a module. */
  const cost = (
    profile: 'desk' | 'board',
    module: 'client' | 'sensor',
    protocols: readonly string[],
    hasJournal: boolean,
    hasDrivers: boolean,
  ) => {
    const limits = [
      ...read('assembly/limits.ts').matchAll(
        /\/\*\* .*?Cost: (\d+) bytes?(?:, in the (\w+) only)?(?:, over (MQTT|MQTT-SN) only)?(?:, [^*]*?)?\. \*\/\nexport const (\w+): i32 =\s+([^;]+);/g,
      ),
    ];
    const declared = read('assembly/limits.ts').match(/^export /gm)?.length;
    assert.equal(limits.length, declared, 'each limit says its cost');
    const flags = [
      ...(profile === 'desk' ? ['DESK'] : []),
      ...(hasJournal ? ['JOURNAL'] : []),
      ...(hasDrivers ? ['DRIVERS', 'UPDATE'] : []),
      ...protocols.map((protocol) => protocol.replace('-', '')),
    ];
    let sum = 0;
    for (const [, each, only, protocol, name, limit = ''] of limits) {
      // Two that a module lacks or has elsewhere, as their comments say.
      if (name === 'INBOX_ENTRIES' && module === 'sensor' && !protocols.includes('MQTT')) continue;
      if (name === 'TOPIC_NAMES_BYTES' && protocols.includes('MQTT')) continue;
      if ((only && only !== module) || (protocol && !protocols.includes(protocol))) continue;
      sum += Number(each) * chosen(limit, flags);
    }
    return sum;
  };

  for (const [name, module, profile, protocols] of [
    ['sensor-mqtt', 'sensor', 'board', ['MQTT']],
    ['sensor-mqttsn', 'sensor', 'board', ['MQTT-SN']],
    ['sensor', 'sensor', 'board', ['MQTT', 'MQTT-SN']],
    ['client-mqtt', 'client', 'desk', ['MQTT']],
    ['client-mqttsn', 'client', 'desk', ['MQTT-SN']],
    ['sensor-mqtt-journal', 'sensor', 'board', ['MQTT']],
    ['sensor-mqttsn-journal', 'sensor', 'board', ['MQTT-SN']],
    ['sensor-journal', 'sensor', 'board', ['MQTT', 'MQTT-SN']],
    ['node-mqtt', 'sensor', 'board', ['MQTT']],
    ['node-mqttsn', 'sensor', 'board', ['MQTT-SN']],
    ['node', 'sensor', 'board', ['MQTT', 'MQTT-SN']],
    ['client-mqtt-journal', 'client', 'desk', ['MQTT']],
    ['client-mqttsn-journal', 'client', 'desk', ['MQTT-SN']],
  ] as const) {
    test(`accounts for the memory of ${name}`, () => {
      const rest = memoryBytes(name) - cost(profile, module, protocols, keepsJournal(name), name.startsWith('node')) - BELOW;
      const most = OTHER_STATICS + (module === 'sensor' && keepsJournal(name) ? VARIABLES : 0);
      assert.ok(rest >= 48 && rest <= most, `${rest} bytes beside the limits`);
    });
  }
});
