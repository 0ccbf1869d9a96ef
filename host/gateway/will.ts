import { ACCEPTED, NOT_SUPPORTED, type WillTopicMessage } from './messages.js';
import type { Publication } from './publication.js';
import { topicFault } from './topics.js';

/** The will of a client, if it has one, and its updates (SN 6.4), which answer a return code. */
export class Will {
  current: Publication | undefined;

  /** WILLTOPICUPD: an empty topic deletes the will. */
  updateTopic({ topic, qos, retain }: WillTopicMessage): number {
    if (topic !== '' && topicFault(topic)) return NOT_SUPPORTED;
    this.current = topic === '' ? undefined : { topic, qos, retain, payload: this.current?.payload ?? new Uint8Array() };
    return ACCEPTED;
  }

  /** WILLMSGUPD: a message without a topic has nowhere to go. */
  updateMessage(payload: Uint8Array): number {
    if (!this.current) return NOT_SUPPORTED;
    this.current = { ...this.current, payload: Uint8Array.from(payload) };
    return ACCEPTED;
  }

  is(other: Publication | undefined): boolean {
    const { current } = this;
    if (!current || !other) return current === other;
    const { topic, payload, qos, retain } = other;
    return current.topic === topic && current.qos === qos && current.retain === retain && Buffer.compare(current.payload, payload) === 0;
  }
}
