import type { SerialAddress } from '../links/address.js';
import { serialPort } from './serial-port.js';
import { UsageError } from './usage.js';

const DEFAULT_BAUD = 115_200;

/** The port of a board: the one that --port names, or the only one on USB. */
export async function boardPort(text: string | undefined): Promise<{ path: string; baud: number }> {
  if (text !== undefined) return serialPort(text, '--port') satisfies SerialAddress;
  const { autoDetect } = await import('@serialport/bindings-cpp'); // here, so that only those who use it load it
  const ports = (await autoDetect().list()).filter(({ vendorId }) => vendorId !== undefined);
  const [port, ...more] = ports;
  if (!port) throw new UsageError('--port: no serial port on USB is there; is the board plugged in? Name one as in --port /dev/ttyUSB0');
  if (more.length > 0) throw new UsageError(`--port: there are ${ports.map(({ path }) => path).join(', ')}; name the board's`);
  return { path: port.path, baud: DEFAULT_BAUD };
}
