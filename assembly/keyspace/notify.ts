/**
 * Keyspace notifications: every command says what it did to a key; who listens is told, by messages
 * on __keyspace@<db>__:<key> and __keyevent@<db>__:<event>.
 *
 * Event classes are the letters of notify-keyspace-events.
 */
import { alloc, free } from '../base/alloc';
import { writeLiteral } from '../base/literal';
import { ll2string } from '../base/numbers/integers';
import { channelsOf, KIND_CHANNEL, KIND_PATTERN, publish } from './pubsub';

export const NOTIFY_KEYSPACE: u32 = 1 << 0; // K
export const NOTIFY_KEYEVENT: u32 = 1 << 1; // E
export const NOTIFY_GENERIC: u32 = 1 << 2; // g
export const NOTIFY_STRING: u32 = 1 << 3; // $
export const NOTIFY_LIST: u32 = 1 << 4; // l
export const NOTIFY_SET: u32 = 1 << 5; // s
export const NOTIFY_HASH: u32 = 1 << 6; // h
export const NOTIFY_ZSET: u32 = 1 << 7; // z
export const NOTIFY_EXPIRED: u32 = 1 << 8; // x
export const NOTIFY_EVICTED: u32 = 1 << 9; // e
export const NOTIFY_STREAM: u32 = 1 << 10; // t
export const NOTIFY_KEY_MISS: u32 = 1 << 11; // m
export const NOTIFY_MODULE: u32 = 1 << 13; // d
export const NOTIFY_NEW: u32 = 1 << 14; // n

/** Longest event, database number and the fixed parts of a channel's name. */
const NAME_EXTRA: u32 = 96;
/** A buffer that grew beyond this is not kept. */
const KEEP_CAP: u32 = 1 << 16;

/** The classes asked for; 0 = nobody is told anything. */
export let notifyFlags: u32 = 0;

let name: usize = 0;
let nameCap: u32 = 0;
let nameLen: u32 = 0;
const eventText = memory.data(64);

/** Sets the classes; without K or E nobody can be told. */
export function notifyConfigure(flags: u32): void {
  notifyFlags = flags & (NOTIFY_KEYSPACE | NOTIFY_KEYEVENT) ? flags : 0;
}

/**
 * Commands that must add a key before Redis does, as only adding can fail, hold back what is said
 * of it and say `new` themselves in Redis' place. Never over the end of a command.
 */
export function notifyHoldNew(on: bool): void {
  if (on) {
    heldNew = notifyFlags & NOTIFY_NEW;
    notifyFlags &= ~NOTIFY_NEW;
  } else {
    notifyFlags |= heldNew;
  }
}
let heldNew: u32 = 0;

/** A key was changed by `event`, of class `type`, in database number `db`. */
// @ts-ignore: decorator
@inline export function notifyKeyspaceEvent(
  type: u32,
  event: string,
  db: u32,
  keyPtr: usize,
  keyLen: u32,
): void {
  if (notifyFlags & type) publishEvent(event, db, keyPtr, keyLen);
}

/** Makes `name` the channel `__<kind>@<db>__:`; false when memory ran out. */
function nameBegin(kind: string, db: u32, more: u32): bool {
  const need = more + NAME_EXTRA;
  if (need > nameCap || nameCap > KEEP_CAP) {
    free(name);
    name = need < more ? <usize>0 : alloc(need);
    nameCap = name == 0 ? 0 : need;
    if (name == 0) return false;
  }
  nameLen = writeLiteral(name, kind);
  nameLen += ll2string(db, name + nameLen);
  nameLen += writeLiteral(name + nameLen, '__:');
  return true;
}

function publishEvent(event: string, db: u32, keyPtr: usize, keyLen: u32): void {
  if ((channelsOf(KIND_CHANNEL) | channelsOf(KIND_PATTERN)) == 0) return;
  const eventLen = writeLiteral(eventText, event);
  if (notifyFlags & NOTIFY_KEYSPACE && nameBegin('__keyspace@', db, keyLen)) {
    memory.copy(name + nameLen, keyPtr, keyLen);
    publish(KIND_CHANNEL, name, nameLen + keyLen, eventText, eventLen);
  }
  if (notifyFlags & NOTIFY_KEYEVENT && nameBegin('__keyevent@', db, eventLen)) {
    memory.copy(name + nameLen, eventText, eventLen);
    publish(KIND_CHANNEL, name, nameLen + eventLen, keyPtr, keyLen);
  }
}
