import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { isSigned, ModuleFault, readModuleFile } from '../deploy/module-file.js';
import { slotImage } from '../deploy/slot-image.js';
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
  const build = `build it: npm run firmware -- --target ${target} in a checkout of Twobyte`;
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

/** Where `what` belongs; throws a FlashFault when the firmware has no place for it. */
function placeOf(image: Image, what: string, name: string): Partition {
  const partition = image.partitions.find((each) => each.name === name);
  if (!partition) throw new FlashFault(`--${what}: the firmware's partition table has no partition '${name}'; leave --${what} out`);
  return partition;
}

function contentOf(what: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new FlashFault(`--${what} '${path}' cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Replaces what is in a place, or adds to it. */
function withPart(image: Image, part: Part): Image {
  return { ...image, parts: [...image.parts.filter(({ offset }) => offset !== part.offset), part].sort((a, b) => a.offset - b.offset) };
}

const WASM = Buffer.from('0061736d01000000', 'hex');

function signedModule(file: Uint8Array, path: string): Buffer {
  try {
    return Buffer.from(readModuleFile(file).module);
  } catch (error) {
    if (error instanceof ModuleFault) throw new FlashFault(`--module '${path}': ${error.message}`);
    throw error;
  }
}

/**
 * Puts a module, signed or not, into the first of the two slots of its partition and leaves the other empty, so that this is the one that runs. The slot is written
 * to `scratch`, a directory that has to stay until all is flashed.
 */
export function withModule(image: Image, path: string, scratch: string): Image {
  const { offset, size } = placeOf(image, 'module', MODULES);
  const file = contentOf('module', path);
  const module = isSigned(file) ? signedModule(file, path) : file;
  if (!module.subarray(0, WASM.length).equals(WASM))
    throw new FlashFault(`--module '${path}' is no WebAssembly module; twobyte build makes one`);
  const slot = slotImage(module, 1);
  if (slot.length > size / 2)
    throw new FlashFault(`--module '${path}' has ${module.length} bytes; a slot has room for ${size / 2 - (slot.length - module.length)}`);
  const both = Buffer.alloc(size, 0xff);
  both.set(slot);
  const to = join(scratch, basename(path));
  writeFileSync(to, both);
  return withPart(image, { offset, path: to, size });
}

/** Each page of an NVS begins with its state; the first of an image is active or full. */
const NVS_PAGE_BYTES = 4096;
const NVS_STATES: readonly number[] = [0xfffffffe, 0xfffffffc];

/** Puts an NVS image with settings into their partition. */
export function withSettings(image: Image, path: string): Image {
  const { offset, size } = placeOf(image, 'settings', SETTINGS);
  const content = contentOf('settings', path);
  if (content.length < NVS_PAGE_BYTES || content.length % NVS_PAGE_BYTES !== 0 || !NVS_STATES.includes(content.readUInt32LE()))
    throw new FlashFault(
      `--settings '${path}' is no image of an NVS, as ESP-IDF's nvs_partition_gen.py makes; twobyte provision takes settings as text, to a board that runs`,
    );
  if (content.length > size) throw new FlashFault(`--settings '${path}' has ${content.length} bytes; its partition has room for ${size}`);
  return withPart(image, { offset, path: resolve(path), size: content.length });
}

/** The partition with settings that writing this image would overwrite, if any: the pieces of a build leave them alone. `given` is meant to. */
export function harmed(image: Image, given: string | undefined): Partition | undefined {
  const parts = image.parts.filter(({ path }) => given === undefined || path !== resolve(given));
  return image.partitions
    .filter(keepsSettings)
    .find(({ offset, size }) => parts.some((part) => part.offset < offset + size && offset < part.offset + part.size));
}
