import binaryen from 'assemblyscript/binaryen';

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
