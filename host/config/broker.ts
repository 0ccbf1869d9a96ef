// Where the node connects: the broker's address, what it needs beside it, and the wireless network on the way.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { redact } from '../links/address.js';
import { type BoardDescription, reasons } from './board.js';
import { anyOf, type Path } from './faults.js';
import type { Checks } from './file.js';
import { CLIENT_ID_BYTES, CONNECT_BYTES } from './limits.js';
import { textFault, utf8Bytes } from './texts.js';

const schemeOf = (url: string): string | undefined => /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();

export function protocolOf(url: string): 'MQTT' | 'MQTT-SN' {
  return schemeOf(url)?.startsWith('mqtt-sn') ? 'MQTT-SN' : 'MQTT';
}

const isLine = (url: string): boolean => schemeOf(url)?.endsWith('+line') ?? false;

/** The addresses that are there, each with its path. */
function addresses({ file }: Checks): [path: Path, url: string][] {
  const url = file.broker?.url;
  if (typeof url === 'string') return [[['broker', 'url'], url]];
  return (url ?? []).flatMap((one, index): [Path, string][] => (one === null ? [] : [[['broker', 'url', index], one]]));
}

/** Checks `broker`, `wifi`, `timeServer`, and `device`, which the protocol limits. */
export function brokerChecks(checks: Checks): void {
  const { file, board, faults, hides } = checks;
  const all = addresses(checks);
  const [first] = all;
  for (const [path, url] of all) {
    const fault = addressFault(url, board, hides(path)) ?? (first && all.length > 1 ? companyFault(url, first[1], hides(path)) : undefined);
    if (fault !== undefined) faults.add(path, fault);
  }
  if (first) {
    credentials(checks, first[1]);
    certificates(checks, first[1]);
  }
  network(checks, first?.[1]);
  const { device } = file;
  if (device === undefined) return;
  const fault = textFault(device);
  if (fault !== undefined) faults.add(['device'], fault);
  const bytes = utf8Bytes(device);
  if (first && protocolOf(first[1]) === 'MQTT-SN' && bytes > CLIENT_ID_BYTES)
    faults.add(['device'], `has ${bytes} bytes of UTF-8, and MQTT-SN takes ${CLIENT_ID_BYTES}; shorten it`);
}

function addressFault(url: string, board: BoardDescription | undefined, isHidden: boolean): string | undefined {
  if (/\s/.test(url)) return 'holds a blank; remove it; several addresses are a list, ["…", "…"]';
  const shown = isHidden ? 'the address' : `"${redact(url)}"`;
  const scheme = schemeOf(url);
  if (scheme === undefined) return `${shown} has no scheme; write mqtt:// before the host`;
  if (board && !board.chip.schemes.includes(scheme)) {
    const known = board.chip.schemes.map((each) => `${each}://`);
    return `${board.name} does not speak ${isHidden ? 'its scheme' : `${scheme}://`}; write ${anyOf(known)}`;
  }
  if (isLine(url) || scheme.endsWith('+serial')) return undefined;
  if (/^[^/]*\/\/[^/?#]*@/.test(url))
    return 'user name and password do not stand in the address; write them into broker.username and broker.password';
  const [, host = '', port, rest = ''] = /^[^/]*\/\/(\[[0-9a-fA-F:.]+(?:%\w+)?\]|[^[\]:/?#]*)(?::([^/?#]*))?(.*)$/.exec(url) ?? [];
  if (host === '' || utf8Bytes(host) > 255) return `${shown} names no host; write mqtt://host, its name or address`;
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535))
    return `${shown} has a port that is no number from 1 to 65535; correct it, or leave it out`;
  if (board?.chip.wifi && /^(localhost|127(\.\d+){3}|\[::1\])$/i.test(host))
    return `${shown} would be the board itself; write the address that the broker's machine has in the network`;
  if (rest === '' || rest === '/' || (scheme === 'mqtt-sn' && rest === '?search')) return undefined;
  return `${shown} has more behind its host and port; leave it out`;
}

/** Why an address does not go with the first one. */
function companyFault(url: string, first: string, isHidden: boolean): string | undefined {
  if (schemeOf(url) !== schemeOf(first))
    return `${isHidden ? 'the address' : `"${redact(url)}"`} is of another kind than the first; all are of one`;
  return url.endsWith('?search') ? 'gateways are searched there, and such an address stands alone; leave the others out' : undefined;
}

function credentials({ file, faults, gone }: Checks, url: string): void {
  const { username, password } = file.broker ?? {};
  const overSn = protocolOf(url) === 'MQTT-SN';
  for (const [name, text] of Object.entries({ username, password })) {
    if (text === undefined) continue;
    const fault = textFault(text);
    if (overSn) faults.add(['broker', name], 'MQTT-SN has neither user names nor passwords; leave it out');
    else if (fault !== undefined) faults.add(['broker', name], fault);
  }
  if (overSn) return;
  if (password !== undefined && username === undefined && !gone.has('broker.username'))
    faults.add(['broker', 'password'], 'needs a user name; add broker.username');
  // Of a CONNECT: its header, and two bytes before each text; the will is `offline` at the topic of the availability.
  const { device = '', availability } = file;
  const texts = [device, username, password, availability, availability === undefined ? undefined : 'offline'].filter(
    (text) => text !== undefined,
  );
  const size = texts.reduce((sum, text) => sum + 2 + utf8Bytes(text), 10);
  if (size > CONNECT_BYTES)
    faults.add(
      ['broker'],
      `device, username, password and availability take ${size} bytes together, and a board has ${CONNECT_BYTES} for them; shorten them`,
    );
}

function certificates({ file, faults, directory }: Checks, url: string): void {
  const { authority, certificate, key } = file.broker ?? {};
  const overTls = schemeOf(url) === 'mqtts';
  for (const [name, path] of Object.entries({ authority, certificate, key })) {
    if (path === undefined) continue;
    const fault = overTls ? pemFault(resolve(directory, path)) : 'is for TLS; write mqtts:// in broker.url, or leave it out';
    if (fault !== undefined) faults.add(['broker', name], fault);
  }
  if (overTls && certificate !== undefined && key === undefined) faults.add(['broker', 'key'], 'is missing; broker.certificate needs it');
  if (overTls && key !== undefined && certificate === undefined) faults.add(['broker', 'certificate'], 'is missing; broker.key needs it');
}

function pemFault(path: string): string | undefined {
  try {
    return /-----BEGIN [A-Z0-9 ]+-----/.test(readFileSync(path, 'utf8'))
      ? undefined
      : `${path} is no PEM file; name one that begins with -----BEGIN`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return `${path} cannot be read: ${reasons[code ?? ''] ?? code}`;
  }
}

function network({ file, board, faults, gone }: Checks, url: string | undefined): void {
  const { wifi, timeServer } = file;
  if (board && !board.chip.wifi) {
    if (wifi) faults.add(['wifi'], `${board.name} has no Wi-Fi; leave it out`);
    if (timeServer !== undefined) faults.add(['timeServer'], `${board.name} has the time of its host; leave it out`);
    return;
  }
  if (!wifi) {
    if (board && url !== undefined && !isLine(url) && !gone.has('wifi'))
      faults.add(
        ['wifi'],
        `is missing, and ${board.name} reaches its broker over Wi-Fi; add "wifi": { "ssid": "…", "password": "\${WIFI_PASSWORD}" }`,
      );
    return;
  }
  const { ssid, password } = wifi;
  const ssidFault = ssid === undefined ? undefined : textFault(ssid);
  const ssidBytes = utf8Bytes(ssid ?? '');
  if (ssidFault !== undefined) faults.add(['wifi', 'ssid'], ssidFault);
  else if (ssidBytes > 32)
    faults.add(['wifi', 'ssid'], `has ${ssidBytes} bytes of UTF-8, and a network's name has at most 32; copy it from the router`);
  if (password === undefined) return;
  const form = 'it has 8 to 63 bytes, or is a key of 64 hexadecimal digits; copy it from the router';
  const bytes = utf8Bytes(password);
  const fault = textFault(password);
  if (fault !== undefined) faults.add(['wifi', 'password'], fault);
  else if (bytes < 8) faults.add(['wifi', 'password'], `is too short: ${form}`);
  else if (bytes > 63 && !/^[0-9a-fA-F]{64}$/.test(password)) faults.add(['wifi', 'password'], `is too long: ${form}`);
}
