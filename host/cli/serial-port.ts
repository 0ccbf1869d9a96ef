import { parseAddress, type SerialAddress } from '../links/address.js';
import { UsageError } from './usage.js';

/** The port that --serial, or another option, names: PATH, PATH@BAUD, or PATH?baud=N as in the address mqtt-sn+serial://PATH?baud=N. */
export function serialPort(text: string, option = '--serial'): SerialAddress {
  if (!text.startsWith('/'))
    throw new UsageError(`${option}: '${text}' is not an absolute path, as in /dev/ttyUSB0 or /dev/ttyUSB0@115200`);
  const [, path = text, rate] = /^([^?]+)@([^@/?]*)$/.exec(text) ?? [];
  const literal = path.split('/').map(encodeURIComponent).join('/');
  const address = path.includes('?') ? path : `${literal}${rate === undefined ? '' : `?baud=${rate}`}`;
  try {
    return parseAddress(`mqtt-sn+serial://${address}`) as SerialAddress;
  } catch (error) {
    const [, what = ''] = /': (.*?)\. Write /s.exec((error as Error).message) ?? [];
    throw new UsageError(`${option} '${text}': ${what}; write it as in /dev/ttyUSB0@115200`);
  }
}
