// The messages of MQTT-SN 1.2 as values. `decode.ts` reads them, `encode.ts` writes them; neither knows a session or a time.

// MsgType, SN 5.2.2.
export const ADVERTISE = 0x00;
export const SEARCHGW = 0x01;
export const GWINFO = 0x02;
export const CONNECT = 0x04;
export const CONNACK = 0x05;
export const WILLTOPICREQ = 0x06;
export const WILLTOPIC = 0x07;
export const WILLMSGREQ = 0x08;
export const WILLMSG = 0x09;
export const REGISTER = 0x0a;
export const REGACK = 0x0b;
export const PUBLISH = 0x0c;
export const PUBACK = 0x0d;
export const PUBCOMP = 0x0e;
export const PUBREC = 0x0f;
export const PUBREL = 0x10;
export const SUBSCRIBE = 0x12;
export const SUBACK = 0x13;
export const UNSUBSCRIBE = 0x14;
export const UNSUBACK = 0x15;
export const PINGREQ = 0x16;
export const PINGRESP = 0x17;
export const DISCONNECT = 0x18;
export const WILLTOPICUPD = 0x1a;
export const WILLTOPICRESP = 0x1b;
export const WILLMSGUPD = 0x1c;
export const WILLMSGRESP = 0x1d;
export const ENCAPSULATED = 0xfe;

// Flags, SN 5.3.4.
export const DUP_FLAG = 0x80;
export const RETAIN_FLAG = 0x10;
export const WILL_FLAG = 0x08;
export const CLEAN_FLAG = 0x04;

// TopicIdType, SN 5.3.4. 3 is reserved.
export const NORMAL = 0;
export const PREDEFINED = 1;
export const SHORT = 2;

// ReturnCode, SN 5.3.10.
export const ACCEPTED = 0;
export const CONGESTION = 1;
export const INVALID_TOPIC_ID = 2;
export const NOT_SUPPORTED = 3;

export type QoS = 0 | 1 | 2;

/** A topic as PUBLISH names it: a registered id, a pre-defined one, or two characters in the place of an id. */
export interface TopicRef {
  topicType: number;
  topicId: number;
}

export interface PublishMessage extends TopicRef {
  type: 'PUBLISH';
  dup: boolean;
  /** −1 asks for no connection and no answer (SN 6.8). */
  qos: QoS | -1;
  retain: boolean;
  /** 0 at QoS 0 and −1. */
  msgId: number;
  data: Uint8Array;
}

/** What SUBSCRIBE and UNSUBSCRIBE ask for: a name or filter (topicType 0), or a topic as PUBLISH names it. */
export interface FilterMessage extends TopicRef {
  type: 'SUBSCRIBE' | 'UNSUBSCRIBE';
  dup: boolean;
  qos: QoS;
  msgId: number;
  /** '' unless topicType is 0. */
  topicName: string;
}

export interface ConnectMessage {
  type: 'CONNECT';
  will: boolean;
  clean: boolean;
  protocolId: number;
  /** Keep alive in s. */
  duration: number;
  clientId: string;
}

/** A will topic with its flags; an empty topic deletes the will. */
export interface WillTopicMessage {
  type: 'WILLTOPIC' | 'WILLTOPICUPD';
  qos: QoS;
  retain: boolean;
  topic: string;
}

export type Message =
  | { type: 'ADVERTISE'; gatewayId: number; duration: number }
  | { type: 'SEARCHGW'; radius: number }
  | { type: 'GWINFO'; gatewayId: number; address: Uint8Array }
  | ConnectMessage
  | { type: 'CONNACK' | 'WILLTOPICRESP' | 'WILLMSGRESP'; code: number }
  | { type: 'WILLTOPICREQ' | 'WILLMSGREQ' | 'PINGRESP' }
  | WillTopicMessage
  | { type: 'WILLMSG' | 'WILLMSGUPD'; message: Uint8Array }
  | { type: 'REGISTER'; topicId: number; msgId: number; topicName: string }
  | { type: 'REGACK' | 'PUBACK'; topicId: number; msgId: number; code: number }
  | PublishMessage
  | { type: 'PUBCOMP' | 'PUBREC' | 'PUBREL' | 'UNSUBACK'; msgId: number }
  | FilterMessage
  | { type: 'SUBACK'; qos: QoS; topicId: number; msgId: number; code: number }
  | { type: 'PINGREQ'; clientId: string }
  | { type: 'DISCONNECT'; duration: number }
  | { type: 'ENCAPSULATED'; radius: number; node: Uint8Array; message: Uint8Array };

/** What makes a datagram malformed. */
export type Fault =
  | 'shorter than a header'
  | 'length does not match the datagram'
  | 'reserved message type'
  | 'wrong number of bytes for its type'
  | 'reserved message id 0'
  | 'reserved quality of service'
  | 'text is not UTF-8'
  | 'topic name is missing'
  | 'wireless node id is missing'
  | 'encapsulated twice';
