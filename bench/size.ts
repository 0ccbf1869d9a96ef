import { statSync } from 'node:fs';
import { counted, type Figure, kept } from './figure.js';
import { print } from './table.js';

/** This file runs as build/js/bench/size.js. */
const build = new URL('../../', import.meta.url);
const peer = new URL('../node_modules/mqtt/dist/mqtt.min.js', build);

/** Bytes of each module; its budget is its bound (compiler/modules.js). */
export function sizeFigures(modules: readonly { name: string; budget: number }[]): Figure[] {
  const peerBytes = statSync(peer).size;
  return modules.map(({ name, budget }) =>
    counted(`${name}.wasm`, statSync(new URL(`${name}.wasm`, build)).size, 'bytes', budget, 'MQTT.js, mqtt.min.js', peerBytes),
  );
}

export function printSizes(modules: readonly { name: string; budget: number }[], json: boolean): boolean {
  const figures = sizeFigures(modules);
  print(figures, json);
  return kept(figures);
}
