import { readdirSync, readFileSync } from 'node:fs';

/** Answers thousandths of a degree Celsius, or undefined when it cannot be read. */
export type Thermometer = () => number | undefined;

/**
 * The thermometer called `name`, as the posix board has them: `thermal[:N]` and `hwmon[:N]` are the machine's own, `replay:FILE` gives the
 * rows of a CSV (time, degrees Celsius) one a reading and begins again after the last, `simulated:SEED` walks at random. Throws when there is
 * no such thermometer or its file cannot be used.
 */
export function thermometer(name: string): Thermometer {
  const [kind, argument = ''] = [name.replace(/:.*/s, ''), name.slice(name.indexOf(':') + 1 || name.length)];
  switch (kind) {
    case 'thermal':
      return fromFile(`/sys/class/thermal/thermal_zone${Number(argument)}/temp`);
    case 'hwmon':
      return fromFile(hwmonFile(Number(argument)));
    case 'replay':
      return replay(argument);
    case 'simulated':
      return simulated(Number(argument));
  }
  throw new TypeError(`thermometer '${name}': there is none of this name; take thermal, hwmon, replay:FILE or simulated:SEED`);
}

/** The kernel's files hold thousandths of a degree. */
function fromFile(path: string): Thermometer {
  return () => {
    try {
      const value = Number(readFileSync(path, 'utf8'));
      return Number.isFinite(value) ? value : undefined;
    } catch {
      return undefined;
    }
  };
}

function hwmonFile(index: number): string {
  const root = '/sys/class/hwmon';
  const files = readdirSync(root).flatMap((device) =>
    readdirSync(`${root}/${device}`)
      .filter((file) => /^temp\d+_input$/.test(file))
      .map((file) => `${root}/${device}/${file}`),
  );
  const file = files.sort()[index];
  if (!file) throw new Error(`thermometer 'hwmon:${index}': ${root} has ${files.length} temperature inputs`);
  return file;
}

function replay(path: string): Thermometer {
  const readings: number[] = [];
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    const cells = line.trim().split(',');
    const celsius = Number(cells[1] || Number.NaN);
    if (cells.length === 2 && Number.isFinite(celsius)) readings.push(Math.round(celsius * 1000));
    else if (index > 0 && line.trim() !== '') throw new Error(`${path}:${index + 1}: '${line.trim()}' is not 'time,celsius'`);
  }
  if (readings.length === 0) throw new Error(`${path}: no row 'time,celsius'`);
  let next = 0;
  return () => readings[next++ % readings.length];
}

/** Steps of at most 0.2 °C around 21 °C, the same for the same seed. */
function simulated(seed: number): Thermometer {
  let state = seed | 0 || 1;
  let value = 21_000;
  return () => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    value += ((state >>> 0) % 401) - 200 + Math.trunc((21_000 - value) / 32);
    return value;
  };
}
