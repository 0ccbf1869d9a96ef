import { ERROR_FILTER_WILDCARD, ERROR_TOPIC_EMPTY, ERROR_TOPIC_WILDCARD } from '../contract';
import { utf8Fault } from './utf8';

const SLASH: u32 = 0x2f;
const PLUS: u32 = 0x2b;
const HASH: u32 = 0x23;

/** 0 when the text may name a topic, otherwise an ERROR_… [MQTT-4.7.3-1] [MQTT-3.3.2-2]. */
export function topicNameFault(p: usize, length: u32): i32 {
  return topicFault(p, length, false);
}

/** 0 when the text may name a topic, or with `isFilter` filter topics: + fills a level, # fills the last [MQTT-4.7.1-2] [MQTT-4.7.1-3]. */
export function topicFault(p: usize, length: u32, isFilter: bool): i32 {
  if (length == 0) return ERROR_TOPIC_EMPTY;
  const end = p + length;
  let before: u32 = SLASH;
  for (let at = p; at < end; ++at) {
    const c: u32 = load<u8>(at);
    if (c == PLUS || c == HASH) {
      if (!isFilter) return ERROR_TOPIC_WILDCARD;
      if (before != SLASH || (at + 1 < end && (c == HASH || <u32>load<u8>(at + 1) != SLASH))) return ERROR_FILTER_WILDCARD;
    }
    before = c;
  }
  return utf8Fault(p, length);
}

/** Whether the filter, which was checked, matches the topic name (MQTT 4.7.1). */
export function filterMatches(filter: usize, filterLength: u32, topic: usize, topicLength: u32): bool {
  const filterEnd = filter + filterLength;
  const topicEnd = topic + topicLength;
  for (; filter < filterEnd; ++filter) {
    const c: u32 = load<u8>(filter);
    if (c == HASH) return true;
    if (c == PLUS) {
      while (topic < topicEnd && <u32>load<u8>(topic) != SLASH) ++topic;
    } else if (topic == topicEnd) {
      return c == SLASH && filter + 2 == filterEnd && <u32>load<u8>(filter + 1) == HASH; // a/# is for a as well [MQTT-4.7.1-2]
    } else if (<u32>load<u8>(topic++) != c) return false;
  }
  return topic == topicEnd;
}
