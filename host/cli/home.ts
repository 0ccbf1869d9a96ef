import { type Broker, startBroker } from '../broker.js';
import { type EmbeddedGateway, startGateway } from '../gateway/embedded.js';
import { printable } from '../printable.js';

/** A message as it came to the embedded broker. */
export interface Arrival {
  topic: string;
  payload: string;
  qos: number;
  retain: boolean;
}

/** A broker in this process, and a gateway in front of it: where a board's readings go when no other broker is named. */
export interface Home {
  broker: Broker;
  gateway: EmbeddedGateway;
  close(): Promise<void>;
}

/** Starts both at free ports of the loopback address. `arrived` hears each message of a client; `say` what the gateway has to tell. */
export async function startHome(arrived: (arrival: Arrival) => void, say: (text: string) => void): Promise<Home> {
  const broker = await startBroker();
  broker.aedes.on('publish', ({ topic, payload, qos, retain }, client) => {
    if (client && !topic.startsWith('$')) arrived({ topic, payload: String(payload), qos, retain });
  });
  try {
    const gateway = await startGateway(broker.url, { say });
    return {
      broker,
      gateway,
      async close() {
        await gateway.close();
        await broker.close();
      },
    };
  } catch (error) {
    await broker.close();
    throw error;
  }
}

/** An arrival in a line for people. */
export function arrivalLine({ topic, payload, qos, retain }: Arrival): string {
  return printable(`${topic}  ${payload}  QoS ${qos}${retain ? '  retained' : ''}`);
}
