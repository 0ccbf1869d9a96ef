import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Heard } from './heard.js';
import type { World } from './world.js';

/** This file runs as build/js/host/hil/gateway-process.js. */
const twobyte = fileURLToPath(new URL('../cli/twobyte.js', import.meta.url));

export interface GatewayProcess {
  /** Of UDP; NaN without it. */
  port: number;
  /** Ends it as a power cut does. */
  kill(): Promise<void>;
}

/** A `twobyte gateway` in a process of its own, to the world's broker; resolves when it listens. */
export async function gatewayProcess(world: World, ...options: string[]): Promise<GatewayProcess> {
  const { username, password = '' } = world.ground.broker;
  // Not in the address: other users of this machine can read the list of processes.
  const login = username === undefined ? {} : { TWOBYTE_USERNAME: username, TWOBYTE_PASSWORD: password };
  const child = spawn(process.execPath, [twobyte, 'gateway', '--broker', world.bareBroker, '--bind', '127.0.0.1', ...options], {
    env: { ...process.env, ...login },
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = () => {
    child.kill('SIGKILL');
    return ended;
  };
  world.after(kill);
  const said = new Heard<string>();
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => said.add(text));
  child.once('error', (error) => said.fail(error));
  void ended.then(() => said.fail(new Error(`the gateway ended: ${said.all.join('')}`)));
  await said.until((all) => all.join('').includes('listening at'), 'the gateway');
  return { port: Number(/UDP port (\d+)/.exec(said.all.join(''))?.[1]), kill };
}
