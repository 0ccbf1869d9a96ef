import { errorText } from '../errors.js';
import { ClientModule, isOutboxFull } from '../module.js';

// Topics are checked by the module itself, in an instance that never connects, so that a command can name the option at fault before it does.

const idle = () => 0;
let module: ClientModule | undefined;

function checker(): ClientModule {
  module ??= new ClientModule({
    linkOpen: idle,
    linkSend: idle,
    linkClose: idle,
    random: idle,
    configText: () => undefined,
    configNumber: (_key, otherwise) => otherwise,
    temperature: idle,
    event: idle,
  });
  return module;
}

/** Bytes of payload that a message can have. */
export function payloadLimit(): number {
  return checker().payloadLimit;
}

/** What is wrong with a topic to publish to, or undefined. */
export function topicFault(topic: string): string | undefined {
  return faultOf(checker().publish(topic, '', 0, false));
}

/** What is wrong with a topic filter, or undefined. */
export function filterFault(filter: string): string | undefined {
  return faultOf(checker().unsubscribe([filter]));
}

function faultOf(answer: number): string | undefined {
  return answer >= 0 || isOutboxFull(answer) ? undefined : errorText(-answer);
}

/** Whether a message to `topic` answers to a filter that is free of faults. */
export function matches(filter: string, topic: string): boolean {
  const asked = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && (asked[0] === '+' || asked[0] === '#')) return false; // [MQTT-4.7.2-1]
  for (const [index, level] of asked.entries()) {
    if (level === '#') return true; // the level above, too
    if (index >= levels.length || (level !== '+' && level !== levels[index])) return false;
  }
  return asked.length === levels.length;
}
