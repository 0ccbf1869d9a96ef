/* wasm3's translator, with operations in our own words: those of wasm3_operands.h, and the two that end a turn of a loop. wasm3 0.5.0 has a hook in
 * calls (m3_Yield) and none in loops, and without one a module that loops forever takes the board with it. A build compiles this file in place of
 * m3_compile.c. A turn costs one decrement in memory and a branch; code without loops costs nothing. And the translator, which calls itself for every
 * block within a block, does so SHELL_NESTING deep and no deeper: the C stack has an end. */

#include "wasm3_compile.h"

#include "m3_exec.h"
#include "wasm3_operands.h"

int32_t wasm3_turns;

d_m3Op(TurnOfLoop) {
    if (UNLIKELY(--wasm3_turns < 0)) newTrap(wasm3_too_long);
    void *loop = immediate(void *);
    return loop;
}

d_m3Op(TurnOfLoopIf) {
    i32 condition = (i32)_r0;
    void *loop = immediate(void *);
    if (condition) {
        if (UNLIKELY(--wasm3_turns < 0)) newTrap(wasm3_too_long);
        return loop;
    } else nextOp();
}

#define op_ContinueLoop op_TurnOfLoop
#define op_ContinueLoopIf op_TurnOfLoopIf

/* It reads an operation once, in the loop that goes over those of a block. */
#define Read_opcode(opcode, at, end) (o->block.depth > SHELL_NESTING ? wasm3_too_deep : Read_opcode(opcode, at, end))

#include "m3_compile.c"
