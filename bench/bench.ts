import { dayFigures } from './day.js';
import { heapFigures, instructionFigures } from './device.js';
import { encodeFigures } from './encode.js';
import { encoderFigure } from './encoder.js';
import { type Figure, print } from './figure.js';
import { frameFigures } from './frames.js';
import { snFrameFigures } from './frames-sn.js';
import { gatewayFigures, tellsProcesses } from './gateway.js';
import { sizeFigures } from './size.js';
import { throughputFigures } from './throughput.js';

/** What a run needs of the machine, and tells. */
export interface Setting {
  modules: readonly { name: string; budget: number }[];
  /** The posix build's publish_bench, or undefined without a C compiler. */
  publishBench: string | undefined;
  /** Our encoder alone, compiled (encode_bench), or undefined without wasm2c or a C compiler. */
  encodeBench: string | undefined;
  /** Whether a program is there. */
  has(program: string): boolean;
  progress(text: string): void;
}

/** All figures; what this machine cannot measure is left out, and said. With `counted`, only those that are the same in every run. */
export async function bench(
  { modules, publishBench, encodeBench, has, progress }: Setting,
  { json, counted }: { json: boolean; counted: boolean },
): Promise<boolean> {
  const figures: Figure[] = [...sizeFigures(modules), ...frameFigures(), ...snFrameFigures(), ...dayFigures()];
  const needs = (what: string, programs: readonly string[]) => {
    const missing = [...programs.filter((program) => !has(program)), ...(publishBench ? [] : ['the posix board'])];
    if (missing.length > 0) progress(`left out: ${what}, for want of ${missing.join(', ')}`);
    return missing.length === 0;
  };
  if (publishBench && needs('heap and instructions', ['valgrind', 'mosquitto_pub'])) {
    progress('heap and instructions');
    figures.push(...(await heapFigures(publishBench)), ...(await instructionFigures(publishBench)));
  }
  if (encodeBench && has('valgrind')) figures.push(await encoderFigure(encodeBench));
  if (!counted) {
    progress('encoding');
    figures.push(...encodeFigures());
    if (has('mosquitto')) figures.push(...(await throughputFigures(progress)));
    else progress('left out: messages per second, for want of mosquitto');
    if (has('mosquitto') && tellsProcesses) figures.push(...(await gatewayFigures(progress)));
    else progress('left out: the gateway under load, for want of mosquitto or /proc');
  }
  return print(figures, json);
}
