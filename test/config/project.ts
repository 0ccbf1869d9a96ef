import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Config, ConfigFault, readConfig } from '../../host/config/index.js';

/** Changes of a value by path, `sensors[0].pin`; undefined removes. */
export type Changes = Readonly<Record<string, unknown>>;

/** ${NAME}. */
export const variable = (name: string) => `\${${name}}`;

export const good = {
  board: 'esp32-devkitc',
  device: 'living-room',
  wifi: { ssid: 'home', password: variable('WIFI') },
  broker: { url: 'mqtt://192.168.1.10' },
  sensors: [
    { driver: 'sht3x', temperature: { topic: 'myhome/底楼/客厅/温度' }, humidity: { topic: 'myhome/底楼/客厅/湿度' } },
    { driver: 'ds18b20', pin: 4, temperature: { topic: 'cellar/t' } },
  ],
};

/** The same on the posix board, which has neither Wi-Fi nor pins. */
export const posix: Changes = { board: 'posix', wifi: undefined, 'sensors[1].pin': undefined };
/** The same over MQTT-SN. */
export const sn: Changes = { 'broker.url': 'mqtt-sn://192.168.1.10' };
export const reading = (topic: string) => ({ topic });

export const environment = { WIFI: 'a long password' };

/** A copy of `value` with the changes. */
export function changed(value: unknown, changes: Changes): unknown {
  const copy = structuredClone(value);
  for (const [path, to] of Object.entries(changes)) {
    const keys = path.split(/[.[\]]+/).filter((key) => key !== '');
    const last = keys.pop() ?? '';
    let holder = copy as Record<string, unknown>;
    for (const key of keys) {
      holder[key] ??= {};
      holder = holder[key] as Record<string, unknown>;
    }
    if (to === undefined) delete holder[last];
    else holder[last] = to;
  }
  return copy;
}

/** A directory with files in it, removed by `using`. */
export class Project implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'twobyte-config-'));

  write(name: string, content: unknown, mode = 0o600): string {
    const path = join(this.directory, name);
    writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content), { mode });
    return path;
  }

  /** The configuration `content`, as it is read. */
  read(content: unknown, env: Readonly<Record<string, string>> = environment): Config {
    return readConfig(this.write('twobyte.config.json', content), env);
  }

  /** What is wrong with the configuration `content`; paths begin at the directory. */
  faultsOf(content: unknown, env: Readonly<Record<string, string>> = environment): string[] {
    return this.faults(() => this.read(content, env));
  }

  faults(work: () => unknown): string[] {
    try {
      work();
    } catch (error) {
      if (error instanceof ConfigFault) return error.faults.map((fault) => fault.replaceAll(`${this.directory}/`, ''));
      throw error;
    }
    return [];
  }

  /** Files that configurations name: a board, keys, what looks like a certificate, and a text. */
  writeFiles(): void {
    this.write('bare.json', { title: 'Bare', chip: 'esp32', source: 'a test', pins: [4, 13, 21, 22] });
    this.write('text.txt', 'nothing of the kind');
    this.write('any.pem', '-----BEGIN CERTIFICATE-----\n');
    this.write('key.pem', keys.ec.export({ type: 'spki', format: 'pem' }));
    this.write('rsa.pem', keys.rsa.export({ type: 'spki', format: 'pem' }));
    this.write('private.pem', keys.secret.export({ type: 'pkcs8', format: 'pem' }));
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const keys = (() => {
  const { publicKey: ec, privateKey: secret } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ec, secret, rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey };
})();

/** What is changed of a good configuration, and all that is said of it then; nothing where it is good. */
export type Refusal = [what: string, changes: Changes, ...says: string[]];

export function refused(title: string, cases: readonly Refusal[]): void {
  describe(title, () => {
    for (const [what, changes, ...says] of cases) {
      test(what, () => {
        using project = new Project();
        project.writeFiles();
        assert.deepEqual(project.faultsOf(changed(good, changes)), says);
      });
    }
  });
}
