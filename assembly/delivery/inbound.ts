/** What arrived last, valid until the session's next poll(). Field by field the host reads it too: docs/boundary.md. */
@unmanaged
@final
export class Inbound {
  topic: u32;
  topicLength: u32;
  payload: u32;
  payloadLength: u32;
  /** Offset of this piece in the whole payload, and the length of the whole, in bytes. */
  offset: u32;
  total: u32;
  qos: u32;
  retain: u32;
  dup: u32;
  /** Packet identifier; of an MQTT CONNACK its return code. */
  id: u32;
  /** Return codes of an MQTT SUBACK; topic id of an MQTT-SN message. */
  codes: u32;
  /** How many codes; of an MQTT CONNACK, session present; of an MQTT-SN message its return code or topic id type. */
  count: u32;
}

export const inbound = changetype<Inbound>(memory.data(48, 4));
