import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readConfig } from '../../host/config/index.js';
import { changed, environment, good, Project, type Refusal, refused, variable } from './project.js';

const C = 'twobyte.config.json';
const long = (bytes: number) => 'x'.repeat(bytes);

const cases: Refusal[] = [
  ['a key that is nearly one', { intervall: 5 }, `${C}: intervall: no such key; did you mean "interval"?`],
  ['a key that is none', { 'wifi.colour': 5 }, `${C}: wifi.colour: no such key; the keys here are ssid, password`],
  ['a key of another case', { 'broker.URL': 'x' }, `${C}: broker.URL: no such key; did you mean "url"?`],
  [
    'a key of another sensor',
    { 'sensors[1].address': '0x44' },
    `${C}: sensors[1].address: no such key; the keys here are driver, pin, rom, resolution, temperature`,
  ],
  [
    'a key with a line break',
    { 'a\nb': 1 },
    `${C}: ["a\\nb"]: no such key; the keys here are board, device, secrets, wifi, timeServer, broker, module, buses, sensors, interval, qos, retain, sleep, power, journal, availability, commands, updates, settings`,
  ],
  [
    'no board',
    { board: undefined },
    `${C}: board: is missing; add it: the board: a name of boards/ (twobyte config --boards lists them), or the path of a file of your own, from this file's directory`,
  ],
  [
    'no device',
    { device: undefined },
    `${C}: device: is missing; add it: the node's name, which is its client identifier at the broker: no two nodes have the same`,
  ],
  ['no broker', { broker: undefined }, `${C}: broker: is missing; add it: where readings go`],
  ['no sensors', { sensors: undefined }, `${C}: sensors: is missing; add it: what is measured: at most 8 readings together`],
  ['an empty list of sensors', { sensors: [] }, `${C}: sensors: is empty; one is needed at least`],
  // types and ranges
  ['a text for a number', { interval: '10000' }, `${C}: interval: a text stands there; write a whole number`],
  ['a fraction', { interval: 1000.5 }, `${C}: interval: a fraction stands there; write a whole number`],
  ['an interval too short', { interval: 99 }, `${C}: interval: 99 is outside 100 to 86400000 ms; choose a number within`],
  ['an interval too long', { interval: 86400001 }, `${C}: interval: 86400001 is outside 100 to 86400000 ms; choose a number within`],
  ['QoS 3', { qos: 3 }, `${C}: qos: 3 is outside -1 to 2; choose a number within`],
  ['a text for true', { retain: 'yes' }, `${C}: retain: a text stands there; write true or false`],
  ['null for an object', { wifi: null }, `${C}: wifi: null stands there; write an object, { … }`],
  ['an object for a list', { sensors: {} }, `${C}: sensors: an object stands there; write a list, [ … ]`],
  ['a sensor that is no object', { 'sensors[1]': 7 }, `${C}: sensors[1]: a number stands there; write an object, { … }`],
  ['an empty device', { device: '' }, `${C}: device: is empty; write a text, or leave the key out`],
  [
    'a setting out of its range',
    { 'settings.keep_alive': 70000 },
    `${C}: settings.keep_alive: 70000 is outside 0 to 65535; choose a number within`,
  ],
  [
    'a setting that has another name',
    { 'settings.topic': 'a' },
    `${C}: settings.topic: no such key; the keys here are keep_alive, clean_session, reconnect_min, reconnect_max, connect_timeout, reply_timeout, unit, max_inflight, predefined, retry_interval, retries, congestion_wait, search_delay, missed_advertisements, node_id, buffer, buffer_policy, buffered_topic, diagnostic_topic`,
  ],
  [
    'delays the wrong way round',
    { 'settings.reconnect_min': 9000, 'settings.reconnect_max': 8000 },
    `${C}: settings.reconnect_max: 8000 is below reconnect_min, 9000; make it as large`,
  ],
  [
    'a unit too long',
    { 'sensors[0].humidity': undefined, 'settings.unit': long(17) },
    `${C}: settings.unit: has 17 bytes of UTF-8, and the limit is 16; shorten it`,
  ],
  [
    'a unit for several quantities',
    { 'settings.unit': ' °C' },
    `${C}: settings.unit: would follow readings of several quantities; leave it out`,
  ],
  [
    'predefined topics of no form',
    { 'settings.predefined': '1=a+b' },
    `${C}: settings.predefined: "b" is not of the form id=topic with an id of 1 to 65534; write 1=a/b+2=c/d`,
  ],
  ['a node id too long', { 'settings.node_id': long(17) }, `${C}: settings.node_id: has 17 bytes, and a node id has 1 to 16; change it`],
  // board
  ['a board that is nearly one', { board: 'esp32-devkit' }, `${C}: board: there is no board "esp32-devkit"; did you mean "esp32-devkitc"?`],
  [
    'a board that is none',
    { board: 'toaster' },
    `${C}: board: there is no board "toaster"; write one of adafruit-qtpy-esp32c3, esp32-c3-devkitm, esp32-devkitc, esp32-s3-devkitc, posix, qemu-rv32, or the path of a file of your own`,
  ],
  [
    'a file of a board that is not there',
    { board: './my.json' },
    'my.json: cannot be read: there is no such file; write it, or name another',
  ],
  [
    'a variable that is not there',
    { 'wifi.password': variable('NOT_THERE') },
    `${C}: wifi.password: \${NOT_THERE} is neither in the environment nor in twobyte.secrets.json; set the variable, or add it to the file`,
  ],
  [
    'a variable in a text that has a form',
    { timeServer: variable('NOT_THERE') },
    `${C}: timeServer: \${NOT_THERE} is neither in the environment nor in twobyte.secrets.json; set the variable, or add it to the file`,
  ],
  [
    'a file of secrets that is not there',
    { secrets: 'my.json' },
    'my.json: cannot be read: there is no such file; write it, or name another',
  ],
];

refused('a configuration that cannot be used is refused in one sentence for each fault', cases);

describe('a configuration that cannot be used', () => {
  test('all at once, and what is missing because it was wrong is not told again', () => {
    using project = new Project();
    const faults = project.faultsOf(
      changed(good, {
        wifi: 5,
        device: 7,
        'broker.username': 1,
        'broker.password': 'geheim',
        'sensors[0].temperature': 'x',
        'sensors[0].humidity': undefined,
      }),
    );
    assert.deepEqual(faults.sort(), [
      `${C}: broker.username: a number stands there; write a text in double quotes`,
      `${C}: device: a number stands there; write a text in double quotes`,
      `${C}: sensors[0].temperature: a text stands there; write an object, { … }`,
      `${C}: wifi: a number stands there; write an object, { … }`,
    ]);
  });

  test('a text that is no JSON, with line and column and without a word of it', () => {
    using project = new Project();
    assert.deepEqual(project.faultsOf('{\n  "wifi": { "password": "geheim }\n}'), [
      `${C}:2:25: the quotation mark is not closed on this line`,
    ]);
  });

  for (const value of [null, 5, 'x', []]) {
    test(`${JSON.stringify(value)} for the whole`, () => {
      using project = new Project();
      const [fault, ...others] = project.faultsOf(JSON.stringify(value));
      assert.match(fault ?? '', /^twobyte\.config\.json: .* stands there; write an object, \{ … \}$/);
      assert.deepEqual(others, []);
    });
  }

  test('a file that is not there, and what is not UTF-8', () => {
    using project = new Project();
    assert.deepEqual(
      project.faults(() => readConfig(`${project.directory}/none.json`, {})),
      ['none.json: cannot be read: there is no such file; write it, or name another'],
    );
    assert.deepEqual(
      project.faults(() => readConfig(project.directory, {})),
      [`${project.directory}: cannot be read: it is a directory; name a file in it`],
    );
    const latin = project.write('latin.json', Buffer.from('{"device": "caf\xe9"}', 'latin1'));
    assert.deepEqual(
      project.faults(() => readConfig(latin, {})),
      ['latin.json: is not UTF-8; save it so'],
    );
  });

  test('no value that came from elsewhere is told', () => {
    using project = new Project();
    const secret = 'q7-Geheim';
    const where = [
      'device',
      'wifi.ssid',
      'wifi.password',
      'broker.url',
      'broker.username',
      'broker.password',
      'availability',
      'commands',
      'timeServer',
    ];
    for (const path of [
      ...where,
      'sensors[0].driver',
      'sensors[0].address',
      'sensors[0].temperature.topic',
      'sensors[1].pin',
      'sensors[1].rom',
      'settings.predefined',
    ]) {
      for (const around of ['', '+', '\n', ' ', '客'.repeat(50)]) {
        const faults = project.faultsOf(changed(good, { [path]: `\${X}${around}` }), { ...environment, X: secret });
        assert.ok(!faults.join('\n').includes(secret), `${path}: ${faults.join('\n')}`);
      }
    }
  });
});
