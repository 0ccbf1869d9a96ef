// Builds the native clients beside which ours is measured (firmware/bench/peers), each where its Debian package is installed.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './prepare.js';
import { lastLines, works } from './python.js';

/** @typedef {{ name: string, program: string }} Peer */

const peers = [
  { name: 'libmosquitto', source: 'mosquitto.c', header: 'mosquitto.h', library: 'mosquitto', debian: 'libmosquitto-dev' },
  { name: 'Paho MQTT C', source: 'paho.c', header: 'MQTTClient.h', library: 'paho-mqtt3c', debian: 'libpaho-mqtt-dev' },
];

/** What this machine has of them; of what it has not, a sentence says what to install. @returns {Promise<{ peers: Peer[], missing: string[] }>} */
export async function nativePeers() {
  const compiler = process.env.CC ?? 'cc';
  const directory = join(root, 'firmware', 'bench', 'peers');
  const build = join(root, 'build', 'bench', 'peers');
  mkdirSync(build, { recursive: true });
  /** @type {Peer[]} */
  const there = [];
  const missing = [];
  for (const { name, source, header, library, debian } of peers) {
    if (!(await works(compiler, ['-fsyntax-only', '-include', header, '-x', 'c', '/dev/null']))) {
      missing.push(`The figures of ${name} need its library. On Debian: apt-get install ${debian}.`);
      continue;
    }
    const program = join(build, name.replaceAll(' ', '-').toLowerCase());
    const sources = [source, 'broker.c'].map((file) => join(directory, file));
    const flags = ['-O2', '-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wconversion', '-Werror'];
    await run(compiler, [...flags, ...sources, `-l${library}`, '-o', program]).catch((error) => {
      throw new Error(`building the peer ${name} failed\n${lastLines(error)}`);
    });
    there.push({ name, program });
  }
  return { peers: there, missing };
}
