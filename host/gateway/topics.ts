// What MQTT allows as a topic. The text is well-formed UTF-8 without U+0000: the decoder saw to that.

const LONGEST = 65_535;

/** What is wrong with a topic to publish to, or undefined. */
export function topicFault(topic: string): string | undefined {
  if (topic === '') return 'the topic is empty';
  if (Buffer.byteLength(topic) > LONGEST) return `the topic is longer than ${LONGEST} bytes`;
  return /[+#]/.test(topic) ? 'a topic name must not contain + or #' : undefined;
}

/** What is wrong with a topic filter, or undefined. */
export function filterFault(filter: string): string | undefined {
  if (filter === '') return 'the topic filter is empty';
  if (Buffer.byteLength(filter) > LONGEST) return `the topic filter is longer than ${LONGEST} bytes`;
  const levels = filter.split('/');
  const malformed = levels.some((level, index) => {
    if (level === '#') return index < levels.length - 1;
    return level !== '+' && /[+#]/.test(level);
  });
  return malformed ? '+ stands alone between slashes, # alone at the end' : undefined;
}

export function hasWildcard(filter: string): boolean {
  return /[+#]/.test(filter);
}

/** The two characters that stand in the place of a topic id, or undefined when they are none. */
export function shortName(topicId: number): string | undefined {
  const bytes = Buffer.from([topicId >> 8, topicId & 255]);
  const name = bytes.toString();
  return bytes.includes(0) || name.includes('\ufffd') ? undefined : name;
}

/** The place of a topic of two bytes in PUBLISH, or undefined for any other. */
export function shortId(topic: string): number | undefined {
  if (topic.length > 2 || Buffer.byteLength(topic) !== 2) return undefined;
  return Buffer.from(topic).readUInt16BE();
}
