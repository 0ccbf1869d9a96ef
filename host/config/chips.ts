// What the chips can do, from their data sheets: ESP32 5.2, ESP32-C3 2.1 and ESP32-S3 2.0, the tables of pins and the sections on strapping pins and ADC.

/** Facts of a chip, or of what stands for one on the lower rungs. Pins are GPIO numbers. */
export interface Chip {
  readonly name: ChipName;
  /** The pins it has. */
  readonly gpio: readonly number[];
  /** Without an output driver, and without a pull-up. */
  readonly inputOnly: readonly number[];
  /** Read at reset, with what they decide then. */
  readonly strapping: Readonly<Record<number, string>>;
  /** Wired to the flash inside the module. */
  readonly flash: readonly number[];
  /** Wired to PSRAM where the board has it, of four or of eight lines. */
  readonly psram: Readonly<Record<'quad' | 'octal', readonly number[]>>;
  /** Of the built-in USB: D− and D+. */
  readonly usb: readonly number[];
  /** Of UART0, which the boot loader speaks on: TX and RX. */
  readonly uart: readonly number[];
  /** In the order of their channels. */
  readonly adc1: readonly number[];
  /** Shared with the radio, or broken in the chip's errata: not for measuring beside Wi-Fi. */
  readonly adc2: readonly number[];
  readonly wifi: boolean;
  /** Whether it has a thermometer of its own; of the lower rungs, the one that their settings name. */
  readonly thermometer: boolean;
  /** Schemes of brokers' addresses, without ://. */
  readonly schemes: readonly string[];
}

export type ChipName = 'esp32' | 'esp32c3' | 'esp32s3' | 'linux' | 'rv32';

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

const none = { gpio: [], inputOnly: [], strapping: {}, flash: [], psram: { quad: [], octal: [] }, usb: [], uart: [], adc1: [], adc2: [] };
const network = ['mqtt', 'mqtts', 'mqtt-sn', 'mqtt+line', 'mqtt-sn+line'];

export const chips: Readonly<Record<ChipName, Chip>> = {
  esp32: {
    name: 'esp32',
    gpio: [...range(0, 19), ...range(21, 23), ...range(25, 27), ...range(32, 39)],
    inputOnly: range(34, 39),
    strapping: {
      0: 'boot mode',
      2: 'boot mode',
      5: 'the timing of SDIO',
      12: 'the voltage of the flash',
      15: 'the boot messages',
    },
    flash: range(6, 11),
    psram: { quad: [16, 17], octal: [] },
    usb: [],
    uart: [1, 3],
    adc1: [36, 37, 38, 39, 32, 33, 34, 35],
    adc2: [4, 0, 2, 15, 13, 12, 14, 27, 25, 26],
    wifi: true,
    thermometer: false,
    schemes: network,
  },
  esp32c3: {
    name: 'esp32c3',
    gpio: range(0, 21),
    inputOnly: [],
    strapping: { 2: 'boot mode', 8: 'boot mode', 9: 'boot mode' },
    flash: range(11, 17),
    psram: { quad: [], octal: [] },
    usb: [18, 19],
    uart: [21, 20],
    adc1: range(0, 4),
    adc2: [5],
    wifi: true,
    thermometer: true,
    schemes: network,
  },
  esp32s3: {
    name: 'esp32s3',
    gpio: [...range(0, 21), ...range(26, 48)],
    inputOnly: [],
    strapping: { 0: 'boot mode', 3: 'the source of JTAG', 45: 'the voltage of the flash', 46: 'boot mode' },
    flash: range(26, 32),
    psram: { quad: [], octal: range(33, 37) },
    usb: [19, 20],
    uart: [43, 44],
    adc1: range(1, 10),
    adc2: range(11, 20),
    wifi: true,
    thermometer: true,
    schemes: network,
  },
  linux: {
    ...none,
    name: 'linux',
    wifi: false,
    thermometer: true,
    schemes: ['mqtt', 'mqtt-sn', 'mqtt-sn+serial', 'mqtt+line', 'mqtt-sn+line'],
  },
  rv32: { ...none, name: 'rv32', wifi: false, thermometer: true, schemes: ['mqtt', 'mqtt-sn', 'mqtt+line', 'mqtt-sn+line'] },
};

/** What a pin is to do: `output` also of buses, which drive it low; `analog` on ADC1. */
export type PinUse = 'output' | 'analog';

/** What decides over a pin beside the chip. */
export interface PinPlace {
  readonly chip: Chip;
  readonly psram: 'none' | 'quad' | 'octal';
  readonly console: 'uart' | 'usb';
}

/** Why GPIO `pin` cannot be used so, as `is input-only on esp32`; undefined when it can. What the board has connected there is not considered. */
export function whyNot({ chip, psram, console }: PinPlace, pin: number, use: PinUse): string | undefined {
  const { name, strapping } = chip;
  if (!chip.gpio.includes(pin)) return `is no pin of ${name}`;
  if (chip.flash.includes(pin)) return `is wired to the flash on ${name}`;
  if (psram !== 'none' && chip.psram[psram].includes(pin)) return `is wired to the PSRAM on ${name}`;
  if (chip.usb.includes(pin)) return `is USB D${pin === chip.usb[0] ? '−' : '+'} on ${name}`;
  if (console === 'uart' && chip.uart.includes(pin)) return `is ${pin === chip.uart[0] ? 'TX' : 'RX'} of the console on ${name}`;
  if (strapping[pin] !== undefined) return `is a strapping pin on ${name}, which decides ${strapping[pin]} at reset`;
  if (use === 'analog') {
    if (chip.adc1.includes(pin)) return undefined;
    return chip.adc2.includes(pin) ? `is on ADC2 of ${name}, which does not measure beside Wi-Fi` : `has no ADC on ${name}`;
  }
  return chip.inputOnly.includes(pin) ? `is input-only on ${name}` : undefined;
}
