import { posix, type Refusal, reading, refused, sn } from './project.js';

const C = 'twobyte.config.json';
const long = (bytes: number) => 'x'.repeat(bytes);

const cases: Refusal[] = [
  [
    'a device too long for MQTT-SN',
    { ...sn, device: '客厅客厅客厅客厅' },
    `${C}: device: has 24 bytes of UTF-8, and MQTT-SN takes 23; shorten it`,
  ],
  ['QoS -1 over MQTT', { qos: -1 }, `${C}: qos: -1 is for MQTT-SN; write 0, 1 or 2`],
  [
    'QoS -1 with commands',
    { ...sn, qos: -1, commands: 'c', sleep: true },
    `${C}: qos: -1 only sends and never connects; leave out commands, or write 0, 1 or 2`,
    `${C}: sleep: at QoS -1 there is no connection that could sleep; leave it out`,
  ],
  [
    'sleep over MQTT',
    { sleep: true },
    `${C}: sleep: MQTT has no sleeping clients; write an address mqtt-sn:// in broker.url, or leave it out`,
  ],
  ['power on a board without Wi-Fi', { ...posix, power: 'light' }, `${C}: power: posix has no battery to save; leave it out`],
  [
    'deep sleep without a journal',
    { power: 'deep', journal: false, interval: 60000 },
    `${C}: power: deep sleep loses what no journal keeps; leave journal out, or write light`,
  ],
  [
    'deep sleep that is too short',
    { power: 'deep' },
    `${C}: power: deep sleep lasts 10000 ms at least, and the interval is 10000; write 15000 or more in interval, or light`,
  ],
  ['deep sleep', { power: 'deep', interval: 60000 }],
  ['power of no kind', { power: 'off' }, `${C}: power: "off" is none of its values; write "on", "light" or "deep"`],
  ['sleep over MQTT-SN', { ...sn, sleep: true }],
  [
    'a module of another protocol',
    { ...sn, module: 'node-mqtt' },
    `${C}: module: node-mqtt does not speak MQTT-SN, as the broker does; write node-mqttsn, or leave it out`,
  ],
  [
    'the other way round',
    { module: 'node-mqttsn' },
    `${C}: module: node-mqttsn does not speak MQTT, as the broker does; write node-mqtt, or leave it out`,
  ],
  ['a module of both', { ...sn, module: 'node' }],
  ['a module that is nearly one', { module: 'node-mqt' }, `${C}: module: there is no module "node-mqt"; did you mean "node-mqtt"?`],
  [
    'a module that is none',
    { module: 'toaster' },
    `${C}: module: there is no module "toaster"; write node-mqtt, node-mqttsn, node, or the path of your own`,
  ],
  [
    'a module without drivers',
    { module: 'sensor-mqtt' },
    `${C}: sensors[0]: sensor-mqtt reads one thermometer of the board and has no drivers; write node-mqtt, node-mqttsn or node in module`,
    `${C}: sensors[1]: sensor-mqtt reads one thermometer of the board and has no drivers; write node-mqtt, node-mqttsn or node in module`,
  ],
  [
    'a journal of a module that keeps none',
    { ...posix, module: 'sensor-mqtt', journal: true, sensors: [{ driver: 'board', temperature: reading('a') }] },
    `${C}: journal: sensor-mqtt keeps none; write sensor-mqtt-journal in module, or leave it out`,
  ],
  [
    'updates of a module that takes none',
    { ...posix, module: 'sensor-mqtt', 'updates.publicKey': 'key.pem', sensors: [{ driver: 'board', temperature: reading('a') }] },
    `${C}: updates: sensor-mqtt takes none; write node-mqtt, node-mqttsn or node in module`,
  ],
  // topics
  [
    'a + in a topic',
    { 'sensors[0].temperature.topic': 'a/+/b' },
    `${C}: sensors[0].temperature.topic: "a/+/b" has a wildcard, and nothing is published at + or #; name one topic`,
  ],
  [
    'a # in a topic',
    { availability: 'a/#' },
    `${C}: availability: "a/#" has a wildcard, and nothing is published at + or #; name one topic`,
  ],
  [
    'an empty topic',
    { 'sensors[0].temperature.topic': '' },
    `${C}: sensors[0].temperature.topic: is empty; write a topic, myhome/attic/temperature for example`,
  ],
  [
    'a topic of 129 bytes',
    { 'sensors[1].temperature.topic': '温'.repeat(43) },
    `${C}: sensors[1].temperature.topic: has 129 bytes of UTF-8, and the limit is 128; shorten it`,
  ],
  ['a topic of 128 bytes', { 'sensors[1].temperature.topic': `${'温'.repeat(42)}xy` }],
  [
    'a topic with a blank at its end',
    { 'sensors[1].temperature.topic': 'a ' },
    `${C}: sensors[1].temperature.topic: "a " has a blank at an end; remove it`,
  ],
  [
    'a topic with U+0000',
    { 'sensors[1].temperature.topic': 'a\0b' },
    `${C}: sensors[1].temperature.topic: holds a line break or U+0000, which no setting can hold; remove it`,
  ],
  [
    'a topic with half a character',
    { 'sensors[1].temperature.topic': 'a\ud83c' },
    `${C}: sensors[1].temperature.topic: holds half of a surrogate pair, which is no character; remove it`,
  ],
  [
    'two readings with the same topic',
    { 'sensors[1].temperature.topic': 'myhome/底楼/客厅/温度' },
    `${C}: sensors[1].temperature.topic: "myhome/底楼/客厅/温度" is the topic of sensors[0].temperature.topic already; each has its own`,
  ],
  [
    'commands at a topic of a reading',
    { commands: 'cellar/t' },
    `${C}: commands: "cellar/t" is the topic of sensors[1].temperature.topic already; each has its own`,
  ],
  ['a filter for commands', { commands: 'a/+/#' }],
  [
    'a malformed filter for commands',
    { commands: 'a/b+' },
    `${C}: commands: "a/b+" is malformed; + stands alone in its level, # alone in the last`,
  ],
  [
    'a topic of updates without room for the answer',
    { 'updates.topic': long(122), 'updates.publicKey': 'key.pem' },
    `${C}: updates.topic: has 122 bytes of UTF-8, and the limit is 121; shorten it`,
  ],
  [
    'topics over what a module has',
    {
      'sensors[0].temperature.topic': `${long(127)}1`,
      'sensors[0].humidity.topic': `${long(127)}2`,
      'sensors[1].temperature.topic': `${long(127)}3`,
      'sensors[2]': { driver: 'bme280', temperature: reading(`${long(127)}4`), humidity: reading(`${long(127)}5`), pressure: reading('p') },
    },
    `${C}: sensors: have topics of 641 bytes together, and the limit is 640; shorten some`,
  ],
  [
    'a key of updates that is not there',
    { 'updates.publicKey': 'no.pem' },
    `${C}: updates.publicKey: no.pem cannot be read: there is no such file; write it, or name another`,
  ],
  [
    'a key that is private',
    { 'updates.publicKey': 'private.pem' },
    `${C}: updates.publicKey: private.pem is a private key, which stays off the board; name the public one`,
  ],
  [
    'a key of another kind',
    { 'updates.publicKey': 'rsa.pem' },
    `${C}: updates.publicKey: rsa.pem is no public key of ECDSA P-256; make one with twobyte keygen`,
  ],
  [
    'a key that is text',
    { 'updates.publicKey': 'text.txt' },
    `${C}: updates.publicKey: text.txt is no public key of ECDSA P-256; make one with twobyte keygen`,
  ],
];

refused('what a node cannot do is refused in one sentence: protocol, module, topics', cases);
