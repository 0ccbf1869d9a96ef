import { startBroker } from '../broker.js';
import type { OwnBroker, OwnBrokerOptions } from './ground.js';

/** The embedded broker, for scenarios that have one of their own and as the one that they share. */
export async function embeddedBroker({ port = 0, login }: OwnBrokerOptions = {}): Promise<OwnBroker> {
  const broker = await startBroker({
    port,
    ...(login && {
      authenticate: (_client, username, password, done) => done(null, username === login.username && String(password) === login.password),
    }),
  });
  let stopped: Promise<void> | undefined;
  return {
    port: Number(new URL(broker.url).port),
    stop() {
      stopped ??= broker.close();
      return stopped;
    },
  };
}
