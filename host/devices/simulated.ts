import { AnalogChannels, Thermistor } from './analog.js';
import { Bme280 } from './bme280.js';
import type { Buses } from './buses.js';
import { Ds18b20 } from './ds18b20.js';
import { I2cBus } from './i2c-bus.js';
import { OnewireBus } from './onewire-bus.js';
import { Sht3x } from './sht3x.js';

/**
 * What hangs at the buses that a board's settings call `simulated`: the same on every rung (firmware/simulated). For each bus stands
 * what it answers instead, BUS_STUCK for example, 0 when it works; undefined: the board has none.
 */
export function simulatedBuses(
  { i2c, onewire, adc }: Partial<Record<keyof Buses, number | undefined>> = { i2c: 0, onewire: 0, adc: 0 },
): Buses {
  const bus = new I2cBus();
  bus.attach(0x44, new Sht3x({ temperature: 21.5, humidity: 45.5 }));
  bus.attach(0x76, new Bme280());
  const wire = new OnewireBus();
  wire.devices.push(
    new Ds18b20({ code: 'ff641e0f1603', temperature: 10.125 }),
    new Ds18b20({ code: 'ff641e0f1604', temperature: -10.125 }),
  );
  bus.fault = i2c ?? 0;
  wire.fault = onewire ?? 0;
  const analog = new AnalogChannels(new Thermistor({ temperature: 25 }).microvolts);
  return {
    ...(i2c !== undefined && { i2c: bus }),
    ...(onewire !== undefined && { onewire: wire }),
    ...(adc !== undefined && { adc: adc ? { read: () => -adc } : analog }),
  };
}

/** What a simulated DHT22 says, thousandths of a degree and of a percent. */
export const SIMULATED_DHT22 = { temperature: 22_400, humidity: 51_300 };
