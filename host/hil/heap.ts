import assert from 'node:assert/strict';
import type { BoardEvent } from '../rungs/rung.js';
import type { World } from './world.js';

/** Bytes of heap that a board may take with the module of one protocol, and with the module of both, under wasm3. */
const heapOfWasm3: Readonly<Record<string, number>> = {
  mqtt: 96 * 1024,
  'mqtt-sn': 112 * 1024,
  sensor: 160 * 1024,
  'sensor-mqtt-journal': 112 * 1024,
  'sensor-mqttsn-journal': 122 * 1024,
  'sensor-journal': 178 * 1024,
  'node-mqtt': 160 * 1024,
  'node-mqttsn': 170 * 1024,
  node: 224 * 1024,
};
/** The same of the emulated board, whose machine has 32 bits. */
const heapOfRv32: Readonly<Record<string, number>> = {
  mqtt: 57_344,
  'mqtt-sn': 57_344,
  sensor: 90_112,
  'sensor-mqtt-journal': 57_344,
  'sensor-mqttsn-journal': 57_344,
  'sensor-journal': 90_112,
  'node-mqtt': 81_920,
  'node-mqttsn': 81_920,
  node: 114_688,
};
/** And of its stack. */
export const STACK_OF_RV32 = 6 * 1024;
/** The same of a compiled module, whose memory and globals are static and counted with it. */
const HEAP_OF_COMPILED = 16_384;

/** Whether the module was compiled before, and nothing interprets it. */
export const isCompiled = ({ rung }: World['ground']) => rung.endsWith('-aot');

/** Fails when the board takes more heap than one with that module may; where none is counted, `started` has none. */
export function assertHeap({ heap = 0 }: BoardEvent, { ground }: World, module: string): void {
  const ofWasm3 = ground.rung === 'qemu-rv32' ? heapOfRv32 : heapOfWasm3;
  const most = isCompiled(ground) ? HEAP_OF_COMPILED : (ofWasm3[module] ?? 0);
  assert.ok(heap <= most, `${heap} bytes of heap`);
}
