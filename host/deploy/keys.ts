import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unwritable } from '../file-faults.js';

// The keys of whoever deploys: ECDSA over P-256. docs/updates.md says what each is for.

/** A key cannot be read, used or written; the message says which, why and what to do. */
export class KeyFault extends Error {}

export interface KeyFiles {
  /** PEM (PKCS #8), readable by its owner only: it signs. */
  privateKey: string;
  /** PEM (SPKI), for other tools. */
  publicPem: string;
  /** 128 hexadecimal digits and a line break, for a board's `public_key`. */
  publicHex: string;
}

/** Makes a pair of keys in `directory`, which is made if need be. Throws a KeyFault where one of the files is there already: nothing is overwritten. */
export function makeKeys(directory: string): KeyFiles {
  const files = {
    privateKey: join(directory, 'deploy.key.pem'),
    publicPem: join(directory, 'deploy.pub.pem'),
    publicHex: join(directory, 'deploy.pub.hex'),
  };
  const present = Object.values(files).find((file) => existsSync(file));
  if (present !== undefined)
    throw new KeyFault(`${present} is there already, and boards may trust it: give another directory, or move it away first`);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  try {
    mkdirSync(directory, { recursive: true });
    // `wx`: another program may have made it meanwhile.
    writeFileSync(files.privateKey, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
    writeFileSync(files.publicPem, publicKey.export({ type: 'spki', format: 'pem' }), { flag: 'wx' });
    writeFileSync(files.publicHex, `${publicBytes(publicKey).toString('hex')}\n`, { flag: 'wx' });
  } catch (error) {
    throw new KeyFault(`the keys cannot be written to ${directory}: ${unwritable(error)}`);
  }
  return files;
}

/** Reads the private key of a PEM file, PKCS #8 or SEC 1. Throws a KeyFault. */
export function readPrivateKey(path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(readFileSync(path));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'ENOENT'
        ? 'there is no such file; twobyte keygen makes one'
        : code !== undefined && !code.startsWith('ERR_')
          ? message
          : 'it holds no private key in PEM';
    throw new KeyFault(`cannot read '${path}': ${why}`);
  }
  if (!isP256(key))
    throw new KeyFault(`'${path}' holds another kind of key: boards verify ECDSA over P-256; twobyte keygen makes such a pair`);
  return key;
}

/** The public key of a private or public one, as a board has it. */
export function publicBytes(key: KeyObject): Buffer {
  const { x = '', y = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
}

/** A public key from its 128 hexadecimal digits, blanks around them. Throws a KeyFault. */
export function publicKeyFromHex(text: string): Buffer {
  const digits = text.trim();
  if (!/^[0-9a-f]{128}$/i.test(digits))
    throw new KeyFault('a public key is 128 hexadecimal digits, as twobyte keygen writes them to a file that ends in .hex');
  return Buffer.from(digits, 'hex');
}

/** The same as a key that node:crypto takes. Throws a KeyFault when it is no point of the curve. */
export function publicKeyObject(bytes: Uint8Array): KeyObject {
  const at = (from: number) => Buffer.from(bytes.subarray(from, from + 32)).toString('base64url');
  try {
    return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: at(0), y: at(32) }, format: 'jwk' });
  } catch {
    throw new KeyFault('the public key is no point of the curve P-256: its digits are damaged');
  }
}

function isP256(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
}
