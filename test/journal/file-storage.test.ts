import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs, {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { STORE_FAILED, STORE_FULL } from '../../host/contract.js';
import { FileJournal } from '../../host/journal/file-journal.js';
import { FileStorage } from '../../host/journal/file-storage.js';
import { HEADER_BYTES } from '../../host/journal/frames.js';

const directory = mkdtempSync(join(tmpdir(), 'twobyte-journal-'));
after(() => rmSync(directory, { recursive: true }));
let files = 0;
const fresh = () => join(directory, `${++files}.journal`);

const bytes = (text: string) => Buffer.from(text);
const text = (record: Uint8Array | undefined) => record && Buffer.from(record).toString();

/** Writes one after another, a key and its text each. */
const WRITES: [key: number, text: string][] = [
  [0x10001, 'a message'],
  [0x20001, 'released'],
  [0x10002, '温度 23.5'],
  [0x10001, ''],
  [0x30007, 'x'],
  [0x10002, 'a tombstone'],
  [0xffffffff, 'the last key'],
];

/** A file of all of WRITES, and where each of them begins. */
function written(path: string): number[] {
  const journal = new FileJournal(path);
  const starts = WRITES.map(([key, text]) => {
    const at = journal.size;
    assert.equal(journal.write([{ part: '', key, bytes: bytes(text) }]), 0);
    return at;
  });
  journal.close();
  return [...starts, statSync(path).size];
}

/** What the first `count` writes leave. */
function stateAfter(count: number): Map<number, string> {
  const state = new Map<number, string>();
  for (const [key, text] of WRITES.slice(0, count)) {
    if (text === '') state.delete(key);
    else state.set(key, text);
  }
  return state;
}

function stateOf(journal: FileJournal): Map<number, string> {
  return new Map(journal.keys('').map((key) => [key, text(journal.read('', key)) ?? '']));
}

/** Does not wait for the disk. */
class Quick extends FileJournal {
  protected override sync(): void {}
}

function opened(path: string): { state: Map<number, string>; told: string[] } {
  const told: string[] = [];
  const journal = new Quick(path, { damaged: (what) => told.push(what) });
  const state = stateOf(journal);
  journal.close();
  return { state, told };
}

const sorted = (state: Map<number, string>) => [...state].sort(([a], [b]) => a - b);

describe('records in a file', () => {
  test('outlive the process that wrote them', () => {
    const path = fresh();
    const first = new FileStorage(path);
    for (const [key, text] of WRITES) assert.equal(first.write(key, bytes(text)), 0);
    first.close();
    const second = new FileStorage(path);
    for (const [key] of WRITES) assert.equal(text(second.read(key)), stateAfter(WRITES.length).get(key));
    second.close();
    assert.equal(second.write(1, bytes('1')), -STORE_FAILED, 'closed');
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test('are in parts that know nothing of one another', () => {
    const path = fresh();
    const first = new FileJournal(path);
    first.write([
      { part: 'c/灯', key: 1, bytes: bytes('a') },
      { part: 'd', key: 1, bytes: bytes('b') },
    ]);
    first.write([{ part: 'd', key: 1, bytes: bytes('') }]);
    first.close();
    const second = new FileJournal(path);
    assert.deepEqual(second.parts(), ['c/灯']);
    assert.deepEqual(second.keys('c/灯'), [1]);
    assert.equal(text(second.read('c/灯', 1)), 'a');
    second.close();
  });

  test('of no bytes that never were cost no write', () => {
    const journal = new FileJournal(fresh());
    const { size } = journal;
    assert.equal(journal.write([{ part: '', key: 1, bytes: bytes('') }]), 0);
    assert.equal(journal.size, size);
    journal.close();
  });

  test('need no more room than a megabyte and twice what they are', () => {
    const path = fresh();
    const journal = new FileJournal(path);
    const record = Buffer.alloc(1000, 'x');
    for (let n = 0; n < 20_000; n++) {
      assert.equal(journal.write([{ part: '', key: n % 100, bytes: record }], false), 0);
      assert.ok(journal.size < 1_300_000, String(journal.size));
    }
    journal.write([{ part: '', key: 5, bytes: bytes('last') }]);
    assert.equal(statSync(path).size, journal.size);
    journal.close();
    const again = new FileJournal(path);
    assert.equal(again.keys('').length, 100);
    assert.equal(text(again.read('', 5)), 'last');
    again.close();
    assert.ok(!existsSync(`${path}.new`));
  });
});

describe('a file that is cut off at any byte', () => {
  const whole = fresh();
  const starts = written(whole);
  const file = readFileSync(whole);

  test(`has all writes before that byte, and takes more: ${file.length} places`, () => {
    const path = fresh();
    for (let length = HEADER_BYTES; length <= file.length; length++) {
      writeFileSync(path, file.subarray(0, length));
      const complete = starts.filter((at) => at > HEADER_BYTES && at <= length).length;
      const { state, told } = opened(path);
      assert.deepEqual(sorted(state), sorted(stateAfter(complete)), `at ${length}`);
      assert.equal(told.length, starts.includes(length) ? 0 : 1, `at ${length}`);
      const journal = new Quick(path, { damaged: () => assert.fail(`told twice at ${length}`) });
      assert.equal(journal.write([{ part: '', key: 9, bytes: bytes('more') }]), 0);
      journal.close();
      assert.deepEqual(sorted(opened(path).state), sorted(new Map([...state, [9, 'more']])), `at ${length}`);
    }
  });

  test('is refused when that was within its header: it may be anything', () => {
    const path = fresh();
    for (let length = 1; length < 16; length++) {
      writeFileSync(path, file.subarray(0, length));
      assert.throws(() => new FileStorage(path), /this is no journal/);
      assert.equal(statSync(path).size, length);
    }
    writeFileSync(path, '');
    assert.equal(opened(path).state.size, 0);
  });

  test('with zeros or garbage behind, as file systems leave them, is cut there', () => {
    for (const tail of [Buffer.alloc(5000), Buffer.alloc(5000, 0x5a), file.subarray(HEADER_BYTES, HEADER_BYTES + 20)]) {
      const path = fresh();
      writeFileSync(path, Buffer.concat([file, tail]));
      const { state, told } = opened(path);
      assert.deepEqual(sorted(state), sorted(stateAfter(WRITES.length)));
      assert.equal(told.length, 1);
      assert.equal(statSync(path).size, file.length);
    }
  });
});

describe('a file in which a byte fell over', () => {
  const whole = fresh();
  const starts = written(whole);
  const file = readFileSync(whole);

  test(`loses the records of its own frame only, and tells: ${file.length} bytes, one bit and all of each`, () => {
    const path = fresh();
    for (let at = 0; at < file.length; at++) {
      for (const bits of [1 << (at % 8), 255]) {
        const spoilt = Buffer.from(file);
        spoilt[at] = (spoilt[at] as number) ^ bits;
        writeFileSync(path, spoilt);
        const { state, told } = opened(path);
        const hit = at < HEADER_BYTES ? -1 : starts.findLastIndex((start) => start <= at);
        assert.equal(told.length, 1, `bits ${bits} of byte ${at}`);
        assert.equal(hit < 0, /a copy of its header, at (0|16), .* nothing is lost$/.test(told[0] ?? ''), told[0]);
        for (const key of new Set(WRITES.map(([key]) => key))) {
          const value = state.get(key);
          const right = stateAfter(WRITES.length).get(key);
          if (hit < 0 || WRITES[hit]?.[0] !== key) assert.equal(value, right, `key ${key}, bits ${bits} of byte ${at}`);
          else
            assert.ok(
              value === undefined || value === right || value === stateAfter(hit).get(key),
              `key ${key}, bits ${bits} of byte ${at}`,
            );
        }
        assert.ok([...state.keys()].every((key) => WRITES.some(([known]) => known === key)));
        assert.deepEqual(opened(path), { state, told: [] }, 'told once');
      }
    }
  });

  test('in one copy of its header, and later one in the other, costs nothing', () => {
    const path = fresh();
    for (const at of [0, 20]) {
      const spoilt = at === 0 ? Buffer.from(file) : readFileSync(path);
      spoilt[at] = (spoilt[at] as number) ^ 1;
      writeFileSync(path, spoilt);
      assert.deepEqual(sorted(opened(path).state), sorted(stateAfter(WRITES.length)));
    }
  });

  test('within its data is the end of that record: an older one does not come back', () => {
    const path = fresh();
    const spoilt = Buffer.from(file);
    const at = (starts[6] as number) - 1; // the last byte of 'a tombstone'
    spoilt[at] = 0;
    writeFileSync(path, spoilt);
    const { state, told } = opened(path);
    assert.equal(state.get(0x10002), undefined);
    assert.match(told[0] ?? '', /lost: record 65538$/);
  });

  test('what looks like a frame within a record is none', () => {
    const path = fresh();
    const journal = new FileJournal(path);
    journal.write([{ part: '', key: 1, bytes: file }]);
    const at = journal.size;
    journal.write([{ part: '', key: 2, bytes: bytes('2') }]);
    journal.close();
    const spoilt = readFileSync(path);
    spoilt[HEADER_BYTES + 5] = 0x55; // the length of the first
    writeFileSync(path, spoilt);
    assert.deepEqual(sorted(opened(path).state), [[2, '2']]);
    assert.ok(at > file.length);
  });
});

/** A disk that fails when it is told to. */
class Failing extends FileJournal {
  failing: 'write' | 'half a write' | 'sync' | undefined;

  protected override put(file: number, data: Uint8Array, at: number): void {
    if (this.failing === 'half a write') super.put(file, data.subarray(0, data.length / 2), at);
    if (this.failing?.includes('write')) throw Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
    super.put(file, data, at);
  }

  protected override sync(file: number): void {
    if (this.failing === 'sync') throw Object.assign(new Error('input/output error'), { code: 'EIO', syscall: 'fdatasync' });
    super.sync(file);
  }
}

describe('a disk that fails', () => {
  for (const [failing, answer] of [
    ['write', -STORE_FULL],
    ['half a write', -STORE_FULL],
    ['sync', -STORE_FAILED],
  ] as const) {
    test(`(${failing}) is told by each write, which changes nothing, until it works`, () => {
      const path = fresh();
      const journal = new Failing(path);
      const write = (value: string) => journal.write([{ part: '', key: 1, bytes: bytes(value) }]);
      assert.equal(write('1'), 0);
      journal.failing = failing;
      for (const value of ['2', '3']) assert.equal(write(value), answer);
      assert.equal(text(journal.read('', 1)), '1');
      journal.failing = undefined;
      assert.equal(write('4'), 0);
      journal.failing = failing;
      assert.equal(write('5'), answer);
      journal.failing = undefined;
      journal.close();
      const { state, told } = opened(path);
      assert.deepEqual(sorted(state), [[1, '4']]);
      assert.deepEqual(told, []);
    });
  }
});

/** A disk of so many bytes. */
class Small extends Quick {
  room: number | undefined;
  renewals: number | undefined;

  protected override put(file: number, data: Uint8Array, at: number): void {
    if (at === 0) this.renewals = (this.renewals ?? 0) + 1;
    const free = (this.room ?? Number.POSITIVE_INFINITY) - (at === 0 ? this.size : at);
    super.put(file, data.subarray(0, Math.max(free, 0)), at);
    if (data.length > free) throw Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
  }
}

describe('a disk that is full', () => {
  const MIB = 1024 * 1024;
  const record = Buffer.alloc(4000, 'x');
  const none = bytes('');
  /** Of `live` records, up to where a renewal is worth while. */
  const filled = (path: string, live: number) => {
    const journal = new Small(path);
    for (let n = 0; journal.size <= MIB; n++) assert.equal(journal.write([{ part: '', key: n % live, bytes: record }], false), 0);
    return journal;
  };

  test('for a second file does without, leaves nothing of it, and does not try each time', () => {
    const path = fresh();
    const journal = filled(path, 20);
    journal.room = journal.size + 40_000;
    journal.renewals = 0;
    for (let n = 0; n < 9; n++) assert.equal(journal.write([{ part: '', key: 1, bytes: record }]), 0);
    assert.equal(journal.write([{ part: '', key: 1, bytes: record }]), -STORE_FULL);
    assert.equal(journal.write([{ part: '', key: 1, bytes: record }]), -STORE_FULL);
    assert.equal(journal.renewals, 2, 'when it was worth while, and when it was full');
    assert.ok(!existsSync(`${path}.new`));
    journal.room = 2 * MIB;
    assert.equal(journal.write([{ part: '', key: 1, bytes: record }]), 0);
    journal.close();
    assert.equal(opened(path).state.size, 20);
  });

  test('is renewed at once when that makes room', () => {
    const path = fresh();
    const journal = new Small(path);
    for (let n = 0; n < 30; n++) assert.equal(journal.write([{ part: '', key: 1, bytes: record }]), 0);
    assert.equal(journal.write([{ part: '', key: 1, bytes: bytes('1') }]), 0);
    journal.room = journal.size + 1000;
    for (let n = 0; n < 9; n++) assert.equal(journal.write([{ part: '', key: 2, bytes: record }]), 0);
    journal.close();
    assert.equal(opened(path).state.size, 2);
  });

  test('keeps a record whose durable removal fails, and takes what need not be sure off at once', () => {
    const path = fresh();
    const journal = new Small(path);
    for (let key = 0; key < 10; key++) journal.write([{ part: '', key, bytes: record }]);
    journal.room = journal.size;
    assert.equal(journal.write([{ part: '', key: 1, bytes: none }]), -STORE_FULL);
    assert.equal(journal.read('', 1)?.length, record.length);
    assert.equal(journal.write([{ part: '', key: 2, bytes: none }], false), -STORE_FULL);
    assert.equal(journal.read('', 2), undefined);
    assert.equal(journal.write([{ part: '', key: 2, bytes: none }]), -STORE_FULL, 'it is not sure yet');
    journal.room = undefined;
    assert.equal(journal.write([{ part: '', key: 3, bytes: bytes('3') }]), 0);
    journal.close();
    assert.deepEqual([...opened(path).state.keys()], [0, 1, 3, 4, 5, 6, 7, 8, 9], 'the removal was written with it');
  });

  test('works again when all of it is acknowledged', () => {
    const path = fresh();
    const journal = filled(path, 200);
    journal.room = journal.size;
    for (let key = 0; key < 200; key++) journal.write([{ part: '', key, bytes: none }], false);
    assert.equal(journal.write([{ part: '', key: 1, bytes: bytes('1') }]), 0);
    journal.close();
    assert.deepEqual(sorted(opened(path).state), [[1, '1']]);
  });

  test('opens a damaged file all the same, and tells each time', () => {
    class Full extends Quick {
      protected override put(): void {
        throw Object.assign(new Error('no space'), { code: 'ENOSPC', syscall: 'write' });
      }
    }
    for (const at of [3, 60]) {
      const path = fresh();
      written(path);
      const file = readFileSync(path);
      file[at] = 0x55;
      writeFileSync(path, file);
      for (let n = 0; n < 2; n++) {
        const told: string[] = [];
        new Full(path, { damaged: (what) => told.push(what) }).close();
        assert.equal(told.length, 1);
      }
      assert.ok(!existsSync(`${path}.new`));
    }
  });
});

describe('a write', () => {
  test('that takes nothing is an error', (t) => {
    const journal = new FileJournal(fresh());
    t.mock.method(fs, 'writeSync', () => 0);
    syncBuiltinESMExports();
    const answer = journal.write([{ part: '', key: 1, bytes: bytes('1') }]);
    t.mock.restoreAll();
    syncBuiltinESMExports();
    assert.equal(answer, -STORE_FAILED);
    assert.equal(journal.write([{ part: '', key: 1, bytes: bytes('1') }]), 0);
    journal.close();
  });

  test('of a part whose name has more than 65,535 bytes fails, and changes nothing', () => {
    const journal = new FileJournal(fresh());
    const { size } = journal;
    assert.equal(journal.write([{ part: 'x'.repeat(65_536), key: 1, bytes: bytes('1') }]), -STORE_FAILED);
    assert.equal(journal.size, size);
    assert.equal(journal.write([{ part: 'x'.repeat(65_535), key: 1, bytes: bytes('1') }]), 0);
    journal.close();
  });
});

describe('one process at a time', () => {
  test('has the file: another user of it in the same process is refused', () => {
    const path = fresh();
    const first = new FileStorage(path);
    assert.throws(() => new FileStorage(path), /open in this process already/);
    first.close();
    const next = new FileStorage(path);
    first.close(); // again, which gives away nothing
    assert.throws(() => new FileStorage(path), /open in this process already/);
    next.close();
  });

  test('has the file: another process is refused with its id, and gets it when it was killed', async () => {
    const path = fresh();
    const script = `import { FileStorage } from ${JSON.stringify(new URL('../../host/journal/file-storage.js', import.meta.url).href)};
      const storage = new FileStorage(${JSON.stringify(path)});
      storage.write(1, Buffer.from('1'));
      console.log('open');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    assert.throws(() => new FileStorage(path), new RegExp(`process ${child.pid} has it open`));
    child.kill('SIGKILL');
    await once(child, 'exit');
    const storage = new FileStorage(path);
    assert.equal(text(storage.read(1)), '1');
    storage.close();
    assert.throws(() => lstatSync(`${path}.lock`), { code: 'ENOENT' });
  });

  test('a lock from before the machine was started anew holds nobody back, though another process has its id now', () => {
    const path = fresh();
    symlinkSync(`${process.ppid} 1 0123456789abcdef 4026531836`, `${path}.lock`);
    new FileStorage(path).close();
  });

  const onLinux = { skip: process.platform === 'linux' ? false : 'process namespaces are of Linux' };
  test('which may be in another container, where nobody can see whether it lives', onLinux, () => {
    const path = fresh();
    const storage = new FileStorage(path);
    const [pid, started, boot] = readlinkSync(`${path}.lock`).split(' ');
    storage.close();
    for (const theirs of [`${pid} ${started} ${boot} 1`, `1 1 ${boot} 1`, String(pid)]) {
      symlinkSync(theirs, `${path}.lock`);
      assert.throws(
        () => new FileStorage(path),
        /a process of another container or machine has it open; if that is gone, remove .*\.lock$/,
      );
      assert.equal(readlinkSync(`${path}.lock`), theirs);
      rmSync(`${path}.lock`);
    }
  });

  const inContainer = ['--pid', '--fork', '--mount-proc', '--kill-child', process.execPath];
  const containers = { skip: spawnSync('unshare', [...inContainer, '-v']).status === 0 ? false : 'namespaces need root, and unshare' };
  test('of two containers, in which it has the same id', containers, async () => {
    const path = fresh();
    const script = `import { FileStorage } from ${JSON.stringify(new URL('../../host/journal/file-storage.js', import.meta.url).href)};
      try { new FileStorage(${JSON.stringify(path)}); console.log(process.pid, 'open'); } catch (error) { console.log(error.message); }
      setInterval(() => {}, 1000);`;
    const args = [...inContainer, '--input-type=module', '-e', script];
    const both = [1, 2].map(() => spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] }));
    const says = (await Promise.all(both.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])))).sort();
    for (const child of both) child.kill('SIGKILL');
    assert.equal(says[0], '1 open\n');
    assert.match(says[1] ?? '', /a process of another container/);
    assert.throws(() => new FileStorage(path), /a process of another container/);
  });

  test('a file of another that has the name of the lock is left alone', () => {
    const path = fresh();
    writeFileSync(`${path}.lock`, 'of value');
    assert.throws(() => new FileStorage(path), /cannot be locked/);
    assert.equal(readFileSync(`${path}.lock`, 'utf8'), 'of value');
  });
});

describe('a path', () => {
  const writeTo = (path: string, n: number) => {
    const storage = new FileStorage(path);
    assert.equal(storage.write(n, bytes(String(n))), 0);
    storage.close();
  };

  test('of a file that is none of ours is refused, and nothing beside it touched', () => {
    const path = fresh();
    for (const name of [path, `${path}.new`]) writeFileSync(name, 'something of value');
    const mode = statSync(path).mode;
    assert.throws(() => new FileStorage(path), { code: 'ERROR_JOURNAL', message: /this is no journal/ });
    for (const name of [path, `${path}.new`]) assert.equal(readFileSync(name, 'utf8'), 'something of value');
    assert.equal(statSync(path).mode, mode);
    rmSync(path);
    assert.throws(() => new FileStorage(path), { code: 'ERROR_JOURNAL', message: /\.new has the name under which it is written anew/ });
    assert.equal(readFileSync(`${path}.new`, 'utf8'), 'something of value');
  });

  test('beside which a renewal was interrupted is opened, and that removed', () => {
    const path = fresh();
    writeTo(path, 1);
    for (const left of [Buffer.alloc(0), Buffer.alloc(4096), readFileSync(path), readFileSync(path).subarray(0, 3)]) {
      writeFileSync(`${path}.new`, left);
      writeTo(path, 1);
      assert.ok(!existsSync(`${path}.new`));
    }
  });

  test('that is a directory, a link or no file is refused', () => {
    assert.throws(() => new FileStorage(directory), { code: 'ERROR_JOURNAL', message: /it is a directory; name a file in it/ });
    const there = fresh();
    writeTo(there, 1);
    for (const to of [there, fresh()]) {
      const link = fresh();
      symlinkSync(to, link);
      assert.throws(() => new FileStorage(link), { code: 'ERROR_JOURNAL', message: /it is a symbolic link; name the file itself/ });
    }
    const pipe = fresh();
    assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
    assert.throws(() => new FileStorage(pipe), { code: 'ERROR_JOURNAL', message: /it is not a regular file/ });
  });

  test('through a linked directory is the file in it, and has its lock', () => {
    const link = fresh();
    symlinkSync(directory, link);
    const path = fresh();
    const storage = new FileStorage(path);
    assert.throws(() => new FileStorage(join(link, basename(path))), /open in this process already/);
    storage.close();
  });

  test('is that of the beginning when the process goes to another directory', (t) => {
    const [before, path] = [process.cwd(), fresh()];
    t.after(() => process.chdir(before));
    process.chdir(directory);
    const journal = new Quick(basename(path));
    process.chdir(before);
    for (let n = 0; n < 400; n++) journal.write([{ part: '', key: 1, bytes: Buffer.alloc(4000, n) }], false);
    journal.close();
    assert.ok(!existsSync(basename(path)));
    assert.equal(opened(path).state.size, 1);
  });

  test('whose file others may read is made private', () => {
    const path = fresh();
    writeTo(path, 1);
    chmodSync(path, 0o644);
    writeTo(path, 2);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });
});
