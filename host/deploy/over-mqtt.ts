import type { Client } from '../client.js';
import type { Channel } from './deployment.js';
import { decodeAnswer } from './messages.js';

/** What a board adds to its update topic for its answers. */
export const STATUS = '/status';

/** The way to a board by a broker: messages to `topic`, answers from it and `/status`, both at QoS 1. The client makes lost connections again. */
export async function channelOver(client: Client, topic: string): Promise<Channel> {
  await client.subscribeAsync(topic + STATUS, { qos: 1 });
  return {
    send(message) {
      // What was said without a connection would come late and in a heap.
      if (client.connected) client.publish(topic, Buffer.from(message), { qos: 1 }, () => {});
    },
    listen(heard) {
      client.on('message', (from, payload) => {
        const answer = from === topic + STATUS ? decodeAnswer(payload) : undefined;
        if (answer) heard(answer);
      });
    },
  };
}
