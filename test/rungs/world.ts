import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { OwnBrokerOptions, Protocol, RungName } from '../../host/hil/ground.js';
import { World } from '../../host/hil/world.js';
import { posixRung } from '../../host/rungs/posix.js';
import { qemuRung } from '../../host/rungs/qemu.js';
import type { Rung } from '../../host/rungs/rung.js';
import { startVirtual } from '../../host/rungs/virtual.js';
import { passwordFile, startMosquitto } from '../mosquitto.js';
import { Judges } from './judges.js';

// The grounds of the tests: all that was built, mosquitto, and at every proxy a strict checker of the protocol.

/** This file runs as build/js/test/rungs/world.js. */
const built = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

export const posixBoard = built('posix/twobyte-posix');
export const sanitizedBoard = built('posix-sanitized/twobyte-posix');
/** The posix board with the sensor modules compiled in. */
export const compiledBoard = built('posix-aot/twobyte-posix');
/** Images for an emulated rv32 machine; those with a module compiled in are named by it. */
export const emulatedBoards = built('qemu-rv32');
/** What ends a posix board at a chosen call when it is preloaded: firmware/test/power_cut.c. */
export const powerCut = built('posix/libpower_cut.so');
export const sensorModule = built('sensor-mqtt.wasm');
export const journalModule = built('sensor-mqtt-journal.wasm');

const isBuilt = (path: string) => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** For a test's `skip`: what has to be installed for this executable to be built. */
export const skipUnbuilt = (path: string) =>
  isBuilt(path) ? false : `the posix board is not built: apt-get install build-essential cmake${path === compiledBoard ? ' wabt' : ''}`;

const skipNoImage = (image: string, packages = '') =>
  isBuilt(join(emulatedBoards, image))
    ? false
    : `the emulated board is not built: apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc${packages}`;

export const rungs: Readonly<Record<Exclude<RungName, 'board'>, { start: Rung; skip: string | false }>> = {
  virtual: { start: startVirtual, skip: false },
  posix: { start: posixRung(posixBoard), skip: skipUnbuilt(posixBoard) },
  /** The same with its modules compiled by wasm2c, in the place of wasm3. */
  'posix-aot': { start: posixRung(compiledBoard), skip: skipUnbuilt(compiledBoard) },
  /** The board's C without an operating system, on an emulated rv32 machine whose UART is bridged here. */
  'qemu-rv32': { start: qemuRung(emulatedBoards), skip: skipNoImage('twobyte-rv32') },
  'qemu-rv32-aot': { start: qemuRung(emulatedBoards, 'aot'), skip: skipNoImage('twobyte-rv32-sensor', ' wabt') },
  /** The posix board with address, leak and undefined-behaviour sanitizers: what they report is a finding of the scenario. */
  sanitized: { start: posixRung(sanitizedBoard), skip: skipUnbuilt(sanitizedBoard) },
};

export interface Place {
  rung: keyof typeof rungs;
  protocol: Protocol;
  module?: string;
  /** The shared broker's. */
  port: number;
}

/** Mosquitto, of one scenario. */
async function ownBroker({ port, login }: OwnBrokerOptions) {
  const lines = async (directory: string) =>
    login
      ? ['allow_anonymous false', `password_file ${await passwordFile(`${directory}/passwords`, { [login.username]: login.password })}`]
      : [];
  return startMosquitto(lines, port);
}

/** A world of one test, which ends with it, and what judges all that passes there. */
export async function judgedWorld(t: TestContext, { rung, protocol, module, port }: Place): Promise<{ world: World; judges: Judges }> {
  const judges = new Judges();
  const world = await World.on({
    rung,
    protocol,
    ...(module !== undefined && { module }),
    start: rungs[rung].start,
    broker: { host: '127.0.0.1', port },
    ownBroker,
    // A line that is busy drops datagrams of the emulated board: at a wire, which is held up, what comes again may not have been seen before.
    watch: (proxy, protocol, kind) => judges.watch(proxy, protocol, { lossy: kind === 'wire' && rung.startsWith('qemu') }),
  });
  t.after(() => world.end());
  return { world, judges };
}
