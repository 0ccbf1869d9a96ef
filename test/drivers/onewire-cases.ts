import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BUS_NONE, BUS_STUCK, BUS_TIMEOUT, CONFIG_INTERVAL } from '../../host/contract.js';
import { Ds18b20 } from '../../host/devices/ds18b20.js';
import { crcMaxim, type OnewireDevice } from '../../host/devices/onewire-bus.js';
import { measured, World } from './world.js';

const A = '28ff641e0f160390';
const B = '28ff641e0f160413';

const alone = (change: (sensor: Ds18b20, world: World) => void = () => {}, setting = 'ds18b20 temperature t') =>
  measured([setting], (world) => {
    const sensor = new Ds18b20({ code: A });
    world.onewire.devices.push(sensor);
    change(sensor, world);
  });

describe('DS18B20', () => {
  test("CRC-8 of 02 1C B8 01 00 00 00 is A2, the example of Maxim's application note 27", () =>
    assert.equal(crcMaxim([0x02, 0x1c, 0xb8, 0x01, 0, 0, 0]), 0xa2));

  // Table 1 of the data sheet; thousandths are half a sixteenth short of exact, and rounded away from zero.
  for (const [raw, celsius] of [
    [0x07d0, '125.000'],
    [0x0550, '85.000'],
    [0x0191, '25.063'],
    [0x00a2, '10.125'],
    [0x0008, '0.500'],
    [0x0000, '0.000'],
    [0xfff8, '-0.500'],
    [0xff5e, '-10.125'],
    [0xfe6f, '-25.063'],
    [0xfc90, '-55.000'],
  ] as const)
    test(`${raw.toString(16).padStart(4, '0')} is ${celsius} °C`, () =>
      assert.deepEqual(
        alone((sensor) => {
          sensor.raw = raw;
        }),
        [`1: ${celsius}`],
      ));

  for (const raw of [0x07d1, 0xfc8f])
    test(`${raw.toString(16)} is outside of what it measures`, () =>
      assert.deepEqual(
        alone((sensor) => {
          sensor.raw = raw;
        }),
        ['1: range'],
      ));

  for (const [bits, ms, celsius] of [
    [9, 95, '20.500'],
    [10, 189, '20.750'],
    [11, 377, '20.875'],
    [12, 752, '20.938'],
  ] as const)
    test(`at ${bits} bits it is read after ${ms} ms, and what is below its resolution is nothing`, () => {
      const world = new World();
      const sensor = new Ds18b20({ code: A, temperature: 20.9375 });
      world.onewire.devices.push(sensor);
      world.start([`ds18b20:${A}:${bits} temperature t`]);
      assert.equal(world.clock.next, ms);
      assert.deepEqual(world.round(ms), [`1: ${celsius}`]);
      assert.equal(sensor.resolution, bits);
      assert.deepEqual(world.round(), [`1: ${celsius}`], 'nothing is to be written again');
    });

  test('several on a wire are each chosen by their codes, and convert at the same time', () => {
    const world = new World();
    world.onewire.devices.push(new Ds18b20({ code: A, temperature: 10.125 }), new Ds18b20({ code: B, temperature: -10.125 }));
    world.start([`ds18b20:${B} temperature b`, `ds18b20:${A.toUpperCase()} temperature a`]);
    assert.deepEqual(world.round(752), ['1: -10.125', '2: 10.125']);
    assert.deepEqual(world.found, []);
  });

  test('the codes of several are told once, and without one there is no reading', () => {
    const world = new World();
    const codes = [A, B, '000000000001', '000000000002', 'ffffffffffff'].map((code) => new Ds18b20({ code }));
    world.onewire.devices.push(...codes);
    world.start(['ds18b20 temperature t']);
    world.round();
    assert.deepEqual(world.told, ['1: several', '1: several']);
    assert.deepEqual(world.found.sort(), codes.map(({ code }) => Buffer.from(code).toString('hex')).sort());
    world.onewire.devices.splice(1);
    assert.deepEqual(world.round(10_800), ['1: 21.000']);
  });

  test('a wire whose search has no end is left', () => {
    const world = new World();
    world.onewire.devices.push(...Array.from({ length: 40 }, (_, i) => new Ds18b20({ code: (i + 1).toString(16).padStart(12, '0') })));
    world.start(['ds18b20 temperature t']);
    assert.deepEqual(world.told, ['1: several']);
    assert.equal(world.found.length, 32);
  });

  test('one alone is told, and measured without its code', () => {
    const world = new World();
    world.onewire.devices.push(new Ds18b20({ code: B, temperature: 4.5 }));
    world.start(['ds18b20::9 temperature t']);
    assert.deepEqual(world.round(100), ['1: 4.500']);
    assert.deepEqual(world.found, [B]);
  });

  test('a device of another family', () => {
    const other: OnewireDevice = {
      code: Uint8Array.of(0x10, 1, 2, 3, 4, 5, 6, crcMaxim([0x10, 1, 2, 3, 4, 5, 6])),
      command: () => new Uint8Array(),
    };
    assert.deepEqual(
      measured(['ds18b20 temperature t'], ({ onewire }) => onewire.devices.push(other)),
      ['1: other_device'],
    );
  });

  test('a code that comes garbled', () => {
    const code = Uint8Array.from(Buffer.from(A, 'hex'));
    code[3] = 0;
    const garbled: OnewireDevice = { code, command: () => new Uint8Array() };
    assert.deepEqual(
      measured(['ds18b20 temperature t'], ({ onewire }) => onewire.devices.push(garbled)),
      ['1: checksum'],
    );
  });

  for (let place = 0; place < 9; place++)
    test(`byte ${place} of the scratchpad garbled`, () =>
      assert.deepEqual(
        alone((sensor) => {
          sensor.garbles = place;
        }),
        ['1: checksum'],
      ));

  test('a wire that is low while the scratchpad is read: zeros have a checksum of zero', () => {
    const silent: OnewireDevice = { code: Uint8Array.from(Buffer.from(A, 'hex')), command: () => new Uint8Array(9) };
    assert.deepEqual(
      measured([`ds18b20:${A} temperature t`], ({ onewire }) => onewire.devices.push(silent)),
      ['1: checksum'],
    );
  });

  test('no presence, a stuck wire, a bus that is late, none at all', () => {
    assert.deepEqual(
      measured(['ds18b20 temperature t'], () => {}),
      ['1: absent'],
    );
    for (const [fault, name] of [
      [BUS_STUCK, 'stuck'],
      [BUS_TIMEOUT, 'timeout'],
      [BUS_NONE, 'no_bus'],
    ] as const)
      for (const setting of ['ds18b20 temperature t', `ds18b20:${A} temperature t`])
        assert.deepEqual(
          alone((_, world) => {
            world.onewire.fault = fault;
          }, setting),
          [`1: ${name}`],
        );
  });

  test('the code of one that is not on the wire, while another is', () =>
    assert.deepEqual(
      alone(() => {}, `ds18b20:${B} temperature t`),
      ['1: absent'],
    ));

  test('a wire that gets stuck in a search, and in each transfer', () => {
    assert.deepEqual(
      alone((_, { onewire }) => {
        const triplet = onewire.triplet.bind(onewire);
        let left = 20;
        onewire.triplet = (direction) => (left-- > 0 ? triplet(direction) : -BUS_STUCK);
      }),
      ['1: stuck'],
    );
    for (let good = 1; good < 5; good++) {
      let left = good;
      const told = alone((_, { onewire }) => {
        const transfer = onewire.transfer.bind(onewire);
        onewire.transfer = (...all) => (left-- > 0 ? transfer(...all) : -BUS_STUCK);
      });
      assert.deepEqual(told, ['1: stuck'], `after ${good}`);
    }
  });

  test('one that goes in the middle of a search', () =>
    assert.deepEqual(
      alone((_, { onewire }) => {
        let left = 20;
        const triplet = onewire.triplet.bind(onewire);
        onewire.triplet = (direction) => (left-- > 0 ? triplet(direction) : 7);
      }),
      ['1: absent'],
    ));

  test('a loss of power during the conversion: its 85 °C are no reading', () => {
    for (const reset of [true, false]) {
      const world = new World();
      const sensor = new Ds18b20({ code: A, temperature: 85 });
      world.onewire.devices.push(sensor);
      world.start(['ds18b20 temperature t']);
      world.clock.advance(100);
      if (reset) sensor.reset();
      assert.deepEqual(world.round(1_000), [reset ? '1: reset' : '1: 85.000']);
    }
  });

  test('is not read too early where the bus takes its time', () => {
    const world = new World();
    const transfer = world.onewire.transfer.bind(world.onewire);
    world.onewire.transfer = (write, read) => {
      world.clock.skip(100);
      return transfer(write, read, world.clock.now());
    };
    world.onewire.devices.push(new Ds18b20({ code: A }));
    world.start(['ds18b20 temperature t']);
    assert.deepEqual(world.round(3_000), ['1: 21.000']);
  });

  test('a round that is longer than the interval is not begun anew', () => {
    const world = new World();
    world.onewire.devices.push(new Ds18b20({ code: A }));
    world.start(['ds18b20 temperature t'], { [CONFIG_INTERVAL]: 100 });
    const told = world.round(8_000);
    assert.ok(told.length === 9 || told.length === 10, `${told.length} readings`);
    assert.ok(told.every((said) => said === '1: 21.000'));
  });

  test('what somebody else wrote to its scratchpad is written anew', () => {
    for (const scratchpad of [
      [0x4e, 0x54, 0, 0x7f],
      [0x4e, 0, 0x32, 0x7f],
      [0x4e, 0x54, 0x32, 0x1f],
    ])
      assert.deepEqual(
        alone((sensor) => void sensor.command(Uint8Array.from(scratchpad), 0)),
        ['1: 21.000'],
      );
  });
});
