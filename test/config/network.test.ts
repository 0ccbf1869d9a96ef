import { good, posix, type Refusal, refused, sn } from './project.js';

const C = 'twobyte.config.json';
const long = (bytes: number) => 'x'.repeat(bytes);

const cases: Refusal[] = [
  [
    'no Wi-Fi',
    { wifi: undefined },
    `${C}: wifi: is missing, and esp32-devkitc reaches its broker over Wi-Fi; add "wifi": { "ssid": "…", "password": "\${WIFI_PASSWORD}" }`,
  ],
  ['Wi-Fi on a board without', { ...posix, wifi: good.wifi }, `${C}: wifi: posix has no Wi-Fi; leave it out`],
  [
    'a time server on a board without Wi-Fi',
    { ...posix, timeServer: 'pool.ntp.org' },
    `${C}: timeServer: posix has the time of its host; leave it out`,
  ],
  [
    'a time server that is no name',
    { timeServer: 'ntp://x' },
    `${C}: timeServer: "ntp://x" is not of its form; write host name of the SNTP server, on a board with Wi-Fi`,
  ],
  [
    'an SSID of 33 bytes',
    { 'wifi.ssid': '家'.repeat(11) },
    `${C}: wifi.ssid: has 33 bytes of UTF-8, and a network's name has at most 32; copy it from the router`,
  ],
  [
    'an SSID with a line break',
    { 'wifi.ssid': 'a\nb' },
    `${C}: wifi.ssid: holds a line break or U+0000, which no setting can hold; remove it`,
  ],
  ['no SSID', { 'wifi.ssid': undefined }, `${C}: wifi.ssid: is missing; add it: its name, 1 to 32 bytes of UTF-8`],
  [
    'a password of 7 bytes',
    { 'wifi.password': 'hunter2' },
    `${C}: wifi.password: is too short: it has 8 to 63 bytes, or is a key of 64 hexadecimal digits; copy it from the router`,
  ],
  [
    'an empty password',
    { 'wifi.password': '' },
    `${C}: wifi.password: is too short: it has 8 to 63 bytes, or is a key of 64 hexadecimal digits; copy it from the router`,
  ],
  [
    'a password of 64 bytes that is no key',
    { 'wifi.password': long(64) },
    `${C}: wifi.password: is too long: it has 8 to 63 bytes, or is a key of 64 hexadecimal digits; copy it from the router`,
  ],
  ['a password that is a key', { 'wifi.password': 'aB'.repeat(32) }],
  ['a password of 63 bytes', { 'wifi.password': long(63) }],
  ['an open network', { 'wifi.password': undefined }],
  // broker
  [
    'another scheme',
    { 'broker.url': 'http://h' },
    `${C}: broker.url: esp32-devkitc does not speak http://; write mqtt://, mqtts://, mqtt-sn://, mqtt+line:// or mqtt-sn+line://`,
  ],
  [
    'TLS on a board without',
    { ...posix, 'broker.url': 'mqtts://h' },
    `${C}: broker.url: posix does not speak mqtts://; write mqtt://, mqtt-sn://, mqtt-sn+serial://, mqtt+line:// or mqtt-sn+line://`,
  ],
  ['no scheme', { 'broker.url': '192.168.1.10' }, `${C}: broker.url: "192.168.1.10" has no scheme; write mqtt:// before the host`],
  ['no host', { 'broker.url': 'mqtt://:1883' }, `${C}: broker.url: "mqtt://:1883" names no host; write mqtt://host, its name or address`],
  [
    'a port that is none',
    { 'broker.url': 'mqtt://h:70000' },
    `${C}: broker.url: "mqtt://h:70000" has a port that is no number from 1 to 65535; correct it, or leave it out`,
  ],
  ['a path', { 'broker.url': 'mqtt://h:1883/a' }, `${C}: broker.url: "mqtt://h:1883/a" has more behind its host and port; leave it out`],
  [
    'credentials in the address',
    { 'broker.url': 'mqtt://me:geheim@h' },
    `${C}: broker.url: user name and password do not stand in the address; write them into broker.username and broker.password`,
  ],
  [
    'two addresses in a text',
    { 'broker.url': 'mqtt://a mqtt://b' },
    `${C}: broker.url: holds a blank; remove it; several addresses are a list, ["…", "…"]`,
  ],
  [
    'addresses of two kinds',
    { 'broker.url': ['mqtt://a', 'mqtt-sn://b'] },
    `${C}: broker.url[1]: "mqtt-sn://b" is of another kind than the first; all are of one`,
  ],
  [
    'a search beside an address',
    { 'broker.url': ['mqtt-sn://a', 'mqtt-sn://b?search'] },
    `${C}: broker.url[1]: gateways are searched there, and such an address stands alone; leave the others out`,
  ],
  [
    'five addresses',
    { 'broker.url': ['mqtt://a', 'mqtt://b', 'mqtt://c', 'mqtt://d', 'mqtt://e'] },
    `${C}: broker.url: has 5; there may be 4 at most`,
  ],
  [
    'a number for an address',
    { 'broker.url': 5 },
    `${C}: broker.url: a number stands there; write mqtt://host[:1883], mqtts://host[:8883] (TLS) or mqtt-sn://host[:1884] (a gateway`,
  ],
  ...['localhost', '127.0.0.1', '[::1]'].map(
    (host): Refusal => [
      `${host} on a board of its own`,
      { 'broker.url': `mqtt://${host}:1883` },
      `${C}: broker.url: "mqtt://${host}:1883" would be the board itself; write the address that the broker's machine has in the network`,
    ],
  ),
  ['localhost where the board is a process', { ...posix, 'broker.url': 'mqtt://localhost' }],
  ['an IPv6 address, and a list of one', { 'broker.url': ['mqtt://[fe80::1]:1883'] }],
  ['a search', { ...sn, 'broker.url': 'mqtt-sn://192.168.1.255?search' }],
  ['a line needs no Wi-Fi', { 'broker.url': 'mqtt+line://', wifi: undefined }],
  ['a password without a user', { 'broker.password': 'x' }, `${C}: broker.password: needs a user name; add broker.username`],
  [
    'a user over MQTT-SN',
    { ...sn, 'broker.username': 'x' },
    `${C}: broker.username: MQTT-SN has neither user names nor passwords; leave it out`,
  ],
  [
    'a password with a line break',
    { 'broker.username': 'x', 'broker.password': 'a\nb' },
    `${C}: broker.password: holds a line break or U+0000, which no setting can hold; remove it`,
  ],
  [
    'credentials over what a board has',
    { 'broker.username': long(300), 'broker.password': long(330) },
    `${C}: broker: device, username, password and availability take 657 bytes together, and a board has 640 for them; shorten them`,
  ],
  [
    'certificates without TLS',
    { 'broker.authority': 'ca.pem' },
    `${C}: broker.authority: is for TLS; write mqtts:// in broker.url, or leave it out`,
  ],
  [
    'a certificate that is not there',
    { 'broker.url': 'mqtts://h', 'broker.authority': 'no.pem' },
    `${C}: broker.authority: no.pem cannot be read: there is no such file; write it, or name another`,
  ],
  [
    'a certificate that is none',
    { 'broker.url': 'mqtts://h', 'broker.authority': 'text.txt' },
    `${C}: broker.authority: text.txt is no PEM file; name one that begins with -----BEGIN`,
  ],
  [
    'a certificate without its key',
    { 'broker.url': 'mqtts://h', 'broker.certificate': 'any.pem' },
    `${C}: broker.key: is missing; broker.certificate needs it`,
  ],
  [
    'a key without its certificate',
    { 'broker.url': 'mqtts://h', 'broker.key': 'any.pem' },
    `${C}: broker.certificate: is missing; broker.key needs it`,
  ],
  [
    'TLS with all of it',
    { 'broker.url': 'mqtts://h', 'broker.authority': 'any.pem', 'broker.certificate': 'any.pem', 'broker.key': 'any.pem' },
  ],
];

refused('an address, a network or a certificate that cannot be used is refused in one sentence', cases);
