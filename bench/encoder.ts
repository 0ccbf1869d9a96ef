import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { MEASURED_ONCE, PAHO_ENCODE } from './costs.js';
import { counted, type Figure } from './figure.js';
import { collected } from './operations.js';

const run = promisify(execFile);

/** Two runs of so many packets: their difference is what a packet costs, without the start. */
const FEW = 1000;
const MANY = 3000;

/** Instructions of our encoder alone, compiled by wasm2c and the C compiler; `program` is encode_bench (firmware/bench/encode.c). */
export async function encoderFigure(program: string): Promise<Figure> {
  const count = async (packets: number) => {
    const command = ['--tool=callgrind', '--callgrind-out-file=/dev/null', program, String(packets)];
    const { stderr } = await run('valgrind', command);
    return collected(stderr);
  };
  const each = Math.round(((await count(MANY)) - (await count(FEW))) / (MANY - FEW));
  return encodingFigure(each);
}

export function encodingFigure(each: number): Figure {
  return counted('QoS 0 PUBLISH encoded, compiled', each, 'instructions', PAHO_ENCODE, `Paho embedded C, ${MEASURED_ONCE}`, PAHO_ENCODE);
}
