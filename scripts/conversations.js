// What fuzzing begins with: conversations written by hand, as programs of the fuzzed board (firmware/fuzz/board.c says what each byte does).

/** Operations, in the order of board.c. */
const names = [
  ...['step', 'due', 'time', 'opened', 'closed', 'writable', 'raw', 'bytes', 'chunks', 'long', 'reply', 'replyCode', 'replyType'],
  ...['sending', 'opening', 'stop', 'start', 'number', 'text', 'publish', 'topic', 'filter', 'subscribe', 'unsubscribe', 'sleep'],
  ...['wake', 'will', 'during', 'board', 'storage', 'message', 'register'],
];

/** One command: its operation, its small argument, and what it needs behind it. @param {string} name @param {number} a @param {(number | string)[]} rest */
function op(name, a = 0, ...rest) {
  const more = rest.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [part]));
  return [names.indexOf(name) | (a << 5), ...more];
}

/** The length of a text and the text. @param {string} text */
const sized = (text) => [Buffer.byteLength(text), text];

/** Bytes from the peer. @param {string} hex @param {number} link */
function says(hex, link = 0) {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  return [names.indexOf('bytes') | (link << 5), bytes.length, ...bytes];
}

// Bits of the settings, as in board.c.
const AVAILABILITY = 1 << 0;
const COMMANDS = 1 << 1;
const SLEEPS = 1 << 2;
const DISCOVERS = 1 << 3;
const PREDEFINED = 1 << 4;
const WILL = 1 << 5;
const CREDENTIALS = (1 << 6) | (1 << 7);
const KEEPS_SESSION = 1 << 8;
const NODE_ID = 1 << 9;
const SN = 1 << 11;
const RETAINS = 1 << 12;
const LATE = 1 << 14;
const POLITE = 1 << 15;
const qos = (/** @type {0 | 1 | 2 | 3} */ level) => level << 16;
const interval = (/** @type {0 | 1 | 2 | 3} */ which) => which << 28;
const times = (/** @type {0 | 1 | 2 | 3} */ which) => which << 24;

/** A program: settings, random bits, the upper byte of the clock, and commands. @param {number} settings @param {number[][]} commands */
const board = (settings, ...commands) =>
  Uint8Array.from([settings >>> 24, settings >>> 16, settings >>> 8, settings, 7, 0xff, ...commands.flat()]);

const opens = op('opened');
const due = op('due', 7);
const everyMessage = [0, 1, 2, 5, 6].flatMap((a) => op('message', a, 0x04 | 0x08, 9));

/** Of a sensor. @param {number} sn */
const sensor = (sn) => ({
  reads: board(sn | POLITE | AVAILABILITY | COMMANDS | interval(1), opens, due, due, op('message', 1, 8, 5), due, op('stop')),
  'reads-qos1': board(sn | POLITE | AVAILABILITY | qos(1) | interval(1), opens, due, due, op('closed', 0, 6), due, opens, due),
  'reads-qos2': board(
    sn | POLITE | COMMANDS | WILL | KEEPS_SESSION | qos(2) | interval(2),
    opens,
    due,
    due,
    op('closed', 0, 7),
    due,
    opens,
    due,
    op('stop'),
    op('start'),
  ),
  'reads-late': board(
    sn | qos(2) | interval(1) | times(2),
    opens,
    op('reply'),
    due,
    op('reply'),
    op('reply', 1),
    due,
    due,
    opens,
    op('time', 0, 0x8f),
  ),
  'is-commanded': board(sn | POLITE | AVAILABILITY | COMMANDS | PREDEFINED, opens, everyMessage, op('message', 1, 0x10, 5), op('stop')),
  'finds-nobody': board(sn | times(1), op('closed', 0, 1), due, op('opening', 3), due, op('opening'), due),
  'is-slow': board(
    sn | POLITE | qos(1) | interval(1),
    opens,
    op('sending', 2, 0),
    due,
    op('sending', 1, 3),
    due,
    op('writable'),
    due,
    op('sending', 3, 4),
    due,
    due,
    opens,
  ),
});

/** Of a client. @param {number} sn */
const client = (sn) => {
  const topic = op('topic', 0, ...sized('t/x'));
  const filter = op('filter', 1, ...sized('t/#'));
  const publishes = [0, 1, 2].flatMap((level) => op('publish', level, 2));
  return {
    publishes: board(
      sn | POLITE | WILL | CREDENTIALS,
      opens,
      topic,
      publishes,
      op('step'),
      publishes,
      op('publish', 6, 7),
      due,
      op('stop'),
    ),
    subscribes: board(
      sn | POLITE,
      opens,
      filter,
      op('subscribe'),
      op('step'),
      everyMessage,
      filter,
      op('unsubscribe'),
      op('step'),
      op('stop'),
    ),
    resumes: board(
      sn | KEEPS_SESSION | qos(1),
      opens,
      op('replyCode', 0, 0),
      topic,
      publishes,
      op('step'),
      op('closed', 0, 6),
      due,
      opens,
      op('reply'),
      op('step'),
      op('reply', 1),
      op('reply'),
      due,
    ),
    'is-full': board(sn, topic, ...Array(20).fill(op('publish', 1, 5)), opens, op('reply'), ...Array(20).fill(op('reply', 3))),
    'in-pieces': board(
      sn | POLITE,
      opens,
      op('message', 1, 0x14, 5),
      op('message', 2, 0x18, 6),
      op('message', 0, 0x1c, 7),
      op('message', 2, 0x98, 6),
    ),
    'within-events': board(sn | POLITE, opens, topic, op('during', 3), op('message', 1, 8, 5), op('during', 6), op('message', 0, 8, 5)),
    late: board(sn | LATE, op('text', 0, 1, ...sized('other')), op('number', 0, 8, 4), op('start'), opens, op('reply'), due),
  };
};

const mqtt = {
  'all-packets': board(
    POLITE | AVAILABILITY,
    opens,
    ...[
      '40020001',
      '50020001',
      '62020001',
      '70020001',
      '9003000101',
      'b0020001',
      'd000',
      '30050001610031',
      '3206000161000131',
      '340600016100023f',
    ].map((hex) => says(hex)),
  ),
  'is-refused': board(0, opens, says('20020005'), due, opens, says('20020100'), due),
  'in-chunks': board(COMMANDS, opens, op('chunks', 0, 12, 0, ...Buffer.from('200200009003000100', 'hex'), 0x32, 0x06, 0)),
};

const mqttsn = {
  'all-messages': board(
    SN | POLITE,
    opens,
    ...[
      '03000001',
      '0302 01',
      '030500',
      '0206',
      '0208',
      '070a00090101 61'.replaceAll(' ', ''),
      '070b0009000100',
      '080c000001000031',
      '080c2000010005 31',
      '080c4000010006 31',
      '070d0001000100',
      '040e0001',
      '040f0001',
      '04100001',
      '0813200001000100',
      '04150001',
      '0216',
      '0217',
      '0218',
      '031b00',
      '031d00',
    ].map((hex) => says(hex)),
  ),
  searches: board(
    SN | DISCOVERS | times(2),
    op('opened', 1),
    due,
    op('reply'),
    opens,
    op('reply'),
    due,
    op('register', 0, 5),
    op('register', 1, 6),
    op('register', 2, 7),
    due,
    due,
  ),
  sleeps: board(
    SN | POLITE | SLEEPS | COMMANDS | qos(1) | interval(2),
    opens,
    due,
    op('message', 1, 8, 5),
    due,
    op('register', 3, 2),
    due,
    op('stop'),
  ),
  'is-congested': board(
    SN | qos(1) | interval(1),
    opens,
    op('reply'),
    op('replyCode', 0, 1),
    due,
    op('replyCode', 0, 2),
    due,
    op('replyCode', 0, 3),
    due,
  ),
  'only-sends': board(SN | PREDEFINED | qos(3) | interval(1), opens, due, due, op('stop')),
  'is-forgotten': board(SN | POLITE | KEEPS_SESSION | RETAINS | interval(1), opens, due, says('0218'), due, opens, due),
};

const snClient = {
  'sleeps-and-wakes': board(
    SN | POLITE,
    opens,
    op('sleep', 0, 0, 9),
    op('step'),
    op('topic', 0, ...sized('t/x')),
    op('publish', 1, 2),
    op('wake', 1),
    op('step'),
    due,
    op('wake'),
    op('step'),
    due,
    op('stop'),
  ),
  'changes-its-will': board(
    SN | POLITE | WILL,
    opens,
    op('will', 0, ...sized('t/w')),
    op('will', 1, 5),
    op('step'),
    op('will', 0, 0),
    op('step'),
    op('closed', 0, 6),
    due,
    opens,
  ),
  'in-an-envelope': board(SN | NODE_ID, opens, says('07fe006e6f6465 030500'), op('reply'), due, says('04fe0061 0217')),
};

const shell = {
  framing: {
    frames: Uint8Array.from([5, 0, 12, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x6e, 0x90, 0, 0, 5, 2, 0x16, 0x40, 0x49, 0]),
  },
  line: {
    // A stream opens, sends, receives in two parts, and closes; then a datagram, a text, a command and the clock.
    stream: Buffer.from(
      '0300ff0aff01c80011000000000000080505' + '0aff01cb0012000000000000aabbcc08060106ff0aff01c9001400000000000000040aff',
      'hex',
    ),
    others: Buffer.from('0301ff080102021606ff070568656c6c6f00' + '0aff0108000500000001010109010600040000000109' + '0aff', 'hex'),
  },
  settings: {
    mqtt: Buffer.from(
      'broker = mqtt://user@[::1%lo]:1883\n# comment\ntopic = "t/a "\r\nqos = 1\nthermometer = simulated:1\nmodule = build/sensor.wasm\n',
    ),
    serial: Buffer.from('\ufeffbroker=mqtt-sn+serial:///dev/ttyUSB0?baud=115200\nkeep_alive=-1\n'),
    search: Buffer.from('broker=mqtt-sn://239.1.2.3:1884?search\npredefined=1=a+2=b\n'),
  },
};

/** The conversations of a target, by their names. @param {string} target @returns {Record<string, Uint8Array>} */
export function conversations(target) {
  if (target === 'framing' || target === 'line' || target === 'settings') return shell[target];
  const own = target.includes('client') ? client : sensor;
  const onlySn = target.includes('mqttsn');
  const onlyMqtt = target.includes('mqtt') && !onlySn;
  const prefixed = (/** @type {string} */ prefix, /** @type {Record<string, Uint8Array>} */ all) =>
    Object.fromEntries(Object.entries(all).map(([name, bytes]) => [`${prefix}-${name}`, bytes]));
  return {
    ...(onlySn ? {} : prefixed('mqtt', { ...own(0), ...mqtt })),
    ...(onlyMqtt ? {} : prefixed('mqttsn', { ...own(SN), ...mqttsn, ...(own === client ? snClient : {}) })),
  };
}
