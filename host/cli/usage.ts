import { type Command, InvalidArgumentError } from 'commander';

/** Something in the command line cannot be used. The message begins with the option at fault. */
export class UsageError extends Error {}

export const EXIT_OK = 0;
/** Bad usage, and every failure that has no status of its own. A broker's refusal has that of its CONNACK, 1 to 5; a gateway's that of its return code, 1 to 3. */
export const EXIT_FAILURE = 1;
/** -W is over; the number is mosquitto_sub's. */
export const EXIT_TIMEOUT = 27;

/** Runs a command to its exit status. What cannot be used is told before anything is connected. */
export async function exitWith(command: Command, work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work();
  } catch (error) {
    if (error instanceof UsageError) command.error(`error: ${error.message}`, { exitCode: EXIT_FAILURE });
    throw error;
  }
}

/** Lets a command complain of an option that is not known without what stands behind its name: `--password=…` may be one. */
export function discreet(command: Command): Command {
  const hide = (text: string) => text.replace(/unknown option '(--[^=']+=|-[^-'])[^\n]+'/, "unknown option '$1…'");
  return command.configureOutput({ outputError: (text, write) => write(hide(text)) });
}

/** A parser for a whole number within bounds. */
export function whole(least: number, most = Number.POSITIVE_INFINITY): (text: string) => number {
  const range = most === Number.POSITIVE_INFINITY ? `, ${least} or more` : ` from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number${range}.`);
  };
}

export const qosLevel = (text: string): 0 | 1 | 2 => {
  if (text === '0' || text === '1' || text === '2') return Number(text) as 0 | 1 | 2;
  throw new InvalidArgumentError('It must be 0 (at most once), 1 (at least once) or 2 (exactly once).');
};

/** With −1, which needs no connection over MQTT-SN. */
export const publishQosLevel = (text: string): 0 | 1 | 2 | -1 => (text === '-1' ? -1 : qosLevel(text));

export const seconds = (text: string): number => {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= MOST_SECONDS) return value;
  throw new InvalidArgumentError(`It must be a number of seconds from 0 to ${MOST_SECONDS}.`);
};

/** A time that has to pass. */
export const secondsAboveZero = (text: string): number => {
  const value = Number(text);
  if (value > 0 && value <= MOST_SECONDS) return value;
  throw new InvalidArgumentError(`It must be a number of seconds above 0, up to ${MOST_SECONDS}.`);
};

/** What a timer of Node can count, in seconds. */
export const MOST_SECONDS = 2_147_483;

/** Gathers the values of an option that may be repeated. */
export const repeated = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];
