import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
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
  /** For a client that has to show one; the common name is `client`. */
  client: Pair;
}

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

  await request('ca', '-x509', '-days', '2', '-extensions', 'authority_extensions', '-out', 'ca.pem');
  await request('selfSigned', '-x509', '-days', '2', '-extensions', 'here', '-out', 'selfSigned.pem');
  return {
    ca: join(dir, 'ca.pem'),
    server: await signed('server', 'here'), // one after another: they share the authority's index
    wrongHost: await signed('wrongHost', 'elsewhere'),
    expired: await signed('expired', 'here', '-startdate', '20200101000000Z', '-enddate', '20200102000000Z'),
    selfSigned: pair('selfSigned'),
    client: await signed('client', 'client'),
  };
}
