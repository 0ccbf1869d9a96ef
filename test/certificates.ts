import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Paths of a certificate and its key, both PEM. */
export interface Pair {
  cert: string;
  key: string;
}

export interface Certificates {
  /** The private authority behind all pairs but `selfSigned`. */
  ca: string;
  /** For localhost, 127.0.0.1 and ::1. */
  server: Pair;
  /** For elsewhere.example. */
  wrongHost: Pair;
  /** As `server`, until 2 January 2020. */
  expired: Pair;
  /** As `server`, signed with its own key. */
  selfSigned: Pair;
  /** As `server`, from 1 January 2090 on. */
  notYet: Pair;
  /** As `server`, signed by an authority between; the file has not the authority's own certificate, `chained` has it behind. */
  unchained: Pair;
  chained: Pair;
  /** Another private authority, behind nothing. */
  otherCa: string;
  /** For *.elsewhere.example. */
  wildcard: Pair;
  /** For `*`, and for `*.localhost`: neither stands for localhost. */
  wideWildcard: Pair;
  /** For localhost, U+0000 and .elsewhere.example behind it: one name. */
  nul: Pair;
  /** For the URI `x, DNS:localhost`: no name of a host. */
  lookalike: Pair;
  /** As `server` without the address 127.0.0.1. */
  nameOnly: Pair;
  /** For a client that has to show one; the common name is `client`. */
  client: Pair;
}

/** subjectAltName as DER, in hexadecimal with colons: one name of a kind of GeneralName (82 DNS, 86 URI). What no configuration of openssl can write. */
function alternativeName(kind: number, name: string): string {
  const text = Buffer.from(name, 'latin1');
  const bytes = Buffer.concat([Buffer.of(0x30, text.length + 2, kind, text.length), text]);
  return (bytes.toString('hex').match(/../g) ?? []).join(':');
}
const nulName = alternativeName(0x82, 'localhost\0.elsewhere.example');
const lookalikeName = alternativeName(0x86, 'x, DNS:localhost');

// `openssl ca` rather than `x509 -req`: only it takes a date in the past on every version.
const config = `
[req]
distinguished_name = name
[name]
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 2
unique_subject = no
rand_serial = yes
policy = policy
[policy]
commonName = supplied
[authority_extensions]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[here]
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
extendedKeyUsage = serverAuth
[wildcard]
subjectAltName = DNS:*.elsewhere.example
extendedKeyUsage = serverAuth
[wide]
subjectAltName = DNS:*, DNS:*.localhost
extendedKeyUsage = serverAuth
[nul]
subjectAltName = DER:${nulName}
extendedKeyUsage = serverAuth
[lookalike]
subjectAltName = DER:${lookalikeName}
extendedKeyUsage = serverAuth
[name_only]
subjectAltName = DNS:localhost
extendedKeyUsage = serverAuth
[elsewhere]
subjectAltName = DNS:elsewhere.example
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
`;

/** Makes certificates in `dir`, which exists and is the caller's to remove, with the openssl command line. */
export async function makeCertificates(dir: string): Promise<Certificates> {
  const openssl = (...words: string[]) => promisify(execFile)('openssl', words, { cwd: dir });
  await writeFile(join(dir, 'openssl.cnf'), config);
  await writeFile(join(dir, 'index.txt'), '');

  /** A key and, signed with it, a certificate or the request for one. */
  const request = (name: string, ...more: string[]) =>
    openssl(
      ...['req', '-config', 'openssl.cnf', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', `${name}.key`, '-subj', `/CN=${name}`, ...more],
    );
  const pair = (name: string): Pair => ({ cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) });

  const signed = async (name: string, extensions: string, ...more: string[]): Promise<Pair> => {
    await request(name, '-out', `${name}.csr`);
    await openssl(
      ...['ca', '-config', 'openssl.cnf', '-batch', '-notext', '-in', `${name}.csr`, '-out', `${name}.pem`],
      ...['-extensions', extensions, ...more],
    );
    return pair(name);
  };

  const authority = (name: string) => request(name, '-x509', '-days', '2', '-extensions', 'authority_extensions', '-out', `${name}.pem`);
  const signedBy = ['-cert', 'between.pem', '-keyfile', 'between.key'];
  await authority('ca');
  await authority('otherCa');
  await request('selfSigned', '-x509', '-days', '2', '-extensions', 'here', '-out', 'selfSigned.pem');
  await signed('between', 'authority_extensions');
  const unchained = await signed('unchained', 'here', ...signedBy);
  const chain = await Promise.all(['unchained', 'between'].map((name) => readFile(join(dir, `${name}.pem`), 'utf8')));
  await writeFile(join(dir, 'chained.pem'), chain.join(''));
  return {
    ca: join(dir, 'ca.pem'),
    server: await signed('server', 'here'), // one after another: they share the authority's index
    wrongHost: await signed('wrongHost', 'elsewhere'),
    expired: await signed('expired', 'here', '-startdate', '20200101000000Z', '-enddate', '20200102000000Z'),
    notYet: await signed('notYet', 'here', '-startdate', '20900101000000Z', '-enddate', '20900102000000Z'),
    unchained,
    chained: { ...unchained, cert: join(dir, 'chained.pem') },
    otherCa: join(dir, 'otherCa.pem'),
    wildcard: await signed('wildcard', 'wildcard'),
    wideWildcard: await signed('wideWildcard', 'wide'),
    nul: await signed('nul', 'nul'),
    lookalike: await signed('lookalike', 'lookalike'),
    nameOnly: await signed('nameOnly', 'name_only'),
    selfSigned: pair('selfSigned'),
    client: await signed('client', 'client'),
  };
}
