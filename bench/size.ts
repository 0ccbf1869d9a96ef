import { statSync } from 'node:fs';
import { counted, type Figure, print } from './figure.js';

/** This file runs as build/js/bench/size.js. */
const build = new URL('../../', import.meta.url);
const peer = new URL('../node_modules/mqtt/dist/mqtt.min.js', build);

/** The most bytes of what is flashed. The budget of a build (scripts/modules.js) may be above it for a while. */
const promised = new Map([
  ['sensor-mqtt', 9000],
  ['sensor-mqttsn', 9000],
  ['sensor', 16_000],
]);

/** Bytes of each module beside its bound: what is promised, or the budget. */
export function sizeFigures(modules: readonly { name: string; budget: number }[]): Figure[] {
  const peerBytes = statSync(peer).size;
  return modules.map(({ name, budget }) =>
    counted(
      `${name}.wasm`,
      statSync(new URL(`${name}.wasm`, build)).size,
      'bytes',
      promised.get(name) ?? budget,
      'MQTT.js, mqtt.min.js',
      peerBytes,
    ),
  );
}

export function printSizes(modules: readonly { name: string; budget: number }[], json: boolean): boolean {
  return print(sizeFigures(modules), json);
}
