// A capacitive soil moisture probe at the board's first analog pin: the wetter the soil, the lower the voltage.

import { adc_read } from 'twobyte/assembly/board';
import { READING_FAILED } from 'twobyte/assembly/contract';

/** Microvolts of the probe in dry air, and in a glass of water: measure your own. */
const DRY: i32 = 2_600_000;
const WET: i32 = 1_200_000;

/** Starts a reading at `_now` (ms). Answers the ms until it is ready; what this ADC measures is ready at once. */
export function begin(_now: i32): i32 {
  return 0;
}

/** The reading in thousandths, here of a percent; or READING_FAILED - n, where n is a number of your own that says why there is none. */
export function finish(): i32 {
  const microvolts = adc_read(0);
  if (microvolts < 0) return READING_FAILED + microvolts;
  const wetness = min(max(DRY - microvolts, 0), DRY - WET);
  return ((wetness / 1000) * 100_000) / ((DRY - WET) / 1000);
}
