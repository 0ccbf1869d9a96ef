import { setTimeout } from 'node:timers/promises';
import type { Way } from '../bridge/bridge.js';
import { BoardConsole, type BoardDescription, BoardSilent, UploadRefused } from '../console/console.js';
import { isMqttSn, linkTo, redact } from '../links/address.js';
import type { OpenLink } from '../links/link.js';
import { type BoardListener, type BoardSettings, settingLine } from '../rungs/rung.js';
import { type HilBoard, NotHere, type Protocol } from './ground.js';
import { within } from './heard.js';
import { openWire, type PortWire } from './wire.js';

// A board behind a serial port: each scenario brings it settings and restarts it, and what it says comes by its console. Its MQTT goes by the
// same line, or by a network of its own.

/** For a board to answer, in ms; one that ended in order may have to be started again by what watches it. */
const ANSWER_MS = 8000;
/** For a board to say what it is after a restart. */
const RESTART_MS = 15_000;
/** For all of a start, settings and restart together. */
const START_MS = 60_000;
/** For a chip to say after a reset what it does. */
const BOOT_MS = 1500;

/** What an ESP32 writes when GPIO 0 (or 9) was low at its reset. */
const BOOT_MODE = /waiting for download|boot:0x[0-9a-f]+ \(DOWNLOAD/i;

/** What scenarios have where they want no other. */
const SIMULATED = 'simulated:1';

export interface BoardBehindPort {
  readonly description: BoardDescription;
  /** Where its MQTT goes. */
  readonly byLine: boolean;
  start(settings: BoardSettings, listener: BoardListener): Promise<HilBoard>;
  close(): Promise<void>;
}

export interface PortParts {
  path: string;
  baud: number;
  /** Whether its broker is reached by the line, and not by a network of its own. */
  byLine: boolean;
  /** What the firmware of this release says it is. */
  firmware: string;
  /** The chip that it should have; undefined: any. */
  chip?: string | undefined;
  /** For a board to answer, in ms. */
  patience?: number;
}

/** Opens the port and looks who is there; rejects with a sentence when nobody is, or another than is wanted. */
export async function boardBehindPort(parts: PortParts): Promise<BoardBehindPort> {
  const wire = await openWire(parts.path, parts.baud);
  try {
    return new Behind(wire, parts, await whoIsThere(wire, parts));
  } catch (error) {
    await wire.close();
    throw error;
  }
}

async function whoIsThere(wire: PortWire, { path, baud, firmware, chip, patience = ANSWER_MS }: PortParts): Promise<BoardDescription> {
  const console = await BoardConsole.open({ duplex: wire.lend(), baud });
  try {
    await console.ready(patience);
    const description = await console.describe();
    if (description.firmware !== firmware)
      throw new Error(
        `the board at ${path} has firmware ${description.firmware}, and this is ${firmware}: flash it anew (twobyte flash), or take the other release of this program`,
      );
    if (chip !== undefined && description.chip !== chip)
      throw new Error(`the board at ${path} has the chip ${description.chip}, and --board says ${chip}; take that board, or its own file`);
    return description;
  } catch (error) {
    if (error instanceof BoardSilent && (await isInBootMode(wire)))
      throw new Error(`the board at ${path} is in boot mode ("waiting for download"): let go of its BOOT button and press RESET`);
    if (error instanceof BoardSilent) throw new Error(error.message.replace('the wire', path));
    throw error;
  } finally {
    await console.close();
  }
}

/** A chip says so once, at its reset: what was not heard before is asked for by another. */
async function isInBootMode(wire: PortWire): Promise<boolean> {
  if (BOOT_MODE.test(wire.heard())) return true;
  try {
    await wire.reset();
    await setTimeout(BOOT_MS);
  } catch {
    // a port without such lines
  }
  return BOOT_MODE.test(wire.heard());
}

/** Where a board's link leads by the line, from begin() on: what a board still says that has the settings of before leads nowhere. */
function waysTo(broker: string): { ways: { brokers: readonly Way[]; gateway?: Way }; begin(): void } {
  const urls = broker.trim().split(/\s+/);
  const all = urls.map((url) => ({ name: redact(url), open: linkTo(url) }));
  let begun = false;
  const [gateway] = all;
  if (urls.some(isMqttSn) && gateway)
    return {
      ways: { brokers: [], gateway: { ...gateway, open: gated(gateway.open, () => begun) } },
      begin: () => {
        begun = true;
      },
    };
  const brokers: Way[] = []; // the bridge looks at each opening what is in here
  return { ways: { brokers }, begin: () => void brokers.push(...all) };
}

const gated =
  (open: OpenLink, isOpen: () => boolean): OpenLink =>
  (listener) => {
    const link = open(listener);
    return {
      datagrams: true,
      send: (message) => (isOpen() ? link.send(message) : message.length),
      pause: () => link.pause(),
      resume: () => link.resume(),
      close: () => link.close(),
    };
  };

class Behind implements BoardBehindPort {
  readonly byLine: boolean;
  readonly #wire: PortWire;
  readonly #baud: number;
  #isRunning = false;

  constructor(
    wire: PortWire,
    { baud, byLine }: PortParts,
    readonly description: BoardDescription,
  ) {
    this.#wire = wire;
    this.#baud = baud;
    this.byLine = byLine;
  }

  async start(settings: BoardSettings, listener: BoardListener): Promise<HilBoard> {
    if (this.#isRunning) throw new NotHere('behind the port is one board, and this scenario has two at a time');
    this.#checkModule(settings);
    const url = String(settings.broker);
    const text = Object.entries({ ...this.#own(settings), broker: this.byLine ? byLineInstead(url) : url })
      .map(settingLine)
      .join('');
    const { ways, begin } = text.includes('+line:') ? waysTo(url) : { ways: {}, begin() {} };
    const console = await BoardConsole.open({ duplex: this.#wire.lend(), baud: this.#baud }, ways);
    this.#isRunning = true;
    const close = async () => {
      if (!this.#isRunning) return;
      this.#isRunning = false;
      await console.close();
    };
    const starting = async () => {
      await console.ready(ANSWER_MS);
      await console.upload('settings', Buffer.from(text));
      const board = boardAt(console, listener, close);
      await board.restartWith(begin);
      return board;
    };
    try {
      return await within(starting(), 'the start of the board', START_MS);
    } catch (error) {
      await close();
      throw error instanceof UploadRefused ? new Error(error.message) : error;
    }
  }

  close(): Promise<void> {
    return this.#wire.close();
  }

  /** The settings as this board has them. */
  #own({ module: _, thermometer, journal, ...rest }: BoardSettings): BoardSettings {
    const { board } = this.description;
    const simulates = board === 'posix' || board.startsWith('qemu');
    if (!simulates && thermometer !== SIMULATED) throw new NotHere('the board has a thermometer of its own, and reads no other');
    return {
      ...rest,
      ...(simulates && { thermometer: thermometer ?? '' }),
      ...(journal !== undefined && { journal: board === 'posix' ? journal : simulates ? 'nvram' : 'nvs' }),
    };
  }

  /** What a board runs is in its flash; a scenario that wants another module is not for it. */
  #checkModule({ broker, module, journal }: BoardSettings): void {
    const name = this.description.module.replace(/\.wasm$/, '');
    const protocol: Protocol = String(broker).startsWith('mqtt-sn') ? 'mqtt-sn' : 'mqtt';
    if (!speaks(name, protocol)) throw new NotHere(`the board runs the module ${name}, which does not speak ${protocol}`);
    if (module !== undefined && module !== name) throw new NotHere(`the board runs the module ${name}, and this scenario is of ${module}`);
    const hasJournal = name.endsWith('-journal') || name.startsWith('node');
    if (journal !== undefined && !hasJournal) throw new NotHere(`the board runs the module ${name}, which keeps no journal`);
  }
}

function speaks(name: string, protocol: Protocol): boolean {
  if (/-mqttsn\b/.test(name)) return protocol === 'mqtt-sn';
  return !/-mqtt\b/.test(name) || protocol === 'mqtt';
}

/** An address that cannot be used goes to the board as it is, which is to refuse it. */
function byLineInstead(url: string): string {
  return /^(mqtt|mqtt-sn):\/\/[^\s/?]+(\s+(mqtt|mqtt-sn):\/\/[^\s/?]+)*$/.test(url) && !/[?@]/.test(url)
    ? `${url.startsWith('mqtt-sn') ? 'mqtt-sn' : 'mqtt'}+line://hil`
    : url;
}

interface BoardAt extends HilBoard {
  /** Restarts it; `begun` is called when what it says is of its new start. */
  restartWith(begun: () => void): Promise<void>;
}

/** A board with its new settings; the listener hears what it says from its restart on. */
function boardAt(console: BoardConsole, listener: BoardListener, close: () => Promise<void>): BoardAt {
  let begun: (() => void) | undefined;
  let isNew = false;
  let words = '';
  console.on('says', (line) => {
    if (!isNew) return;
    words += `${words && '\n'}${line}`;
    listener.says(line);
  });
  console.on('remark', (text) => isNew && listener.says(text));
  console.on('event', (event) => {
    if (event.event === 'board') {
      if (!isNew) begun?.();
      isNew ||= begun !== undefined;
    }
    if (!isNew || event.event === 'board') return;
    if (event.event === 'unconfigured') listener.failed(new Error(`the board does not start with these settings: ${words}`));
    else listener.event(event);
  });
  const next = (names: string[], missing: string) => {
    const event = console.next(({ event }) => names.includes(event), RESTART_MS, missing);
    event.catch(() => {}); // the command fails first, perhaps
    return event;
  };
  return {
    async restartWith(callback) {
      const board = next(['board'], 'the board was told to restart, and does not speak again');
      begun = callback;
      await console.command('restart');
      await board;
    },
    async stop() {
      const over = next(['ended', 'stopped'], 'the board does not stop');
      await console.command('stop');
      await over;
      await close();
    },
    kill: () => Promise.reject(new NotHere('a board behind a port cannot be switched off by a program, and stay off')),
    leave: close, // the next scenario restarts it
    sleep: () => Promise.reject(new NotHere('a board behind a port starts again after its sleep, with the settings of before')),
    restart: () => console.command('restart'),
  };
}
