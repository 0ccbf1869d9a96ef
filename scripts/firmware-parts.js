// What scripts/firmware.js needs of files: the partition table, a board's description, a flash in a file, the answer of esp_idf_size.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const targets = ['esp32', 'esp32c3', 'esp32s3', 'linux'];

const FLASH_BYTES = 4 << 20;
const TABLE_AT = 0x8000;

/** @typedef {{ name: string, type: string, subtype: string, offset: number, bytes: number }} Partition */

/** The rows of a partition table as ESP-IDF reads it. @param {string} csv @returns {Partition[]} */
export function partitions(csv) {
  return csv
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const [name = '', type = '', subtype = '', offset = '', bytes = ''] = line.split(',').map((cell) => cell.trim());
      return { name, type, subtype, offset: Number(offset), bytes: Number(bytes) };
    });
}

/**
 * The flash of the linux target: erased, with the table and a module in slot 0.
 * @param {Uint8Array} table @param {Partition[]} rows @param {Uint8Array | undefined} module with its slot's header
 */
export function flashFile(table, rows, module) {
  const flash = Buffer.alloc(FLASH_BYTES, 0xff);
  flash.set(table, TABLE_AT);
  const modules = rows.find(({ name }) => name === 'modules');
  if (module && modules) {
    if (module.length > modules.bytes / 2)
      throw new Error(`the module has ${module.length} bytes with its header, a slot ${modules.bytes / 2}`);
    flash.set(module, modules.offset);
  }
  return flash;
}

/** @typedef {{ name: string, chip: string, flash?: number, console?: string }} Board */

/** @param {string} root @param {string} name @returns {Board} */
export function readBoard(root, name) {
  const file = join(root, 'boards', `${name}.json`);
  if (!/^[\w-]+$/.test(name) || !existsSync(file)) {
    const names = readdirSync(join(root, 'boards')).flatMap((entry) => /^(.+)(?<!\.schema)\.json$/.exec(entry)?.[1] ?? []);
    throw new Error(`--board ${name} is none: take ${names.join(', ')}`);
  }
  return { name, ...JSON.parse(readFileSync(file, 'utf8')) };
}

/** What of ESP-IDF's configuration follows from a board. @param {Board | undefined} board */
export function sdkconfigOf(board) {
  if (!board) return '';
  const lines = [`CONFIG_TWOBYTE_BOARD_${board.name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}=y`];
  if (board.chip !== 'linux') lines.push(`CONFIG_ESPTOOLPY_FLASHSIZE_${board.flash ?? 4}MB=y`);
  if (board.console === 'usb') lines.push('CONFIG_ESP_CONSOLE_USB_SERIAL_JTAG=y');
  return `${lines.join('\n')}\n`;
}

/** @typedef {{ total_size: number, layout: { name: string, used: number, total: number }[] }} Size what esp_idf_size says as json2 */

/** Bytes of flash and RAM, and a line that says them. RAM is static: what Wi-Fi, TLS and wasm3 take of the heap comes on top. @param {Size} size */
export function memoryOf({ total_size: flash, layout }) {
  const rams = layout.filter(({ name }) => /^(DIRAM|DRAM|IRAM)$/i.test(name));
  const ram = rams.reduce((sum, { used }) => sum + used, 0);
  const kb = (/** @type {number} */ bytes) => `${(bytes / 1024).toFixed(1)} KB`;
  const parts = rams.map(({ name, used, total }) => `${name} ${kb(used)} of ${kb(total)}`);
  return { flash, ram, text: `flash ${kb(flash)}; RAM, static: ${kb(ram)} (${parts.join(', ')})` };
}
