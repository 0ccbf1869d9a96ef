import { readFileSync } from 'node:fs';

/** A serial port of this machine. What is not known is undefined; a port without vendor is not on USB. */
export interface SerialPort {
  path: string;
  /** USB ids, four hexadecimal digits in lower case. */
  vendor?: string;
  product?: string;
  serialNumber?: string;
  maker?: string;
}

/** What a port says of itself, as the operating system's list has it. */
export interface ListedPort {
  path: string;
  vendorId?: string | undefined;
  productId?: string | undefined;
  serialNumber?: string | undefined;
  manufacturer?: string | undefined;
}

/** What is wrong with a port: it is not there, not allowed, in use, no serial port, or something else. */
export type PortFaultKind = 'absent' | 'forbidden' | 'busy' | 'none' | 'other';

/** No port can be listed, chosen or used; the message is a sentence for people with the way out. */
export class PortFault extends Error {
  readonly kind: PortFaultKind;

  constructor(message: string, kind: PortFaultKind = 'other') {
    super(message);
    this.kind = kind;
  }
}

/** USB bridges of boards by vendor and product; `*` is any other product of the vendor. */
const bridges: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '303a': { '1001': 'USB of an Espressif chip', '*': 'USB of an Espressif chip' },
  '10c4': { ea60: 'CP210x', ea63: 'CP210x', ea70: 'CP2105', ea71: 'CP2108' },
  '1a86': { '7522': 'CH340', '7523': 'CH340', '5523': 'CH341', '55d2': 'CH342', '55d3': 'CH343', '55d4': 'CH9102', '55d8': 'CH9101' },
  '0403': { '6001': 'FT232R', '6010': 'FT2232H', '6011': 'FT4232H', '6014': 'FT232H', '6015': 'FT-X' },
  '067b': { '2303': 'PL2303', '23a3': 'PL2303' },
};

/** The bridge by which a board is probably behind this port; undefined when none is known. */
export function bridgeOf({ vendor, product }: SerialPort): string | undefined {
  const products = bridges[vendor ?? ''];
  return products?.[product ?? ''] ?? products?.['*'];
}

/** The ports of this machine, by path. `list` asks the operating system; throws a PortFault when that cannot be done. */
export async function listPorts(list: () => Promise<ListedPort[]> = systemPorts): Promise<SerialPort[]> {
  let listed: ListedPort[];
  try {
    listed = await list();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || /udevadm/.test(message))
      throw new PortFault(
        'the serial ports cannot be listed: udevadm is missing (Debian: apt-get install udev); or name the port with --port',
      );
    throw new PortFault(`the serial ports cannot be listed: ${message}; name the port with --port`);
  }
  return listed
    .map((port) => ({
      path: port.path,
      ...(port.vendorId !== undefined && { vendor: port.vendorId.toLowerCase() }),
      ...(port.productId !== undefined && { product: port.productId.toLowerCase() }),
      ...(port.serialNumber !== undefined && { serialNumber: port.serialNumber }),
      ...(port.manufacturer !== undefined && { maker: port.manufacturer }),
    }))
    .sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }));
}

async function systemPorts(): Promise<ListedPort[]> {
  const { autoDetect } = await import('@serialport/bindings-cpp'); // here, so that only those who use it load it
  return autoDetect().list();
}

/** A port in words: `/dev/ttyUSB0 (CP210x by Silicon Labs, 10c4:ea60, serial number 0001)`. */
export function describePort(port: SerialPort): string {
  const { path, vendor, product, serialNumber, maker } = port;
  if (vendor === undefined) return `${path} (not on USB)`;
  const what = bridgeOf(port) ?? 'no bridge that boards have';
  const ids = `${vendor}:${product ?? '????'}`;
  return `${path} (${what}${maker ? ` by ${maker}` : ''}, ${ids}${serialNumber ? `, serial number ${serialNumber}` : ''})`;
}

/** Whether Linux runs in Windows, which does not hand on its USB by itself. */
function isWsl(): boolean {
  try {
    return /microsoft/i.test(readFileSync('/proc/sys/kernel/osrelease', 'utf8'));
  } catch {
    return false;
  }
}

const help: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'Linux needs no driver but its own cp210x, ch341, ftdi_sio or cdc_acm: `dmesg` tells what came when you plug it in',
  darwin: 'macOS has the drivers but for some CH34x, whose maker gives one',
  win32: 'Windows may need the driver that the maker of the bridge gives, CP210x or CH34x: the Device Manager shows what lacks one',
};

/** The words behind `no serial port has a board`. */
function wayOut(platform: NodeJS.Platform, wsl: boolean): string {
  const plug = 'plug one in by a cable that carries data, or name it with --port';
  const more = wsl ? 'Linux in Windows sees USB only after `usbipd attach --wsl`' : help[platform];
  return more ? `${plug}; ${more}` : plug;
}

/**
 * The port to use: the one that is given, else the only one with a board. Throws a PortFault which tells the choices when there is none or more than one.
 * `ports` may be given in place of this machine's.
 */
export async function choosePort(given?: string, ports?: SerialPort[], platform = process.platform, wsl = isWsl()): Promise<string> {
  if (given !== undefined) return given;
  const all = ports ?? (await listPorts());
  const boards = all.filter((port) => bridgeOf(port) !== undefined);
  const [only, another] = boards;
  if (only && !another) return only.path;
  if (another) throw new PortFault(`${boards.length} ports may have the board; name one with --port:${lines(boards)}`);
  const others = all.filter(({ vendor }) => vendor !== undefined);
  const seen = others.length > 0 ? `; these are on USB, too:${lines(others)}` : '';
  throw new PortFault(`no serial port has a board: ${wayOut(platform, wsl)}${seen}`);
}

const lines = (ports: SerialPort[]) => ports.map((port) => `\n  ${describePort(port)}`).join('');
