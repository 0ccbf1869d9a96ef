import { accessSync, constants, read as readFd, readFileSync, statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { holderOf } from './holder.js';
import { PortFault } from './ports.js';

type Binding = ReturnType<typeof import('@serialport/bindings-cpp')['autoDetect']>;
export type OpenedPort = Awaited<ReturnType<Binding['open']>>;

/** Opens a port to read and write its bytes as they are: eight data bits, no parity, one stop bit, locked against others. Rejects with a PortFault. */
export async function openPort(path: string, baud: number): Promise<OpenedPort> {
  const fault = refusedBefore(path);
  if (fault) throw fault;
  const { autoDetect } = await import('@serialport/bindings-cpp'); // here, so that only those who use it load it
  try {
    return await autoDetect().open({ path, baudRate: baud, hupcl: false }); // lines that drop when a program ends would reset some boards
  } catch (error) {
    throw portFault(path, (error as Error).message);
  }
}

/** Why a port cannot be used, as far as that can be known without opening it; undefined: it may be tried. */
export function faultBefore(path: string): string | undefined {
  return refusedBefore(path)?.message;
}

function refusedBefore(path: string): PortFault | undefined {
  if (process.platform === 'win32') return undefined; // its ports are no files
  try {
    if (!statSync(path).isCharacterDevice()) return notAPort(path);
    accessSync(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return portFault(path, `${(error as NodeJS.ErrnoException).code}: ${(error as Error).message}`);
  }
}

const notAPort = (path: string) => new PortFault(`${path} is not a serial port; name one with --port, as in /dev/ttyUSB0`, 'none');

/** A sentence for a port that could not be opened, from what the system or a program said of it. */
export function openingFault(path: string, message: string): string {
  return portFault(path, message).message;
}

function portFault(path: string, message: string): PortFault {
  if (/ENOENT|ENOTDIR|No such (file|device)|FileNotFound|File not found/i.test(message))
    return new PortFault(`${path} is not there; is the board plugged in?`, 'absent');
  if (/EACCES|EPERM|Permission denied|Access denied|Access is denied|PermissionError/i.test(message))
    return new PortFault(permissionFault(path), 'forbidden');
  if (/EBUSY|EAGAIN|lock port|exclusively lock|Resource (busy|temporarily)|Device or resource busy/i.test(message))
    return new PortFault(`${path} is in use by ${holderOf(path) ?? 'another program'}; end that first`, 'busy');
  if (/ENOTTY|Inappropriate ioctl|Is a directory|Could not configure port/i.test(message)) return notAPort(path);
  if (/baud rate/i.test(message)) return new PortFault(`${path}: ${message}`, 'none');
  return new PortFault(`${path} cannot be opened: ${message}`);
}

function permissionFault(path: string): string {
  if (process.platform !== 'linux') return `no permission for ${path}; another program may have it open, or it is another user's`;
  const group = groupOf(path);
  const join = `run \`sudo usermod -aG ${group ?? 'dialout'} $USER\`, log out and in again`;
  return group === undefined || group === 'root'
    ? `no permission for ${path}; it belongs to root alone: a udev rule has to give it to group dialout`
    : `no permission for ${path}; it belongs to group ${group}: ${join}`;
}

/** The name of the group that owns a file, as /etc/group has it. */
function groupOf(path: string): string | undefined {
  try {
    const { gid } = statSync(path);
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((text) => text.split(':')[2] === String(gid));
    return line?.split(':')[0];
  } catch {
    return undefined;
  }
}

/** Between two looks for bytes, in ms: at 115200 baud a driver's buffer takes 200 ms and more to fill. */
const LOOK_MS = 10;
const readFile = promisify(readFd);

/**
 * Reads what comes next, at least a byte. Rejects when the port is gone. It does not use the package's own reading, which goes on for ever at full load when a
 * port goes away between two of its steps: it takes the end of the file for nothing yet.
 */
export async function readPort(port: OpenedPort, buffer: Buffer): Promise<number> {
  if (process.platform === 'win32') return (await port.read(buffer, 0, buffer.length)).bytesRead;
  while (port.isOpen && port.fd !== null) {
    try {
      const { bytesRead } = await readFile(port.fd, buffer, 0, buffer.length, null);
      if (bytesRead > 0) return bytesRead;
      break;
    } catch (error) {
      if (!/^(EAGAIN|EWOULDBLOCK|EINTR)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
    await pause(LOOK_MS);
  }
  throw new Error('it hung up');
}

/** How long EN is held low, and how long a chip's lines may settle, in ms. */
const RESET_MS = 100;

/**
 * Resets the chip by the port's lines, as boards wire them: RTS holds EN low, DTR low leaves GPIO 0 high, so that it starts its firmware.
 * Rejects with a PortFault where there are no such lines.
 */
export async function resetBy(port: OpenedPort, path: string): Promise<void> {
  try {
    await port.set({ dtr: false, rts: true });
    await pause(RESET_MS);
    await port.set({ dtr: false, rts: false });
  } catch {
    throw new PortFault(`${path} has no lines DTR and RTS by which to reset the board; press its RESET`);
  }
}
