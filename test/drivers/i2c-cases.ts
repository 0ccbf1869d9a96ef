import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BUS_NONE, BUS_STUCK, BUS_TIMEOUT } from '../../host/contract.js';
import { Bme280, type Bme280Calibration, exampleCalibration, exampleRaw } from '../../host/devices/bme280.js';
import { crcSensirion, Sht3x } from '../../host/devices/sht3x.js';
import { measured, World } from './world.js';

const sht3x = (change: (sensor: Sht3x, world: World) => void = () => {}) =>
  measured(['sht3x:44 temperature t', 'sht3x:44 humidity h'], (world) => {
    const sensor = new Sht3x();
    world.i2c.attach(0x44, sensor);
    change(sensor, world);
  });

describe('SHT3x', () => {
  test("CRC-8 of BEEF is 92, the data sheet's example", () => assert.equal(crcSensirion([0xbe, 0xef]), 0x92));

  for (const [temperature, humidity, said] of [
    [0, 0, ['1: -45.000', '2: 0.000']],
    [0xffff, 0xffff, ['1: 130.000', '2: 100.000']],
    [0xbeef, 0xbeef, null],
    [0x6666, 0x8000, null],
    [1, 1, null],
  ] as const)
    test(`converts ${temperature.toString(16)} and ${humidity.toString(16)} as the data sheet's formulas do`, () => {
      const told = sht3x((sensor) => {
        sensor.raw = { temperature, humidity };
      });
      const formula = [`1: ${(-45 + (175 * temperature) / 65535).toFixed(3)}`, `2: ${((100 * humidity) / 65535).toFixed(3)}`];
      assert.deepEqual(told, said ?? formula);
    });

  test('every one of 65536 words is converted to the nearest thousandth', () => {
    const world = new World();
    const sensor = new Sht3x();
    world.i2c.attach(0x44, sensor);
    world.start(['sht3x temperature t', 'sht3x humidity h']);
    for (let word = 0; word < 65_536; word += 37) {
      sensor.raw = { temperature: word, humidity: 65_535 - word };
      const [t, h] = world.round().map((said) => Number(said.slice(3)));
      assert.ok(Math.abs(Number(t) - (-45 + (175 * word) / 65535)) <= 0.000501, `${word}: ${t}`);
      assert.ok(Math.abs(Number(h) - (100 * (65535 - word)) / 65535) <= 0.000501, `${word}: ${h}`);
    }
  });

  test('is measured once for both readings, and read when 15.5 ms are over', () => {
    const world = new World();
    world.i2c.attach(0x44, new Sht3x({ temperature: -12.5, humidity: 99 }));
    world.start(['sht3x temperature t', 'sht3x:44 humidity h']);
    assert.deepEqual(world.told, []);
    assert.equal(world.clock.next, 17);
    world.clock.advance(17);
    assert.equal(world.i2c.transfers, 2);
    assert.equal(world.told.length, 2);
    assert.equal(world.round().length, 2);
  });

  for (const place of [0, 1, 2, 3, 4, 5])
    test(`byte ${place} garbled is a checksum that is wrong`, () =>
      assert.deepEqual(
        sht3x((sensor) => {
          sensor.garbles = place;
        }),
        ['1: checksum', '2: checksum'],
      ));

  for (const [what, change, fault] of [
    ['nobody at the address', (_: Sht3x, world: World) => world.i2c.detach(0x44), 'absent'],
    ['no acknowledgement of the command', (sensor: Sht3x) => Object.assign(sensor, { deaf: true }), 'absent'],
    ['a measurement without an end', (sensor: Sht3x) => Object.assign(sensor, { stalls: true }), 'not_ready'],
    ['a stuck bus', (_: Sht3x, world: World) => Object.assign(world.i2c, { fault: BUS_STUCK }), 'stuck'],
    ['a bus that is not ready in time', (_: Sht3x, world: World) => Object.assign(world.i2c, { fault: BUS_TIMEOUT }), 'timeout'],
    ['no bus', (_: Sht3x, world: World) => Object.assign(world.i2c, { fault: BUS_NONE }), 'no_bus'],
  ] as const)
    test(`${what}: ${fault}, and no reading`, () => assert.deepEqual(sht3x(change), [`1: ${fault}`, `2: ${fault}`]));

  test('a bus that gets stuck during the measurement', () => {
    const world = new World();
    world.i2c.attach(0x44, new Sht3x());
    world.start(['sht3x temperature t']);
    world.i2c.fault = BUS_STUCK;
    assert.deepEqual(world.round(100), ['1: stuck']);
    world.i2c.fault = 0;
    assert.deepEqual(world.round(), ['1: 21.000'], 'and the next round is as ever');
  });

  test('a late answer is waited for, and the schedule keeps', () => {
    const world = new World();
    const sensor = new Sht3x();
    world.i2c.attach(0x44, sensor);
    sensor.stalls = true;
    world.start(['sht3x temperature t']);
    assert.deepEqual(world.round(20), []);
    sensor.stalls = false;
    assert.deepEqual(world.round(20), ['1: 21.000']);
    world.round(9_960 + 17);
    assert.equal(world.at.at(-1), 10_017);
  });
});

const bme280 = (options: ConstructorParameters<typeof Bme280>[0] = {}, change: (sensor: Bme280, world: World) => void = () => {}) =>
  measured(['bme280:76 temperature t', 'bme280:76 pressure p', 'bme280 humidity h'], (world) => {
    const sensor = new Bme280(options);
    world.i2c.attach(0x76, sensor);
    change(sensor, world);
  });

/** The data sheet's compensation of humidity in floating point. */
function humidityOf(raw: number, fine: number): number {
  const [h1, h2, h3, h4, h5, h6] = exampleCalibration.h;
  const h = fine - 76800;
  const value = (raw - (h4 * 64 + (h5 / 16384) * h)) * ((h2 / 65536) * (1 + (h6 / 67108864) * h * (1 + (h3 / 67108864) * h)));
  return Math.min(Math.max(value * (1 - (h1 * value) / 524288), 0), 100);
}

/** t_fine of the data sheet, by its calibration of temperature. */
function fineOf(raw: number): number {
  const [t1, t2, t3] = exampleCalibration.t;
  const off = (raw >> 4) - t1;
  return ((((raw >> 3) - t1 * 2) * t2) >> 11) + ((((off * off) >> 12) * t3) >> 14);
}

type Nine = [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

/** The data sheet's compensation of pressure with 64 bits, line for line: 1/256 Pa. */
function pressureOf(raw: number, fine: number, calibration: Bme280Calibration = exampleCalibration): bigint {
  const [p1, p2, p3, p4, p5, p6, p7, p8, p9] = calibration.p.map(BigInt) as Nine;
  let var1 = BigInt(fine) - 128000n;
  let var2 = var1 * var1 * p6;
  var2 += (var1 * p5) << 17n;
  var2 += p4 << 35n;
  var1 = ((var1 * var1 * p3) >> 8n) + ((var1 * p2) << 12n);
  var1 = (((1n << 47n) + var1) * p1) >> 33n;
  if (var1 === 0n) return 0n;
  let p = 1048576n - BigInt(raw);
  p = (((p << 31n) - var2) * 3125n) / var1;
  var1 = (p9 * (p >> 13n) * (p >> 13n)) >> 25n;
  var2 = (p8 * p) >> 19n;
  return ((p + var1 + var2) >> 8n) + (p7 << 4n);
}

describe('BME280', () => {
  test("519888 and 415148 are 25.08 °C and 100653.27 Pa, the data sheet's example", () => {
    const [temperature, pressure] = bme280({ raw: exampleRaw });
    assert.equal(temperature, '1: 25.080');
    // The data sheet prints what floating point makes of it; its own variant with 64 bits is a hundredth of a pascal below, in any language.
    assert.equal(pressureOf(exampleRaw.pressure, fineOf(exampleRaw.temperature)), 25_767_233n);
    assert.ok(Math.abs(25_767_233 / 256 - 100_653.27) < 0.02);
    assert.equal(pressure, '2: 1006.533');
  });

  test('pressure is to the thousandth what the data sheet has with 64 bits, over the range, at any temperature, of any calibration', () => {
    const calibrations = [
      exampleCalibration,
      { ...exampleCalibration, p: [36_738, -10_635, 3_024, 6_980, -4, -7, 9_900, -10_230, 4_285] as const },
      { ...exampleCalibration, p: [50_000, -20_000, 10_000, -10_000, 5_000, -20, -32_768, 32_767, -10_000] as const },
      { ...exampleCalibration, p: [30_000, 10_000, -3_024, 10_000, -10_000, 127, 32_767, -32_768, 10_000] as const },
    ];
    for (const calibration of calibrations) {
      const world = new World();
      const sensor = new Bme280({ calibration });
      world.i2c.attach(0x76, sensor);
      world.start(['bme280 pressure p']);
      world.clock.advance(5_000);
      let readings = 0;
      for (let temperature = 310_000; temperature < 720_000; temperature += 40_007)
        for (let pressure = 1; pressure < 0xf_ffff; pressure += 21_011) {
          sensor.raw = { ...exampleRaw, temperature, pressure };
          const [said] = world.round();
          const exact = pressureOf(pressure, fineOf(temperature), calibration);
          const isNone = exact < 20_000n * 256n || exact > 120_000n * 256n;
          if (!isNone) readings++;
          assert.equal(
            said,
            isNone ? '1: range' : `1: ${(Number((exact * 10n + 128n) >> 8n) / 1000).toFixed(3)}`,
            `${temperature} ${pressure}`,
          );
        }
      assert.ok(readings > 50, `${readings} readings`);
    }
  });

  for (const raw of [20_000, 26_000, 30_000, 34_000])
    test(`humidity ${raw} is what the data sheet's formula says`, () => {
      const [, , said] = bme280({ raw: { ...exampleRaw, humidity: raw } });
      assert.ok(Math.abs(Number(said?.slice(3)) - humidityOf(raw, 128_422)) < 0.03, `${said}, not ${humidityOf(raw, 128_422)}`);
    });

  test('humidity ends at 0 and at 100 %', () => {
    assert.equal(bme280({ raw: { ...exampleRaw, humidity: 5_000 } })[2], '3: 0.000');
    assert.equal(bme280({ raw: { ...exampleRaw, humidity: 60_000 } })[2], '3: 100.000');
  });

  test('a calibration below 0 in every place that may be, and high pressure', () => {
    const calibration = { ...exampleCalibration, h: [75, 370, 0, -100, -50, -30] as const };
    assert.equal(bme280({ calibration })[0], '1: 25.080');
    const high = bme280({ raw: { ...exampleRaw, pressure: 330_000 } })[1];
    assert.ok(Number(high?.slice(3)) > 1150, high);
  });

  test('a BMP280 has temperature and pressure, and no humidity', () =>
    assert.deepEqual(bme280({ id: 0x58 }), ['1: 25.080', '2: 1006.533', '3: other_device']));

  test('another device at the address', () =>
    assert.deepEqual(bme280({ id: 0x61 }), ['1: other_device', '2: other_device', '3: other_device']));

  test('pressure that cannot be is none, and neither is that of an empty calibration', () => {
    assert.equal(bme280({ raw: { ...exampleRaw, pressure: 0xfffff } })[1], '2: range');
    assert.equal(bme280({ raw: { ...exampleRaw, pressure: 0 } })[1], '2: range');
    for (const p1 of [0, 1]) {
      const calibration = { ...exampleCalibration, p: [p1, 0, 0, 0, 0, 0, 0, 0, 0] as const };
      assert.equal(bme280({ calibration })[1], '2: range');
    }
  });

  test('absent; and stuck from any of its transfers on', () => {
    assert.deepEqual(
      measured(['bme280:77 temperature t'], () => {}),
      ['1: absent'],
    );
    for (let good = 0; good < 7; good++) {
      const told = bme280({}, (_, { i2c }) => {
        const transfer = i2c.transfer.bind(i2c);
        i2c.transfer = (...all) => {
          if (i2c.transfers >= good) i2c.fault = BUS_STUCK;
          return transfer(...all);
        };
      });
      assert.deepEqual(told, ['1: stuck', '2: stuck', '3: stuck'], `after ${good}`);
    }
  });

  test('a measurement without an end', () =>
    assert.deepEqual(
      bme280({}, (sensor) => {
        sensor.stalls = true;
      }),
      ['1: not_ready', '2: not_ready', '3: not_ready'],
    ));

  test('a loss of power during the measurement, and another device in its place', () => {
    const world = new World();
    const sensor = new Bme280();
    world.i2c.attach(0x76, sensor);
    world.start(['bme280 temperature t']);
    sensor.reset();
    assert.deepEqual(world.round(100), ['1: reset']);
    world.round(9_905);
    world.i2c.attach(0x76, new Bme280({ id: 0x77 }));
    assert.deepEqual(world.round(95), ['1: other_device']);
  });

  test('two on a bus, beside an SHT3x, all in one round', () => {
    const told = measured(['bme280:76 temperature a', 'bme280:77 temperature b', 'sht3x:45 temperature c'], ({ i2c }) => {
      i2c.attach(0x76, new Bme280());
      i2c.attach(0x77, new Bme280({ raw: { ...exampleRaw, temperature: 500_000 } }));
      i2c.attach(0x45, new Sht3x({ temperature: 3 }));
    });
    assert.deepEqual(told, ['1: 25.080', '2: 18.850', '3: 2.999']);
  });
});
