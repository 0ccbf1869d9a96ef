import { type Client, connect } from '../client.js';
import type { Message } from '../messages.js';
import { Heard, within } from './heard.js';

/** A client that is connected, and the messages it has got. */
export interface Hearing {
  client: Client;
  messages: Heard<Message>;
}

/** A client at `url` that is subscribed to `filters`, if there are any; its owner ends it. */
export async function hearing(url: string, filters: string | string[]): Promise<Hearing> {
  const client = connect(url, { reconnectPeriod: 0 });
  const messages = new Heard<Message>();
  client.on('message', (_topic, _payload, message) => messages.add(message));
  try {
    const connected = new Promise<void>((resolve, reject) => {
      client.once('error', reject);
      client.once('connect', () => {
        client.off('error', reject);
        resolve();
      });
    });
    await within(connected, 'the connection to the broker');
    if (filters.length > 0) await within(client.subscribeAsync(filters, { qos: 2 }), 'the subscription');
  } catch (error) {
    await client.endAsync(true);
    throw error;
  }
  return { client, messages };
}
