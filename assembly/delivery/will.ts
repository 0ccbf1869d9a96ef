// The will of the next connection. Its texts were checked and stay where their owner has them.

export let willTopic: usize = 0;
/** 0: there is no will, since a topic has at least a character. */
export let willTopicLength: u32 = 0;
export let willPayload: usize = 0;
export let willPayloadLength: u32 = 0;
export let willQos: u32 = 0;
export let willRetain: u32 = 0;

export function hasWill(): bool {
  return willTopicLength != 0;
}

export function clearWill(): void {
  willTopicLength = 0;
}

export function setWill(topic: usize, topicLength: u32, qos: u32, retain: u32): void {
  willTopic = topic;
  willTopicLength = topicLength;
  willQos = qos;
  willRetain = retain;
}

export function setWillPayload(payload: usize, length: u32): void {
  willPayload = payload;
  willPayloadLength = length;
}
