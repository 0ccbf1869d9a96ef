import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BUS_NONE, BUS_STUCK, CONFIG_INTERVAL, CONFIG_SENSOR, CONFIG_UNIT, READING_FAILED } from '../../host/contract.js';
import { Thermistor } from '../../host/devices/analog.js';
import { Sht3x } from '../../host/devices/sht3x.js';
import { measured, refusal, TOPIC, World } from './world.js';

const ntc = (microvolts: number, setting = 'ntc:0:3950:10000:10000') =>
  measured([`${setting} temperature t`], ({ adc }) => adc.channels.push(() => microvolts));

describe('NTC', () => {
  test('half of the supply is 25 °C where both resistors are equal', () => assert.deepEqual(ntc(1_650_000), ['1: 25.000']));

  for (const [beta, ohms, series, supply] of [
    [3950, 10_000, 10_000, 3.3],
    [3435, 10_000, 4_700, 3.3],
    [4250, 100_000, 47_000, 5],
    [500, 1, 1, 1],
    [10_000, 10_000_000, 10_000_000, 5.5],
  ] as const)
    test(`beta ${beta}, ${ohms} Ω, with ${series} Ω at ${supply} V: within two thousandths of the formula`, () => {
      const world = new World();
      const sensor = new Thermistor({ beta, ohms, series, supply });
      world.adc.channels.push(sensor.microvolts);
      world.start([`ntc:0:${beta}:${ohms}:${series}:${supply * 1000} temperature t`]);
      for (let celsius = -40; celsius <= 125; celsius += 2.7) {
        sensor.temperature = celsius;
        const microvolts = sensor.microvolts();
        if (microvolts < supply * 4_000 || microvolts > supply * 996_000) continue;
        // What a microvolt more or less would change is not the arithmetic's.
        const at = (value: number) => 1 / (1 / 298.15 + Math.log((series * value) / (supply * 1e6 - value) / ohms) / beta) - 273.15;
        const [said] = world.round();
        assert.ok(
          Math.abs(Number(said?.slice(3)) - at(microvolts)) <= 0.002 * (3950 / beta) + 0.0005,
          `${celsius}: ${said}, ${at(microvolts)}`,
        );
      }
    });

  for (const [what, microvolts] of [
    ['a broken wire', 3_299_000],
    ['a shorted wire', 0],
  ] as const)
    test(`${what} is no reading`, () => assert.deepEqual(ntc(microvolts), ['1: range']));

  test('temperatures that no thermistor stands', () => {
    assert.deepEqual(ntc(3_280_000, 'ntc:0:500:10000:10000000'), ['1: range']);
    assert.deepEqual(ntc(20_000, 'ntc:0:500:10000000:1'), ['1: range']);
    assert.deepEqual(ntc(3_200_000, 'ntc:0:3950:1:10000000'), ['1: range']);
    assert.deepEqual(ntc(20_000, 'ntc:0:3950:10000:10000'), ['1: range'].slice(0, 0).concat(ntc(20_000)));
    const [hot] = ntc(14_000, 'ntc:0:2200:100000:10000');
    assert.equal(hot, '1: range');
  });

  test('a channel that is none, and one that fails', () => {
    assert.deepEqual(ntc(-BUS_STUCK), ['1: stuck']);
    assert.deepEqual(
      measured(['ntc:1:3950:10000:10000 temperature t', 'adc:1 value v'], () => {}),
      ['1: no_bus', '2: no_bus'],
    );
  });
});

describe('ADC', () => {
  test('volts, in thousandths', () =>
    assert.deepEqual(
      measured(['adc value v', 'adc:1 value w'], ({ adc }) =>
        adc.channels.push(
          () => 1_234_499,
          () => 1_234_500,
        ),
      ),
      ['1: 1.234', '2: 1.235'],
    ));
});

describe("the board's own", () => {
  const own = ['board temperature t', 'board:1 temperature u', 'board humidity h', 'board:0 temperature t again'];
  test('thermometers and hygrometers are each asked for what is wanted', () => {
    let asked = 0;
    const told = measured(own, (world) => {
      world.thermometers = [() => 20_000 + asked++, () => -1];
      world.hygrometers = [() => 45_678];
    });
    assert.deepEqual(told, ['1: 20.000', '4: 20.000', '2: -0.001', '3: 45.678']);
  });

  test('what is not there has the number that the board gives', () =>
    assert.deepEqual(
      measured(own.slice(0, 3), (world) => {
        world.thermometers = [() => READING_FAILED - 19];
      }),
      ['1: 19', '2: 0', '3: 4'],
    ));

  test('without any reading_n the one thermometer is read for `topic`, as a module without drivers does', () => {
    const world = new World();
    world.thermometers = [() => 1, () => undefined];
    assert.equal(world.start([], { ...TOPIC, [CONFIG_SENSOR]: 1 }), 0);
    assert.deepEqual(world.told, ['0: 0']);
  });
});

describe('a sensor of one’s own', () => {
  test('is none in the modules that are built here', () =>
    assert.deepEqual(
      measured(['own value v'], () => {}),
      ['1: no_own'],
    ));

  for (const [what, wait, value, told, at] of [
    ['is ready when it says so', 250, -1_234, '1: -1.234', 250],
    ['is ready at once', 0, 7, '1: 0.007', 0],
    ['cannot be ready before it began', -5, 7, '1: 0.007', 0],
    ['may fail to begin', READING_FAILED - 3, 7, '1: 3', 0],
    ['may fail to measure', 10, READING_FAILED - 999, '1: 999', 10],
  ] as const)
    test(`of a project ${what}`, () => {
      const world = new World();
      world.hasOwn = true;
      world.thermometers = [() => wait, () => value];
      world.start(['own value v', 'own pressure w']);
      world.clock.advance(1_000);
      assert.deepEqual(world.told, [told, `2${told.slice(1)}`]);
      assert.deepEqual(world.at, [at, at]);
    });
});

describe('a round', () => {
  test('that is not over when the next is due goes on', () => {
    const world = new World();
    const sensor = new Sht3x();
    sensor.stalls = true;
    world.i2c.attach(0x44, sensor);
    world.adc.channels.push(() => 0);
    world.start(['sht3x temperature t', 'adc value v'], { [CONFIG_INTERVAL]: 100 });
    sensor.stalls = false;
    world.clock.skip(150);
    assert.deepEqual(world.told, ['2: 0.000']);
    world.round(1);
    assert.deepEqual(world.told.slice(0, 2), ['2: 0.000', '1: 21.000']);
  });

  test('that takes longer than the interval is not begun twice', () => {
    const world = new World();
    const sensor = new Sht3x();
    sensor.stalls = true;
    world.i2c.attach(0x44, sensor);
    world.start(['sht3x temperature t'], { [CONFIG_INTERVAL]: 100 });
    const transfers = world.i2c.transfers;
    sensor.stalls = true;
    world.clock.advance(50);
    assert.ok(world.i2c.transfers > transfers);
    world.clock.advance(10_000);
    assert.ok(world.told.length > 90 && world.told.every((said) => said === '1: not_ready'));
  });

  test('is forgotten when the module starts again', () => {
    const world = new World();
    world.i2c.attach(0x44, new Sht3x());
    world.start(['sht3x temperature t']);
    world.board?.stop();
    assert.equal(world.board?.start(), 0);
    assert.deepEqual(world.round(100), ['1: 21.000']);
  });
});

describe('settings', () => {
  for (const setting of [
    'sht3x temperature t',
    'sht3x:45 humidity myhome/底楼/客厅/温度',
    'bme280:77  pressure   a topic with blanks ',
    'ds18b20::12 temperature t',
    'ds18b20:28FF641E0F160390:10 temperature t',
    'ntc:255:500:1:1:1000 temperature t',
    'ntc:0:10000:10000000:10000000:5500 temperature t',
    'board:255 humidity t',
    'adc:0 value t',
    'own pressure t',
  ])
    test(`take ${setting}`, () => assert.equal(refusal([setting]), ''));

  for (const [setting, error] of [
    ['', 'config_missing'],
    [' ', 'config_invalid'],
    ['dht22 temperature t', 'config_invalid'],
    ['sht3 temperature t', 'config_invalid'],
    ['sht3y temperature t', 'config_invalid'],
    ['sht3x', 'config_invalid'],
    ['sht3x:', 'config_invalid'],
    ['sht3x:4', 'config_invalid'],
    ['adc:5', 'config_invalid'],
    ['ds18b20:28', 'config_invalid'],
    ['sht3x:4 temperature t', 'config_invalid'],
    ['sht3x:4g temperature t', 'config_invalid'],
    ['sht3x:07 temperature t', 'config_invalid'],
    ['sht3x:78 temperature t', 'config_invalid'],
    ['sht3x:44:1 temperature t', 'config_invalid'],
    ['sht3x:44 pressure t', 'config_invalid'],
    ['sht3x:44 warmth t', 'config_invalid'],
    ['sht3x temperature', 'topic_empty'],
    ['sht3x temperature a/+', 'topic_wildcard'],
    ['sht3x temperature \0', 'nul'],
    ['bme280 value t', 'config_invalid'],
    ['ds18b20:28ff641e0f160391 temperature t', 'config_invalid'],
    ['ds18b20:10ff641e0f160390 temperature t', 'config_invalid'],
    ['ds18b20:28ff64 temperature t', 'config_invalid'],
    ['ds18b20:28ff641e0f160390:8 temperature t', 'config_invalid'],
    ['ds18b20::13 temperature t', 'config_invalid'],
    ['ds18b20:: temperature t', 'config_invalid'],
    ['ds18b20::9x temperature t', 'config_invalid'],
    ['ntc temperature t', 'config_invalid'],
    ['ntc:0:3950:10000 temperature t', 'config_invalid'],
    ['ntc:256:3950:10000:10000 temperature t', 'config_invalid'],
    ['ntc:0:499:10000:10000 temperature t', 'config_invalid'],
    ['ntc:0:3950:0:10000 temperature t', 'config_invalid'],
    ['ntc:0:3950:10000:99999999999999 temperature t', 'config_invalid'],
    [`sht3x temperature ${'t'.repeat(129)}`, 'config_too_long'],
    [`sht3x temperature ${'t'.repeat(300)}`, 'config_too_long'],
  ] as const)
    test(`refuse ${JSON.stringify(setting.slice(0, 60))}`, () =>
      assert.equal(refusal([setting]), `${setting ? 'reading_1' : 'topic'}: ${error}`));

  test('topics are together no longer than the room for them', () => {
    const topic = 't'.repeat(128);
    assert.equal(refusal(Array.from({ length: 5 }, () => `adc value ${topic}`)), '');
    assert.equal(refusal(Array.from({ length: 6 }, () => `adc value ${topic}`)), 'reading_6: config_too_long');
  });

  test('a unit goes with readings of one quantity', () => {
    assert.equal(refusal(['sht3x temperature t', 'ds18b20 temperature u'], { [CONFIG_UNIT]: ' °C' }), '');
    assert.equal(refusal(['sht3x temperature t', 'sht3x humidity u'], { [CONFIG_UNIT]: ' °C' }), 'unit: config_invalid');
    assert.equal(refusal(['sht3x temperature t', '', '', '', '', '', '', 'sht3x humidity u']), '');
  });

  test('BUS_NONE is what a board says that has no buses', () => assert.equal(BUS_NONE, 4));
});
