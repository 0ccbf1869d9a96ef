// One round of all readings: every sensor begins at once, and is read when it is ready. Nothing waits here: what is not ready is asked again in
// a later step.

import { humidity, temperature } from '../board';
import { equal } from '../bytes/compare';
import { FAULT_NOT_READY, READING_FAILED } from '../contract';
import { hasPassed, now, remaining } from '../delivery/clock';
import * as bme280 from './bme280';
import * as ds18b20 from './ds18b20';
import * as ntc from './ntc';
import * as own from './own';
import { BME280, BOARD, DS18B20, HUMIDITY, KEY_BYTES, NTC, OWN, Sensor, SHT3X, setAll, setValue, TEMPERATURE } from './sensor';
import { count, sensorAt } from './settings';
import * as sht3x from './sht3x';

/** So often a sensor may not be ready, and is asked once more. */
const TRIES: u32 = 8;

/** Readings that began and are not over. */
export let pending: u32 = 0;
/** In this step: the buses take their time, and what began is waited for from the next step on, when it has begun for sure. */
let hasBegun: bool = false;
/** The one that was measured last: its values stand, and those that share its sensor have theirs from it. */
let measured: usize = 0;

/** The readings of the settings begin anew: nothing of an earlier round counts. */
export function forgetRound(): void {
  pending = 0;
  ds18b20.forgetFound();
}

/** Begins a round, unless one is not over. */
export function beginRound(): void {
  if (pending) return;
  measured = 0;
  for (let index: u32 = 0; index < count; ++index) {
    const sensor = sensorAt(index);
    sensor.isPending = true;
    sensor.tries = 0;
    sensor.source = sourceOf(index);
    if (sensor.source != changetype<usize>(sensor)) continue;
    const answer = begin(sensor);
    sensor.fault = min(answer, 0);
    sensor.readyAt = max(answer, 0);
  }
  pending = count;
  hasBegun = true;
}

/** The reading that measures for the one at `index`: the first of the same sensor. */
function sourceOf(index: u32): usize {
  const own = changetype<usize>(sensorAt(index));
  for (let before: u32 = 0; before < index; ++before) {
    const earlier = changetype<usize>(sensorAt(before));
    if (equal(earlier, own, KEY_BYTES)) return earlier;
  }
  return own;
}

/** A reading that is over, 0 when none is; valueOf() its quantity is what it measured. */
export function nextMeasured(): usize {
  if (pending == 0) return 0;
  if (hasBegun) startWaiting();
  let found = shared();
  if (!found && measureNext()) found = shared();
  return found;
}

function startWaiting(): void {
  hasBegun = false;
  for (let index: u32 = 0; index < count; ++index) sensorAt(index).readyAt += now;
}

/** A reading whose sensor was measured last. */
function shared(): usize {
  for (let index: u32 = 0; index < count; ++index) {
    const sensor = sensorAt(index);
    if (!sensor.isPending || sensor.source != measured) continue;
    sensor.isPending = false;
    pending--;
    return changetype<usize>(sensor);
  }
  return 0;
}

/** Reads a sensor that is ready. False without one. */
function measureNext(): bool {
  for (let index: u32 = 0; index < count; ++index) {
    const sensor = sensorAt(index);
    if (!sensor.isPending || sensor.source != changetype<usize>(sensor) || !hasPassed(sensor.readyAt)) continue;
    const again = sensor.fault ? setAll(sensor.fault) : finish(sensor);
    measured = changetype<usize>(sensor);
    if (again == 0) return true;
    if (++sensor.tries > TRIES) {
      setAll(READING_FAILED - FAULT_NOT_READY);
      return true;
    }
    sensor.readyAt = now + again;
  }
  measured = 0; // no values stand of the ones that are to be asked again
  return false;
}

/** Ms until a reading may be over, i32.MAX_VALUE when none began. */
export function untilMeasured(): i32 {
  let least = i32.MAX_VALUE;
  if (pending == 0) return least;
  if (hasBegun) return 0;
  for (let index: u32 = 0; index < count; ++index) {
    const sensor = sensorAt(index);
    if (sensor.isPending && sensor.source == changetype<usize>(sensor)) least = min(least, remaining(sensor.readyAt));
  }
  return least;
}

/** Ms until it is ready, or READING_FAILED − n. */
function begin(sensor: Sensor): i32 {
  switch (<u32>sensor.driver) {
    case SHT3X:
      return sht3x.begin(sensor);
    case BME280:
      return bme280.begin(sensor);
    case DS18B20:
      return ds18b20.begin(sensor);
    case OWN: {
      const answer = own.begin(now);
      return answer <= READING_FAILED ? answer : max(answer, 0);
    }
  }
  return 0; // the others measure at once
}

/** Has its values: 0; or ms until it may. */
function finish(sensor: Sensor): i32 {
  switch (<u32>sensor.driver) {
    case SHT3X:
      return sht3x.finish(sensor);
    case BME280:
      return bme280.finish(sensor);
    case DS18B20:
      return ds18b20.finish(sensor);
    case NTC:
      return ntc.finish(sensor);
    case OWN:
      return setAll(own.finish());
    case BOARD: {
      const isTemperature: bool = sensor.first == TEMPERATURE;
      setValue(isTemperature ? TEMPERATURE : HUMIDITY, isTemperature ? temperature(sensor.where) : humidity(sensor.where));
      return 0;
    }
  }
  return ntc.finishVoltage(sensor);
}
