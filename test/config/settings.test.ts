import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { LEAST_DEEP_SLEEP } from '../../host/config/checks.js';
import { readBoard, settingsOf } from '../../host/config/index.js';
import { TOPICS_BYTES } from '../../host/config/sensors.js';
import { root } from '../core/compile.js';
import { type Changes, changed, environment, good, Project, posix, reading, sn, variable } from './project.js';

/** The settings of the good configuration with changes; on its own board, or on another. */
function settings(
  project: Project,
  changes: Changes,
  options: { board?: string; hidden?: boolean; env?: Record<string, string> } = {},
): string[] {
  const { board, hidden = false, env = environment } = options;
  const config = project.read(changed(good, changes), env);
  return settingsOf(config, readBoard(board ?? config.board), { hidden })
    .replaceAll(`${project.directory}/`, '')
    .replaceAll(/= \S*\/build\//g, '= build/')
    .trimEnd()
    .split('\n');
}

describe('the settings of a configuration', () => {
  test('in full', () => {
    using project = new Project();
    assert.deepEqual(settings(project, {}), [
      'broker = mqtt://192.168.1.10',
      'wifi_ssid = home',
      'wifi_password = a long password',
      'journal = nvs',
      'i2c = 21 22 100000',
      'onewire = 4',
      'client_id = living-room',
      'interval = 10000',
      'qos = 1',
      'retain = 0',
      'reading_1 = sht3x:44 temperature myhome/底楼/客厅/温度',
      'reading_2 = sht3x:44 humidity myhome/底楼/客厅/湿度',
      'reading_3 = ds18b20 temperature cellar/t',
    ]);
  });

  const lines: [what: string, changes: Changes, ...has: string[]][] = [
    ['brokers in their order', { 'broker.url': ['mqtt://a', 'mqtt://b:1884'] }, 'broker = mqtt://a mqtt://b:1884'],
    ['credentials', { 'broker.username': 'me', 'broker.password': ' "x" ' }, 'username = me', 'password = " "x" "'],
    ['a text that begins with a quotation mark', { device: '"a"' }, 'client_id = ""a""'],
    ['an empty text', { 'broker.username': 'me', 'broker.password': '' }, 'password = ""'],
    ['the time', { timeServer: 'pool.ntp.org' }, 'time_server = pool.ntp.org'],
    ['sleep', { ...sn, sleep: true, qos: 0, retain: true, interval: 60000 }, 'sleep = 1', 'qos = 0', 'retain = 1', 'interval = 60000'],
    ['light sleep', { power: 'light' }, 'power = light'],
    ['QoS -1', { ...sn, qos: -1 }, 'qos = -1'],
    ['topics', { availability: 'a', commands: 'c/+' }, 'availability_topic = a', 'command_topic = c/+'],
    ['further settings', { 'settings.keep_alive': 30, 'settings.diagnostic_topic': 'd' }, 'keep_alive = 30', 'diagnostic_topic = d'],
    ['other pins of I2C', { 'buses.i2c': { sda: 23, scl: 19 } }, 'i2c = 23 19 100000'],
    ['an address', { 'sensors[0].address': '0x45' }, 'reading_1 = sht3x:45 temperature myhome/底楼/客厅/温度'],
    ['pressure', { 'sensors[0]': { driver: 'bme280', pressure: reading('p') } }, 'reading_1 = bme280:76 pressure p'],
    ['a ROM code', { 'sensors[1].rom': '28FF641E0F160390' }, 'reading_3 = ds18b20:28ff641e0f160390 temperature cellar/t'],
    ['a resolution', { 'sensors[1].resolution': 9 }, 'reading_3 = ds18b20::9 temperature cellar/t'],
    [
      'both',
      { 'sensors[1].rom': '28ff641e0f160390', 'sensors[1].resolution': 10 },
      'reading_3 = ds18b20:28ff641e0f160390:10 temperature cellar/t',
    ],
    [
      'thermistors and voltages, each a channel',
      {
        'sensors[0]': { driver: 'ntc', pin: 35, beta: 3435, temperature: reading('a') },
        'sensors[1]': { driver: 'adc', pin: 32, value: reading('b') },
        'sensors[2]': { driver: 'ntc', ohms: 100000, series: 47000, supply: 5000, temperature: reading('c') },
      },
      'adc = 35 32 34',
      'reading_1 = ntc:0:3435:10000:10000 temperature a',
      'reading_2 = adc:1 value b',
      'reading_3 = ntc:2:3950:100000:47000:5000 temperature c',
    ],
    [
      'a DHT22, which is the second thermometer and the first hygrometer',
      { 'sensors[1]': { driver: 'dht22', pin: 13, temperature: reading('a'), humidity: reading('b') } },
      'dht22 = 13',
      'reading_3 = board:1 temperature a',
      'reading_4 = board:0 humidity b',
    ],
    [
      'the chip’s own thermometer',
      { board: 'esp32-c3-devkitm', 'sensors[0]': { driver: 'board', temperature: reading('a') } },
      'thermometer = chip',
      'reading_1 = board:0 temperature a',
    ],
    [
      'a sensor of one’s own, which may ask any bus',
      { module: 'build/my.wasm', sensors: [{ driver: 'own', value: reading('soil') }] },
      'i2c = 21 22 100000',
      'onewire = 4',
      'adc = 34 35 32 33',
      'reading_1 = own value soil',
    ],
    ['a label', { board: 'adafruit-qtpy-esp32c3', 'sensors[1].pin': 'A1' }, 'i2c = 5 6 100000', 'onewire = 3'],
    ['the usual pin', { board: 'adafruit-qtpy-esp32c3', 'sensors[1].pin': undefined }, 'onewire = 10'],
    [
      'the posix board',
      posix,
      'module = build/node-mqtt.wasm',
      'journal = twobyte.journal',
      'thermometer = simulated:1',
      'i2c = simulated',
      'onewire = simulated',
    ],
    [
      'a module without drivers',
      { ...posix, module: 'sensor-mqtt', sensors: [{ driver: 'board', source: 'replay:day.csv', temperature: reading('a') }] },
      'module = build/sensor-mqtt.wasm',
      'thermometer = replay:day.csv',
      'topic = a',
      'sensor = 0',
    ],
    [
      'a channel of a lower rung',
      { ...posix, 'sensors[1]': { driver: 'ntc', channel: 2, temperature: reading('a') } },
      'adc = simulated',
      'reading_3 = ntc:2:3950:10000:10000 temperature a',
    ],
    ['a bus of Linux', { ...posix, 'buses.i2c': '/dev/i2c-1' }, 'i2c = /dev/i2c-1'],
    ['the emulated board, whose line leads to the broker', { ...posix, board: 'qemu-rv32' }, 'broker = mqtt+serial:', 'journal = nvram'],
    ['the same over MQTT-SN', { ...posix, ...sn, board: 'qemu-rv32' }, 'broker = mqtt-sn+serial:'],
  ];
  for (const [what, changes, ...has] of lines) {
    test(what, () => {
      using project = new Project();
      const all = settings(project, changes);
      for (const line of has) assert.ok(all.includes(line), `${line}\n\n${all.join('\n')}`);
    });
  }

  test('nothing of a bus that no sensor asks', () => {
    using project = new Project();
    const all = settings(project, { sensors: [good.sensors[1]] });
    assert.deepEqual(
      all.filter((line) => /^(i2c|adc|dht22|thermometer|module) /.test(line)),
      [],
    );
  });

  test('no journal where it is not wanted, or the module keeps none', () => {
    using project = new Project();
    const sensors = [{ driver: 'board', temperature: reading('a') }];
    for (const changes of [{ journal: false }, { ...posix, module: 'sensor-mqtt', sensors }])
      assert.ok(!settings(project, changes).some((line) => line.startsWith('journal')));
    assert.ok(settings(project, { ...posix, module: 'sensor-mqtt-journal', sensors }).includes('journal = twobyte.journal'));
  });

  test('of a chip’s configuration on a lower rung: no Wi-Fi, simulated buses', () => {
    using project = new Project();
    assert.deepEqual(settings(project, { 'sensors[2]': { driver: 'ntc', pin: 35, temperature: reading('a') } }, { board: 'posix' }), [
      'broker = mqtt://192.168.1.10',
      'module = build/node-mqtt.wasm',
      'journal = twobyte.journal',
      'thermometer = simulated:1',
      'i2c = simulated',
      'onewire = simulated',
      'adc = simulated',
      'client_id = living-room',
      'interval = 10000',
      'qos = 1',
      'retain = 0',
      'reading_1 = sht3x:44 temperature myhome/底楼/客厅/温度',
      'reading_2 = sht3x:44 humidity myhome/底楼/客厅/湿度',
      'reading_3 = ds18b20 temperature cellar/t',
      'reading_4 = ntc:0:3950:10000:10000 temperature a',
    ]);
  });

  test('the public key, of PEM and of digits', () => {
    using project = new Project();
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const digits = publicKey.export({ type: 'spki', format: 'der' }).subarray(-64).toString('hex');
    project.write('key.pem', publicKey.export({ type: 'spki', format: 'pem' }));
    project.write('key.hex', `${digits.toUpperCase()}\n`);
    for (const file of ['key.pem', 'key.hex']) {
      const all = settings(project, { updates: { topic: 'u', publicKey: file } });
      assert.ok(all.includes('update_topic = u') && all.includes(`public_key = ${digits}`), all.join('\n'));
    }
  });

  test('a process keeps new modules in a file', () => {
    using project = new Project();
    project.writeFiles();
    assert.ok(settings(project, { ...posix, 'updates.publicKey': 'key.pem' }).includes('modules = twobyte.modules'));
    assert.ok(!settings(project, { 'updates.publicKey': 'key.pem' }).some((line) => line.startsWith('modules')));
  });

  test('paths are from the configuration’s directory', () => {
    using project = new Project();
    project.writeFiles();
    const files = { authority: 'any.pem', certificate: 'any.pem', key: 'any.pem' };
    const { broker, module } = project.read(changed(good, { broker: { url: 'mqtts://h', ...files }, module: 'build/my.wasm' }));
    const pem = `${project.directory}/any.pem`;
    assert.deepEqual([broker.authority, broker.certificate, broker.key, module], [pem, pem, pem, `${project.directory}/build/my.wasm`]);
  });
});

describe('secrets', () => {
  test('come from the environment, before the file', () => {
    using project = new Project();
    project.write('twobyte.secrets.json', { WIFI: 'from the file', OTHER: 'me' });
    const of = (env: Record<string, string>) =>
      settings(project, { 'broker.username': `${variable('OTHER')}@home` }, { env }).filter((line) => /^(wifi_p|user)/.test(line));
    assert.deepEqual(of({}), ['username = me@home', 'wifi_password = from the file']);
    assert.deepEqual(of({ WIFI: 'from outside' }), ['username = me@home', 'wifi_password = from outside']);
  });

  test('are not in what is printed, wherever they stand', () => {
    using project = new Project();
    const changes = { 'broker.username': variable('U'), 'broker.password': 'literal', 'sensors[0].humidity.topic': `${variable('U')}/h` };
    const all = settings(project, changes, { hidden: true, env: { ...environment, U: 'q7' } });
    for (const line of ['wifi_password = …', 'username = …', 'password = …', 'reading_2 = …', 'wifi_ssid = home'])
      assert.ok(all.includes(line), line);
    assert.doesNotMatch(all.join('\n'), /literal|q7|a long password/);
  });

  test('a password in the configuration itself is used, and warned of', () => {
    using project = new Project();
    const { wifi, warnings } = project.read(changed(good, { 'wifi.password': 'hunter22' }));
    assert.equal(wifi?.password, 'hunter22');
    assert.deepEqual(
      warnings.map((warning) => warning.replace(`${project.directory}/`, '')),
      [
        `twobyte.config.json: wifi.password: stands in the file itself; write "${variable('WIFI_PASSWORD')}" and put the text into the environment or into the file of secrets`,
      ],
    );
  });

  test('a file that others can read is used, and warned of', { skip: process.platform === 'win32' && 'no modes' }, () => {
    using project = new Project();
    const path = project.write('my.json', { WIFI: 'from the file' });
    const read = () => project.read(changed(good, { secrets: 'my.json' }), {}).warnings;
    assert.deepEqual(read(), []);
    for (const mode of [0o640, 0o604]) {
      chmodSync(path, mode);
      assert.deepEqual(read(), [`${path}: other users of this machine can read it; run chmod 600 ${path}`]);
    }
  });

  const broken: [what: string, text: string, says: string][] = [
    ['no JSON', '{"WIFI": "geheim}', 'twobyte.secrets.json:1:10: the quotation mark is not closed on this line'],
    ['no object', '["geheim"]', 'twobyte.secrets.json: is no object; write { "NAME": "text", … }'],
    ['no text', '{"WIFI": 12345678}', 'twobyte.secrets.json: WIFI: is no text; put it into double quotes'],
  ];
  for (const [what, text, says] of broken) {
    test(`a file that is ${what} is refused without a word of it`, () => {
      using project = new Project();
      project.write('twobyte.secrets.json', text);
      assert.deepEqual(project.faultsOf(good, {}), [says]);
    });
  }
});

describe('limits that stand in two places are the same', () => {
  test('the shortest deep sleep', (t) => {
    const header = `${root}firmware/ports/esp-idf/sleep.h`;
    if (!existsSync(header)) return t.skip('firmware/ports/esp-idf/sleep.h is not there');
    const [, least] = /#define SLEEP_LEAST_MS (\d+)/.exec(readFileSync(header, 'utf8')) ?? [];
    assert.equal(LEAST_DEEP_SLEEP, Number(least));
  });

  test('what the settings take together', () => {
    const [, bytes] = /#define SETTINGS_BYTES (\d+)/.exec(readFileSync(`${root}firmware/shell/settings.h`, 'utf8')) ?? [];
    assert.match(readFileSync(`${root}host/config/config.ts`, 'utf8'), new RegExp(`const SETTINGS_BYTES = ${bytes};`));
    using project = new Project();
    assert.deepEqual(
      project
        .faultsOf(changed(good, { 'settings.predefined': `1=${'a'.repeat(8000)}` }))
        .map((fault) => fault.replace(/has \d+ bytes/, 'has N bytes')),
      ['twobyte.config.json: has N bytes of settings, and a board has 8192; shorten topics and predefined'],
    );
  });

  test('what the topics take together, where there are drivers', (t) => {
    const [, bytes] =
      /SENSOR_TOPICS_BYTES: i32 = isDefined\(DRIVERS\) \? (\d+)/.exec(readFileSync(`${root}assembly/limits.ts`, 'utf8')) ?? [];
    if (bytes === undefined) return t.skip('assembly/limits.ts has no SENSOR_TOPICS_BYTES');
    assert.equal(TOPICS_BYTES, Number(bytes));
  });
});
