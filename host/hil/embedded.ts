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
  // It tells of a session that goes on only where there are subscriptions: each such client has one, of a topic that nobody publishes at.
  broker.aedes.on('client', (client) => {
    if (!(client as unknown as { clean: boolean }).clean) client.subscribe({ topic: `$SYS/${broker.aedes.id}/none`, qos: 0 }, () => {});
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
