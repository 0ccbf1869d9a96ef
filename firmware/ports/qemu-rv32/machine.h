/* QEMU's virt machine as the board uses it: one hart, the UART (ns16550a), the timer, the clock (goldfish RTC), and the device that ends
 * or resets the machine. One interrupt is taken: the timer's, MACHINE_WATCHDOG_MS after machine_feed, which ends in machine_trap with
 * MACHINE_LATE. Within machine_wait and machine_pause none is: there they only wake, and what is pending is looked at after wfi. Any other trap is a fault.
 * start.S leads each trap to machine_trap with an empty stack and no interrupts: the watchdog does not watch it. */
#ifndef TWOBYTE_MACHINE_H
#define TWOBYTE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_PAINT 0x57ac57ac /* start.S has it too */

/* QEMU's timer goes on while the host gives QEMU no time: long enough for that. */
#define MACHINE_WATCHDOG_MS 5000
#define MACHINE_LATE 0x80000007u /* cause of the timer's interrupt */

void machine_init(void);

/* machine_feed(): the loop goes round; the watchdog is due anew. machine_wait does so, too, and is for that loop alone; machine_pause does not. */
void machine_feed(void);

/* machine_now_ms(): since the machine was switched on; machine_wall_us(): since 1970. */
int64_t machine_now_ms(void);
int64_t machine_wall_us(void);

/* machine_read, machine_write: bytes of the UART that were there, or that it took; they never wait. */
uint32_t machine_read(uint8_t *to, uint32_t capacity);
uint32_t machine_write(const uint8_t *bytes, uint32_t count);

/* machine_wait(ms, sending): until bytes come, with `sending` until the UART takes some, or until the time is over. */
void machine_wait(uint32_t ms, bool sending);

/* machine_pause(ms, sending): the same for one whom the loop waits for: the watchdog comes when it would have come. */
void machine_pause(uint32_t ms, bool sending);

/* machine_end(status): switches off, QEMU ends with the status. machine_restart(): resets; storage stays. Neither comes back. */
_Noreturn void machine_end(uint32_t status);
_Noreturn void machine_restart(void);

/* machine_stack_most(): bytes of the stack that were ever in use. */
uint32_t machine_stack_most(void);

/* machine_trap(cause, at, value): the port's, called by start.S; must not return. */
_Noreturn void machine_trap(uint32_t cause, uint32_t at, uint32_t value);

#endif
