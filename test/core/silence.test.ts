import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { CONFIG_KEEP_ALIVE, CONFIG_QOS, CONFIG_WILL_TOPIC, REASON_REFUSED } from '../../host/contract.js';
import type { Module } from '../../host/module.js';
import { type ClientHistory, type Config, clientHistory, type History } from './history.js';
import { type SnClientOnClock, snClient } from './sn-client.js';
import type { SnHistory } from './sn-history.js';

// A peer that says nothing more, whatever state the session is in: the session leaves it by itself, and is never told to wait for ever.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;

/** States of a session by the name in its source, but for STOPPED, where nothing is waited for. */
function statesOf(protocol: string): string[] {
  const source = readFileSync(new URL(`../../../../assembly/${protocol}/session.ts`, import.meta.url), 'utf8');
  const from = source.indexOf('const STOPPED: u32');
  const block = source.slice(from, source.indexOf('\n\n', from));
  return [...block.matchAll(/^const ([A-Z]+): u32/gm)].map(([, name]) => name ?? '').filter((name) => name !== 'STOPPED');
}

interface Silence<H> {
  state: string;
  what: string;
  config?: Config;
  discovery?: boolean;
  /** Brings a session that was made but not started into the state. */
  reach(h: H): void;
  /** What is told when the state is over, and the ms until then at most. */
  told: RegExp;
  most: number;
  /** It ends there: no attempt follows. */
  ends?: true;
}

type AnyHistory = Pick<History<Module> | SnHistory<Module>, 'board' | 'clock' | 'happened' | 'isOpen'>;

/** Time passes until an event tells that the state is over. */
function leaves(h: AnyHistory, told: RegExp, most: number): void {
  h.happened();
  h.board.step();
  let waited = 0;
  for (;;) {
    const happened = h.happened();
    if (happened.length > 0) {
      assert.match(happened[0] ?? '', told);
      return;
    }
    const { next } = h.clock;
    assert.ok(next !== undefined, 'it is left alone for ever');
    waited += next;
    assert.ok(waited <= most, `nothing after ${waited} ms`);
    h.clock.advance(next);
  }
}

/** For a day nobody answers: it goes on trying, no less often than once in `most` ms. */
function goesOn(h: AnyHistory, most: number, accepts: () => void): void {
  let attempts = 0;
  const end = h.clock.now() + DAY;
  for (let isOpen = h.isOpen; h.clock.now() < end; isOpen = h.isOpen) {
    if (h.isOpen && !isOpen) accepts();
    const { next } = h.clock;
    assert.ok(next !== undefined, 'it is left alone for ever');
    h.clock.advance(next);
    attempts += h.happened().filter((event) => /^(opening|searching|link_closed unreachable)/.test(event)).length;
  }
  assert.ok(attempts >= DAY / most, `${attempts} attempts`);
}

const KEEPING: Config = [[CONFIG_KEEP_ALIVE, 60]];

const mqtt: Silence<ClientHistory>[] = [
  { state: 'STARTING', what: '', reach: (h) => h.module.start(), told: /^opening 1/, most: 0 },
  { state: 'OPENING', what: '', reach: (h) => h.board.start(), told: /^timeout open/, most: 30 * SECOND },
  { state: 'GREETING', what: '', reach: (h) => h.opens(), told: /^timeout connack/, most: 30 * SECOND },
  {
    state: 'GREETING',
    what: 'and the link takes no CONNECT',
    reach(h) {
      h.peer.capacity = 0;
      h.opens();
    },
    told: /^timeout connack/,
    most: 30 * SECOND,
  },
  { state: 'CONNECTED', what: 'idle', config: KEEPING, reach: (h) => h.connects(), told: /^timeout pingresp/, most: 90 * SECOND },
  ...([1, 2] as const).map(
    (qos): Silence<ClientHistory> => ({
      state: 'CONNECTED',
      what: `with a message of QoS ${qos}`,
      reach: (h) => h.connects().publish('a', '1', qos),
      told: /^timeout reply/,
      most: 30 * SECOND,
    }),
  ),
  {
    state: 'CONNECTED',
    what: 'with a released message',
    reach(h) {
      const id = h.connects().publish('a', '1', 2);
      h.board.step();
      h.says(`50 02 ${id.toString(16).padStart(4, '0')}`);
    },
    told: /^timeout reply/,
    most: 30 * SECOND,
  },
  {
    state: 'CONNECTED',
    what: 'with a subscription',
    reach: (h) => h.connects().module.subscribe([{ filter: 'a', qos: 1 }]),
    told: /^timeout reply/,
    most: 30 * SECOND,
  },
  {
    state: 'CONNECTED',
    what: 'and the link takes nothing',
    reach(h) {
      h.connects().publish('a', '1');
      h.peer.capacity = 0;
    },
    told: /^timeout send/,
    most: 30 * SECOND,
  },
  {
    state: 'WAITING',
    what: '',
    reach(h) {
      h.board.start();
      h.cuts(REASON_REFUSED);
    },
    told: /^opening 2/,
    most: SECOND,
  },
  { state: 'LEAVING', what: '', reach: (h) => h.connects().module.stop(), told: /^stopped/, most: 0, ends: true },
  {
    state: 'ENDING',
    what: 'and the link takes no DISCONNECT',
    reach(h) {
      h.connects().peer.capacity = 0;
      h.board.stop();
    },
    told: /^stopped/,
    most: 30 * SECOND,
    ends: true,
  },
];

/** Ten seconds, doubled four times to at most 80, a quarter more by chance. */
const RETRIES = 230 * 1.25 * SECOND;

const mqttsn: Silence<SnClientOnClock>[] = [
  { state: 'STARTING', what: '', reach: (h) => h.module.start(), told: /^opening 1/, most: 0 },
  {
    state: 'WAITING',
    what: '',
    reach(h) {
      h.board.start();
      h.cuts(REASON_REFUSED);
    },
    told: /^opening 2/,
    most: SECOND,
  },
  { state: 'SEARCHING', what: '', discovery: true, reach: (h) => h.startsSearching(), told: /^searching 2/, most: 5 * SECOND },
  {
    state: 'SEARCHING',
    what: 'and the searching link does not open',
    discovery: true,
    reach: (h) => h.board.start(),
    told: /^link_closed unreachable/,
    most: 35 * SECOND,
  },
  { state: 'OPENING', what: '', reach: (h) => h.board.start(), told: /^timeout open/, most: 30 * SECOND },
  { state: 'GREETING', what: '', reach: (h) => h.opens(), told: /^timeout connack/, most: RETRIES },
  ...['02 06', '02 08'].map(
    (request, i): Silence<SnClientOnClock> => ({
      state: 'GREETING',
      what: `after ${['WILLTOPICREQ', 'WILLMSGREQ'][i]}`,
      config: [[CONFIG_WILL_TOPIC, 'w']],
      reach: (h) => h.opens().says(request),
      told: /^timeout connack/,
      most: RETRIES,
    }),
  ),
  {
    state: 'GREETING',
    what: 'of a sleeper that wakes',
    reach: (h) => h.connects().fallsAsleep(600).module.wake(),
    told: /^timeout connack/,
    most: RETRIES,
  },
  {
    state: 'CONNECTED',
    what: 'idle',
    config: KEEPING,
    reach: (h) => h.connects(),
    told: /^timeout pingresp/,
    most: MINUTE + RETRIES,
  },
  ...([1, 2] as const).map(
    (qos): Silence<SnClientOnClock> => ({
      state: 'CONNECTED',
      what: `with a message of QoS ${qos}`,
      reach: (h) => h.connects().publish('ab', '1', qos),
      told: /^timeout reply/,
      most: RETRIES,
    }),
  ),
  {
    state: 'CONNECTED',
    what: 'with a topic to register',
    reach: (h) => h.connects().publish('a/b', '1'),
    told: /^timeout reply/,
    most: RETRIES,
  },
  {
    state: 'CONNECTED',
    what: 'with a released message',
    reach(h) {
      h.connects().publish('ab', '1', 2);
      h.board.step();
      h.says('04 0f 0001');
    },
    told: /^timeout reply/,
    most: RETRIES,
  },
  {
    state: 'CONNECTED',
    what: 'with a subscription',
    reach: (h) => h.connects().module.subscribeTo('a/b'),
    told: /^timeout reply/,
    most: RETRIES,
  },
  {
    state: 'CONNECTED',
    what: 'while the gateway is congested',
    reach(h) {
      h.connects().publish('ab', '1', 1);
      h.board.step();
      h.says("07 0d 'ab' 0001 01");
    },
    told: /^timeout reply/,
    most: 5 * MINUTE + RETRIES,
  },
  {
    state: 'CONNECTED',
    what: 'and the link takes nothing',
    reach(h) {
      h.connects().getsBusy();
      h.publish('ab', '1');
    },
    told: /^timeout send/,
    most: 30 * SECOND,
  },
  {
    state: 'CONNECTED',
    what: 'without a connection, and the link takes nothing',
    config: [[CONFIG_QOS, -1]],
    reach(h) {
      h.opens().getsBusy();
      h.publish('ab', '1', -1);
    },
    told: /^timeout send/,
    most: 30 * SECOND,
  },
  { state: 'DROWSY', what: '', reach: (h) => h.connects().module.sleep(60), told: /^timeout disconnect/, most: RETRIES },
  { state: 'ASLEEP', what: '', reach: (h) => h.connects().fallsAsleep(60), told: /^awake/, most: 60 * SECOND },
  {
    state: 'AWAKE',
    what: '',
    reach(h) {
      h.connects().fallsAsleep(600).module.collect();
      h.board.step();
    },
    told: /^timeout pingresp/,
    most: RETRIES,
  },
  { state: 'LEAVING', what: '', reach: (h) => h.connects().module.stop(), told: /^stopped/, most: 30 * SECOND, ends: true },
  {
    state: 'DRAINING',
    what: '',
    reach(h) {
      h.connects().publish('ab', '1', 1);
      h.board.stop();
    },
    told: /^stopped/,
    most: 30 * SECOND,
    ends: true,
  },
  { state: 'ENDING', what: '', reach: (h) => h.connects().board.stop(), told: /^stopped/, most: 30 * SECOND, ends: true },
];

const name = ({ state, what }: { state: string; what: string }) => (what ? `${state}, ${what}` : state);

describe('no state of the MQTT session is without a deadline', () => {
  for (const silence of mqtt)
    test(name(silence), () => {
      const h = clientHistory({ config: silence.config ?? [] });
      silence.reach(h);
      leaves(h, silence.told, silence.most);
      if (!silence.ends) goesOn(h, 95 * SECOND, () => h.accepts());
    });

  test('and the table has all of them', () => assert.deepEqual(new Set(mqtt.map(({ state }) => state)), new Set(statesOf('mqtt'))));
});

describe('no state of the MQTT-SN session is without a deadline', () => {
  for (const silence of mqttsn)
    test(name(silence), () => {
      const h = snClient(silence.config ?? [], { discovery: silence.discovery ?? false });
      silence.reach(h);
      leaves(h, silence.told, silence.most);
      if (!silence.ends) goesOn(h, RETRIES + MINUTE, () => h.accepts());
    });

  test('and the table has all of them', () => assert.deepEqual(new Set(mqttsn.map(({ state }) => state)), new Set(statesOf('mqttsn'))));
});
