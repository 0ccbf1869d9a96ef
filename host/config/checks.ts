// What the node does: how often and how surely it publishes, and where.

import { protocolOf } from './broker.js';
import { type Path, pathText } from './faults.js';
import { type Checks, quantities } from './file.js';
import { TOPIC_BYTES, UNIT_BYTES } from './limits.js';
import { textFault, topicFault, utf8Bytes } from './texts.js';

/** What update.ts and twobyte deploy agree on: answers come at the topic of the updates with this behind it. */
const STATUS_LEVEL = '/status';

const firstUrl = ({ broker }: Checks['file']): string | undefined =>
  typeof broker?.url === 'string' ? broker.url : (broker?.url?.find((url) => url !== null) ?? undefined);

/** Checks `qos`, `sleep`, `power` and `settings`. */
export function nodeChecks(checks: Checks): void {
  const { file, faults, hides } = checks;
  powerChecks(checks);
  const { qos, sleep, settings = {}, availability, commands, updates } = file;
  const url = firstUrl(file);
  const protocol = url === undefined ? undefined : protocolOf(url);
  if (qos === -1 && protocol === 'MQTT') faults.add(['qos'], '-1 is for MQTT-SN; write 0, 1 or 2');
  else if (qos === -1) {
    const needing = Object.entries({ availability, commands, 'updates.topic': updates?.topic }).filter(([, topic]) => topic !== undefined);
    for (const [name] of needing) faults.add(['qos'], `-1 only sends and never connects; leave out ${name}, or write 0, 1 or 2`);
    if (sleep) faults.add(['sleep'], 'at QoS -1 there is no connection that could sleep; leave it out');
  }
  if (sleep && protocol === 'MQTT')
    faults.add(['sleep'], 'MQTT has no sleeping clients; write an address mqtt-sn:// in broker.url, or leave it out');
  for (const [name, value] of Object.entries(settings)) {
    const fault = typeof value === 'string' ? (textFault(value) ?? settingFault(name, value, hides(['settings', name]))) : undefined;
    if (fault !== undefined) faults.add(['settings', name], fault);
  }
  const { reconnect_min: least, reconnect_max: most } = settings;
  if (typeof least === 'number' && typeof most === 'number' && least > most)
    faults.add(['settings', 'reconnect_max'], `${most} is below reconnect_min, ${least}; make it as large`);
}

/** In ms: the board does not go into a deep sleep that is shorter (firmware/ports/esp-idf/sleep.h). */
export const LEAST_DEEP_SLEEP = 10_000;

function powerChecks({ file, board, faults, gone }: Checks): void {
  const { power, journal, interval = 10_000 } = file;
  if (power === undefined) return;
  if (board && !board.chip.wifi) faults.add(['power'], `${board.name} has no battery to save; leave it out`);
  else if (power === 'deep') {
    if (journal === false) faults.add(['power'], 'deep sleep loses what no journal keeps; leave journal out, or write light');
    if (interval <= LEAST_DEEP_SLEEP && !gone.has('interval'))
      faults.add(
        ['power'],
        `deep sleep lasts ${LEAST_DEEP_SLEEP} ms at least, and the interval is ${interval}; write 15000 or more in interval, or light`,
      );
  }
}

function settingFault(name: string, value: string, isHidden: boolean): string | undefined {
  const bytes = utf8Bytes(value);
  if (name === 'unit' && bytes > UNIT_BYTES) return `has ${bytes} bytes of UTF-8, and the limit is ${UNIT_BYTES}; shorten it`;
  if (name === 'node_id' && (bytes < 1 || bytes > 16)) return `has ${bytes} bytes, and a node id has 1 to 16; change it`;
  if (name !== 'predefined') return undefined;
  for (const each of value.split('+')) {
    const [, id, topic] = /^(\d{1,5})=(.+)$/s.exec(each) ?? [];
    if (id === undefined || topic === undefined || Number(id) < 1 || Number(id) > 65534)
      return `${isHidden ? 'a part' : `"${each}"`} is not of the form id=topic with an id of 1 to 65534; write 1=a/b+2=c/d`;
  }
  return undefined;
}

/** Checks every topic, and that no two are the same. */
export function topicChecks({ file, faults, hides }: Checks): void {
  const { sensors = [], availability, commands, updates, settings = {} } = file;
  const topics: [path: Path, topic: unknown, options?: { filter?: boolean; most?: number }][] = [
    ...sensors.flatMap((sensor, index) =>
      quantities.map((quantity): [Path, unknown] => [['sensors', index, quantity, 'topic'], sensor?.[quantity]?.topic]),
    ),
    [['availability'], availability],
    [['commands'], commands, { filter: true }],
    [['updates', 'topic'], updates?.topic, { most: TOPIC_BYTES - STATUS_LEVEL.length }],
    [['settings', 'buffered_topic'], settings.buffered_topic],
    [['settings', 'diagnostic_topic'], settings.diagnostic_topic],
  ];
  const users = new Map<string, Path>();
  for (const [path, topic, options = {}] of topics) {
    if (typeof topic !== 'string') continue;
    const shown = hides(path) ? 'it' : `"${topic}"`;
    const fault = topicFault(topic, { ...options, shown });
    const user = users.get(topic);
    if (fault !== undefined) faults.add(path, fault);
    else if (user && path.at(-1) !== 'buffered_topic')
      faults.add(path, `${shown} is the topic of ${pathText(user)} already; each has its own`);
    else users.set(topic, path);
  }
}
