import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { KeyFault, makeKeys, publicBytes, publicKeyFromHex, publicKeyObject, readPrivateKey } from '../../host/deploy/keys.js';
import {
  HEADER_BYTES,
  isSignedBy,
  ModuleFault,
  readHeader,
  readModuleFile,
  SIGNED_BYTES,
  signModule,
} from '../../host/deploy/module-file.js';
import { twobyte } from '../cli/cli.js';

let directory: string;
const file = (name: string) => join(directory, name);
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'twobyte-keys-'));
  makeKeys(directory);
});
after(() => rmSync(directory, { recursive: true, force: true }));

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** A signature of r and s as DER, which openssl reads. */
function der(signature: Uint8Array): Buffer {
  const integer = (bytes: Uint8Array) => {
    let digits = Buffer.from(bytes);
    while (digits.length > 1 && digits[0] === 0 && (digits[1] ?? 0) < 128) digits = digits.subarray(1);
    if ((digits[0] ?? 0) >= 128) digits = Buffer.concat([Buffer.of(0), digits]);
    return Buffer.concat([Buffer.of(2, digits.length), digits]);
  };
  const both = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
  return Buffer.concat([Buffer.of(0x30, both.length), both]);
}

describe('keys', () => {
  test('are files of which only the private one is closed, and openssl reads them as ours', () => {
    assert.equal(statSync(file('deploy.key.pem')).mode & 0o777, 0o600);
    const point = openssl('pkey', '-in', file('deploy.key.pem'), '-pubout', '-outform', 'DER').subarray(-64);
    assert.equal(readFileSync(file('deploy.pub.hex'), 'utf8'), `${point.toString('hex')}\n`);
    assert.deepEqual(openssl('pkey', '-pubin', '-in', file('deploy.pub.pem'), '-outform', 'DER').subarray(-64), point);
    const key = readPrivateKey(file('deploy.key.pem'));
    assert.deepEqual(publicBytes(key), point);
    assert.deepEqual(publicBytes(publicKeyObject(point)), point);
  });

  test('are never overwritten', async () => {
    const before = readFileSync(file('deploy.key.pem'));
    assert.throws(() => makeKeys(directory), /deploy\.key\.pem is there already/);
    const { status, stderr } = await twobyte(['keygen', '--out', directory]);
    assert.equal(status, 1);
    assert.match(stderr, /--out: .*is there already, and boards may trust it/);
    assert.deepEqual(readFileSync(file('deploy.key.pem')), before);
  });

  test('are not made where a file is', async () => {
    const { status, stderr } = await twobyte(['keygen', '--out', file('deploy.pub.hex')]);
    assert.deepEqual(
      [status, /^error: --out: the keys cannot be written to .*deploy\.pub\.hex: a file is there already; name another$/m.test(stderr)],
      [1, true],
      stderr,
    );
  });

  test('are made by the command line', async () => {
    const { status, stdout } = await twobyte(['keygen', '--out', file('more/of/them')]);
    assert.equal(status, 0);
    assert.match(stdout.toString(), /deploy\.key\.pem {2}keep it[\s\S]*deploy\.pub\.hex {2}public_key of your boards/);
    readPrivateKey(file('more/of/them/deploy.key.pem'));
  });

  test('that cannot be used are refused by name', () => {
    writeFileSync(file('text.pem'), 'no key');
    openssl('ecparam', '-name', 'secp384r1', '-genkey', '-noout', '-out', file('p384.pem'));
    for (const [name, words] of [
      ['nowhere.pem', /nowhere\.pem': there is no such file; twobyte keygen/],
      ['text.pem', /text\.pem': it holds no private key in PEM/],
      ['deploy.pub.pem', /deploy\.pub\.pem': it holds no private key/],
      ['p384.pem', /p384\.pem' holds another kind of key/],
    ] as const)
      assert.throws(
        () => readPrivateKey(file(name)),
        (error: Error) => error instanceof KeyFault && words.test(error.message),
        name,
      );
    for (const text of ['', 'ab', 'g'.repeat(128), '0'.repeat(127)]) assert.throws(() => publicKeyFromHex(text), KeyFault);
    assert.throws(() => publicKeyObject(Buffer.alloc(64, 1)), /no point of the curve/);
  });
});

describe('a module file', () => {
  const module = Buffer.from('\0asm, and more of it');
  const made = () => signModule(module, { version: 7, name: '底楼', boundary: 1 }, readPrivateKey(file('deploy.key.pem')));

  test('has its fields where docs/updates.md says', () => {
    const bytes = made();
    assert.equal(bytes.length, HEADER_BYTES + module.length);
    assert.equal(bytes.toString('hex', 0, 16), '5432424d' + '01' + '01' + '0000' + '00000007' + '00000014');
    assert.equal(bytes.toString('utf8', 48, 54), '底楼');
    assert.deepEqual(bytes.subarray(54, 64), Buffer.alloc(10));
    const { header, module: read } = readModuleFile(bytes);
    assert.deepEqual([header.version, header.length, header.name, header.boundary], [7, module.length, '底楼', 1]);
    assert.deepEqual(read, module);
  });

  test('is signed as openssl verifies it', () => {
    const bytes = made();
    writeFileSync(file('signed'), bytes.subarray(0, SIGNED_BYTES));
    writeFileSync(file('signature'), der(bytes.subarray(SIGNED_BYTES, HEADER_BYTES)));
    writeFileSync(file('module'), module);
    assert.match(
      openssl('dgst', '-sha256', '-verify', file('deploy.pub.pem'), '-signature', file('signature'), file('signed')).toString(),
      /Verified OK/,
    );
    assert.equal(openssl('dgst', '-sha256', '-binary', file('module')).toString('hex'), bytes.toString('hex', 16, 48));
  });

  test('with any bit changed is no signed module, or not of this key', () => {
    const bytes = made();
    const key = publicKeyObject(publicKeyFromHex(readFileSync(file('deploy.pub.hex'), 'utf8')));
    assert.ok(isSignedBy(bytes, key));
    for (let bit = 0; bit < HEADER_BYTES * 8; bit += 5) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.ok(!isSignedBy(damaged, key), `bit ${bit}`);
    }
    for (const at of [0, 4, 13, 20, HEADER_BYTES + 3]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      assert.throws(() => readModuleFile(damaged), ModuleFault, `byte ${at}`);
    }
    for (const length of [0, 3, HEADER_BYTES - 1, bytes.length - 1])
      assert.throws(() => readModuleFile(bytes.subarray(0, length)), ModuleFault);
    assert.throws(() => readHeader(Buffer.from('no header')), /no signed module/);
  });

  test('is refused with a label that does not fit', () => {
    const key = readPrivateKey(file('deploy.key.pem'));
    for (const version of [0, -1, 1.5, 2 ** 32])
      assert.throws(() => signModule(module, { version, name: 'a', boundary: 1 }, key), /version .* is not/);
    assert.throws(() => signModule(module, { version: 1, name: '底楼底楼底楼', boundary: 1 }, key), /over 16 bytes/);
  });
});
