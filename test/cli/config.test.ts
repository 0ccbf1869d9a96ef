import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { schemaText } from '../../host/config/index.js';
import { changed, good, Project } from '../config/project.js';
import { twobyte } from './cli.js';

describe('twobyte config', () => {
  test('prints the settings without secrets, and ends with status 0', async () => {
    using project = new Project();
    const file = project.write('twobyte.config.json', good);
    const { status, stdout, stderr } = await twobyte(['config', file], { env: { WIFI: 'a long password' } });
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout.toString(), /^broker = mqtt:\/\/192\.168\.1\.10\nwifi_ssid = home\nwifi_password = …\n/);
    assert.match(stdout.toString(), /\nreading_1 = sht3x:44 temperature myhome\/底楼\/客厅\/温度\n/);
  });

  test('says all faults on stderr, and ends with status 1', async () => {
    using project = new Project();
    const file = project.write('twobyte.config.json', changed(good, { colour: 1, 'sensors[1].pin': 34 }));
    const { status, stdout, stderr } = await twobyte(['config', file], { env: { WIFI: 'hunter2' } });
    assert.deepEqual([status, stdout.toString()], [1, '']);
    const faults = stderr.replaceAll(`${project.directory}/`, '').trimEnd().split('\n');
    assert.equal(faults.length, 3);
    for (const [index, start] of [
      'colour: no such key',
      'wifi.password: is too short',
      'sensors[1].pin: GPIO 34 is input-only on esp32',
    ].entries())
      assert.ok(faults[index]?.startsWith(`twobyte config: twobyte.config.json: ${start}`), faults[index]);
    assert.doesNotMatch(stderr, /hunter2/);
  });

  test('says warnings on stderr, and goes on', async () => {
    using project = new Project();
    const file = project.write('twobyte.config.json', changed(good, { 'wifi.password': 'hunter22' }));
    const { status, stdout, stderr } = await twobyte(['config', file]);
    assert.equal(status, 0);
    assert.match(stderr, /^twobyte config: .*: wifi\.password: stands in the file itself; write "\$\{WIFI_PASSWORD\}" /);
    assert.doesNotMatch(stdout + stderr, /hunter22/);
  });

  test('without a file there is twobyte.config.json', async () => {
    const { status, stderr } = await twobyte(['config']);
    assert.deepEqual(
      [status, stderr],
      [1, 'twobyte config: twobyte.config.json: cannot be read: there is no such file; write it, or name another\n'],
    );
  });

  test('--schema prints the schema', async () => {
    assert.equal((await twobyte(['config', '--schema'])).stdout.toString(), schemaText('config'));
  });

  test('--boards lists them', async () => {
    const { stdout } = await twobyte(['config', '--boards']);
    assert.match(stdout.toString(), /^esp32-devkitc +esp32 +Espressif ESP32-DevKitC V4$/m);
    assert.equal(stdout.toString().trimEnd().split('\n').length, 6);
  });

  test('--board tells what is on it, and of each pin what it can do', async () => {
    const { stdout } = await twobyte(['config', '--board', 'adafruit-qtpy-esp32c3']);
    const lines = stdout.toString().split('\n');
    for (const line of [
      'I2C          SDA 5, SCL 6, 100000 Hz, at STEMMA QT (Qwiic fits)',
      '  GPIO 3   A1    1-wire, I2C, DHT22, NTC',
      '  GPIO 5   SDA   1-wire, I2C, DHT22       SDA',
      '  GPIO 8   MISO  –                        is a strapping pin on esp32c3, which decides boot mode at reset',
      '  GPIO 10  SCK   1-wire, I2C, DHT22       usual for 1-wire',
    ])
      assert.ok(lines.includes(line), `${line}\n\n${stdout}`);
  });

  test('--board of none names the nearest', async () => {
    const { status, stderr } = await twobyte(['config', '--board', 'esp32-devkit']);
    assert.deepEqual([status, stderr], [1, 'twobyte config: there is no board "esp32-devkit"; did you mean "esp32-devkitc"?\n']);
  });
});
