import type { BoardEvent } from '../rungs/rung.js';

/** A message as it arrived at the subscriber. */
export interface Arrival {
  topic: string;
  payload: string;
  qos: number;
  /** Wall clock in ms. */
  at: number;
}

export type Protocol = 'MQTT' | 'MQTT-SN';

/** The readings of one board, as it takes them and as they arrive. */
export interface Readings {
  taken(event: BoardEvent): void;
  arrived(arrival: Arrival): void;
}

/** Readings that may wait for their message while a broker is away; the board's outbox holds fewer. */
const MANY_READINGS = 64;

/** Messages that may wait for their reading. */
const MANY_ARRIVALS = 1024;

/** A reading's event and its message come by different ways; in this many ms both are there. */
const PAIRING = 2000;

/** Prints what arrives from two boards, up to `most` lines; then calls `finish`. None of the two gets more than half of them. */
export class Printer {
  readonly #json: boolean;
  readonly #most: number;
  readonly #finish: () => void;
  #printed = 0;

  constructor({ readings = Number.POSITIVE_INFINITY, json }: { readings?: number; json: boolean }, finish: () => void) {
    this.#json = json;
    this.#most = readings;
    this.#finish = finish;
  }

  /** Pairs each arrival with the reading of this board that it carries; a message of somebody else is not printed. */
  of(protocol: Protocol): Readings {
    const share = Math.ceil(this.#most / 2);
    let taken: BoardEvent[] = [];
    let arrived: Arrival[] = [];
    let printed = 0;
    const pair = () => {
      const since = wallClock() - PAIRING;
      arrived = arrived.filter((arrival) => {
        const index = taken.findIndex(({ a }) => textOf(a) === arrival.payload);
        if (index < 0) return arrival.at > since;
        const [reading] = taken.splice(0, index + 1).slice(-1);
        if (reading && printed < share && this.#printed < this.#most) {
          printed++;
          this.#show(protocol, arrival, Math.max(arrival.at - reading.at, 0));
        }
        return false;
      });
      taken = taken.slice(-MANY_READINGS);
    };
    return {
      taken(event) {
        taken.push(event);
        pair();
      },
      arrived(arrival) {
        if (arrived.length === MANY_ARRIVALS) arrived.shift(); // others may publish there, too
        arrived.push(arrival);
        pair();
      },
    };
  }

  #show(protocol: Protocol, { topic, payload, qos, at }: Arrival, latency: number): void {
    const line = { protocol, topic, payload, qos, latency: Number(latency.toFixed(3)), at: new Date(at).toISOString() };
    if (this.#json) console.log(JSON.stringify(line));
    else console.log(`${topic}  ${payload} °C  QoS ${qos}  ${latency.toFixed(1)} ms  ${protocol}`);
    if (++this.#printed === this.#most) this.#finish();
  }
}

export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}

/** Thousandths as the sensor writes them: one decimal, half away from zero. */
function textOf(thousandths: number): string {
  const tenths = Math.floor((Math.abs(thousandths) + 50) / 100);
  return `${thousandths < 0 && tenths > 0 ? '-' : ''}${Math.floor(tenths / 10)}.${tenths % 10}`;
}
