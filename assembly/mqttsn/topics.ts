// Which topic has which id, in both directions: what we registered, what the gateway registered with us, what the configuration
// says. Ids belong to one connection: those of an earlier one serve inbound messages on, since only a gateway that kept the session uses
// them, but no message goes out on them until then (SN 6.5).

import { connectionArea } from '../bytes/buffers';
import { equal } from '../bytes/compare';
import { bytes } from '../bytes/cursor';
import { parseDecimal } from '../bytes/decimal';
import { topicNameFault } from '../bytes/topic';
import { CONFIG_PREDEFINED, ERROR_CONFIG_INVALID, ERROR_CONFIG_TOO_LONG, RECORD_TOPIC } from '../contract';
import * as journal from '../delivery/journal';
import { HAS_JOURNAL } from '../delivery/journal';
import { TOPIC_BYTES, TOPIC_ENTRIES, TOPIC_NAMES_BYTES, TOPIC_RECORD_BYTES } from '../limits';
import * as settings from '../settings';
import { NORMAL, PREDEFINED, SHORT } from './messages';

const ENTRY_BYTES: i32 = 12;
/** What lies before the name of a registered topic. */
const HEAD_BYTES: u32 = TOPIC_RECORD_BYTES;
const EQUALS: u32 = 0x3d;
const PLUS: u32 = 0x2b;

@unmanaged
@final
class Topic {
  name: u32;
  length: u16;
  /** 0: none. */
  id: u16;
  /** The connection that the id belongs to; a pre-defined one belongs to all. */
  connection: u16;
  type: u16;
}

/** How the journal has a registered topic: this, and the name behind it. */
@unmanaged
@final
class Record {
  check: u32;
  /** Only records of the latest epoch count: at the end of one all topics are forgotten. */
  epoch: u16;
  id: u16;
}

function entries(): usize {
  return memory.data(TOPIC_ENTRIES * ENTRY_BYTES, 4);
}
let count: u32 = 0;
let namesEnd: u32 = 0;
/** What the configuration brought, which is never forgotten. */
let fixedCount: u32 = 0;
let fixedEnd: u32 = 0;
let connection: u32 = 0;
/** The session outlives a power cut, and its topics do. */
let kept: bool = false;
let epoch: u32 = 0;

/** Where the last search ended: the next begins there, since topics are used again, or in turn. */
let latest: u32 = 0;
/** What idOf found, and under which name; 0 when something has happened since that the answer may hang on. */
export let foundType: u32 = 0;
export let foundId: u32 = 0;
let foundName: usize = 0;

function entryAt(number: u32): Topic {
  return changetype<Topic>(entries() + number * ENTRY_BYTES);
}

/** An entry under which messages to a name may go out now, or with `length` 0 the entry of an id; null when there is none. */
function search(name: usize, length: u32, type: u32, id: u32): Topic | null {
  foundName = 0;
  for (let left = count; left; --left) {
    if (latest >= count) latest = 0;
    const entry = entryAt(latest);
    if (length ? isUsable(entry) && isNamed(entry, name, length) : <u32>entry.id == id && <u32>entry.type == type) return entry;
    latest++;
  }
  return null;
}

/** The id under which a message to `name` may go out now: foundType and foundId. False: it has to be registered. */
export function idOf(name: usize, length: u32): bool {
  foundName = 0; // also where nothing is searched: foundId changes
  foundType = SHORT;
  foundId = ((<u32>load<u8>(name)) << 8) | load<u8>(name, 1);
  if (length == 2) return true;
  const entry = search(name, length, 0, 0);
  if (!entry) return false;
  foundType = entry.type;
  foundId = entry.id;
  foundName = name;
  return true;
}

/** Whether idOf found the name at this place last, and would again: so it is for one message after the other under the same topic. */
export function isFound(name: usize): bool {
  return name == foundName;
}

/** The text of a topic changes where it is. */
export function forgetFound(): void {
  foundName = 0;
}

function isUsable(entry: Topic): bool {
  return entry.id != 0 && (<u32>entry.type == PREDEFINED || <u32>entry.connection == connection);
}

function isNamed(entry: Topic, name: usize, length: u32): bool {
  return <u32>entry.length == length && equal(entry.name, name, length);
}

/** The name of an inbound id; null when it is not known. The gateway that uses an id has it registered. */
export function nameOf(type: u32, id: u32): usize {
  const entry = search(0, 0, type, id);
  if (!entry) return 0;
  entry.connection = <u16>connection;
  foundLength = entry.length;
  return entry.name;
}

/** Length of the name that nameOf answered. */
export let foundLength: u32 = 0;

/**
 * Notes that `name`, which was checked, has `id`; false when it cannot be held. A name may have several: a gateway may give one for REGISTER,
 * another for SUBSCRIBE, and send messages on either.
 */
export function learn(name: usize, length: u32, id: u32): bool {
  let entry = search(0, 0, NORMAL, id);
  if (!entry || !isNamed(entry, name, length)) {
    if (entry) entry.id = 0;
    if (isFull(length)) forgetTopics();
    if (isFull(length)) return false;
    entry = appendRegistered(length, id);
    bytes(entry.name, name, length);
    if (HAS_JOURNAL && kept) save(changetype<Record>(<usize>(entry.name - HEAD_BYTES)), length, id);
  }
  entry.connection = <u16>connection;
  return true;
}

function isFull(length: u32): bool {
  return count == TOPIC_ENTRIES || namesEnd + HEAD_BYTES + length > <u32>TOPIC_NAMES_BYTES;
}

/** The name lies where the names end, behind its record. */
function appendRegistered(length: u32, id: u32): Topic {
  const entry = append(connectionArea + namesEnd + HEAD_BYTES, length);
  namesEnd += HEAD_BYTES + length;
  entry.type = <u16>NORMAL;
  entry.id = <u16>id;
  return entry;
}

function save(record: Record, length: u32, id: u32): void {
  record.epoch = <u16>epoch;
  record.id = <u16>id;
  journal.write(RECORD_TOPIC, count - 1 - fixedCount, changetype<usize>(record), HEAD_BYTES + length);
}

/** Whether the session outlives a power cut, with its topics. A clean one ends those of the session before. */
export function keepTopics(keep: bool): void {
  kept = keep;
  if (keep) restoreTopics();
  else if (readTopic(0)) journal.erase(RECORD_TOPIC, 0);
}

/** Reads a record to where the names end; answers its length, 0 without one. */
function readTopic(place: u32): u32 {
  const length = journal.read(RECORD_TOPIC, place, connectionArea + namesEnd, TOPIC_NAMES_BYTES - namesEnd);
  return length > HEAD_BYTES ? length : 0;
}

/**
 * Takes back what the journal holds, beside what is pre-defined: a gateway that kept the session goes on using these ids. The record at place 0,
 * which is written first, tells the epoch; what is of another was not yet written over, and without it all are.
 */
function restoreTopics(): void {
  const record = changetype<Record>(connectionArea + namesEnd);
  const hasFirst = readTopic(0) != 0;
  if (hasFirst) epoch = record.epoch;
  for (let place: u32 = 0; place < <u32>TOPIC_ENTRIES && !isFull(0); ++place) {
    const record = changetype<Record>(connectionArea + namesEnd);
    const length = readTopic(place);
    if (!length) continue;
    if (!hasFirst) epoch = max(epoch, record.epoch + 1) & 0xffff;
    if (<u32>record.epoch != epoch) continue;
    const earlier = search(0, 0, NORMAL, record.id);
    if (earlier) earlier.id = 0;
    appendRegistered(length - HEAD_BYTES, record.id).connection = 0;
  }
}

function append(name: usize, length: u32): Topic {
  const entry = entryAt(count++);
  entry.name = <u32>name;
  entry.length = <u16>length;
  return entry;
}

/** The gateway does not know the id: the topic is registered again by its name, also when the configuration has an id for it. */
export function forgetId(type: u32, id: u32): void {
  const entry = search(0, 0, type, id);
  if (entry) entry.id = 0;
}

/** A connection begins: ids that are not confirmed on it are registered again. */
export function beginConnection(): void {
  connection = (connection + 1) & 0xffff;
  foundName = 0;
  if (connection == 0) forgetTopics(); // before a number comes again
}

/** Forgets all but what is pre-defined. */
export function forgetTopics(): void {
  if (HAS_JOURNAL && count > fixedCount) epoch = (epoch + 1) & 0xffff;
  count = fixedCount;
  namesEnd = fixedEnd;
  foundName = 0;
}

/** Reads `1=a/b+2=c/d`, and leaves the names where they were read. Of an id or a name that comes twice the first counts. */
export function readPredefined(): void {
  count = 0;
  let p: usize = connectionArea;
  // Room for one topic is left: what is registered has to go somewhere.
  const end = p + settings.text(CONFIG_PREDEFINED, p, TOPIC_NAMES_BYTES - TOPIC_BYTES - TOPIC_RECORD_BYTES);
  while (p < end) {
    const digits = p;
    p = find(p, end, EQUALS);
    const id = parseDecimal(digits, <u32>(p - digits));
    const name = p + 1;
    p = find(name, end, PLUS);
    // An entry too many would leave no room for topics that are registered.
    if (id <= 0 || id >= 0xffff || name > end || topicNameFault(name, <u32>(p - name)) || count == TOPIC_ENTRIES / 2) {
      settings.refuse(CONFIG_PREDEFINED, count == TOPIC_ENTRIES / 2 ? ERROR_CONFIG_TOO_LONG : ERROR_CONFIG_INVALID);
      return;
    }
    const entry = append(name, <u32>(p++ - name));
    entry.type = <u16>PREDEFINED;
    entry.id = <u16>id;
  }
  fixedCount = count;
  fixedEnd = <u32>(end - connectionArea);
  forgetTopics();
}

/** The place of the first `sign`, or `end`. */
function find(p: usize, end: usize, sign: u32): usize {
  while (p < end && <u32>load<u8>(p) != sign) ++p;
  return p;
}
