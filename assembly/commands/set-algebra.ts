/**
 * Sets made of sets: SINTER SUNION SDIFF, their STORE forms, and SINTERCARD.
 *
 * The algorithms are Redis', because the order of a reply and the encoding of a result follow from
 * them: an intersection walks over the smallest set; a union or difference is gathered in a set
 * that begins as one of integers; a difference is made in one of two ways, whichever is less work.
 *
 *   list of the sources   count x u64: cardinality << 32 | number of the source, to be sorted
 *                         count x u32: address of the entry by that number, 0 = none
 */
import { alloc, free } from '../base/alloc';
import { sort64 } from '../base/sort';
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { NOTIFY_SET } from '../keyspace/notify';
import { resultDiscard, resultEmpty, resultStore } from '../keyspace/store-result';
import { argInt, argRangeOrReplyText } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongType } from '../resp/errors';
import {
  replyBulk,
  replyDeferred,
  replyDeferredSetEnd,
  replyError,
  replyInt,
  replySet,
} from '../resp/reply';
import { ADD_OOM, elLen, elPtr } from '../types/element';
import { holder, objEncoding } from '../types/holder';
import { ENC_INTSET, TYPE_SET } from '../types/object';
import {
  setAddElement,
  setEach,
  setHasMet,
  setLen,
  setRemove,
  setResultBegin,
  setScan,
  setToIntset,
} from '../types/set';

/** Sources that need no list on the heap. */
const LOCAL_MAX: u32 = 32;
const SOURCE_SIZE: usize = 12;
const local = memory.data(384, 8);

let sources: usize = 0;
let sourceCount: u32 = 0;
/** Keys among the sources that are not there. */
let missing: u32 = 0;

/** The entry of the source at a place of the sorted list; 0 = the key is not there. */
// @ts-ignore: decorator
@inline function sourceAt(place: u32): usize {
  const number = load<u32>(sources + (<usize>place << 3));
  return load<u32>(sources + (<usize>sourceCount << 3) + (<usize>number << 2));
}

/** Its cardinality. */
// @ts-ignore: decorator
@inline function sourceLen(place: u32): u32 {
  return load<u32>(sources + (<usize>place << 3), 4);
}

/** Reads the sets in arguments `first` on; false: answered. `sourcesEnd` must follow otherwise. */
function sourcesOrReply(first: u32, count: u32): bool {
  sources = count <= LOCAL_MAX ? local : alloc(<usize>count * SOURCE_SIZE);
  if (sources == 0) {
    replyOom();
    return false;
  }
  sourceCount = count;
  missing = 0;
  const db = dbAt(client.db);
  for (let i: u32 = 0; i < count; i++) {
    const set = lookupRead(db, argPtr(first + i), argLen(first + i));
    if (set != 0 && entryType(set) != TYPE_SET) {
      sourcesEnd();
      replyWrongType();
      return false;
    }
    const len: u64 = set == 0 ? 0 : setLen(set);
    store<u64>(sources + (<usize>i << 3), (len << 32) | i);
    store<u32>(sources + (<usize>count << 3) + (<usize>i << 2), <u32>set);
    if (set == 0) missing++;
  }
  return true;
}

function sourcesEnd(): void {
  if (sources != local) free(sources);
  sources = 0;
}

/** Among equals the order of the arguments stays. */
function smallerFirst(a: u64, b: u64): i32 {
  return a < b ? -1 : 1;
}

function sortSources(): void {
  sort64(sources, sourceCount, <u32>smallerFirst.index);
}

function largerFirst(a: u64, b: u64): i32 {
  return a > b ? -1 : 1;
}

// ---- what becomes of the members of a result

const USE_REPLY: u32 = 0;
const USE_COUNT: u32 = 1;
const USE_STORE: u32 = 2;

/** How the members of the result are used; how many there were. */
let use: u32 = USE_REPLY;
let found: u64 = 0;
/** Enough of them were found for SINTERCARD. */
let limit: u64 = 0;
/** The set that a result is gathered in, and that memory ran out for it. */
let gathered: usize = 0;
let hasFailed: bool = false;

function gather(): void {
  const result = setAddElement(gathered);
  if (result == ADD_OOM) hasFailed = true;
  else found += result;
}

// ---- intersection

function isEverywhere(): bool {
  for (let i: u32 = 1; i < sourceCount; i++) {
    if (sourceAt(i) != sourceAt(0) && !setHasMet(sourceAt(i))) return false;
  }
  return true;
}

function meetInter(_arg: usize): void {
  if (hasFailed || found == limit || !isEverywhere()) return;
  if (use == USE_STORE) {
    gather();
    return;
  }
  if (use == USE_REPLY) replyBulk(elPtr, elLen);
  found++;
}

/** Walks over the smallest source; they are sorted. */
function intersect(): void {
  found = 0;
  hasFailed = false;
  let cursor: u64 = 0;
  do {
    cursor = setScan(sourceAt(0), cursor, meetInter, 0);
  } while (cursor != 0 && !hasFailed && found != limit);
}

export function cmdSinter(): void {
  if (!sourcesOrReply(1, argc - 1)) return;
  if (missing != 0) {
    replySet(0);
  } else {
    use = USE_REPLY;
    limit = u64.MAX_VALUE;
    sortSources();
    const head = replyDeferred();
    intersect();
    replyDeferredSetEnd(head, found);
  }
  sourcesEnd();
}

export function cmdSintercard(): void {
  const keysText = 'ERR numkeys should be greater than 0';
  if (!argRangeOrReplyText(1, 1, i64.MAX_VALUE, keysText)) return;
  if (argInt > <i64>argc - 2) {
    replyError("ERR Number of keys can't be greater than number of args");
    return;
  }
  const count = <u32>argInt;
  limit = u64.MAX_VALUE;
  for (let i: u32 = 2 + count; i < argc; i += 2) {
    if (!argIs(i, 'limit') || i + 1 == argc) {
      replySyntaxError();
      return;
    }
    if (!argRangeOrReplyText(i + 1, 0, i64.MAX_VALUE, "ERR LIMIT can't be negative")) return;
    limit = argInt == 0 ? u64.MAX_VALUE : argInt;
  }
  if (!sourcesOrReply(2, count)) return;
  found = 0;
  use = USE_COUNT;
  if (missing == 0) {
    sortSources();
    intersect();
  }
  sourcesEnd();
  replyInt(found);
}

export function cmdSinterstore(): void {
  if (!sourcesOrReply(2, argc - 2)) return;
  if (missing != 0) {
    sourcesEnd();
    resultEmpty(client.db, 1);
    replyInt(0);
    return;
  }
  use = USE_STORE;
  limit = u64.MAX_VALUE;
  sortSources();
  gathered = holder(0);
  hasFailed = !setResultBegin(gathered, objEncoding(sourceAt(0)) == ENC_INTSET);
  if (hasFailed) {
    sourcesEnd();
    replyOom();
    return;
  }
  intersect();
  sourcesEnd();
  if (!hasFailed) hasFailed = !setToIntset(gathered);
  storeGathered('sinterstore');
}

/** The end of the STORE forms. */
function storeGathered(event: string): void {
  if (hasFailed) {
    resultDiscard(gathered);
    replyOom();
  } else {
    const count = setLen(gathered);
    if (resultStore(client.db, 1, gathered, NOTIFY_SET, event)) replyInt(count);
    else replyOom();
  }
}

// ---- union and difference

function meetUnion(_arg: usize): void {
  if (!hasFailed) gather();
}

function meetDiff(_arg: usize): void {
  if (hasFailed) return;
  for (let i: u32 = 1; i < sourceCount; i++) {
    if (sourceAt(i) != 0 && setHasMet(sourceAt(i))) return;
  }
  gather();
}

function meetRemove(_arg: usize): void {
  if (found != 0 && setRemove(gathered, elPtr, elLen)) found--;
}

function unite(): void {
  for (let i: u32 = 0; i < sourceCount && !hasFailed; i++) {
    if (sourceAt(i) != 0) setEach(sourceAt(i), meetUnion, 0);
  }
}

/** Redis: asking the other sets for each member of the first is the quicker way up to here. */
function isAskingLess(): bool {
  let asking: u64 = 0;
  let removing: u64 = 0;
  for (let i: u32 = 0; i < sourceCount; i++) {
    if (sourceAt(i) == 0) continue;
    asking += sourceLen(0);
    removing += sourceLen(i);
  }
  return asking / 2 <= removing;
}

function subtract(): void {
  const first = sourceAt(0);
  if (first == 0) return;
  for (let i: u32 = 1; i < sourceCount; i++) if (sourceAt(i) == first) return;
  if (isAskingLess()) {
    // The largest of the others is the likeliest to have a member.
    sort64(sources + 8, sourceCount - 1, <u32>largerFirst.index);
    setEach(first, meetDiff, 0);
    return;
  }
  setEach(first, meetUnion, 0);
  for (let i: u32 = 1; i < sourceCount && !hasFailed && found != 0; i++) {
    if (sourceAt(i) != 0) setEach(sourceAt(i), meetRemove, 0);
  }
}

/** Gathers the union or difference of arguments `first` on. False: answered. */
function gatherOrReply(first: u32, isUnion: bool): bool {
  if (!sourcesOrReply(first, argc - first)) return false;
  gathered = holder(0);
  if (!setResultBegin(gathered, true)) {
    sourcesEnd();
    replyOom();
    return false;
  }
  found = 0;
  hasFailed = false;
  if (isUnion) unite();
  else subtract();
  sourcesEnd();
  return true;
}

function replyMember(_arg: usize): void {
  replyBulk(elPtr, elLen);
}

function replyGathered(isUnion: bool): void {
  if (!gatherOrReply(1, isUnion)) return;
  if (hasFailed) {
    replyOom();
  } else {
    replySet(found);
    setEach(gathered, replyMember, 0);
  }
  resultDiscard(gathered);
}

export function cmdSunion(): void {
  replyGathered(true);
}

export function cmdSdiff(): void {
  replyGathered(false);
}

export function cmdSunionstore(): void {
  if (gatherOrReply(2, true)) storeGathered('sunionstore');
}

export function cmdSdiffstore(): void {
  if (gatherOrReply(2, false)) storeGathered('sdiffstore');
}
