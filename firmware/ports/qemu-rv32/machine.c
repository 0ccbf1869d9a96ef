#include "machine.h"

#define UART 0x10000000u
#define UART_DATA 0
#define UART_INTERRUPTS 1
#define UART_FIFO 2
#define UART_LINE_CONTROL 3
#define UART_MODEM_CONTROL 4
#define UART_STATUS 5
#define RECEIVED 0x01u /* of the interrupts, and of the status */
#define TAKES_INTERRUPT 0x02u
#define TAKES 0x20u
#define SENT_ALL 0x40u
/* For the last bytes in the UART, which end with the machine. */
#define LAST_BYTES_MS 1000
#define UART_FIFO_BYTES 16
#define UART_SOURCE 10

#define PLIC 0x0c000000u
#define PLIC_ENABLE 0x2000u
#define PLIC_THRESHOLD 0x200000u
#define PLIC_CLAIM 0x200004u

#define TIMER_COMPARE 0x02004000u
#define TIMER 0x0200bff8u
#define TICKS_PER_MS 10000u

#define CLOCK 0x00101000u
#define FINISHER 0x00100000u
#define FINISHER_FAIL 0x3333u
#define FINISHER_PASS 0x5555u
#define FINISHER_RESET 0x7777u

#define MSTATUS_MIE 0x08u
#define TIMER_PENDING 0x80u
#define EXTERNAL_PENDING 0x800u

extern uint32_t __heap_end[]; /* where the stack ends */
extern uint32_t __stack[];

static volatile uint8_t *uart(uint32_t at) {
    return (volatile uint8_t *)(uintptr_t)(UART + at);
}

static volatile uint32_t *word(uint32_t address) {
    return (volatile uint32_t *)(uintptr_t)address;
}

static uint64_t ticks(void) {
    uint32_t high;
    uint32_t low;
    do {
        high = *word(TIMER + 4);
        low = *word(TIMER);
    } while (high != *word(TIMER + 4));
    return (uint64_t)high << 32 | low;
}

void machine_init(void) {
    *uart(UART_LINE_CONTROL) = 0x83; /* 8 bits, no parity; the divisor next: 115200, not that QEMU minds */
    *uart(UART_DATA) = 2;
    *uart(UART_INTERRUPTS) = 0;
    *uart(UART_LINE_CONTROL) = 0x03;
    *uart(UART_FIFO) = 0x07;
    *uart(UART_MODEM_CONTROL) = 0x0b;
    *uart(UART_INTERRUPTS) = RECEIVED;
    *word(PLIC + 4 * UART_SOURCE) = 1;
    *word(PLIC + PLIC_ENABLE) = 1u << UART_SOURCE;
    *word(PLIC + PLIC_THRESHOLD) = 0;
    machine_feed();
}

static void due(uint64_t until) {
    *word(TIMER_COMPARE + 4) = UINT32_MAX; /* not due while the halves differ */
    *word(TIMER_COMPARE) = (uint32_t)until;
    *word(TIMER_COMPARE + 4) = (uint32_t)(until >> 32);
}

/* Which interrupts may be pending, and whether one is taken. */
static void set_interrupts(uint32_t which, bool taken) {
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrc mstatus, %2\ncsrw mie, %0\ncsrs mstatus, %1\n.option pop" ::"r"(which),
                     "r"(taken ? MSTATUS_MIE : 0), "r"(MSTATUS_MIE)
                     : "memory");
}

static uint64_t after(uint32_t ms) {
    return ticks() + (uint64_t)ms * TICKS_PER_MS;
}

static uint64_t late; /* when the watchdog comes */

static void watch(void) {
    due(late);
    set_interrupts(TIMER_PENDING, true);
}

void machine_feed(void) {
    late = after(MACHINE_WATCHDOG_MS);
    watch();
}

int64_t machine_now_ms(void) {
    return (int64_t)(ticks() / TICKS_PER_MS);
}

int64_t machine_wall_us(void) {
    uint32_t low = *word(CLOCK); /* takes hold of the other half */
    return (int64_t)(((uint64_t)*word(CLOCK + 4) << 32 | low) / 1000);
}

uint32_t machine_read(uint8_t *to, uint32_t capacity) {
    uint32_t count = 0;
    while (count < capacity && (*uart(UART_STATUS) & RECEIVED)) to[count++] = *uart(UART_DATA);
    return count;
}

uint32_t machine_write(const uint8_t *bytes, uint32_t count) {
    uint32_t taken = 0;
    while (taken < count && (*uart(UART_STATUS) & TAKES)) {
        for (uint32_t i = 0; i < UART_FIFO_BYTES && taken < count; i++) *uart(UART_DATA) = bytes[taken++];
    }
    return taken;
}

static void doze(uint64_t until, bool sending) {
    set_interrupts(TIMER_PENDING | EXTERNAL_PENDING, false);
    due(until);
    *uart(UART_INTERRUPTS) = RECEIVED | (sending ? TAKES_INTERRUPT : 0);
    __asm__ volatile("wfi" ::: "memory");
    uint32_t source = *word(PLIC + PLIC_CLAIM);
    if (source) *word(PLIC + PLIC_CLAIM) = source;
}

void machine_wait(uint32_t ms, bool sending) {
    doze(after(ms), sending);
    machine_feed();
}

void machine_pause(uint32_t ms, bool sending) {
    uint64_t until = after(ms);
    doze(until < late ? until : late, sending);
    watch();
}

/* QEMU keeps bytes in the UART while whoever reads them is slow. */
static void finish_sending(void) {
    int64_t until = machine_now_ms() + LAST_BYTES_MS;
    while (!(*uart(UART_STATUS) & SENT_ALL) && machine_now_ms() < until) {
    }
}

void machine_end(uint32_t status) {
    finish_sending();
    *word(FINISHER) = status ? status << 16 | FINISHER_FAIL : FINISHER_PASS;
    for (;;) __asm__ volatile("wfi");
}

void machine_restart(void) {
    finish_sending();
    *word(FINISHER) = FINISHER_RESET;
    for (;;) __asm__ volatile("wfi");
}

uint32_t machine_stack_most(void) {
    const volatile uint32_t *at = __heap_end;
    while (at < __stack && *at == MACHINE_PAINT) at++;
    return (uint32_t)((uintptr_t)__stack - (uintptr_t)at);
}
