import type { Protocol, RungName } from './ground.js';
import type { World } from './world.js';

/** A story of a board and a broker, told on every rung and over both protocols. */
export interface Scenario {
  what: string;
  /** The rungs and protocols it cannot run on, and why. */
  not?: Partial<Record<RungName | Protocol | `${RungName} over ${Protocol}`, string>>;
  /** What this machine lacks for it, and how to get it. */
  skip?: string | false;
  /** Also told of the module that speaks both protocols. */
  sample?: boolean;
  run(world: World): Promise<void>;
}

/** Why a scenario is not told there; false where it is. */
export function whyNot({ not = {}, skip = false }: Scenario, rung: RungName, protocol: Protocol): string | false {
  return not[rung] ?? not[`${rung} over ${protocol}`] ?? not[protocol] ?? skip;
}

/** In ms, the longest interval. */
export const DAY = 86_400_000;

/** For `not`: what a board behind a line cannot do over MQTT-SN, where that carries datagrams to one gateway. */
export const notByDatagrams = (why: string): NonNullable<Scenario['not']> => ({
  'qemu-rv32 over mqtt-sn': why,
  'qemu-rv32-aot over mqtt-sn': why,
  'board over mqtt-sn': why,
});
