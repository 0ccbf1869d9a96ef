import binaryen from 'assemblyscript/binaryen';
import { EVENT_CONNECTED, EVENT_STOPPED, EVENT_TIMEOUT } from '../../host/contract.js';

// Modules that are no good each in its own way, and pass all that is looked at before they run.

/** What every module exports, as far as it can be the same. */
const EXPORTS = `
  (memory (export "memory") 1 1)
  (func (export "abi_version") (result i32) (i32.const 1))
  (func (export "memory_bytes") (result i32) (i32.const 4096))
  (func (export "stop") (global.set $stops (i32.const 1)))
  (func (export "link_buffer") (param i32) (result i32) (i32.const 64))
  (func (export "link_room") (param i32) (result i32) (i32.const 0))
  (func (export "link_received") (param i32 i32) (global.set $stops (i32.const 2)))
  (func (export "link_changed") (param i32 i32 i32) (global.set $stops (i32.const 3)))
  (global $stops (mut i32) (i32.const 0))`;

function assembled(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.MVP | binaryen.Features.MutableGlobals);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

/** Starts, and never opens its link. */
export const silent = () =>
  assembled(`(module ${EXPORTS}
  (func (export "start") (result i32) (i32.const 0))
  (func (export "step") (param i32) (result i32) (i32.const 1000)))`);

/** Traps in its first step. */
export const trapping = () =>
  assembled(`(module ${EXPORTS}
  (func (export "start") (result i32) (i32.const 0))
  (func (export "step") (param i32) (result i32) unreachable))`);

/** Says that it does not take its settings. */
export const choosy = () =>
  assembled(`(module ${EXPORTS}
  (func (export "start") (result i32) (i32.const -11))
  (func (export "step") (param i32) (result i32) (i32.const 1000)))`);

/** Asks for what no board has. */
export const levitating = () =>
  assembled(`(module (import "board" "levitate" (func $levitate (param i32) (result i32))) ${EXPORTS}
  (func (export "start") (result i32) (call $levitate (i32.const 1)))
  (func (export "step") (param i32) (result i32) (i32.const 1000)))`);

/** Says that it is connected when it starts; its steps come every 10 ms. `stops` are the WAT instructions of the first step after its stop. */
const lively = (stops: string, exports = EXPORTS, step = '') =>
  assembled(`(module (import "board" "event" (func $event (param i32 i32 i32))) ${exports}
  (func (export "start") (result i32) (call $event (i32.const ${EVENT_CONNECTED}) (i32.const 0) (i32.const 0)) (i32.const 0))
  (func (export "step") (param i32) (result i32) ${step}
    (if (i32.eq (global.get $stops) (i32.const 1)) (then (global.set $stops (i32.const 4)) ${stops}))
    (i32.const 10)))`);

const says = (code: number) => `(call $event (i32.const ${code}) (i32.const 0) (i32.const 0))`;

/** Runs, and stops when it is to. */
export const obedient = () => lively(says(EVENT_STOPPED));

/** Says something when it is to stop, and runs on. */
export const stubborn = () => lively(says(EVENT_TIMEOUT));

/** Traps when it is to stop, or in the step behind it. */
export const trappingAtStop = (where: 'stop' | 'step') =>
  where === 'step' ? lively('unreachable') : lively('', EXPORTS.replace('(global.set $stops (i32.const 1))', 'unreachable'));

/** Runs, and traps in its second step. */
export const trappingLater = () =>
  lively('', EXPORTS, '(if (i32.eq (global.get $stops) (i32.const 5)) (then unreachable)) (global.set $stops (i32.const 5))');
