import { posix, type Refusal, reading, refused } from './project.js';

const C = 'twobyte.config.json';
const FREE = '4, 13, 14, 16–19, 23, 25–27, 32 or 33';

const cases: Refusal[] = [
  [
    'an input-only pin',
    { 'sensors[1].pin': 34 },
    `${C}: sensors[1].pin: GPIO 34 is input-only on esp32; 1-wire needs an output. Use ${FREE}.`,
  ],
  [
    'a strapping pin',
    { 'sensors[1].pin': 12 },
    `${C}: sensors[1].pin: GPIO 12 is a strapping pin on esp32, which decides the voltage of the flash at reset; 1-wire needs another pin. Use ${FREE}.`,
  ],
  [
    'a pin of the flash',
    { 'sensors[1].pin': 6 },
    `${C}: sensors[1].pin: GPIO 6 is wired to the flash on esp32; 1-wire needs another pin. Use ${FREE}.`,
  ],
  [
    'a pin of the console',
    { 'sensors[1].pin': 1 },
    `${C}: sensors[1].pin: GPIO 1 is TX of the console on esp32; 1-wire needs another pin. Use ${FREE}.`,
  ],
  [
    'a pin that the chip has not',
    { 'sensors[1].pin': 24 },
    `${C}: sensors[1].pin: GPIO 24 is no pin of esp32; 1-wire needs another pin. Use ${FREE}.`,
  ],
  ['a pin over all chips', { 'sensors[1].pin': 49 }, `${C}: sensors[1].pin: 49 is outside 0 to 48; choose a number within`],
  [
    'a pin of no type',
    { 'sensors[1].pin': true },
    `${C}: sensors[1].pin: true or false stands there; write a GPIO number, or what the board has printed beside the pin: twobyte config --board NAME lists both`,
  ],
  [
    'a pin of the USB',
    { board: 'esp32-c3-devkitm', 'sensors[1].pin': 18 },
    `${C}: sensors[1].pin: GPIO 18 is USB D− on esp32c3; 1-wire needs another pin. Use 0, 1, 3, 4, 7 or 10.`,
  ],
  [
    'a pin of the PSRAM',
    { board: 'esp32-s3-devkitc', 'sensors[1].pin': 35 },
    `${C}: sensors[1].pin: GPIO 35 is wired to the PSRAM on esp32s3; 1-wire needs another pin. Use 1, 2, 4–7, 10–18, 21, 39–42 or 47.`,
  ],
  [
    'a pin that the board uses',
    { board: 'esp32-s3-devkitc', 'sensors[1].pin': 48 },
    `${C}: sensors[1].pin: GPIO 48 is the RGB LED of version 1.0 on esp32-s3-devkitc; 1-wire needs another pin. Use 1, 2, 4–7, 10–18, 21, 39–42 or 47.`,
  ],
  [
    'a pin that is not brought out',
    { board: 'adafruit-qtpy-esp32c3', 'sensors[1].pin': 19 },
    `${C}: sensors[1].pin: GPIO 19 is USB D+ on esp32c3; 1-wire needs another pin. Use 0, 1, 3, 4, 7, 10, 20 or 21.`,
  ],
  [
    'no ADC',
    { 'sensors[1]': { driver: 'ntc', pin: 19, temperature: reading('a') } },
    `${C}: sensors[1].pin: GPIO 19 has no ADC on esp32; an NTC needs ADC1. Use 32–36 or 39.`,
  ],
  [
    'ADC2',
    { 'sensors[1]': { driver: 'ntc', pin: 25, temperature: reading('a') } },
    `${C}: sensors[1].pin: GPIO 25 is on ADC2 of esp32, which does not measure beside Wi-Fi; an NTC needs ADC1. Use 32–36 or 39.`,
  ],
  [
    'a pin twice',
    { 'sensors[2]': { driver: 'dht22', pin: 4, temperature: reading('a') } },
    `${C}: sensors[2].pin: GPIO 4 is sensors[1].pin already; a DHT22 needs its own. Use 13, 14, 16–19, 23, 25–27, 32 or 33.`,
  ],
  [
    'a pin of I2C',
    { 'sensors[1].pin': 21 },
    `${C}: sensors[1].pin: GPIO 21 is SDA of I2C on esp32-devkitc already; 1-wire needs its own. Use ${FREE}.`,
  ],
  [
    'a pin of I2C that is free without I2C',
    { 'sensors[0]': { driver: 'ds18b20', pin: 21, temperature: reading('a') }, 'sensors[1]': { driver: 'ntc', temperature: reading('b') } },
  ],
  [
    'I2C on a pin that cannot',
    { 'buses.i2c': { sda: 34, scl: 22 } },
    `${C}: buses.i2c.sda: GPIO 34 is input-only on esp32; I2C needs an output. Use 4, 13, 14, 16–19, 21–23, 25–27, 32 or 33.`,
  ],
  [
    'I2C on one pin',
    { 'buses.i2c': { sda: 21, scl: 21 } },
    `${C}: buses.i2c.scl: GPIO 21 is buses.i2c.sda already; I2C needs its own. Use 4, 13, 14, 16–19, 22, 23, 25–27, 32 or 33.`,
  ],
  ['I2C at no pins', { 'buses.i2c': 'simulated' }, `${C}: buses.i2c: esp32-devkitc has I2C at pins; write { "sda": …, "scl": … }`],
  [
    'I2C at pins of none',
    { ...posix, 'buses.i2c': { sda: 1, scl: 2 } },
    `${C}: buses.i2c: posix has no pins; write "simulated", or a device of Linux, "/dev/i2c-1"`,
  ],
  ['I2C of no type', { 'buses.i2c': 5 }, `${C}: buses.i2c: a number stands there; write { "sda": PIN, "scl": PIN }, the pins of I2C`],
  [
    'I2C too fast',
    { 'buses.i2c': { sda: 21, scl: 22, hertz: 1000000 } },
    `${C}: buses.i2c.hertz: 1000000 is outside 10000 to 400000 Hz; choose a number within`,
  ],
  ['a device of Linux', { ...posix, 'buses.i2c': '/dev/i2c-1' }],
  ['a pin by its label', { board: 'adafruit-qtpy-esp32c3', 'sensors[1].pin': 'A1' }],
  [
    'a label that is none',
    { board: 'adafruit-qtpy-esp32c3', 'sensors[1].pin': 'A9' },
    `${C}: sensors[1].pin: "A9" is printed nowhere on adafruit-qtpy-esp32c3; write a number of GPIO without quotes, or one of "A0", "A1", "A2", "A3", "SDA", "SCL", "MOSI", "MISO", "SCK", "TX", "RX"`,
  ],
  ['a pin on a board without', { ...posix, 'sensors[1].pin': 4 }, `${C}: sensors[1].pin: posix has no pins; leave it out`],
  [
    'a channel on a board with pins',
    { 'sensors[1]': { driver: 'ntc', channel: 1, temperature: reading('a') } },
    `${C}: sensors[1].channel: is for boards without pins; write "pin", esp32-devkitc has ADC at 32–36 or 39`,
  ],
];

refused('a pin that cannot be used is refused in one sentence, with those that can', cases);
