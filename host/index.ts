// What `import … from 'twobyte'` offers.

export {
  Client,
  connect,
  connectAsync,
  type Filters,
  type Granted,
  type Message,
  type MessagePiece,
  type PublishOptions,
} from './client.js';
export { TwobyteError } from './errors.js';
export type { LinkOptions } from './links/address.js';
export type { ClientOptions, QoS } from './options.js';
