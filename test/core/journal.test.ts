import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CONFIG_CLEAN_SESSION,
  CONFIG_PASSWORD,
  CONFIG_USERNAME,
  CONFIG_WILL_PAYLOAD,
  CONFIG_WILL_TOPIC,
  ERROR_OUTBOX_FULL,
  EVENT_MESSAGE,
  RECORD_INBOX,
  RECORD_MESSAGE,
  RECORD_RELEASE,
  RECORD_TOPIC,
  STORE_FAILED,
  STORE_FULL,
} from '../../host/contract.js';
import { builtModule } from '../../host/module.js';
import { MemoryStorage } from '../../host/storage.js';
import { boardClient } from './compile.js';
import { ClientHistory, OpenClient } from './history.js';
import { SnClientHistory } from './sn-history.js';

/** A storage that counts its writes and may fail. */
class Flash extends MemoryStorage {
  /** Keys in the order in which they were written, and with how many bytes. */
  readonly writes: [kind: number, bytes: number][] = [];
  /** A STORE_…, while it takes nothing. */
  failure = 0;

  override write(key: number, bytes: Uint8Array): number {
    if (this.failure) return -this.failure;
    this.writes.push([key >> 16, bytes.length]);
    return super.write(key, bytes);
  }

  get kinds(): number[] {
    return this.writes.splice(0).map(([kind]) => kind);
  }

  /** Turns a bit of the last byte of each record of a kind. */
  spoils(kind: number): void {
    for (const [key, record] of this.records) if (key >> 16 === kind) record[record.length - 1] = (record.at(-1) ?? 0) ^ 1;
  }
}

/** A client whose session the broker keeps; the same flash again is a restart after a power cut. */
const start = (storage: Flash) => new ClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]], storage }, builtModule('client-mqtt-journal'));

const starts = (storage: Flash, { present = true } = {}) => start(storage).connects({ present });

const startsSn = (storage: Flash, { clean = false } = {}) =>
  new SnClientHistory(
    { config: [[CONFIG_CLEAN_SESSION, clean ? 1 : 0]], storage },
    (imports) => new OpenClient(imports, builtModule('client-mqttsn-journal')),
  ).connects();

const hex = (id: number) => id.toString(16).padStart(4, '0');

test('with a journal the session is kept unless the configuration says otherwise, and without a storage it is not', () => {
  for (const [storage, config, flags] of [
    [new Flash(), [], '00'],
    [new Flash(), [[CONFIG_CLEAN_SESSION, 1]], '02'],
    [undefined, [], '02'],
  ] as const) {
    const h = new ClientHistory({ config, ...(storage && { storage }) }, builtModule('client-mqtt-journal')).opens();
    h.hears(`10 0d 0004 'MQTT' 04 ${flags} 0000 0001 'c'`);
  }
});

test('no record holds a credential or a will', () => {
  const flash = new Flash();
  const secrets = ['user-of-mine', 'pass-of-mine', 'will-of-mine'] as const;
  const config = [CONFIG_USERNAME, CONFIG_PASSWORD, CONFIG_WILL_PAYLOAD].map((key, i) => [key, secrets[i] ?? ''] as const);
  const h = new ClientHistory(
    { config: [[CONFIG_CLEAN_SESSION, 0], [CONFIG_WILL_TOPIC, 'w'], ...config], storage: flash },
    builtModule('client-mqtt-journal'),
  ).connects();
  for (const qos of [1, 2]) h.publish('a', '1', qos);
  h.heard();
  assert.equal(flash.records.size, 2);
  for (const record of flash.records.values()) for (const secret of secrets) assert.ok(!Buffer.from(record).includes(secret));
});

describe('a message outlives a power cut', () => {
  test('at QoS 1, by two writes, and comes again with DUP until it is acknowledged', () => {
    const flash = new Flash();
    let h = starts(flash);
    const id = h.publish('温度', '23.5', 1);
    assert.deepEqual(flash.writes, [[RECORD_MESSAGE, 16 + 6 + 4]]);
    h.hears(`32 0e 0006 '温度' ${hex(id)} '23.5'`);
    h = starts(flash);
    h.hears(`3a 0e 0006 '温度' ${hex(id)} '23.5'`);
    h.says(`40 02 ${hex(id)}`);
    h.happens(`published ${id} 0`);
    assert.deepEqual(flash.kinds, [RECORD_MESSAGE, RECORD_MESSAGE]);
    h = starts(flash);
    h.hears('');
  });

  test('at QoS 2, by three writes, each half of the exchange', () => {
    const flash = new Flash();
    let h = starts(flash);
    const id = h.publish('a', '1', 2);
    h.hears(`34 06 0001 'a' ${hex(id)} '1'`);
    h = starts(flash);
    h.hears(`3c 06 0001 'a' ${hex(id)} '1'`);
    h.says(`50 02 ${hex(id)}`);
    h.hears(`62 02 ${hex(id)}`);
    h = starts(flash);
    h.hears(`62 02 ${hex(id)}`);
    h.says(`70 02 ${hex(id)}`);
    h.happens(`published ${id} 0`);
    assert.deepEqual(flash.writes, [
      [RECORD_MESSAGE, 18],
      [RECORD_RELEASE, 12],
      [RECORD_MESSAGE, 12],
    ]);
    starts(flash).hears('');
  });

  test('what is published before the first start is refused: what an earlier run left comes first', () => {
    const flash = new Flash();
    starts(flash).publish('a', '1', 1);
    const h = start(flash);
    assert.equal(h.publish('a', '2', 1), -ERROR_OUTBOX_FULL);
    h.connects({ present: true });
    assert.ok(h.publish('a', '2', 1) > 0);
    assert.equal(h.module.held, 2);
  });

  test('QoS 0 costs no write, nor does a subscription', () => {
    const flash = new Flash();
    const h = starts(flash);
    h.publish('a', '1', 0);
    h.module.subscribe([{ filter: 'a', qos: 2 }]);
    h.heard();
    assert.deepEqual(flash.writes, []);
  });

  test('many come in the order in which they were made, also when identifiers wrapped', () => {
    const flash = new Flash();
    let h = starts(flash);
    const ids: number[] = [];
    for (let n = 0; n < 70_000; n++) {
      const id = h.publish('a', String(n), 1);
      h.heard();
      ids.push(id);
      if (n < 69_990) h.says(`40 02 ${hex(id)}`);
    }
    h = starts(flash);
    h.hears(...ids.slice(-10).map((id, i) => `3a 0a 0001 'a' ${hex(id)} '${69_990 + i}'`));
    assert.equal(h.publish('a', 'next', 1), ((ids.at(-1) ?? 0) % 65_535) + 1);
  });

  test('a torn record costs its own message only, and is told', () => {
    const flash = new Flash();
    let h = starts(flash);
    const first = h.publish('a', '1', 1);
    flash.spoils(RECORD_MESSAGE);
    const second = h.publish('a', '2', 1);
    h = start(flash);
    h.opens();
    const key = (RECORD_MESSAGE << 16) | (first & 4095);
    h.happens(`record_lost ${key} 18`, 'restored 1 0', 'opening 1 0');
    h.says('20 02 01 00');
    assert.deepEqual(h.heard().subarray(-8), Buffer.from([0x3a, 6, 0, 1, 0x61, second >> 8, second & 255, 0x32]));
    starts(flash).happens();
  });

  test('records lie apart where the outbox begins anew: the end of one leaves the next as it is', async () => {
    const client = await boardClient({ journal: true });
    const h = new ClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]], storage: new Flash() }, client).connects({ present: true });
    const [a, b] = [h.publish('a', 'a'.repeat(983), 1), h.publish('a', 'b'.repeat(983), 1)];
    h.heard();
    h.says(`40 02 ${hex(a)}`);
    // Only where the first was is there room.
    assert.equal(h.publish('a', 'c'.repeat(984), 1), -ERROR_OUTBOX_FULL);
    const c = h.publish('a', 'c'.repeat(983), 1);
    h.says(`40 02 ${hex(b)}`);
    h.reconnects({ present: true });
    h.hears(`3a dc 07 0001 'a' ${hex(c)} '${'c'.repeat(983)}'`);
  });

  test('a broker that forgot the session gets a released message as a new one: it may have discarded it', () => {
    const flash = new Flash();
    let h = starts(flash);
    const id = h.publish('a', '1', 2);
    h.heard();
    h.says(`50 02 ${hex(id)}`);
    h.hears(`62 02 ${hex(id)}`);
    h = starts(flash, { present: false });
    h.hears(`3c 06 0001 'a' ${hex(id)} '1'`);
    starts(flash).hears(`3c 06 0001 'a' ${hex(id)} '1'`);
  });
});

describe('an inbound QoS 2 message', () => {
  test('is delivered once when the power goes between PUBREC and PUBREL', () => {
    const flash = new Flash();
    let h = starts(flash);
    h.says("34 06 0001 'a' 0009 '1'");
    h.hears('50 02 0009');
    assert.deepEqual(flash.kinds, [RECORD_INBOX]);
    h = starts(flash);
    h.says("3c 06 0001 'a' 0009 '1'");
    h.hears('50 02 0009');
    assert.deepEqual(h.payloads, []);
    h.says('62 02 0009');
    h.hears('70 02 0009');
    assert.equal(flash.records.size, 0);
    h = starts(flash);
    h.says("34 06 0001 'a' 0009 '2'");
    assert.deepEqual(h.payloads, ['2']);
  });

  test('identifiers that share a record are kept apart', () => {
    const flash = new Flash();
    let h = starts(flash);
    for (const id of ['0001', '8001']) h.says(`34 06 0001 'a' ${id} '1'`);
    h.says('62 02 0001');
    h = starts(flash);
    h.says("3c 06 0001 'a' 8001 '1'");
    h.says("34 06 0001 'a' 0001 '2'");
    assert.deepEqual(h.payloads, ['2']);
  });
});

test('a message that was heard right before stop() is noted, also where no room is left to acknowledge it', async () => {
  const flash = new Flash();
  const client = await boardClient({ journal: true });
  let h = new ClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]], storage: flash }, client).connects({ present: true });
  const { during } = h;
  h.during = (code, a, b) => {
    during(code, a, b);
    if (code !== EVENT_MESSAGE) return;
    h.peer.capacity = 0;
    h.publish('a', 'x'.repeat(1010), 0);
    h.board.stop();
  };
  h.says("34 06 0001 'a' 0009 '1'");
  h.waits(60_000);
  h = new ClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]], storage: flash }, client).connects({ present: true });
  h.says("3c 06 0001 'a' 0009 '1'");
  h.hears('50 02 0009');
  assert.deepEqual(h.payloads, []);
});

test('a message that finds no room after a power cut is told, and not erased', async () => {
  const flash = new Flash();
  const client = await boardClient({ journal: true });
  const connects = () => new ClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]], storage: flash }, client).connects({ present: true });
  let h = connects();
  const a = h.publish('a', 'a'.repeat(983), 1);
  h.heard();
  flash.failure = STORE_FAILED;
  h.says(`40 02 ${hex(a)}`); // it is acknowledged, and the storage does not know
  flash.failure = 0;
  const [b, c] = [h.publish('a', 'b'.repeat(983), 1), h.publish('a', 'c'.repeat(983), 1)];
  h = connects();
  h.heard();
  for (const id of [a, b]) h.says(`40 02 ${hex(id)}`);
  h = connects();
  h.hears(`3a dc 07 0001 'a' ${hex(c)} '${'c'.repeat(983)}'`);
});

describe('a storage that fails', () => {
  for (const failure of [STORE_FULL, STORE_FAILED]) {
    test(`(${failure}) is told, and the message is sent all the same`, () => {
      const flash = new Flash();
      const h = starts(flash);
      flash.failure = failure;
      const id = h.publish('a', '1', 1);
      h.hears(`32 06 0001 'a' ${hex(id)} '1'`);
      h.happens(`store_failed ${(RECORD_MESSAGE << 16) | (id & 4095)} ${failure}`);
    });
  }

  test('keeps PUBREC, PUBREL and PUBCOMP back until it works', () => {
    const flash = new Flash();
    let h = starts(flash);
    const id = h.publish('a', '1', 2);
    h.heard();
    flash.failure = STORE_FAILED;
    h.says(`50 02 ${hex(id)}`);
    h.says("34 06 0001 'a' 0009 '1'");
    h.hears('');
    flash.failure = 0;
    h.reconnects({ present: true });
    h.hears(`3c 06 0001 'a' ${hex(id)} '1'`);
    h.says(`50 02 ${hex(id)}`);
    h.says("3c 06 0001 'a' 0009 '1'");
    h.hears(`62 02 ${hex(id)}`, '50 02 0009');
    flash.failure = STORE_FAILED;
    h.says('62 02 0009');
    h.hears('');
    flash.failure = 0;
    h.says('62 02 0009');
    h.hears('70 02 0009');
    assert.deepEqual(h.payloads, ['1']);
    h = starts(flash);
    h.hears(`62 02 ${hex(id)}`);
  });
});

describe('a storage that fails for a moment', () => {
  test('costs a connection when an acknowledgement was held back: the broker repeats itself on a new one only', () => {
    for (const [refused, held] of [
      ["34 06 0001 'a' 0009 '1'", ''],
      ['62 02 0009', '50 02 0009'],
    ] as const) {
      const flash = new Flash();
      const h = starts(flash);
      if (held) h.says("34 06 0001 'a' 0009 '1'");
      flash.failure = STORE_FAILED;
      h.says(refused);
      flash.failure = 0;
      h.hears(...(held ? [held] : []));
      h.happened();
      h.waits(29_999);
      h.happens();
      h.waits(1);
      assert.match(h.happened()[0] ?? '', /^timeout reply /);
    }
  });

  test('and then a power cut: the broker may hold an identifier that the journal does not know, so the next one is drawn', () => {
    const flash = new Flash();
    let h = starts(flash);
    const known = h.publish('a', '1', 2);
    h.says(`50 02 ${hex(known)} 70 02 ${hex(known)}`);
    flash.failure = STORE_FAILED;
    const held = h.publish('a', '2', 2);
    h.heard();
    flash.failure = 0;
    h = new ClientHistory({ config: [[CONFIG_CLEAN_SESSION, 0]], storage: flash, random: () => 0x123 }, builtModule('client-mqtt-journal'));
    h.connects({ present: true });
    assert.equal(h.publish('a', '3', 2), held + 0x123);
  });

  test('lets no later PUBREL overtake the one that it held back', () => {
    const flash = new Flash();
    const h = starts(flash);
    const [first, second] = [h.publish('a', '1', 2), h.publish('a', '2', 2)];
    h.heard();
    flash.failure = STORE_FAILED;
    h.says(`50 02 ${hex(first)}`);
    flash.failure = 0;
    h.says(`50 02 ${hex(second)}`);
    h.hears('');
    h.reconnects({ present: true });
    h.heard();
    h.says(`50 02 ${hex(first)} 50 02 ${hex(second)}`);
    h.hears(`62 02 ${hex(first)}`, `62 02 ${hex(second)}`);
  });
});

describe('over MQTT-SN', () => {
  test('a QoS 2 message goes on where it was, under the topic id that is registered again', () => {
    const flash = new Flash();
    let h = startsSn(flash);
    const id = h.publish('abc', '1', 2);
    const [register] = h.heard();
    assert.equal(register?.[1], 0x0a);
    h.says(`07 0b 0005 ${register?.subarray(4, 6).toString('hex')} 00`);
    h.hears(`08 0c 40 0005 ${hex(id)} '1'`);
    h = startsSn(flash);
    const [again] = h.heard();
    h.says(`07 0b 0006 ${again?.subarray(4, 6).toString('hex')} 00`);
    h.hears(`08 0c c0 0006 ${hex(id)} '1'`);
    h.says(`04 0f ${hex(id)}`);
    h.hears(`04 10 ${hex(id)}`);
    h = startsSn(flash);
    h.hears(`04 10 ${hex(id)}`);
    h.says(`04 0e ${hex(id)}`);
    h.happens(`published ${id} 0`);
  });

  test('a clean session begins: what was released is published again, as the gateway forgets it', () => {
    const flash = new Flash();
    let h = startsSn(flash);
    const id = h.publish('ab', '1', 2);
    h.heard();
    h.says(`04 0f ${hex(id)}`);
    h.hears(`04 10 ${hex(id)}`);
    h = startsSn(flash, { clean: true });
    h.hears(`08 0c c2 6162 ${hex(id)} '1'`);
  });

  test('topics of a kept session do not come back after a clean one', () => {
    const flash = new Flash();
    let h = startsSn(flash);
    h.says("0b 0a 0007 0001 'a/b/c'");
    h.says("0b 0a 0008 0002 'd/e/f'");
    startsSn(flash, { clean: true });
    h = startsSn(flash);
    h.says("08 0c 00 0007 0000 '1'");
    h.says("08 0c 00 0008 0000 '1'");
    assert.deepEqual(h.messages, []);
    h.says("0b 0a 0009 0001 'g/h/i'");
    h = startsSn(flash);
    h.says("08 0c 00 0008 0000 '1'");
    assert.deepEqual(h.messages, [], 'nor with those of the next');
  });

  test('a topic that the gateway registered serves its messages after the power came back', () => {
    const flash = new Flash();
    let h = startsSn(flash);
    h.says("0b 0a 0007 0001 'a/b/c'");
    h.heard();
    assert.deepEqual(flash.kinds, [RECORD_TOPIC]);
    h = startsSn(flash);
    h.says("08 0c 00 0007 0000 '1'");
    assert.deepEqual(
      h.messages.map(({ topic }) => topic),
      ['a/b/c'],
    );
    h.says("0b 0a 0007 0001 'a/b/c'");
    assert.deepEqual(flash.kinds, [], 'what is known costs no write');
  });
});
