// Settings of configurations, as the firmware takes them: its parser, and the modules behind it.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readBoard, settingsOf } from '../../host/config/index.js';
import { Run } from '../cli/cli.js';
import { root } from '../core/compile.js';
import { freePort } from '../mosquitto.js';
import { posixBoard, skipUnbuilt } from '../rungs/world.js';
import { type Changes, changed, environment, good, Project, posix, reading, sn } from './project.js';

const skip = skipUnbuilt(posixBoard);

/** The keys of this posix board, which tells them to whoever asks for one that is none. */
const known = (): Set<string> => {
  const { stderr } = spawnSync(posixBoard, ['--set', 'nonsense=1'], { encoding: 'utf8', timeout: 20_000 });
  return new Set(/the keys are (.*)/.exec(stderr)?.[1]?.split(', '));
};

const full: Changes = {
  ...posix,
  'broker.url': ['mqtt://127.0.0.1:1', 'mqtt://localhost:2'],
  'broker.username': ' me ',
  'broker.password': '"a b" ',
  device: '"客厅"',
  availability: 'myhome/底楼/客厅/availability',
  commands: 'myhome/底楼/客厅/set',
  retain: true,
  settings: {
    keep_alive: 30,
    unit: ' ',
    buffer: 10,
    buffer_policy: 2,
    buffered_topic: 'late',
    diagnostic_topic: 'dropped',
    clean_session: 0,
  },
  sensors: [{ driver: 'board', temperature: reading('myhome/底楼/客厅/温度') }],
};

describe('the posix board takes the settings of a configuration', { skip }, () => {
  const cases: [what: string, changes: Changes][] = [
    ['with drivers', posix],
    ['in full', full],
    ['without drivers, in full', { ...full, module: 'sensor-mqtt-journal' }],
    [
      'over MQTT-SN, asleep',
      {
        ...posix,
        ...sn,
        sleep: true,
        settings: { predefined: '1=a+2=b/c', retries: 2, retry_interval: 2000, node_id: '12', search_delay: 1000 },
      },
    ],
    ['with updates', { ...posix, updates: { topic: 'u', publicKey: 'key.pem' } }],
    ['where gateways are searched', { ...posix, 'broker.url': 'mqtt-sn://127.255.255.255:1884?search' }],
    ['at a serial port', { ...posix, 'broker.url': 'mqtt-sn+serial:///dev/ttyUSB0?baud=115200' }],
  ];
  for (const [what, changes] of cases) {
    test(what, () => {
      using project = new Project();
      project.writeFiles();
      const keys = known();
      assert.ok(keys.has('broker') && keys.has('topic'));
      const lines = settingsOf(project.read(changed(good, changes), environment), readBoard('posix')).split('\n');
      assert.deepEqual(
        lines.filter((line) => line && !keys.has(line.split(' = ')[0] ?? '')),
        [],
      );
      const file = project.write('board.conf', lines.join('\n'));
      // Options are read in their order: a fault of the file would be told before that of --set.
      const { stderr } = spawnSync(posixBoard, ['--config', file, '--set', 'nonsense=1'], { encoding: 'utf8', timeout: 20_000 });
      assert.match(stderr, /^twobyte-posix: --set: nonsense: no such key/);
    });
  }

  const modules: [module: string, changes: Changes][] = [
    ['sensor-mqtt-journal', { ...full, module: 'sensor-mqtt-journal' }],
    [
      'node-mqtt',
      {
        ...full,
        'settings.unit': undefined,
        sensors: [
          { driver: 'sht3x', temperature: reading('a/温度'), humidity: reading('a/湿度') },
          { driver: 'bme280', pressure: reading('a/p') },
          { driver: 'ds18b20', resolution: 9, rom: '28ff641e0f160390', temperature: reading('b/t') },
          { driver: 'ntc', supply: 5000, temperature: reading('c/t') },
          { driver: 'adc', channel: 0, value: reading('c/v') },
          { driver: 'board', temperature: reading('d/t') },
        ],
      },
    ],
  ];
  for (const [module, changes] of modules) {
    const missing = existsSync(`${root}build/${module}.wasm`) ? false : `build/${module}.wasm is not built`;
    test(`and ${module} starts with them`, { skip: missing }, async () => {
      using project = new Project();
      const url = `mqtt://127.0.0.1:${await freePort()}`;
      const config = project.read(changed(good, { ...changes, 'broker.url': url }));
      const run = new Run(posixBoard, ['--config', project.write('board.conf', settingsOf(config, readBoard('posix')))]);
      await run.prints('"event":"opening"');
      run.child.kill('SIGTERM');
      await run.ended;
      assert.doesNotMatch(run.stdout, /config_refused/);
    });
  }
});
