/**
 * The loader: the bytes of an RDB file in, a keyspace out. It drives the reader (reader.ts), builds
 * entries, and puts them into the live databases or into a side data set (keyspace/side.ts).
 *
 *   loadBegin(flags)                      one load at a time; a second one drops the first
 *   loadFeed(ptr, len, now)*              0 more, 1 the RDB is whole, -1 failed: see load-info.ts
 *   loadFinish()                          the source has no more bytes: 1 or -1
 *   loadCommit() | loadAbort()
 *
 * Entries are made as soon as their value is complete (one allocation, bytes copied once, from the
 * caller's chunk) and wait in a batch; a full batch is inserted in phases like a batch of commands
 * (commands/process.ts): hash all keys, touch all table groups, insert in order. So the cache
 * misses of a large table overlap.
 *
 * What it decides, as Redis does: a duplicate key or element is an error; collections without
 * elements are left out and counted; keys that have expired are left out and counted, unless the
 * file is a master's (then its DEL will come); values this engine has no type for are skipped and
 * counted; a function library must have a name.
 *
 * After an error nothing of the load is left but what stands in the databases; loadAbort drops that
 * as well. Memory running out is such an error (code 11).
 */
import { siphash } from '../base/siphash';
import { htFind, htTouchGroups } from '../hashtable/hashtable';
import {
  ITEM_NUM, itemFlags, itemKeyLen, itemKeyPtr, itemMeta, itemSetMeta,
} from '../hashtable/item';
import {
  dbAt,
  dbCount,
  dbExpires,
  dbInsertItem,
  dbKeys,
  lfuMinutes,
  lruClock,
} from '../keyspace/db';
import {
  FUNCTION_ADDED, FUNCTION_BAD, FUNCTION_OOM, functionsAdd, functionsClear, functionsCount,
  functionsSwap,
} from '../keyspace/functions';
import { liveDrop, sideAbort, sideBegin, sideCommit, sideDbAt } from '../keyspace/side';
import { nowMs, policyLfu, setNow } from '../keyspace/state';
import { freeEntry, lazyFreeStep, lazyPending } from '../keyspace/value';
import { RdbReader } from './input';
import {
  infoAdd, infoAux, infoError, infoKey, infoPhase, infoReset, infoSet, infoSetNumber, infoSkipped,
  LOAD_DONE, LOAD_ERR_DB, LOAD_ERR_DUPLICATE_KEY, LOAD_ERR_FUNCTION, LOAD_ERR_FUNCTION_EXISTS,
  LOAD_ERR_FUNCTION_PRE_GA, LOAD_ERR_STREAM, LOAD_IDLE, LOAD_RUNNING, OFF_ANNOUNCED, OFF_BYTES,
  OFF_DB, OFF_EMPTY, OFF_EXPIRED, OFF_EXPIRES, OFF_FUNCTIONS, OFF_KEYS, OFF_MODULE_AUX, OFF_PHASE,
  OFF_VALKEY, OFF_VERDICT, OFF_VERSION,
} from './load-info';
import { streamStatus } from './load-stream';
import {
  stringEntry, valueBegin, valueDiscard, valueEnd, valueEntry, valueRecord, ValueState, valueState,
  VALUE_EMPTY,
} from './load-value';
import {
  ERR_MEMORY, RDB_ERROR, RDB_NEED_MORE, RDB_NO_CHECKSUM, REC_AUX, REC_EOF, REC_FUNCTION,
  REC_FUNCTION_PRE_GA, REC_KEY, REC_MODULE_AUX, REC_RESIZEDB, REC_SELECTDB, REC_STRING,
  REC_VALUE_END, REC_VALUE_SKIPPED, TYPE_STRING,
} from './opcodes';
import {
  rdbClose, rdbConsumed, rdbFeed, rdbFinish, rdbNext, rdbOffset, rdbOpen, rdbSkipValue,
} from './reader';

// ---- flags of loadBegin
/** Load aside: the live data set stays until loadCommit. */
export const LOAD_ASIDE: u32 = 1;
/** The file is a master's (or the base of an AOF): keep keys that have expired. */
export const LOAD_KEEP_EXPIRED: u32 = 2;
/** Do not compute the checksum. */
export const LOAD_NO_CHECKSUM: u32 = 4;

const MORE: i32 = 0;
const DONE: i32 = 1;
const FAILED: i32 = -1;

const BATCH: u32 = 32;
/** Entries that wait, their key's place in the file, the hash of their key. */
const batchItems = memory.data(128, 8);
const batchOffsets = memory.data(256, 8);
const batchHashes = memory.data(256, 8);
let batchCount: u32 = 0;

let reader: usize = 0;
let flags: u32 = 0;
/** The database that is loaded into. */
let target: usize = 0;
let consumed: u32 = 0;
/** The current key's value is passed over. */
let isSkipping: bool = false;
/** A key has been read whose value is not complete. */
let inKey: bool = false;
/** The value under way. */
let value: ValueState = changetype<ValueState>(0);

// ---- life

/**
 * Begins a load. Without LOAD_ASIDE the live databases and function libraries are emptied first.
 * 0, or -1 when memory ran out (nothing was emptied).
 */
export function loadBegin(loadFlags: u32): i32 {
  loadAbort();
  infoReset();
  const r = rdbOpen(loadFlags & LOAD_NO_CHECKSUM ? RDB_NO_CHECKSUM : 0);
  if (r == 0 || (loadFlags & LOAD_ASIDE && !sideBegin())) {
    if (r) rdbClose(changetype<RdbReader>(r));
    infoError(ERR_MEMORY, 0, 0);
    return FAILED;
  }
  reader = r;
  flags = loadFlags;
  consumed = 0;
  isSkipping = false;
  inKey = false;
  value = valueState(0);
  if (loadFlags & LOAD_ASIDE) {
    functionsClear(true);
  } else {
    liveDrop();
    functionsClear(false);
  }
  target = targetDb(0);
  infoSet(OFF_PHASE, LOAD_RUNNING);
  return MORE;
}

function targetDb(index: u32): usize {
  return flags & LOAD_ASIDE ? sideDbAt(index) : dbAt(index);
}

/** Ends the reading; what is in the databases stays. */
function release(): void {
  if (reader) valueDiscard(value);
  for (let i: u32 = 0; i < batchCount; i++) freeEntry(load<u32>(batchItems + (<usize>i << 2)));
  batchCount = 0;
  if (reader == 0) return;
  rdbClose(changetype<RdbReader>(reader));
  reader = 0;
}

/**
 * Ends a load that is done. What was loaded aside becomes the live data set; the old one is freed
 * later. False: the load is not done (nothing happens).
 */
export function loadCommit(): bool {
  if (infoPhase() != LOAD_DONE) return false;
  if (flags & LOAD_ASIDE) {
    sideCommit();
    functionsSwap();
  }
  infoSet(OFF_PHASE, LOAD_IDLE);
  return true;
}

/**
 * Drops what was loaded. Loading aside, the live data is untouched; else it is empty afterwards.
 * Nothing to do when there is no load, or it was committed. Facts stay readable.
 */
export function loadAbort(): void {
  release();
  if (infoPhase() == LOAD_IDLE) return;
  if (flags & LOAD_ASIDE) {
    sideAbort();
    functionsClear(true);
  } else {
    liveDrop();
    functionsClear(false);
  }
  infoSet(OFF_PHASE, LOAD_IDLE);
}

// ---- feeding

/**
 * The next `len` bytes of the file. 0: give more. 1: the RDB is whole, `loadConsumed` bytes of
 * these belonged to it. -1: it failed. O(bytes); the host decides by the size how long it takes.
 */
export function loadFeed(ptr: usize, len: u32, ms: f64): i32 {
  consumed = 0;
  const phase = infoPhase();
  if (phase != LOAD_RUNNING) return phase == LOAD_DONE ? DONE : FAILED;
  setNow(<i64>ms);
  // What was dropped before the load gives its memory back sooner than the load needs it.
  if (lazyPending) lazyFreeStep(max<u32>(64, len >>> 8));
  const r = changetype<RdbReader>(reader);
  rdbFeed(r, ptr, len);
  const done = run(r);
  if (done == MORE) {
    consumed = len;
    if (!flush()) return FAILED;
    infoSetNumber(OFF_BYTES, <f64>rdbOffset(r));
  }
  return done;
}

/** The source has no more bytes: 1 when the RDB was whole, else -1 with the offset of its end. */
export function loadFinish(): i32 {
  const phase = infoPhase();
  if (phase != LOAD_RUNNING) return phase == LOAD_DONE ? DONE : FAILED;
  const r = changetype<RdbReader>(reader);
  rdbFinish(r);
  return failReader(r);
}

/** How many bytes of the last feed belong to the RDB. */
export function loadConsumed(): u32 {
  return consumed;
}

/** Records until the chunk is used up, the file ends, or something fails. */
function run(r: RdbReader): i32 {
  while (true) {
    const kind = rdbNext(r);
    if (kind == REC_STRING) {
      if (!isSkipping && !addString(r)) return FAILED;
      inKey = false;
    } else if (kind == REC_KEY) {
      if (!beginKey(r)) return FAILED;
    } else if (kind > REC_VALUE_END) {
      const code = valueRecord(value, r, kind);
      if (code != 0) return failValue(r, code);
    } else if (kind == REC_VALUE_END) {
      if (!isSkipping && !endValue(r)) return FAILED;
      inKey = false;
    } else if (kind == RDB_NEED_MORE) {
      return MORE;
    } else if (kind == RDB_ERROR) {
      return failReader(r);
    } else if (kind == REC_EOF) {
      return finish(r);
    } else if (!otherRecord(r, kind)) {
      return FAILED;
    }
  }
}

function finish(r: RdbReader): i32 {
  if (!flush()) return FAILED;
  consumed = <u32>rdbConsumed(r);
  infoSkipped(r);
  infoSetNumber(OFF_BYTES, <f64>rdbOffset(r));
  infoSet(OFF_VERSION, r.version);
  infoSet(OFF_VERDICT, r.verdict);
  infoSet(OFF_PHASE, LOAD_DONE);
  release();
  return DONE;
}

// ---- failing

/** The load has failed: notes why and where, and lets go of all but what is in the databases. */
function fail(code: i32, offset: u64, arg: u64): i32 {
  const r = changetype<RdbReader>(reader);
  infoError(code, offset, arg);
  infoSet(OFF_VERSION, r.version);
  infoSet(OFF_DB, r.db);
  if (inKey && r.key.ptr) infoKey(r.key.ptr, <u32>r.key.len);
  infoSetNumber(OFF_BYTES, <f64>rdbOffset(r));
  release();
  return FAILED;
}

/** About the value under way; for streams the argument is the STREAM_* status, negated. */
function failValue(r: RdbReader, code: i32): i32 {
  return fail(code, r.keyOffset, code == LOAD_ERR_STREAM ? <u64>-streamStatus : 0);
}

function failReader(r: RdbReader): i32 {
  return fail(r.err, r.errOffset, r.errArg);
}

// ---- records that are no value

/** False: failed. */
function otherRecord(r: RdbReader, kind: i32): bool {
  switch (kind) {
    case REC_AUX: {
      infoSet(OFF_VERSION, r.version);
      infoSet(OFF_VALKEY, r.isValkey ? 1 : 0);
      infoAux(r);
      return true;
    }
    case REC_SELECTDB: return selectDb(r);
    case REC_RESIZEDB: {
      infoAdd(OFF_ANNOUNCED, <f64>r.n0);
      return true;
    }
    case REC_FUNCTION: return addFunction(r);
    case REC_FUNCTION_PRE_GA: {
      // Redis: 7.0 and later refuse the format of their release candidates.
      fail(LOAD_ERR_FUNCTION_PRE_GA, rdbOffset(r), 0);
      return false;
    }
    case REC_MODULE_AUX: {
      infoAdd(OFF_MODULE_AUX, 1);
      return true;
    }
    case REC_VALUE_SKIPPED: {
      inKey = false;
      return true;
    }
    default: return true;
  }
}

function selectDb(r: RdbReader): bool {
  if (!flush()) return false;
  if (r.db >= dbCount) {
    fail(LOAD_ERR_DB, rdbOffset(r), r.db);
    return false;
  }
  target = targetDb(r.db);
  infoSet(OFF_DB, r.db);
  return true;
}

function addFunction(r: RdbReader): bool {
  const aside = (flags & LOAD_ASIDE) != 0;
  const code = functionsAdd(r.a.ptr, <u32>r.a.len, aside);
  if (code == FUNCTION_ADDED) {
    infoSet(OFF_FUNCTIONS, functionsCount(aside));
    return true;
  }
  let error = LOAD_ERR_FUNCTION_EXISTS;
  if (code == FUNCTION_OOM) error = ERR_MEMORY;
  else if (code == FUNCTION_BAD) error = LOAD_ERR_FUNCTION;
  fail(error, rdbOffset(r), 0);
  return false;
}

// ---- keys

// @ts-ignore: decorator
@inline function isPast(r: RdbReader): bool {
  return r.hasExpire && r.expireMs < nowMs && (flags & LOAD_KEEP_EXPIRED) == 0;
}

/** False: failed. */
function beginKey(r: RdbReader): bool {
  inKey = true;
  isSkipping = false;
  if (isPast(r)) {
    infoAdd(OFF_EXPIRED, 1);
    isSkipping = true;
    rdbSkipValue(r);
    return true;
  }
  if (r.type == TYPE_STRING) return true;
  const code = valueBegin(value, r);
  if (code == 0) return true;
  fail(code, r.keyOffset, 0);
  return false;
}

// @ts-ignore: decorator
@inline function addString(r: RdbReader): bool {
  const item = stringEntry(r);
  if (item == 0) {
    fail(ERR_MEMORY, r.keyOffset, 0);
    return false;
  }
  return enqueue(r, item);
}

/** False: failed. */
function endValue(r: RdbReader): bool {
  const code = valueEnd(value);
  if (code == VALUE_EMPTY) {
    infoAdd(OFF_EMPTY, 1);
    return true;
  }
  const item = code == 0 ? valueEntry(value, r) : 0;
  if (item == 0) {
    failValue(r, code == 0 ? ERR_MEMORY : code);
    return false;
  }
  return enqueue(r, item);
}

/** The clock of an entry as the file tells it, where it tells one that suits the policy. */
function setClock(r: RdbReader, item: usize): void {
  let clock: u32;
  if (policyLfu) {
    if (r.freq < 0) return;
    clock = (lfuMinutes() << 8) | <u32>r.freq;
  } else {
    if (r.idleSec < 0) return;
    const now = lruClock();
    // Redis: an idle time from before the clock's start counts as half a turn.
    if (<u64>r.idleSec <= <u64>now) clock = now - <u32>r.idleSec;
    else clock = (now + 0x7fffff) % 0xffffff;
  }
  itemSetMeta(item, (itemMeta(item) & 0xff) | (clock << 8));
}

// @ts-ignore: decorator
@inline function enqueue(r: RdbReader, item: usize): bool {
  if (r.freq >= 0 || r.idleSec >= 0) setClock(r, item);
  store<u32>(batchItems + (<usize>batchCount << 2), <u32>item);
  store<u64>(batchOffsets + (<usize>batchCount << 3), r.keyOffset);
  return ++batchCount < BATCH || flush();
}

/** Puts the waiting entries into the database. False: failed. May grow memory. */
function flush(): bool {
  const count = batchCount;
  const keys = dbKeys(target);
  const expires = dbExpires(target);
  let expiring: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const item: usize = load<u32>(batchItems + (<usize>i << 2));
    const hash = siphash(itemKeyPtr(item), itemKeyLen(item));
    store<u64>(batchHashes + (<usize>i << 3), hash);
    if (itemFlags(item) & ITEM_NUM) expiring++;
  }
  htTouchGroups(keys, batchHashes, count);
  if (expiring != 0) htTouchGroups(expires, batchHashes, count);
  for (let i: u32 = 0; i < count; i++) {
    const item: usize = load<u32>(batchItems + (<usize>i << 2));
    const hash = load<u64>(batchHashes + (<usize>i << 3));
    const isOld = htFind(keys, itemKeyPtr(item), itemKeyLen(item), hash) != 0;
    if (isOld || !dbInsertItem(target, item, hash)) {
      refuse(i, isOld ? LOAD_ERR_DUPLICATE_KEY : ERR_MEMORY);
      return false;
    }
  }
  batchCount = 0;
  infoAdd(OFF_KEYS, <f64>count);
  infoAdd(OFF_EXPIRES, <f64>expiring);
  return true;
}

/** The waiting entry `at` cannot be added; those before it have been. */
function refuse(at: u32, code: i32): void {
  const item: usize = load<u32>(batchItems + (<usize>at << 2));
  const offset = load<u64>(batchOffsets + (<usize>at << 3));
  batchCount -= at;
  memory.copy(batchItems, batchItems + (<usize>at << 2), <usize>batchCount << 2);
  inKey = false;
  infoKey(itemKeyPtr(item), itemKeyLen(item));
  fail(code, offset, 0);
}
