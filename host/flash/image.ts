import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { keepsSettings, MODULES, type Partition, readPartitions, SETTINGS } from './partitions.js';

/** What is to be flashed cannot be; the message is a sentence for people with the way out. */
export class FlashFault extends Error {}

/** One piece of an image. */
export interface Part {
  /** In bytes from the beginning of the flash. */
  offset: number;
  /** Absolute. */
  path: string;
  size: number;
}

/** A firmware as ESP-IDF builds it. */
export interface Image {
  /** The chip for which it was built, as in `esp32c3`. */
  chip: string;
  /** By offset. */
  parts: Part[];
  /** esptool's options of the flash: mode, frequency, size. */
  settings: string[];
  partitions: Partition[];
}

/** The part of ESP-IDF's flasher_args.json that is used. */
interface FlasherArguments {
  flash_files?: Record<string, string>;
  flash_settings?: { flash_mode?: string; flash_freq?: string; flash_size?: string };
  extra_esptool_args?: { chip?: string };
  'partition-table'?: { file?: string };
}

/** A chip's name as ESP-IDF writes it: `ESP32-C3` is `esp32c3`. */
export const chipName = (text: string): string => text.toLowerCase().replace(/[-_\s]/g, '');

/** The name as people write it: `esp32c3` is `ESP32-C3`. */
export const chipTitle = (chip: string): string => chip.toUpperCase().replace(/^(ESP32)(?=[A-Z])/, '$1-');

/** Reads what a build of ESP-IDF left in `directory`; throws a FlashFault when that is no image. `target` is the chip to name in the way out. */
export function readImage(directory: string, target: string): Image {
  const build = `build it: npm run firmware -- --target ${target}`;
  const file = join(directory, 'flasher_args.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new FlashFault(`there is no firmware in ${directory} (no flasher_args.json); ${build}, or name its directory with --image`);
  }
  let args: FlasherArguments;
  try {
    args = JSON.parse(text) as FlasherArguments;
  } catch {
    throw new FlashFault(`${file} is not JSON; ${build}`);
  }
  const files = Object.entries(args.flash_files ?? {});
  const chip = args.extra_esptool_args?.chip;
  if (files.length === 0 || chip === undefined) throw new FlashFault(`${file} names no files or no chip; ${build}`);
  const parts = files.map(([offset, name]) => partAt(Number(offset), resolve(directory, name), build));
  const table = args['partition-table']?.file;
  return {
    chip: chipName(chip),
    parts: parts.sort((a, b) => a.offset - b.offset),
    settings: settingsOf(args.flash_settings ?? {}),
    partitions: table === undefined ? [] : readPartitions(readFileSync(partAt(0, resolve(directory, table), build).path)),
  };
}

function settingsOf(settings: NonNullable<FlasherArguments['flash_settings']>): string[] {
  return (['flash_mode', 'flash_freq', 'flash_size'] as const).flatMap((name) => {
    const value = settings[name];
    return value === undefined ? [] : [`--${name.replace('_', '-')}`, value];
  });
}

function partAt(offset: number, path: string, wayOut: string): Part {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new FlashFault(`${path} has no offset in the flash; ${wayOut}`);
  try {
    const { size } = statSync(path);
    return { offset, path, size };
  } catch {
    throw new FlashFault(`${path} is missing; ${wayOut}`);
  }
}

/** Puts `path` into the partition that is for modules, or for settings; throws a FlashFault when there is none or it is too small. */
export function addTo(image: Image, what: 'module' | 'settings', path: string): Image {
  const names = what === 'module' ? MODULES : [SETTINGS];
  const partition = image.partitions.find(({ name }) => names.includes(name));
  const where = `--${what} '${path}'`;
  if (!partition)
    throw new FlashFault(`${where}: the firmware's partition table has no partition for it (${names.join(', ')}); leave --${what} out`);
  const part = partAt(partition.offset, resolve(path), `name a file with --${what}`);
  if (part.size > partition.size)
    throw new FlashFault(`${where} has ${part.size} bytes; its partition ${partition.name} has room for ${partition.size}`);
  return { ...image, parts: [...image.parts, part].sort((a, b) => a.offset - b.offset) };
}

/** The partition with settings that writing this image would overwrite, if any: the pieces of a build leave them alone. `given` is meant to. */
export function harmed(image: Image, given: string | undefined): Partition | undefined {
  const parts = image.parts.filter(({ path }) => given === undefined || path !== resolve(given));
  return image.partitions
    .filter(keepsSettings)
    .find(({ offset, size }) => parts.some((part) => part.offset < offset + size && offset < part.offset + part.size));
}
