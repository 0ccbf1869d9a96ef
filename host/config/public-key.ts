// The key that modules are signed with, as the firmware takes it: x and y of a point on P-256.

import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { reasons } from './board.js';

/** Reads a key: PEM (SPKI), or 128 hexadecimal digits. `fault` says why it cannot be used. */
export function publicKeyOf(path: string): { key: string } | { fault: string } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { fault: `${path} cannot be read: ${reasons[code ?? ''] ?? code}` };
  }
  const digits = text.trim();
  if (/^[0-9a-fA-F]{128}$/.test(digits)) return { key: digits.toLowerCase() };
  if (/PRIVATE KEY/.test(text)) return { fault: `${path} is a private key, which stays off the board; name the public one` };
  try {
    const { crv, x, y } = createPublicKey(text).export({ format: 'jwk' });
    if (crv === 'P-256' && x !== undefined && y !== undefined)
      return { key: [x, y].map((part) => Buffer.from(part, 'base64url').toString('hex').padStart(64, '0')).join('') };
  } catch {
    // Told below: it is none at all.
  }
  return { fault: `${path} is no public key of ECDSA P-256; make one with twobyte keygen` };
}
