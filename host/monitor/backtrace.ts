import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The instruction set of a firmware. */
type Machine = 'xtensa' | 'riscv';

/** Addresses of code in a line that a trap prints: a backtrace of Xtensa, or the program counter and return address of RISC-V. */
export function codeAddresses(line: string): { machine: Machine; addresses: string[] } | undefined {
  const trace = /Backtrace:\s*((?:0x[0-9a-f]+:0x[0-9a-f]+\s*)+)/i.exec(line)?.[1];
  if (trace !== undefined) return { machine: 'xtensa', addresses: [...trace.matchAll(/(0x[0-9a-f]+):/gi)].map(([, pc = '']) => pc) };
  const registers = /MEPC\s*:\s*(0x[0-9a-f]+)\s+RA\s*:\s*(0x[0-9a-f]+)/i.exec(line);
  return registers ? { machine: 'riscv', addresses: registers.slice(1) } : undefined;
}

/** Programs that tell a line of source from an address, by machine, in the order in which they are tried. */
const programs: Readonly<Record<Machine, readonly string[]>> = {
  xtensa: ['xtensa-esp-elf-addr2line', 'xtensa-esp32-elf-addr2line', 'xtensa-esp32s3-elf-addr2line'],
  riscv: ['riscv32-esp-elf-addr2line', 'riscv64-unknown-elf-addr2line', 'riscv32-unknown-elf-addr2line'],
};

const EM_XTENSA = 94;
const EM_RISCV = 243;

/** The machine for which an ELF file is; throws a sentence when it is none of ours. */
export function machineOf(elf: string): Machine {
  let header: Buffer;
  try {
    header = readFileSync(elf).subarray(0, 20);
  } catch (error) {
    throw new Error(`'${elf}' cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  if (header.toString('latin1', 0, 4) !== '\x7fELF') throw new Error(`'${elf}' is no ELF file; the build has one beside its .bin`);
  const machine = header.readUInt16LE(18);
  if (machine === EM_XTENSA) return 'xtensa';
  if (machine === EM_RISCV) return 'riscv';
  throw new Error(`'${elf}' is for another kind of chip`);
}

/** How to decode addresses by hand. */
export function howToDecode(machine: Machine, addresses: string[]): string {
  const [program] = programs[machine];
  return `where in the source: give --elf FILE.elf of the build, or run ${program} -pfiaC -e FILE.elf ${addresses.join(' ')}`;
}

/** The places in the source of `addresses`, a line each; in place of them a sentence when that cannot be found out. */
export async function decode(elf: string, machine: Machine, addresses: string[]): Promise<string[]> {
  if (machineOf(elf) !== machine) return [`the board's chip is not that of --elf '${elf}'`];
  for (const program of programs[machine]) {
    try {
      const { stdout } = await run(program, ['-pfiaC', '-e', elf, ...addresses]);
      return stdout.trimEnd().split('\n');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return [`${program} failed: ${(error as Error).message.split('\n')[0]}`];
    }
  }
  return [`no ${programs[machine][0]} in PATH: run ESP-IDF's export.sh first`];
}
