// The bench's module: one PUBLISH from topic and payload that are in memory, by the codec alone. It has no session and no board.

import { encodePublish, publishSize } from '../mqtt/encode';

const CAPACITY: u32 = 256;
const packet = memory.data(256);
const topic = memory.data(64);
const payload = memory.data(64);

export function topic_buffer(): usize {
  return topic;
}

export function payload_buffer(): usize {
  return payload;
}

export function packet_buffer(): usize {
  return packet;
}

/** The bytes of a QoS 0 PUBLISH, written at packet_buffer(); 0 when they do not fit. */
export function encode(topicLength: u32, payloadLength: u32): u32 {
  if (publishSize(topicLength, payloadLength, 0) > CAPACITY) return 0;
  return <u32>(encodePublish(packet, 0, topic, topicLength, payload, payloadLength, 0) - packet);
}

export function memory_bytes(): u32 {
  return <u32>__heap_base;
}
