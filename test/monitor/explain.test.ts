import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeAddresses } from '../../host/monitor/backtrace.js';
import { eventText } from '../../host/monitor/event-text.js';
import { explain } from '../../host/monitor/explain.js';

describe('what a chip says is explained', () => {
  const cases: [line: string, says: RegExp | undefined][] = [
    ['rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)', /^restart: it was powered on, or RESET was pressed$/],
    ['rst:0x1 (POWERON),boot:0xc (SPI_FAST_FLASH_BOOT)', /powered on/],
    ['rst:0x3 (RTC_SW_SYS_RST),boot:0xc (SPI_FAST_FLASH_BOOT)', /^restart: the firmware restarted itself$/],
    ['rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)', /restarted itself/],
    ['rst:0x5 (DEEPSLEEP_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)', /wakes from deep sleep/],
    ['rst:0x5 (DSLEEP),boot:0xc (SPI_FAST_FLASH_BOOT)', /wakes from deep sleep/],
    ['rst:0x7 (TG0WDT_SYS_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)', /a watchdog restarted the chip/],
    ['rst:0x8 (TG1WDT_SYS_RST),boot:0xc (SPI_FAST_FLASH_BOOT)', /a watchdog restarted the chip/],
    ['rst:0x10 (RTCWDT_RTC_RESET),boot:0x33 (SPI_FAST_FLASH_BOOT)', /watchdog of the boot loader/],
    ['rst:0xf (RTCWDT_BROWN_OUT_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)', /supply voltage fell too low/],
    ['rst:0xf (BROWN_OUT_RST),boot:0xc (SPI_FAST_FLASH_BOOT)', /supply voltage fell too low/],
    ['rst:0x12 (SUPER_WDT_RST),boot:0xc (SPI_FAST_FLASH_BOOT)', /super watchdog/],
    ['rst:0x13 (GLITCH_RTC_RST),boot:0xc (SPI_FAST_FLASH_BOOT)', /glitch/],
    ['rst:0x14 (EFUSE_CRC_ERR),boot:0xc (SPI_FAST_FLASH_BOOT)', /fuses/],
    ['rst:0x15 (USB_UART_CHIP_RESET),boot:0xc (SPI_FAST_FLASH_BOOT)', /by USB/],
    ['rst:0x17 (CPU_JTAG_RESET),boot:0xc (SPI_FAST_FLASH_BOOT)', /debugger/],
    ['rst:0x99 (TELEPATHY),boot:0xc (SPI_FAST_FLASH_BOOT)', /not known here, TELEPATHY/],
    ['rst:0x1 (POWERON),boot:0x4 (DOWNLOAD(USB/UART0/1))', /^it waits to be flashed .* press RESET; .* GPIO 0 \(GPIO 9 of a C3\)/],
    ['waiting for download', /^it waits to be flashed/],
    [
      "Guru Meditation Error: Core  0 panic'ed (LoadProhibited). Exception was unhandled.",
      /^trap on core 0: it read from an address where nothing is/,
    ],
    ["Guru Meditation Error: Core  1 panic'ed (StoreProhibited). Exception was unhandled.", /^trap on core 1: it wrote/],
    ["Guru Meditation Error: Core  0 panic'ed (Load access fault). Exception was unhandled.", /it read from an address/],
    ["Guru Meditation Error: Core  0 panic'ed (Illegal instruction). Exception was unhandled.", /it ran what is no code/],
    ["Guru Meditation Error: Core  0 panic'ed (InstrFetchProhibited). Exception was unhandled.", /it jumped to where no code is/],
    ["Guru Meditation Error: Core  0 panic'ed (LoadStoreAlignment). Exception was unhandled.", /unaligned/],
    ["Guru Meditation Error: Core  0 panic'ed (IntegerDivideByZero). Exception was unhandled.", /divided by zero/],
    ["Guru Meditation Error: Core  0 panic'ed (Stack protection fault). ", /task's stack is too small/],
    ["Guru Meditation Error: Core  0 panic'ed (Interrupt wdt timeout on CPU0). ", /interrupts off, took too long/],
    ["Guru Meditation Error: Core  0 panic'ed (Cache disabled but cached memory region accessed). ", /belongs into IRAM/],
    ["Guru Meditation Error: Core  0 panic'ed (Memory protection fault). ", /protected from it/],
    ["Guru Meditation Error: Core  0 panic'ed (Double exception). ", /failed again/],
    ["Guru Meditation Error: Core  0 panic'ed (Unhandled debug exception). ", /breakpoint/],
    ["Guru Meditation Error: Core  0 panic'ed (Cosmic ray). ", /trap on core 0: Cosmic ray, which is not known here/],
    ['***ERROR*** A stack overflow in task twobyte has been detected.', /^the stack of task twobyte is too small$/],
    ['Stack smashing protect failure!', /^the stack was overwritten$/],
    ['abort() was called at PC 0x400d5a2c on core 0', /gave up by itself, at 0x400d5a2c/],
    ['assert failed: xQueueSemaphoreTake queue.c:1713 (( pxQueue ))', /a check .* failed, in xQueueSemaphoreTake/],
    ['ESP_ERROR_CHECK failed: esp_err_t 0x1105 (ESP_ERR_NVS_NOT_FOUND) at 0x400d', /answered ESP_ERR_NVS_NOT_FOUND/],
    ['E (312) boot: Brownout detector was triggered', /supply voltage/],
    ['E (5312) task_wdt: Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:', /its name follows/],
    ['invalid header: 0xffffffff', /^the flash is empty: run twobyte flash$/],
    ['invalid header: 0x3d9bb5ff', /no firmware for this chip: run twobyte flash with the right --board/],
    ['flash read err, 1000', /does not answer or is empty.*GPIO 12/],
    ['csum err:0x9a!=0x5f', /damaged: run twobyte flash/],
    ['E (91) boot: No bootable app partitions in the partition table', /no firmware that can be started/],
    [
      'E (47) spi_flash: Detected size(2048k) smaller than the size in the binary image header(4096k). Probe failed.',
      /smaller than the firmware was built for/,
    ],
    ['E (52) boot: Image requires chip rev >= v3.0, but chip is v1.0', /another chip or revision/],
    ['E (60) flash_parts: partition table 1 has invalid magic number 0xffff', /partition table is damaged/],
    ['Rebooting...', /starts again/],
    ['I (312) main_task: Calling app_main()', undefined],
    ['ESP-ROM:esp32c3-api1-20210207', undefined],
    ['the kettle boils', undefined],
  ];
  for (const [line, says] of cases)
    test(line, () => {
      const said = explain(line);
      if (says === undefined) assert.equal(said, undefined);
      else assert.match(String(said), says);
    });
});

test('addresses of code are found in a backtrace and in registers', () => {
  assert.deepEqual(codeAddresses('Backtrace: 0x400d1234:0x3ffb0010 0x400d5678:0x3ffb0030'), {
    machine: 'xtensa',
    addresses: ['0x400d1234', '0x400d5678'],
  });
  assert.deepEqual(codeAddresses('MEPC    : 0x420073ea  RA      : 0x420073e2  SP      : 0x3fc90f90  GP      : 0x3fc8b400'), {
    machine: 'riscv',
    addresses: ['0x420073ea', '0x420073e2'],
  });
  assert.equal(codeAddresses('Backtrace: none'), undefined);
});

test('events are words for people', () => {
  const cases: [json: string, text: string][] = [
    ['{"at":1.5,"event":"reading","a":23500,"b":7}', 'reading 23.5 message 7'],
    ['{"at":1.5,"event":"reading","a":0,"b":0}', 'reading 0'],
    ['{"event":"measured","a":2,"b":-1250}', 'measured 2: -1.25'],
    ['{"event":"link_closed","a":6,"b":1000}', 'link_closed reset again in 1000 ms'],
    ['{"event":"timeout","a":99,"b":1000}', 'timeout 99 again in 1000 ms'],
    ['{"event":"connected","a":1,"b":0}', 'connected a=1'],
    ['{"event":"started","heap":18600,"module":"x","settings":true}', 'started heap=18600 module=x settings=true'],
    ['{"event":"board","board":"a\\nb"}', 'board board=a\\u000ab'],
    ['no JSON', 'no JSON'],
    ['null', 'null'],
    ['{"event":7}', '{"event":7}'],
  ];
  for (const [json, text] of cases) assert.equal(eventText(json), text);
});
