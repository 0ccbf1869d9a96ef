import { posix, type Refusal, reading, refused } from './project.js';

const C = 'twobyte.config.json';

const cases: Refusal[] = [
  [
    'a driver that is nearly one',
    { 'sensors[0]': { driver: 'sht30', temperature: reading('a') } },
    `${C}: sensors[0].driver: "sht30" is no driver; did you mean "sht3x"?`,
  ],
  [
    'a driver that is none',
    { 'sensors[0]': { driver: 'camera' } },
    `${C}: sensors[0].driver: "camera" is no driver; write one of sht3x, bme280, ds18b20, ntc, adc, dht22, board, own`,
  ],
  [
    'a driver that is no text',
    { 'sensors[0].driver': 3 },
    `${C}: sensors[0].driver: 3 is no driver; write one of sht3x, bme280, ds18b20, ntc, adc, dht22, board, own`,
  ],
  [
    'no driver',
    { 'sensors[0].driver': undefined },
    `${C}: sensors[0].driver: is missing; add it: sht3x, bme280, ds18b20, ntc, adc, dht22, board or own`,
  ],
  [
    'a sensor that measures nothing',
    { 'sensors[1].temperature': undefined },
    `${C}: sensors[1]: measures nothing; add "temperature": { "topic": "…" }`,
  ],
  [
    'a reading without a topic',
    { 'sensors[1].temperature': {} },
    `${C}: sensors[1].temperature.topic: is missing; add it: the topic it is published at, at most 128 bytes of UTF-8`,
  ],
  [
    'nine readings',
    {
      'sensors[2]': { driver: 'bme280', temperature: reading('1'), humidity: reading('2'), pressure: reading('3') },
      'sensors[3]': { driver: 'sht3x', address: '0x45', temperature: reading('4'), humidity: reading('5') },
      'sensors[4]': { driver: 'ntc', temperature: reading('6') },
    },
    `${C}: sensors: have 9 readings together, and a board has 8; leave some out`,
  ],
  [
    'an address of another driver',
    { 'sensors[0].address': '0x76' },
    `${C}: sensors[0].address: "0x76" is none of its values; write "0x44" or "0x45"`,
  ],
  [
    'an address twice',
    { 'sensors[2]': { driver: 'sht3x', address: '0x44', temperature: reading('a') } },
    `${C}: sensors[2].address: 0x44 is the address of sensors[0] already; each has its own`,
  ],
  ['13 bits', { 'sensors[1].resolution': 13 }, `${C}: sensors[1].resolution: 13 is outside 9 to 12; choose a number within`],
  [
    'a ROM code of another family',
    { 'sensors[1].rom': '10ff641e0f160390' },
    `${C}: sensors[1].rom: "10ff641e0f160390" is not of its form; write its ROM code in 16 hexadecimal digits, needed where several are on the wire`,
  ],
  [
    'a ROM code with a wrong digit',
    { 'sensors[1].rom': '28ff641e0f160391' },
    `${C}: sensors[1].rom: has a checksum, its last two digits, that does not fit; compare it with what is printed or was read`,
  ],
  [
    'several on a wire without codes',
    { 'sensors[2]': { driver: 'ds18b20', rom: '28ff641e0f160390', temperature: reading('a') } },
    `${C}: sensors[1].rom: is missing; 2 DS18B20 are on the wire, and their ROM codes tell them apart`,
  ],
  [
    'a ROM code twice',
    { 'sensors[1].rom': '28ff641e0f160390', 'sensors[2]': { driver: 'ds18b20', rom: '28FF641E0F160390', temperature: reading('a') } },
    `${C}: sensors[2].rom: is the ROM code of sensors[1] already; each has its own`,
  ],
  [
    'a second wire',
    {
      'sensors[1].rom': '28ff641e0f160390',
      'sensors[2]': { driver: 'ds18b20', pin: 13, rom: '280000000000001e', temperature: reading('a') },
    },
    `${C}: sensors[2].pin: GPIO 13 would be a second wire; all DS18B20 are on one, at GPIO 4 as sensors[1].pin`,
  ],
  [
    'the chip’s thermometer on a chip without',
    { 'sensors[2]': { driver: 'board', temperature: reading('a') } },
    `${C}: sensors[2].driver: esp32 has no thermometer of its own; leave the sensor out, or connect another`,
  ],
  [
    'a source on a chip',
    { board: 'esp32-c3-devkitm', 'sensors[2]': { driver: 'board', source: 'simulated:1', temperature: reading('a') } },
    `${C}: sensors[2].source: esp32-c3-devkitm has one thermometer, its chip's; leave it out`,
  ],
  [
    'the chip’s thermometer twice',
    {
      ...posix,
      'sensors[2]': { driver: 'board', temperature: reading('a') },
      'sensors[3]': { driver: 'board', temperature: reading('b') },
    },
    `${C}: sensors[3].driver: a board has one board, and that is sensors[2]; put its readings together, or leave one out`,
  ],
  [
    'a sensor of one’s own in a module that has none',
    { 'sensors[2]': { driver: 'own', value: reading('a') } },
    `${C}: sensors[2].driver: own needs a module of your own; build it, and write its path in module, build/my-node.wasm for example`,
  ],
  [
    'a sensor of one’s own with two readings',
    { module: 'build/my.wasm', 'sensors[2]': { driver: 'own', humidity: reading('h'), value: reading('a') } },
    `${C}: sensors[2]: has 2 readings, and a sensor of your own has one; leave out value`,
  ],
  [
    'no I2C on the board',
    { board: './bare.json' },
    `${C}: sensors[0].driver: bare has no I2C bus; add "buses": { "i2c": { "sda": …, "scl": … } }`,
  ],
  [
    'no usual pin on the board',
    { board: './bare.json', 'buses.i2c': { sda: 21, scl: 22 }, 'sensors[1].pin': undefined },
    `${C}: sensors[1].pin: is missing, and bare has no usual pin for 1-wire; add it`,
  ],
  [
    'a DHT22 that is asked too often',
    { interval: 1999, 'sensors[2]': { driver: 'dht22', pin: 13, temperature: reading('a') } },
    `${C}: interval: 1999 is too short for sensors[2], a DHT22; write 2000 or more`,
  ],
  [
    'a DHT22 without a pin',
    { 'sensors[2]': { driver: 'dht22', temperature: reading('a') } },
    `${C}: sensors[2].pin: is missing; add it: the GPIO number of its pin, or what the board has printed beside it`,
  ],
  [
    'a DHT22 on a board without pins',
    { ...posix, 'sensors[2]': { driver: 'dht22', pin: 4, temperature: reading('a') } },
    `${C}: sensors[2].driver: posix has no pin for a DHT22; leave the sensor out`,
  ],
];

refused('a sensor that is not on the board is refused in one sentence', cases);
