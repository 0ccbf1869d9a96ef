// npm run firmware: builds the ESP-IDF project in firmware/ with the ESP-IDF that IDF_PATH names, and says what it takes of flash and RAM.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compiledModules } from './compiled.js';
import { flashFile, memoryOf, partitions, readBoard, sdkconfigOf, targets } from './firmware-parts.js';
import { command, prepare, progress, root, run } from './prepare.js';
import { wasm3Sources } from './wasm3.js';

const usage =
  'npm run firmware -- --target esp32|esp32c3|esp32s3|linux [--board NAME] [--engine wasm3|aot] [--module FILE] [--json]\n' +
  'builds the firmware with ESP-IDF 5.5 or 6.0; docs/firmware.md';
/** Flashed in slot 0 until another is deployed: with all drivers, so that whatever sensor is provisioned can be read. */
const MODULE = 'node-mqtt';

function readOptions() {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      board: { type: 'string' },
      engine: { type: 'string', default: 'wasm3' },
      module: { type: 'string', default: MODULE },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const board = values.board === undefined ? undefined : readBoard(root, values.board);
  const target = values.target ?? board?.chip;
  if (target === undefined || !targets.includes(target))
    throw new Error(`--target is one of ${targets.join(', ')}, or --board names a board with such a chip`);
  if (board && board.chip !== target)
    throw new Error(`--board ${board.name} has the chip ${board.chip}, not ${target}: leave --target out, or name another board`);
  if (values.engine !== 'wasm3' && values.engine !== 'aot') throw new Error(`--engine ${values.engine} is none: take wasm3 or aot`);
  return { ...values, target, board };
}

/** The IDF, or a sentence that says what to do. */
function idfPath() {
  const path = process.env.IDF_PATH;
  if (!path)
    throw new Error(
      'IDF_PATH is not set: install ESP-IDF 5.5 or 6.0 (docs/firmware.md), run its export.sh in this shell, and then this command again; without it nothing is built',
    );
  if (!existsSync(join(path, 'tools', 'idf.py')))
    throw new Error(`IDF_PATH=${path} holds no tools/idf.py: name the directory of an ESP-IDF 5.5 or 6.0`);
  return path;
}

/** @param {string} module a file, or the name of one of ours */
function moduleFile(module) {
  const file = [resolve(module), join(root, 'build', `${module}.wasm`)].find((path) => existsSync(path));
  if (!file) throw new Error(`--module ${module}: there is no such file, and no build/${module}.wasm; npm run build makes the modules`);
  return file;
}

/** What the engine needs, as variables of the project. @param {string} engine @param {string} module @param {string} build */
async function engineVariables(engine, module, build) {
  const file = moduleFile(module);
  if (engine === 'aot') {
    const directory = join(build, 'compiled');
    mkdirSync(directory, { recursive: true });
    await compiledModules(['module'], directory, () => file);
    return ['ENGINE=aot', `MODULES_DIR=${directory}`];
  }
  const { slotImage } = await import('../build/js/host/deploy/slot-image.js');
  const image = join(build, 'modules.bin');
  writeFileSync(image, slotImage(readFileSync(file), 1));
  return ['ENGINE=wasm3', `WASM3_DIR=${await wasm3Sources(progress)}`, `MODULES_IMAGE=${image}`];
}

await command(async () => {
  const options = readOptions();
  if (!options) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const idf = idfPath();
  await prepare();
  const { target, board, engine } = options;
  const build = join(root, 'build', 'firmware', `${target}${engine === 'aot' ? '-aot' : ''}${board ? `-${board.name}` : ''}`);
  mkdirSync(build, { recursive: true });
  const defaults = join(build, 'sdkconfig.board');
  const wanted = sdkconfigOf(board);
  // What was configured from other defaults is not kept.
  if (!existsSync(defaults) || readFileSync(defaults, 'utf8') !== wanted) rmSync(join(build, 'sdkconfig'), { force: true });
  writeFileSync(defaults, wanted);
  const variables = [
    `IDF_TARGET=${target}`,
    `SDKCONFIG=${join(build, 'sdkconfig')}`,
    `SDKCONFIG_DEFAULTS=${join(root, 'firmware', 'sdkconfig.defaults')};${defaults}`,
    ...(await engineVariables(engine, options.module, build)),
  ];
  const python = process.env.IDF_PYTHON_ENV_PATH ? join(process.env.IDF_PYTHON_ENV_PATH, 'bin', 'python') : 'python3';
  const idfPy = (/** @type {string[]} */ ...args) => [
    join(idf, 'tools', 'idf.py'),
    ...(target === 'linux' ? ['--preview'] : []),
    ...['-C', join(root, 'firmware'), '-B', build],
    ...variables.flatMap((variable) => ['-D', variable]),
    ...args,
  ];
  progress(`building the firmware for ${board?.name ?? target} in ${build}`);
  await run(python, idfPy('build'), { show: true });
  if (target === 'linux') {
    const flash = join(build, 'flash.bin');
    const table = readFileSync(join(build, 'partition_table', 'partition-table.bin'));
    const module = engine === 'aot' ? undefined : readFileSync(join(build, 'modules.bin'));
    writeFileSync(flash, flashFile(table, partitions(readFileSync(join(root, 'firmware', 'partitions.csv'), 'utf8')), module));
    process.stdout.write(`TWOBYTE_FLASH=${flash} ${join(build, 'twobyte.elf')}\n`);
    return 0;
  }
  const size = JSON.parse(await run(python, ['-m', 'esp_idf_size', '--format', 'json2', join(build, 'twobyte.map')]));
  const { flash, ram, text } = memoryOf(size);
  process.stdout.write(options.json ? `${JSON.stringify({ target, board: board?.name, engine, flash, ram })}\n` : `${text}\n`);
  return 0;
});
