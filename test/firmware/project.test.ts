import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** This file runs as build/js/test/firmware/project.test.js. */
const root = fileURLToPath(new URL('../../../../', import.meta.url));
const port = `${root}firmware/ports/esp-idf`;
const read = (path: string) => readFileSync(root + path, 'utf8');
const { flashFile, memoryOf, partitions, readBoard, sdkconfigOf, targets } = await import(`${root}scripts/firmware-parts.js`);

interface Partition {
  name: string;
  type: string;
  subtype: string;
  offset: number;
  bytes: number;
}

/** KEY=VALUE of a file of defaults. */
function defaults(path: string): Map<string, string> {
  const lines = read(path)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, key, value] = /^(CONFIG_[A-Z0-9_]+)=(.+)$/.exec(line) ?? assert.fail(`${path}: ${line}`);
      return [key ?? '', value ?? ''];
    }),
  );
}

function firmware(args: readonly string[], idf?: string) {
  const { IDF_PATH: _, ...env } = process.env;
  const ended = spawnSync(process.execPath, [`${root}scripts/firmware.js`, ...args], {
    env: idf === undefined ? env : { ...env, IDF_PATH: idf },
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status: ended.status, stdout: ended.stdout, stderr: ended.stderr };
}

describe('the partition table', () => {
  const rows: Partition[] = partitions(read('firmware/partitions.csv'));

  test('has what the firmware opens by name, of its type', () => {
    const kinds = Object.fromEntries(rows.map(({ name, type, subtype }) => [name, `${type} ${subtype}`]));
    assert.deepEqual(kinds, {
      nvs: 'data nvs',
      phy_init: 'data phy',
      app: 'app factory',
      settings: 'data nvs',
      journal: 'data nvs',
      modules: 'data 0x40',
    });
    const named = (file: string) => /_PARTITION "(\w+)"/.exec(readFileSync(`${port}/${file}`, 'utf8'))?.[1];
    assert.deepEqual([named('kept.h'), named('storage.h'), named('modules.h')], ['settings', 'journal', 'modules']);
  });

  test('lies behind the table, whole sectors, one behind the other, within 4 MB', () => {
    let end = 0x9000;
    for (const { name, offset, bytes, type } of rows) {
      assert.ok(offset >= end, `${name} begins within the one before`);
      assert.equal(offset % (type === 'app' ? 0x10000 : 0x1000), 0, `${name} is not aligned`);
      assert.ok(bytes > 0 && bytes % 0x1000 === 0, `${name} is no whole number of sectors`);
      end = offset + bytes;
    }
    assert.ok(end <= 4 << 20);
  });

  test('gives each module a slot of 128 KB that can be mapped', () => {
    const modules = rows.find(({ name }) => name === 'modules');
    assert.deepEqual([modules?.bytes, (modules?.offset ?? 1) % 0x10000], [2 * 128 * 1024, 0]);
  });
});

describe('the configuration', () => {
  test('names each key once in the form that ESP-IDF reads', () => {
    for (const path of ['', ...targets.map((target: string) => `.${target}`)]) defaults(`firmware/sdkconfig.defaults${path}`);
  });

  test('names the partition table, checks the times of certificates, resets a board that hangs', () => {
    const all = defaults('firmware/sdkconfig.defaults');
    assert.equal(all.get('CONFIG_PARTITION_TABLE_CUSTOM_FILENAME'), '"partitions.csv"');
    for (const key of ['PARTITION_TABLE_CUSTOM', 'MBEDTLS_CERTIFICATE_BUNDLE', 'MBEDTLS_HAVE_TIME_DATE', 'ESP_TASK_WDT_INIT', 'PM_ENABLE'])
      assert.equal(all.get(`CONFIG_${key}`), 'y', key);
  });

  test('follows the board', () => {
    const qtpy = readBoard(root, 'adafruit-qtpy-esp32c3');
    assert.deepEqual(sdkconfigOf(qtpy).split('\n'), [
      'CONFIG_TWOBYTE_BOARD_ADAFRUIT_QTPY_ESP32C3=y',
      'CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y',
      'CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG=y',
      '',
    ]);
    for (const file of readdirSync(`${root}boards`).filter((name) => /^(?!.*schema).*\.json$/.test(name))) {
      const board = readBoard(root, file.slice(0, -'.json'.length));
      if (!targets.includes(board.chip)) continue;
      const [symbol = ''] = sdkconfigOf(board).split('=');
      assert.ok(read('firmware/ports/esp-idf/Kconfig.projbuild').includes(`config ${symbol.slice('CONFIG_'.length)}\n`), symbol);
    }
  });
});

test('what is fetched has exact versions, and wasm3 is the one of the other boards', () => {
  const versions = [...read('firmware/ports/esp-idf/idf_component.yml').matchAll(/^ {2}(\S+):\n {4}version: "([^"]+)"/gm)];
  assert.ok(versions.length >= 2);
  for (const [, name, version = ''] of versions) {
    if (name === 'idf') assert.equal(version, '>=5.5,<6.1');
    else assert.match(version, /^\d+\.\d+\.\d+$/, name);
  }
  // One place names it: the project is given the directory.
  assert.match(read('firmware/wasm3/requirements.txt'), /^pywasm3==0\.5\.0 --hash=sha256:/m);
  assert.match(read('scripts/firmware.js'), /WASM3_DIR=\$\{await wasm3Sources\(/);
  assert.doesNotMatch(read('firmware/ports/esp-idf/CMakeLists.txt'), /FetchContent|git/);
});

test('every C file of the port is built, and each file that is built is there', () => {
  const cmake = read('firmware/ports/esp-idf/CMakeLists.txt');
  const list = (name: string) => new RegExp(`^set\\(${name} ([^)]*)\\)`, 'm').exec(cmake)?.[1]?.split(/\s+/) ?? [];
  const built = new Set([...['port', 'on_chip', 'on_linux'].flatMap(list), 'console_uart.c', 'console_usb.c']);
  const there = new Set(readdirSync(port).filter((name) => name.endsWith('.c')));
  assert.deepEqual([...built].sort(), [...there].sort());
  for (const name of list('portable')) assert.ok(existsSync(`${root}firmware/shell/${name}`), name);
});

test('a board that was not provisioned starts with boards/cable.conf, and says that these settings are not its own', () => {
  const settings = read('boards/cable.conf')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const lines = [...read('firmware/ports/esp-idf/built_in.h').matchAll(/^ {4}"(.*)\\n"/gm)].map(([, line]) => line);
  assert.deepEqual(lines, settings);
  // No network and nothing but the board: that makes it a reading by the cable alone.
  assert.deepEqual(
    settings.map((line) => line.split(' = ')[0]),
    ['broker', 'reconnect_max', 'thermometer', 'client_id', 'topic', 'qos', 'interval'],
  );
  assert.match(settings.join('\n'), /^broker = mqtt\+line:.*\n(.*\n)*thermometer = chip$/m);
  assert.match(
    read('firmware/ports/esp-idf/provisioned.c'),
    /settings_read\(settings, "built-in settings", built_in, sizeof built_in - 1\)/,
  );
  assert.match(read('firmware/ports/esp-idf/main.c'), /\.settings = configured && !provisioned_built_in\(\)/);
});

test('the flash of the linux target holds the table and the module where they belong', () => {
  const rows: Partition[] = partitions(read('firmware/partitions.csv'));
  const module = Buffer.from('a module with its header');
  const flash: Buffer = flashFile(Buffer.from('table'), rows, module);
  assert.equal(flash.length, 4 << 20);
  assert.equal(flash.toString('latin1', 0x8000, 0x8005), 'table');
  assert.deepEqual(flash.subarray(0x200000, 0x200000 + module.length), module);
  assert.equal(flash[0x200000 + module.length], 0xff);
  assert.throws(
    () => flashFile(Buffer.alloc(0), rows, Buffer.alloc(128 * 1024 + 1)),
    /the module has 131073 bytes with its header, a slot 131072/,
  );
});

test('flash and static RAM are read from what esp_idf_size says', () => {
  const layout = [
    { name: 'Flash Code', used: 700_000, total: 4_000_000 },
    { name: 'DIRAM', used: 102_400, total: 321_296 },
    { name: 'RTC SLOW', used: 100, total: 8192 },
  ];
  assert.deepEqual(memoryOf({ total_size: 1_048_576, layout }), {
    flash: 1_048_576,
    ram: 102_400,
    text: 'flash 1024.0 KB; RAM, static: 100.0 KB (DIRAM 100.0 KB of 313.8 KB)',
  });
});

describe('npm run firmware, where it cannot build, says what to do in one sentence', () => {
  for (const [name, args, idf, sentence] of [
    [
      'without an ESP-IDF',
      ['--target', 'esp32c3'],
      undefined,
      /^IDF_PATH is not set: install ESP-IDF 5\.5 or 6\.0 .* without it nothing is built\n$/,
    ],
    ['an ESP-IDF that is none', ['--target', 'esp32'], '/nowhere', /^IDF_PATH=\/nowhere holds no tools\/idf\.py: .*\n$/],
    ['a target that is none', ['--target', 'esp8266'], undefined, /^--target is one of esp32, esp32c3, esp32s3, linux, or .*\n$/],
    ['no target', [], undefined, /^--target is one of .*\n$/],
    ['a board that is none', ['--board', 'nope'], undefined, /^--board nope is none: take .*esp32-c3-devkitm.*\n$/],
    ["another chip's board", ['--board', 'esp32-devkitc', '--target', 'esp32c3'], undefined, /has the chip esp32, not esp32c3: .*\n$/],
    ['an engine that is none', ['--target', 'linux', '--engine', 'jit'], undefined, /^--engine jit is none: take wasm3 or aot\n$/],
  ] as const)
    test(name, () => {
      const { status, stdout, stderr } = firmware(args, idf);
      assert.match(stderr, sentence);
      assert.deepEqual([status, stdout], [1, '']);
    });
});
