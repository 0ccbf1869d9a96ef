import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startBroker } from '../host/broker.js';
import { counted, type Figure } from './figure.js';

const run = promisify(execFile);

/** This file runs as build/js/bench/device.js. */
const module = (name: string) => fileURLToPath(new URL(`../../${name}.wasm`, import.meta.url));

const READINGS = 100_000;
/** Two runs of so many publishes: their difference is what a publish costs, without the start. */
const FEW = 1000;
const MANY = 3000;
/** Encoding the same packet with Paho's embedded C library, natively, in instructions (MQTTSerialize_publish, x86-64, -O2). */
const PAHO_ENCODE = 173;
/** The same of MQTT-SN (MQTTSNSerialize_publish of its own library). */
const PAHO_SN_ENCODE = 171;
const INSTRUCTIONS_BOUND = 12 * PAHO_ENCODE;

type Protocol = 'mqtt' | 'mqttsn';

/** What is flashed, what it speaks when it is measured, and the most heap a board may need for it. */
const flashed: [module: string, protocol: Protocol, heapBound: number][] = [
  ['sensor-mqtt', 'mqtt', 96 * 1024],
  ['sensor-mqttsn', 'mqttsn', 96 * 1024],
  ['sensor', 'mqtt', 144 * 1024],
  ['sensor', 'mqttsn', 144 * 1024],
  ['sensor-mqtt-journal', 'mqtt', 112 * 1024],
  ['sensor-mqttsn-journal', 'mqttsn', 122 * 1024],
  ['sensor-journal', 'mqtt', 178 * 1024],
];
const names = { mqtt: 'MQTT', mqttsn: 'MQTT-SN' } as const;

/** Heap and allocations of the board under wasm3, over 100,000 readings; `bench` is the publish_bench of the posix build. */
export async function heapFigures(bench: string): Promise<Figure[]> {
  const peer = await perPublish(['--tool=memcheck', '--leak-check=no'], /total heap usage: ([\d,]+) allocs/, 100, 600);
  const figures: Figure[] = [];
  for (const [name, protocol, bound] of flashed) {
    const { heap, allocations } = await readings(bench, name, protocol);
    const over = `${name}.wasm over ${names[protocol]}`;
    figures.push(
      counted(`heap of the posix board, all in, ${over}`, heap, 'bytes', bound),
      counted(
        `allocations after start, ${READINGS.toLocaleString('en')} publishes, ${over}`,
        allocations,
        'allocations',
        0,
        'mosquitto_pub, for as many',
        Math.round(peer * READINGS),
      ),
    );
  }
  return figures;
}

async function readings(bench: string, name: string, protocol: Protocol): Promise<{ heap: number; allocations: number }> {
  const { stdout } = await run(bench, ['sensor', protocol, module(name), String(READINGS)]);
  const counts = JSON.parse(stdout) as { heap: number; allocations: number; published: number };
  if (counts.published !== READINGS) throw new Error(`publish_bench published ${counts.published} of ${READINGS} readings with ${name}`);
  return counts;
}

/** Instructions of a QoS 0 publish under wasm3, from the payload to the bytes handed to the link. */
export async function instructionFigures(bench: string): Promise<Figure[]> {
  const count = async (protocol: Protocol, publishes: number) =>
    collected(await run('valgrind', callgrind([bench, 'publish', protocol, module(`client-${protocol}`), String(publishes)])));
  const each = async (protocol: Protocol) => Math.round(((await count(protocol, MANY)) - (await count(protocol, FEW))) / (MANY - FEW));
  const mqtt = await each('mqtt');
  const mqttsn = await each('mqttsn');
  const peer = await perPublish(['--tool=callgrind', '--callgrind-out-file=/dev/null'], /Collected : (\d+)/, FEW, MANY);
  const name = 'QoS 0 publish through wasm3, session and all';
  return [
    counted(name, mqtt, 'instructions', INSTRUCTIONS_BOUND, 'Paho embedded C, encoding alone', PAHO_ENCODE),
    counted('the same beside a native client', mqtt, 'instructions', null, 'mosquitto_pub -l, with its system calls', Math.round(peer)),
    counted(`${name}, MQTT-SN`, mqttsn, 'instructions', null, 'Paho MQTT-SN embedded C, encoding alone', PAHO_SN_ENCODE),
  ];
}

function callgrind(command: readonly string[]): string[] {
  return ['--tool=callgrind', '--callgrind-out-file=/dev/null', ...command];
}

function collected({ stderr }: { stderr: string }): number {
  const [, count] = /Collected : (\d+)/.exec(stderr) ?? [];
  if (!count) throw new Error(`callgrind counted nothing:\n${stderr}`);
  return Number(count);
}

/** What mosquitto_pub spends on one more message, by the number that valgrind prints with `tool`. */
async function perPublish(tool: readonly string[], pattern: RegExp, few: number, many: number): Promise<number> {
  const broker = await startBroker();
  const count = (publishes: number) =>
    new Promise<number>((resolve, reject) => {
      const port = new URL(broker.url).port;
      const options = ['-h', '127.0.0.1', '-p', port, '-t', 'myhome/底楼/客厅/温度', '-l'];
      const child = spawn('valgrind', [...tool, 'mosquitto_pub', ...options], { stdio: ['pipe', 'ignore', 'pipe'] });
      let errors = '';
      child.stderr.on('data', (chunk) => {
        errors += chunk;
      });
      child.on('error', reject);
      child.on('close', () => {
        const [, number] = pattern.exec(errors) ?? [];
        if (number) resolve(Number(number.replaceAll(',', '')));
        else reject(new Error(`valgrind mosquitto_pub printed no count:\n${errors}`));
      });
      child.stdin.end('23.5\n'.repeat(publishes));
    });
  try {
    return ((await count(many)) - (await count(few))) / (many - few);
  } finally {
    await broker.close();
  }
}
