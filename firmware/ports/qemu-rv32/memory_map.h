/* Where things are on QEMU's virt machine (-m 8M), for the linker, the C and host/rungs/qemu.ts alike.
 *
 * - What is "flash" here is memory that QEMU loads at every reset of the machine (-kernel, -device loader) and nobody writes.
 * - A region of flash is two words, FLASH_MAGIC and the number of bytes behind them; the bytes of settings and of a recording are text.
 * - The storage is loaded by nobody and cleared by nobody: it holds what it held before the reset, and before the end of QEMU where the
 *   machine's memory is a file. */
#ifndef TWOBYTE_MEMORY_MAP_H
#define TWOBYTE_MEMORY_MAP_H

#define FLASH_CODE 0x80000000
#define FLASH_CODE_BYTES 0x100000
#define RAM 0x80100000
#define RAM_BYTES 0x50000
/* Painted and measured; what is used of it is told with the event `ended`. */
#define STACK_BYTES 0x4000
/* Below it, where no access is allowed (start.S): a stack that is full is a fault, not another's memory. */
#define STACK_GUARD_BYTES 0x1000

/* Two slots (slots.h), each with a slot's header; one with the header of a region holds a module without a check. */
#define FLASH_MODULE 0x80200000
#define FLASH_MODULE_BYTES 0x40000
#define FLASH_FALLBACK 0x80240000
#define FLASH_FALLBACK_BYTES 0x40000
#define FLASH_SETTINGS 0x80280000
#define FLASH_SETTINGS_BYTES 0x8000
/* Random bytes, others at each start of QEMU. */
#define FLASH_SEED 0x80288000
#define FLASH_SEED_BYTES 0x100
#define FLASH_RECORDING 0x80300000
#define FLASH_RECORDING_BYTES 0x100000
#define STORAGE 0x80400000
#define STORAGE_BYTES 0x10000
/* What is known of the modules, and why the watchdog or a fault reset the machine: as lasting as the storage. */
#define REMEMBERED 0x80410000
#define REMEMBERED_BYTES 0x100

/* Settings that a host brought, as lasting (kept_settings.h); they overrule FLASH_SETTINGS. */
#define KEPT_SETTINGS 0x80418000
#define KEPT_SETTINGS_BYTES 0x8000

#define FLASH_MAGIC 0x46423254 /* "T2BF" */

#endif
