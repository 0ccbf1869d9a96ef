// What the boot loaders of Espressif's chips and ESP-IDF print when something is wrong, and what it means, a line each.

type Meaning = readonly [pattern: RegExp, text: string | ((found: RegExpExecArray) => string)];

/** Why a chip started, by the name in `rst:0x… (NAME)`; names differ between chips. First to fit. */
const resets: readonly Meaning[] = [
  [/BROWN_?OUT/, 'the supply voltage fell too low: take a shorter cable, another USB port or a stronger supply'],
  [/SUPER_WDT|SWDT/, 'the super watchdog restarted the chip: the firmware hung with interrupts off'],
  [
    /RTCWDT|LP_WDT/,
    'the watchdog of the boot loader or of the low-power part restarted the chip: it did not get as far as the firmware, or hung',
  ],
  [/TG\dWDT|MWDT|TGWDT/, 'a watchdog restarted the chip: the firmware hung with interrupts off, or a task never yielded'],
  [/GLITCH/, 'a glitch of clock or supply restarted the chip: look at the power'],
  [/EFUSE/, 'the fuses of the chip read back wrong: look at the power; else the chip is damaged'],
  [/INTRUSION|PWR_GLITCH/, 'the chip found its supply or clock tampered with'],
  [/JTAG/, 'a debugger restarted the chip'],
  [/USB_UART|USB_RESET/, 'the computer restarted the chip by USB'],
  [/DEEP_?SLEEP|DSLEEP/, 'it wakes from deep sleep'],
  [/SW|SOFTWARE/, 'the firmware restarted itself'],
  [/POWER_?ON|CHIP_POWER/, 'it was powered on, or RESET was pressed'],
  [/EXT/, 'RESET was pressed'],
];

/** Causes of a trap, by the name in brackets; Xtensa's first, then those of RISC-V. */
const traps: readonly Meaning[] = [
  [
    /IllegalInstruction|Illegal instruction/,
    'it ran what is no code: a call through a bad pointer, a smashed stack, or flash that reads wrong',
  ],
  [/LoadProhibited|Load access fault|Load page fault/, 'it read from an address where nothing is: a pointer that is NULL or stale'],
  [/StoreProhibited|Store access fault|Store page fault/, 'it wrote to an address where nothing is: a pointer that is NULL or stale'],
  [
    /InstrFetchProhibited|InstructionFetchError|Instruction access fault|Instruction page fault/,
    'it jumped to where no code is: a bad function pointer or a smashed stack',
  ],
  [
    /LoadStoreAlignment|LoadStoreError|address misaligned/,
    'it read or wrote a word where the memory takes none: an unaligned address, or bytes in instruction memory',
  ],
  [/IntegerDivideByZero/, 'it divided by zero'],
  [/Stack protection fault|Stack canary|stack overflow/i, "a task's stack is too small"],
  [/Interrupt wdt timeout|interrupt watchdog/i, 'an interrupt handler, or code with interrupts off, took too long'],
  [/Cache (disabled|error)|Cached? .*access/i, 'code or data in flash was needed while the flash was written: it belongs into IRAM'],
  [/Memory protection fault|PMP|Permission/, 'it touched memory that is protected from it'],
  [/Double exception/, 'it failed again while it dealt with a failure: mostly a smashed stack'],
  [/debug exception|Breakpoint/i, "it came to a breakpoint, or a task's stack is too small"],
];

const meaningOf = (table: readonly Meaning[], name: string): string | undefined => {
  for (const [pattern, text] of table) {
    const found = pattern.exec(name);
    if (found) return typeof text === 'string' ? text : text(found);
  }
  return undefined;
};

const DOWNLOAD = 'it waits to be flashed and does not run its firmware: press RESET; if it stays so, GPIO 0 (GPIO 9 of a C3) is held low';

/** Lines as a whole, first to fit. */
const lines: readonly Meaning[] = [
  [/waiting for download|boot:0x\w+ \((DOWNLOAD|USB\/UART|USB_BOOT|UART_BOOT)/i, DOWNLOAD],
  [
    /rst:0x\w+ \(([^)]+)\)/,
    ([, name = '']) => {
      const why = meaningOf(resets, name);
      return why ? `restart: ${why}` : `restart for a reason that is not known here, ${name}`;
    },
  ],
  [
    /Guru Meditation Error: Core\s+(\d+) panic'ed \(([^)]*)\)/,
    ([, core, cause = '']) => `trap on core ${core}: ${meaningOf(traps, cause) ?? `${cause || 'unknown cause'}, which is not known here`}`,
  ],
  [
    /stack overflow in task (\S+)|\*\*\*ERROR\*\*\* A stack overflow in task (\S+)/,
    ([, a, b]) => `the stack of task ${a ?? b} is too small`,
  ],
  [
    /Stack smashing protect failure|Stack canary watchpoint triggered \(([^)]*)\)/,
    ([, task]) => `the stack${task ? ` of task ${task}` : ''} was overwritten`,
  ],
  [/abort\(\) was called at PC (0x[0-9a-f]+)/, ([, pc]) => `the firmware gave up by itself, at ${pc}`],
  [/assert failed: (\S+)/, ([, where]) => `a check in the firmware failed, in ${where}`],
  [
    /ESP_ERROR_CHECK failed: esp_err_t (0x[0-9a-f]+) \((\w+)\)/,
    ([, , name]) => `a call answered ${name} and the firmware does not go on without it`,
  ],
  [/Brownout detector was triggered/, 'the supply voltage fell too low: take a shorter cable, another USB port or a stronger supply'],
  [/Task watchdog got triggered/, 'a task has not let others run for too long; its name follows'],
  [/Interrupt wdt timeout/, 'an interrupt handler, or code with interrupts off, took too long'],
  [/invalid header: 0xffffffff/, 'the flash is empty: run twobyte flash'],
  [/invalid header: 0x/, 'what is in the flash is no firmware for this chip: run twobyte flash with the right --board'],
  [/flash read err/, 'the flash does not answer or is empty: run twobyte flash; on an ESP32, GPIO 12 must not be high at its start'],
  [
    /csum err|Checksum failed|checksum.*(wrong|fail|bad)|image at 0x\w+ has invalid magic|Image hash failed/i,
    'the firmware in the flash is damaged: run twobyte flash',
  ],
  [/No bootable app partitions|no (factory|app) partition/i, 'the flash has no firmware that can be started: run twobyte flash'],
  [
    /(Detected size\(\S+\)) smaller than the size in the binary image header/,
    'the flash is smaller than the firmware was built for: is it the right --board?',
  ],
  [
    /Image requires chip rev|chip ID (\d+|0x\w+)|can't boot.*chip|wrong chip id/i,
    'the firmware is for another chip or revision: run twobyte flash with the right --board',
  ],
  [/partition table.*(invalid|magic|MD5)|Failed to (verify|load) partition table/i, 'the partition table is damaged: run twobyte flash'],
  [/secure boot.*fail|signature.*(invalid|verification failed)/i, 'the chip takes only firmware with the right signature'],
  [/nvs.*(corrupt|NO_FREE_PAGES|NEW_VERSION)/i, 'the settings in the NVS cannot be read: twobyte flash --erase begins anew'],
  [/Rebooting\.\.\./, 'the board starts again after the fault above'],
];

/** What a line of text from a board means, where it is known and worth a line. */
export function explain(line: string): string | undefined {
  return meaningOf(lines, line);
}
