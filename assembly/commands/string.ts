/**
 * String commands that set and get whole values. Parts of values are in string-range.ts, numbers
 * in string-number.ts, the longest common subsequence in string-lcs.ts.
 */
import {
  alloc,
  allocFaultCountdown,
  allocHeadroom,
  free,
  heapBytes,
  usedMemory,
} from '../base/alloc';
import { client } from '../clients/client';
import {
  dbAddItem,
  dbAt,
  dbDeleteFound,
  dbFindRaw,
  dbPersist,
  dbReplaceFound,
  dbSetExpire,
  dbTakeFound,
  entryType,
  foundHash,
  lookupRead,
  lookupReadWrite,
  lookupWrite,
  signalModified,
} from '../keyspace/db';
import { effectArg, effectBegin, effectInt, effectLiteral } from '../keyspace/effects';
import { NOTIFY_GENERIC, NOTIFY_STRING, notifyKeyspaceEvent } from '../keyspace/notify';
import { ITEM_INLINE_MAX } from '../hashtable/item';
import { isReplica, loading, markDirty, nowMs } from '../keyspace/state';
import {
  EXPIRE_KEEP,
  EXPIRE_NONE,
  stringLength,
  stringNewItem,
  stringPut,
  stringRead,
  strLen,
  strPtr,
} from '../keyspace/strings';
import { touchDue, touchEnd, touchHint, touchKeys } from '../keyspace/touch';
import { freeEntry } from '../keyspace/value';
import { argInt, argI64OrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import {
  replyInvalidExpire,
  replyOom,
  replySyntaxError,
  replyWrongArgs,
  replyWrongType,
} from '../resp/errors';
import { replyArray, replyBulk, replyInt, replyNull, replyOk } from '../resp/reply';
import { TYPE_STRING } from '../types/object';

// ---- options of SET and GETEX

const OPT_NX: u32 = 1;
const OPT_XX: u32 = 2;
const OPT_GET: u32 = 4;
const OPT_KEEPTTL: u32 = 8;
const OPT_PERSIST: u32 = 16;
const OPT_EX: u32 = 32;
const OPT_PX: u32 = 64;
const OPT_EXAT: u32 = 128;
const OPT_PXAT: u32 = 256;
/** Not a word: the command is GETSET. */
const OPT_GETSET: u32 = 512;
const OPT_TIMES: u32 = OPT_EX | OPT_PX | OPT_EXAT | OPT_PXAT;
const OPT_RELATIVE: u32 = OPT_EX | OPT_PX;
const OPT_SECONDS: u32 = OPT_EX | OPT_EXAT;

/** Options found, and the argument that holds the time (with OPT_TIMES). */
let options: u32 = 0;
let timeArg: u32 = 0;
/** The expiry a command asked for, unix ms. */
let expireMs: i64 = 0;

/** EX, PX, EXAT or PXAT in argument `i`; 0 = none of them. */
function timeOption(i: u32): u32 {
  if (argIs(i, 'ex')) return OPT_EX;
  if (argIs(i, 'px')) return OPT_PX;
  if (argIs(i, 'exat')) return OPT_EXAT;
  return argIs(i, 'pxat') ? OPT_PXAT : 0;
}

/** A word of SET (GETEX has PERSIST only); 0 = none, or it does not go with what came before. */
function wordOption(i: u32, isSet: bool): u32 {
  if (!isSet) return argIs(i, 'persist') && (options & OPT_TIMES) == 0 ? OPT_PERSIST : 0;
  if (argIs(i, 'nx')) return options & OPT_XX ? 0 : OPT_NX;
  if (argIs(i, 'xx')) return options & OPT_NX ? 0 : OPT_XX;
  if (argIs(i, 'get')) return OPT_GET;
  return argIs(i, 'keepttl') && (options & OPT_TIMES) == 0 ? OPT_KEEPTTL : 0;
}

/** Reads the options from argument `i` on; false = answered with a syntax error. */
function optionsOrReply(i: u32, isSet: bool): bool {
  options = 0;
  for (; i < argc; i++) {
    let option = wordOption(i, isSet);
    if (option == 0) {
      option = timeOption(i);
      // Redis: the same time option may come again, the last one counts.
      const others = (OPT_TIMES & ~option) | OPT_KEEPTTL | OPT_PERSIST;
      if (option == 0 || options & others || i + 1 == argc) {
        replySyntaxError();
        return false;
      }
      timeArg = ++i;
    }
    options |= option;
  }
  return true;
}

/** The time in argument `timeArg` as unix ms in `expireMs`; false = answered. */
function expireOrReply(name: string): bool {
  if (!argI64OrReply(timeArg)) return false;
  let ms = argInt;
  if (ms <= 0 || (options & OPT_SECONDS && ms > i64.MAX_VALUE / 1000)) {
    replyInvalidExpire(name);
    return false;
  }
  if (options & OPT_SECONDS) ms *= 1000;
  if (options & OPT_RELATIVE) ms += nowMs;
  if (ms <= 0) {
    replyInvalidExpire(name);
    return false;
  }
  expireMs = ms;
  return true;
}

// ---- SET and its kin

/** Answers with a value looked up (0 = none); false = the wrong type, answered. */
function valueOrReply(item: usize): bool {
  if (item == 0) {
    replyNull();
    return true;
  }
  if (entryType(item) != TYPE_STRING) {
    replyWrongType();
    return false;
  }
  stringRead(item);
  replyBulk(strPtr, strLen);
  return true;
}

/** The string in argument `i` was set. */
// @ts-ignore: decorator
@inline function notifySet(i: u32): void {
  notifyKeyspaceEvent(NOTIFY_STRING, 'set', client.db, argPtr(i), argLen(i));
}

// @ts-ignore: decorator
@inline function notifyKey(event: string): void {
  notifyKeyspaceEvent(NOTIFY_GENERIC, event, client.db, argPtr(1), argLen(1));
}

/** SET key value PXAT ms: what an expiry of any form becomes for followers. */
function effectSetExpire(valueArg: u32): void {
  effectBegin(client.db, 5);
  effectLiteral('SET');
  effectArg(argPtr(1), argLen(1));
  effectArg(argPtr(valueArg), argLen(valueArg));
  effectLiteral('PXAT');
  effectInt(expireMs);
}

/** SET key value: what GETSET becomes. */
function effectSet(): void {
  effectBegin(client.db, 3);
  effectLiteral('SET');
  effectArg(argPtr(1), argLen(1));
  effectArg(argPtr(2), argLen(2));
}

/** The command as it came, without GET. */
function effectWithoutGet(): void {
  let count = argc;
  for (let i: u32 = 3; i < argc; i++) if (argIs(i, 'get')) count--;
  effectBegin(client.db, count);
  for (let i: u32 = 0; i < argc; i++) {
    if (i < 3 || !argIs(i, 'get')) effectArg(argPtr(i), argLen(i));
  }
}

/**
 * Writes the value in `valueArg` to the key of the last lookup with the expiry the options ask
 * for, and the effect. False = no memory, answered.
 */
function setValue(valueArg: u32): bool {
  const db = dbAt(client.db);
  const times = (options & OPT_TIMES) != 0;
  const expire = times ? expireMs : options & OPT_KEEPTTL ? EXPIRE_KEEP : EXPIRE_NONE;
  if (!stringPut(db, 1, argPtr(valueArg), argLen(valueArg), expire)) {
    replyOom();
    return false;
  }
  signalModified(db, argPtr(1), argLen(1));
  markDirty(1);
  notifySet(1);
  if (times) notifyKey('expire');
  if (times) effectSetExpire(valueArg);
  else if (options & OPT_GET) effectWithoutGet();
  else if (options & OPT_GETSET) effectSet();
  return true;
}

/** A copy of the value that is about to be overwritten, for the reply. */
const oldShort = memory.data(<i32>ITEM_INLINE_MAX, 8);
let oldPtr: usize = 0;
let oldLen: u32 = 0;

/**
 * Sets the key of the last lookup (`old` is its entry, 0 = none) and answers with what it held.
 * The old value is copied first, as the reply can only be written once the put has succeeded.
 */
function exchange(old: usize): void {
  oldPtr = oldShort;
  if (old != 0) {
    stringRead(old);
    oldLen = strLen;
    if (oldLen > ITEM_INLINE_MAX) oldPtr = alloc(oldLen);
    if (oldPtr == 0) {
      replyOom();
      return;
    }
    memory.copy(oldPtr, strPtr, oldLen);
  }
  if (setValue(2)) {
    if (old != 0) replyBulk(oldPtr, oldLen);
    else replyNull();
  }
  if (oldPtr != oldShort) free(oldPtr);
}

function setAndGet(): void {
  const old = lookupReadWrite(dbAt(client.db), argPtr(1), argLen(1));
  if (old != 0 && entryType(old) != TYPE_STRING) replyWrongType();
  else if (old != 0 ? options & OPT_NX : options & OPT_XX) valueOrReply(old);
  else exchange(old);
}

function setWithOptions(): void {
  if (!optionsOrReply(3, true)) return;
  if (options & OPT_TIMES && !expireOrReply('set')) return;
  if (options & OPT_GET) {
    setAndGet();
    return;
  }
  const old = lookupWrite(dbAt(client.db), argPtr(1), argLen(1));
  if (old != 0 ? options & OPT_NX : options & OPT_XX) replyNull();
  else if (setValue(2)) replyOk();
}

export function cmdSet(): void {
  if (argc > 3) {
    setWithOptions();
    return;
  }
  const db = dbAt(client.db);
  lookupWrite(db, argPtr(1), argLen(1));
  if (!stringPut(db, 1, argPtr(2), argLen(2), EXPIRE_NONE)) {
    replyOom();
    return;
  }
  signalModified(db, argPtr(1), argLen(1));
  markDirty(1);
  notifySet(1);
  replyOk();
}

function setFor(time: u32, name: string): void {
  options = time;
  timeArg = 2;
  if (!expireOrReply(name)) return;
  lookupWrite(dbAt(client.db), argPtr(1), argLen(1));
  if (setValue(3)) replyOk();
}

export function cmdSetex(): void {
  setFor(OPT_EX, 'setex');
}

export function cmdPsetex(): void {
  setFor(OPT_PX, 'psetex');
}

export function cmdSetnx(): void {
  if (lookupWrite(dbAt(client.db), argPtr(1), argLen(1)) != 0) {
    replyInt(0);
    return;
  }
  options = 0;
  if (setValue(2)) replyInt(1);
}

export function cmdGetset(): void {
  options = OPT_GETSET;
  setAndGet();
}

// ---- GET and its kin

export function cmdGet(): void {
  valueOrReply(lookupRead(dbAt(client.db), argPtr(1), argLen(1)));
}

function effectOnKey(command: string): void {
  effectBegin(client.db, 2);
  effectLiteral(command);
  effectArg(argPtr(1), argLen(1));
}

/** Deletes the entry of the last lookup, which is that of argument 1. */
function deleteFound(db: usize): void {
  dbDeleteFound(db);
  signalModified(db, argPtr(1), argLen(1));
  notifyKey('del');
  markDirty(1);
  effectOnKey('DEL');
}

export function cmdGetdel(): void {
  const db = dbAt(client.db);
  const item = lookupReadWrite(db, argPtr(1), argLen(1));
  if (valueOrReply(item) && item != 0) deleteFound(db);
}

export function cmdGetex(): void {
  if (!optionsOrReply(2, false)) return;
  const db = dbAt(client.db);
  const item = lookupReadWrite(db, argPtr(1), argLen(1));
  if (item == 0) {
    replyNull();
    return;
  }
  if (entryType(item) != TYPE_STRING) {
    replyWrongType();
    return;
  }
  if ((options & OPT_TIMES) == 0) {
    valueOrReply(item);
    if ((options & OPT_PERSIST) == 0 || !dbPersist(db)) return;
    signalModified(db, argPtr(1), argLen(1));
    notifyKey('persist');
    markDirty(1);
    effectOnKey('PERSIST');
    return;
  }
  if (!expireOrReply('getex')) return;
  // Redis: only an absolute time can be over already.
  const isOver = (options & OPT_RELATIVE) == 0 && expireMs <= nowMs && !loading && !isReplica;
  if (isOver) {
    valueOrReply(item);
    deleteFound(db);
    return;
  }
  const moved = dbSetExpire(db, expireMs);
  if (moved == 0) {
    replyOom();
    return;
  }
  valueOrReply(moved);
  signalModified(db, argPtr(1), argLen(1));
  notifyKey('expire');
  markDirty(1);
  effectBegin(client.db, 3);
  effectLiteral('PEXPIREAT');
  effectArg(argPtr(1), argLen(1));
  effectInt(expireMs);
}

export function cmdStrlen(): void {
  const item = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (item == 0) replyInt(0);
  else if (entryType(item) != TYPE_STRING) replyWrongType();
  else replyInt(stringLength(item));
}

// ---- several keys

export function cmdMget(): void {
  const db = dbAt(client.db);
  replyArray(argc - 1);
  for (let i: u32 = 1; i < argc; i++) {
    if (touchDue(i)) touchKeys(db, i, 1);
    touchHint(i);
    const item = lookupRead(db, argPtr(i), argLen(i));
    if (item == 0 || entryType(item) != TYPE_STRING) {
      replyNull();
      continue;
    }
    stringRead(item);
    replyBulk(strPtr, strLen);
  }
  touchEnd();
}

/** Memory never taken before that MSET wants to see beyond its own needs; see `isRoomSure`. */
const ROOM_SPARE: u64 = 32 << 20;

/**
 * Whether setting all the pairs cannot fail. Four times the bytes cover size classes and rounding
 * to whole chunks, 128 a key its share of the table, the spare a fresh slab in every class and one
 * doubling of the directory. Only memory never used before counts, as it has no gaps.
 */
function isRoomSure(): bool {
  if (allocFaultCountdown >= 0) return false;
  let bytes: u64 = 0;
  for (let i: u32 = 1; i < argc; i++) bytes += argLen(i);
  const gaps: usize = heapBytes > usedMemory ? heapBytes - usedMemory : 0;
  return <u64>(allocHeadroom() - gaps) > bytes * 4 + <u64>argc * 64 + ROOM_SPARE;
}

/**
 * Sets all pairs, where memory is plentiful. Should the platform refuse it all the same, the pairs
 * so far stay and are all that followers hear of; then false.
 */
function setPairs(db: usize): bool {
  let i: u32 = 1;
  while (i < argc) {
    if (touchDue(i)) touchKeys(db, i, 2);
    touchHint(i);
    lookupWrite(db, argPtr(i), argLen(i));
    if (!stringPut(db, i, argPtr(i + 1), argLen(i + 1), EXPIRE_NONE)) break;
    signalModified(db, argPtr(i), argLen(i));
    notifySet(i);
    i += 2;
  }
  touchEnd();
  if (i >= argc) return true;
  if (i == 1) return false;
  markDirty((i - 1) / 2);
  effectBegin(client.db, i);
  effectLiteral('MSET');
  for (let k: u32 = 1; k < i; k++) effectArg(argPtr(k), argLen(k));
  return false;
}

/**
 * Sets all pairs or none. All entries are made first; then those whose keys are new are added,
 * which may still fail and is then undone; then the others are replaced, which cannot fail.
 *
 *   list of u32: address of the fresh entry of each pair; +1 = it is in the table
 */
function setPairsSafely(db: usize): bool {
  const count = (argc - 1) / 2;
  const list = alloc(<usize>count << 2);
  if (list == 0) return false;
  let made: u32 = 0;
  while (made < count) {
    const i = 1 + made * 2;
    const item = stringNewItem(argPtr(i), argLen(i), argPtr(i + 1), argLen(i + 1));
    if (item == 0) break;
    store<u32>(list + (<usize>made << 2), <u32>item);
    made++;
  }
  let isDone = made == count;
  for (let n: u32 = 0; n < count && isDone; n++) {
    const i = 1 + n * 2;
    const at = list + (<usize>n << 2);
    if (lookupWrite(db, argPtr(i), argLen(i)) != 0) continue;
    isDone = dbAddItem(db, load<u32>(at), foundHash);
    if (isDone) store<u32>(at, load<u32>(at) | 1);
  }
  for (let n: u32 = 0; n < made; n++) {
    const i = 1 + n * 2;
    const item = load<u32>(list + (<usize>n << 2));
    const isAdded = (item & 1) != 0;
    if (isDone != isAdded) dbFindRaw(db, argPtr(i), argLen(i));
    if (!isDone) freeEntry(isAdded ? dbTakeFound(db) : <usize>item);
    else if (!isAdded) dbReplaceFound(db, item, false);
  }
  if (isDone) {
    for (let i: u32 = 1; i < argc; i += 2) {
      signalModified(db, argPtr(i), argLen(i));
      notifySet(i);
    }
  }
  free(list);
  return isDone;
}

/** MSET and MSETNX behind their checks; false = no memory, answered, nothing changed. */
function setAll(db: usize): bool {
  const isDone = isRoomSure() ? setPairs(db) : setPairsSafely(db);
  if (isDone) markDirty((argc - 1) / 2);
  else replyOom();
  return isDone;
}

export function cmdMset(): void {
  if ((argc & 1) == 0) replyWrongArgs('mset');
  else if (setAll(dbAt(client.db))) replyOk();
}

export function cmdMsetnx(): void {
  if ((argc & 1) == 0) {
    replyWrongArgs('msetnx');
    return;
  }
  const db = dbAt(client.db);
  for (let i: u32 = 1; i < argc; i += 2) {
    if (lookupWrite(db, argPtr(i), argLen(i)) != 0) {
      replyInt(0);
      return;
    }
  }
  if (setAll(db)) replyInt(1);
}
