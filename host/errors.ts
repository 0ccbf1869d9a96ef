import {
  CONFIG_CLIENT_ID,
  CONFIG_USERNAME,
  ERROR_CONFIG_INVALID,
  ERROR_CONFIG_MISSING,
  ERROR_CONFIG_TOO_LONG,
  ERROR_CONNACK,
  ERROR_DUP,
  ERROR_FILTER_WILDCARD,
  ERROR_FLAGS,
  ERROR_INBOX_FULL,
  ERROR_LENGTH,
  ERROR_NO_TOPIC_ID,
  ERROR_NUL,
  ERROR_OUTBOX_FULL,
  ERROR_PACKET_ID,
  ERROR_PACKET_TYPE,
  ERROR_QOS,
  ERROR_REMAINING_LENGTH,
  ERROR_SESSION_PRESENT,
  ERROR_STATE,
  ERROR_SUBACK,
  ERROR_TOO_LARGE,
  ERROR_TOPIC_EMPTY,
  ERROR_TOPIC_ID,
  ERROR_TOPIC_TOO_LONG,
  ERROR_TOPIC_WILDCARD,
  ERROR_UNEXPECTED,
  ERROR_UNREGISTERED,
  ERROR_UTF8,
  EVENT_LINK_CLOSED,
  EVENT_PROTOCOL_ERROR,
  EVENT_RECORD_LOST,
  EVENT_REFUSED,
  EVENT_REFUSED_AUTHORIZATION,
  EVENT_REFUSED_CLIENT_ID,
  EVENT_REFUSED_CREDENTIALS,
  EVENT_REFUSED_UNAVAILABLE,
  EVENT_REFUSED_VERSION,
  EVENT_TIMEOUT,
  errorNames,
  REASON_ADDRESS,
  REASON_CERTIFICATE,
  REASON_ENDED,
  REASON_NAME,
  REASON_REFUSED,
  REASON_RESET,
  REASON_TLS,
  REASON_UNREACHABLE,
  REASON_WEBSOCKET,
  RECORD_INBOX,
  RECORD_MESSAGE,
  RECORD_READING,
  RECORD_RELEASE,
  RECORD_TOPIC,
  reasonNames,
  STORE_FULL,
  storeNames,
  TIMEOUT_ADVERTISE,
  TIMEOUT_CONNACK,
  TIMEOUT_DISCONNECT,
  TIMEOUT_OPEN,
  TIMEOUT_PINGRESP,
  TIMEOUT_REPLY,
  TIMEOUT_SEND,
  timeoutNames,
} from './contract.js';

// What the numbers of the boundary say to people.

const errors: Readonly<Record<number, string>> = {
  [ERROR_OUTBOX_FULL]: 'the outbox is full; wait for acknowledgements or for a connection',
  [ERROR_TOO_LARGE]: 'the packet is larger than the buffer that has to hold it',
  [ERROR_TOPIC_EMPTY]: 'the topic is empty; it needs at least one character',
  [ERROR_TOPIC_TOO_LONG]: 'the topic is longer than the limit',
  [ERROR_TOPIC_WILDCARD]: 'a topic name must not contain + or #; they belong in the topic filters of a subscription',
  [ERROR_FILTER_WILDCARD]: 'the topic filter is malformed: + stands alone between slashes, # alone at the end',
  [ERROR_UTF8]: 'the text is not well-formed UTF-8',
  [ERROR_NUL]: 'the text contains U+0000, which MQTT forbids',
  [ERROR_QOS]: 'the quality of service must be 0, 1 or 2, or −1 to publish over MQTT-SN',
  [ERROR_STATE]: 'the call does not fit the present state',
  [ERROR_CONFIG_MISSING]: 'a required value is missing',
  [ERROR_CONFIG_INVALID]: 'the value is outside its range',
  [ERROR_CONFIG_TOO_LONG]: 'the value is longer than its limit',
  [ERROR_PACKET_TYPE]: 'the peer sent a packet type that a broker never sends; is it an MQTT broker?',
  [ERROR_FLAGS]: 'the peer sent a packet with wrong reserved flags; is it an MQTT broker?',
  [ERROR_REMAINING_LENGTH]: 'the peer sent a packet whose remaining length is wrong',
  [ERROR_PACKET_ID]: 'the peer sent packet identifier 0',
  [ERROR_DUP]: 'the peer sent a QoS 0 message marked as a duplicate',
  [ERROR_CONNACK]: 'the peer sent a malformed CONNACK',
  [ERROR_SUBACK]: 'the peer sent a SUBACK that does not fit the subscription',
  [ERROR_UNEXPECTED]: 'the peer sent a packet that does not fit the state of the session',
  [ERROR_INBOX_FULL]: 'the peer sent more QoS 2 messages at once than the inbox holds',
  [ERROR_SESSION_PRESENT]: 'the peer speaks of a kept session although a clean one was asked for',
  [ERROR_LENGTH]: 'the datagram is cut, or its length is not the one it states',
  [ERROR_TOPIC_ID]: 'the datagram has a reserved topic id',
  [ERROR_UNREGISTERED]: 'the message has a topic id that the gateway has not registered here; it was told so',
  [ERROR_NO_TOPIC_ID]: 'QoS −1 needs a topic of two bytes, or one of the option predefinedTopics',
};

const reasons: Readonly<Record<number, string>> = {
  [REASON_REFUSED]: 'connection refused: nobody listens there',
  [REASON_UNREACHABLE]: 'the network has no answer from there',
  [REASON_NAME]: 'the host name is not known',
  [REASON_TLS]: 'the TLS handshake failed',
  [REASON_CERTIFICATE]: 'the certificate of the broker cannot be trusted',
  [REASON_RESET]: 'the connection broke off',
  [REASON_ENDED]: 'the broker closed the connection',
  [REASON_ADDRESS]: 'the address cannot be opened',
  [REASON_WEBSOCKET]: 'the WebSocket handshake was refused',
};

const timeouts: Readonly<Record<number, string>> = {
  [TIMEOUT_OPEN]: 'the connection did not open in time',
  [TIMEOUT_CONNACK]: 'no CONNACK came in time; is it an MQTT broker or gateway?',
  [TIMEOUT_PINGRESP]: 'no PINGRESP came in time',
  [TIMEOUT_REPLY]: 'an acknowledgement did not come in time',
  [TIMEOUT_SEND]: 'the connection took no bytes for too long',
  [TIMEOUT_DISCONNECT]: 'the gateway did not confirm our DISCONNECT in time',
  [TIMEOUT_ADVERTISE]: 'the gateway no longer advertises itself',
};

const refusals: Readonly<Record<number, string>> = {
  1: 'Connection refused: unacceptable protocol version',
  2: 'Connection refused: client identifier rejected',
  3: 'Connection refused: server unavailable',
  4: 'Connection refused: bad user name or password',
  5: 'Connection refused: not authorized',
};

/** Return codes of MQTT-SN (SN 5.3.10). */
const returnCodes: Readonly<Record<number, string>> = {
  1: 'it is congested',
  2: 'invalid topic id',
  3: 'not supported',
};

/** What a record of the journal holds. */
const records: Readonly<Record<number, string>> = {
  [RECORD_MESSAGE]: 'a message that is not acknowledged',
  [RECORD_RELEASE]: 'that PUBREC came for a message',
  [RECORD_INBOX]: 'which messages were delivered',
  [RECORD_TOPIC]: 'a registered topic',
  [RECORD_READING]: 'a reading that waits',
};

/** What an EVENT_STORE_FAILED or EVENT_RECORD_LOST says: the journal's storage did not take the record of `key`, or the record is torn. */
export function journalError(event: number, key: number, detail: number): TwobyteError {
  const what = records[key >> 16] ?? `record ${key}`;
  if (event === EVENT_RECORD_LOST) return new TwobyteError(`a record of the journal is torn and lost: ${what}`, 'RECORD_LOST');
  const why = detail === STORE_FULL ? 'it is full' : 'writing failed';
  return new TwobyteError(`the journal cannot note ${what}: ${why}`, named('STORE', storeNames, detail));
}

export function errorText(error: number): string {
  return errors[error] ?? `error ${error}`;
}

/** What is wrong with a value of the configuration, where its name alone does not say it. */
export function configFaultText(error: number, key: number): string {
  if (error === ERROR_CONFIG_MISSING && key === CONFIG_USERNAME) return 'a password is given, and it needs a user name';
  if (error === ERROR_CONFIG_MISSING && key === CONFIG_CLIENT_ID) return 'a session that is kept needs a client identifier';
  return errorText(error);
}

/** Why a gateway says no. */
export function returnCodeText(code: number): string {
  return returnCodes[code] ?? `return code ${code}`;
}

/** A number of the boundary as the `code` of an error, 'ERROR_TOO_LARGE' for example. */
function named(family: string, names: Readonly<Record<number, string>>, number: number): string {
  return `${family}_${(names[number] ?? String(number)).toUpperCase()}`;
}

export function errorCode(error: number): string {
  return named('ERROR', errorNames, error);
}

const REFUSED_FOR_GOOD = new Set([EVENT_REFUSED_VERSION, EVENT_REFUSED_CLIENT_ID, EVENT_REFUSED_CREDENTIALS, EVENT_REFUSED_AUTHORIZATION]);
const CONGESTION = 1;

/**
 * What an EVENT_… with its detail says of the end of a connection or an attempt; undefined when it is about something else. A link that a gateway's DISCONNECT
 * closed has no message.
 */
export function connectionError(event: number, detail: number, linkMessage: string): TwobyteError | undefined {
  switch (event) {
    case EVENT_REFUSED_VERSION:
    case EVENT_REFUSED_CLIENT_ID:
    case EVENT_REFUSED_UNAVAILABLE:
    case EVENT_REFUSED_CREDENTIALS:
    case EVENT_REFUSED_AUTHORIZATION:
      return new TwobyteError(refusalText(detail), detail);
    case EVENT_REFUSED:
      return new TwobyteError(`Connection refused by the gateway: ${returnCodeText(detail)}`, detail);
    case EVENT_LINK_CLOSED:
      return new TwobyteError(
        linkMessage ? `${reasonText(detail)} (${linkMessage})` : 'the gateway ended the connection',
        named('REASON', reasonNames, detail),
      );
    case EVENT_PROTOCOL_ERROR:
      return new TwobyteError(errorText(detail), errorCode(detail));
    case EVENT_TIMEOUT:
      return new TwobyteError(timeoutText(detail), named('TIMEOUT', timeoutNames, detail));
  }
  return undefined;
}

/** Whether trying again cannot help. */
export function isForGood(event: number, detail: number): boolean {
  return REFUSED_FOR_GOOD.has(event) || (event === EVENT_REFUSED && detail !== CONGESTION);
}

function reasonText(reason: number): string {
  return reasons[reason] ?? 'the connection failed';
}

function timeoutText(timeout: number): string {
  return timeouts[timeout] ?? 'no answer came in time';
}

function refusalText(code: number): string {
  return refusals[code] ?? `Connection refused: return code ${code}`;
}

/** What a client reports. `code` is the return code of the broker or gateway where there was one, else a name such as 'ERROR_TOPIC_WILDCARD' or 'REASON_REFUSED'. */
export class TwobyteError extends Error {
  override readonly name = 'TwobyteError';
  constructor(
    message: string,
    readonly code: number | string,
  ) {
    super(message);
  }
}
