/* From the reset of the machine to main: the stack painted, .data copied, .bss cleared. A trap leads to machine_trap (machine.c). */
    .section .text.init.enter, "ax"
    .globl _start
_start:
    .option push
    .option arch, +zicsr
    .option norelax
    la gp, __global_pointer$
    la sp, __stack
    la t0, trapped
    csrw mtvec, t0
    csrw mie, zero
    /* STACK_GUARD_BYTES of memory_map.h, 4 KiB below the stack: the first entry of the memory protection, locked, which allows nothing there. */
    la t0, __heap_end - 0x1000
    srli t0, t0, 2
    ori t0, t0, 0x1ff
    csrw pmpaddr0, t0
    li t0, 0x98
    csrw pmpcfg0, t0
    .option pop

    /* MACHINE_PAINT of machine.h: what of it is gone later was in use */
    la t0, __heap_end
    li t1, 0x57ac57ac
1:  sw t1, 0(t0)
    addi t0, t0, 4
    bltu t0, sp, 1b

    la a0, __data_start
    la a1, __data_source
    la a2, __data_size
    call memcpy
    la a0, __bss_start
    li a1, 0
    la a2, __bss_size
    call memset
    call main
2:  wfi
    j 2b

    .balign 4
trapped:
    /* The stack may be what failed: begin anew. */
    la sp, __stack
    .option push
    .option arch, +zicsr
    csrr a0, mcause
    csrr a1, mepc
    csrr a2, mtval
    .option pop
    call machine_trap
3:  j 3b
