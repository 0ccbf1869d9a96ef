// What a text must be to go into a setting, and a topic to be published at.

import { TOPIC_BYTES } from './limits.js';

export const utf8Bytes = (text: string): number => Buffer.byteLength(text);

/** Why a text cannot be a setting; undefined when it can. */
export function textFault(text: string): string | undefined {
  if (/[\0\n]/.test(text)) return 'holds a line break or U+0000, which no setting can hold; remove it';
  return text.isWellFormed() ? undefined : 'holds half of a surrogate pair, which is no character; remove it';
}

/** Why a topic cannot be used; undefined when it can. */
export function topicFault(topic: string, { filter = false, most = TOPIC_BYTES, shown = `"${topic}"` } = {}): string | undefined {
  if (topic === '') return 'is empty; write a topic, myhome/attic/temperature for example';
  const text = textFault(topic);
  if (text !== undefined) return text;
  const bytes = utf8Bytes(topic);
  if (bytes > most) return `has ${bytes} bytes of UTF-8, and the limit is ${most}; shorten it`;
  if (topic.trim() !== topic) return `${shown} has a blank at an end; remove it`;
  if (!filter) return /[+#]/.test(topic) ? `${shown} has a wildcard, and nothing is published at + or #; name one topic` : undefined;
  const levels = topic.split('/');
  const malformed = levels.some((level, index) => /[+#]/.test(level) && !(level === '+' || (level === '#' && index === levels.length - 1)));
  return malformed ? `${shown} is malformed; + stands alone in its level, # alone in the last` : undefined;
}
