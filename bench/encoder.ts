import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { counted, type Figure } from './figure.js';

const run = promisify(execFile);

/** Two runs of so many packets: their difference is what a packet costs, without the start. */
const FEW = 1000;
const MANY = 3000;
/** Encoding the same packet with Paho's embedded C library, natively, in instructions (MQTTSerialize_publish, x86-64, -O2). */
const PAHO_ENCODE = 173;

/** Instructions of our encoder alone, compiled by wasm2c and the C compiler; `program` is encode_bench (firmware/bench/encode.c). */
export async function encoderFigure(program: string): Promise<Figure> {
  const count = async (packets: number) => {
    const command = ['--tool=callgrind', '--callgrind-out-file=/dev/null', program, String(packets)];
    const { stderr } = await run('valgrind', command);
    const [, collected] = /Collected : (\d+)/.exec(stderr) ?? [];
    if (!collected) throw new Error(`callgrind counted nothing:\n${stderr}`);
    return Number(collected);
  };
  const each = Math.round(((await count(MANY)) - (await count(FEW))) / (MANY - FEW));
  return counted('QoS 0 PUBLISH encoded, compiled', each, 'instructions', PAHO_ENCODE, 'Paho embedded C', PAHO_ENCODE);
}
