import type { BoardParts } from '../board.js';
import { BUS_ABSENT, BUS_STUCK, BUS_TIMEOUT, FAULT_ABSENT, READING_FAILED } from '../contract.js';
import { SIMULATED_DHT22, simulatedBuses } from '../devices/simulated.js';
import { thermometer } from '../thermometers.js';
import type { BoardSettings } from './rung.js';

/** The sensors of a board in software, as its settings `thermometer`, `i2c`, `onewire`, `adc` and `dht22` name them. Throws a TypeError for others. */
export function simulatedSensors(settings: BoardSettings): Pick<BoardParts, 'thermometers' | 'hygrometers' | 'buses'> {
  const dht22 = faultOf(settings, 'dht22');
  const dhtSays = (value: number) => () => (dht22 ? READING_FAILED - (FAULT_ABSENT - BUS_ABSENT + dht22) : value);
  return {
    thermometers: [thermometer(String(settings.thermometer)), ...(dht22 === undefined ? [] : [dhtSays(SIMULATED_DHT22.temperature)])],
    hygrometers: dht22 === undefined ? [] : [dhtSays(SIMULATED_DHT22.humidity), dhtSays(SIMULATED_DHT22.humidity)],
    buses: simulatedBuses({ i2c: faultOf(settings, 'i2c'), onewire: faultOf(settings, 'onewire'), adc: faultOf(settings, 'adc') }),
  };
}

/** What the simulated bus that a setting names answers instead, 0 when it works; undefined without the setting. Another bus the board does not have. */
function faultOf(settings: BoardSettings, name: string): number | undefined {
  const value = settings[name];
  const faults = { simulated: 0, 'simulated:stuck': BUS_STUCK, 'simulated:timeout': BUS_TIMEOUT };
  const fault = Object.entries(faults).find(([known]) => known === value);
  if (fault || value === undefined) return fault?.[1];
  throw new TypeError(`setting '${name}': '${value}' is at no pin of this board; take simulated`);
}
