// What `import … from 'twobyte'` offers.

export { type Addresses, Client, connect, connectAsync } from './client.js';
export { TwobyteError } from './errors.js';
export type { Flushed } from './flush.js';
export type { LinkOptions } from './links/address.js';
export type { Message, MessagePiece } from './messages.js';
export type { ClientOptions, QoS, Will } from './options.js';
export type { Filters, Granted, PublishOptions } from './requests.js';
export type { Storage } from './storage.js';
