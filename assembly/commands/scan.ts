/**
 * Walks over the keys: KEYS, SCAN, RANDOMKEY.
 *
 * A SCAN collects the entries of as many table groups as COUNT asks for, then filters them: what
 * has expired is deleted (on a master) only after the collecting. Its cursor is a position in hash
 * space (hashtable.ts), printed as an unsigned number.
 */
import { alloc, free, realloc } from '../base/alloc';
import { globMatch } from '../base/glob';
import { ull2string } from '../base/numbers/integers';
import { client } from '../clients/client';
import { htScan } from '../hashtable/hashtable';
import { itemKeyLen, itemKeyPtr } from '../hashtable/item';
import {
  dbAt,
  dbFindRaw,
  dbKeys,
  dbMeetExpired,
  dbRandom,
  entryType,
  isExpired,
  lookupReadNoTouch,
} from '../keyspace/db';
import { entryIsHidden } from '../keyspace/entries';
import { argInt, argI64OrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replySyntaxError } from '../resp/errors';
import { scanCursor, scanCursorOrReply } from '../resp/scan-args';
import { equalsNoCase } from '../base/literal';
import {
  replyArray,
  replyBulk,
  replyDeferred,
  replyDeferredArrayEnd,
  replyNull,
} from '../resp/reply';
import { typeName } from '../types/names';

export function cmdRandomkey(): void {
  const item = dbRandom(dbAt(client.db));
  if (item == 0) replyNull();
  else replyBulk(itemKeyPtr(item), itemKeyLen(item));
}

// ---- KEYS

let patternPtr: usize = 0;
let patternLen: u32 = 0;
let patternAll: bool = false;
let matched: u32 = 0;

function setPattern(ptr: usize, len: u32): void {
  patternPtr = ptr;
  patternLen = len;
  patternAll = len == 1 && load<u8>(ptr) == 42;
}

function isMatch(item: usize): bool {
  return (
    patternAll || globMatch(patternPtr, patternLen, itemKeyPtr(item), itemKeyLen(item), false)
  );
}

/** Whether the pattern can only match itself. */
function isPlainPattern(): bool {
  for (let i: u32 = 0; i < patternLen; i++) {
    const c: u32 = load<u8>(patternPtr + i);
    if (c == 42 || c == 63 || c == 91 || c == 92) return false;
  }
  return true;
}

function replyMatch(item: usize, _arg: usize): void {
  if (!isMatch(item) || entryIsHidden(item)) return;
  replyBulk(itemKeyPtr(item), itemKeyLen(item));
  matched++;
}

export function cmdKeys(): void {
  setPattern(argPtr(1), argLen(1));
  const db = dbAt(client.db);
  if (isPlainPattern()) {
    const item = dbFindRaw(db, patternPtr, patternLen);
    const shown = item != 0 && !entryIsHidden(item);
    replyArray(shown ? 1 : 0);
    if (shown) replyBulk(patternPtr, patternLen);
    return;
  }
  matched = 0;
  const head = replyDeferred();
  let cursor: u64 = 0;
  do {
    cursor = htScan(dbKeys(db), cursor, replyMatch, 0);
  } while (cursor != 0);
  replyDeferredArrayEnd(head, matched);
}

// ---- SCAN

/** Most items one step of a scan can visit: the slots of a segment. */
const STEP_MAX: u32 = 1024;
/** Entries collected before a heap block is needed. */
const LOCAL_MAX: u32 = 2048;
const local = memory.data(<i32>LOCAL_MAX * 4);

let found: usize = 0;
let foundCount: u32 = 0;
let foundCap: u32 = 0;

function collect(item: usize, _arg: usize): void {
  store<u32>(found + (<usize>(foundCount++) << 2), <u32>item);
}

/** Room for one more step; false = there is no memory for it. */
function reserveStep(): bool {
  if (foundCap - foundCount >= STEP_MAX) return true;
  const cap = foundCap * 2;
  const block = found == local ? alloc(<usize>cap << 2) : realloc(found, <usize>cap << 2);
  if (block == 0) return false;
  if (found == local) memory.copy(block, local, <usize>foundCount << 2);
  found = block;
  foundCap = cap;
  return true;
}

let scanCount: i64 = 10;
/** Argument that holds TYPE's word, 0 = none. */
let scanType: u32 = 0;

function scanOptionsOrReply(): bool {
  scanCount = 10;
  scanType = 0;
  patternAll = true;
  for (let i: u32 = 2; i < argc; i += 2) {
    if (i + 1 == argc) {
      replySyntaxError();
      return false;
    }
    if (argIs(i, 'count')) {
      if (!argI64OrReply(i + 1)) return false;
      if (argInt < 1) {
        replySyntaxError();
        return false;
      }
      scanCount = argInt;
    } else if (argIs(i, 'match')) {
      setPattern(argPtr(i + 1), argLen(i + 1));
    } else if (argIs(i, 'type')) {
      scanType = i + 1;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return true;
}

/** Walks on from a cursor until enough was collected; the cursor to go on from. */
function walk(db: usize, cursor: u64): u64 {
  found = local;
  foundCap = LOCAL_MAX;
  foundCount = 0;
  // Redis: empty places cost less than keys, so ten times as many are looked at.
  let steps: u64 = <u64>scanCount > u64.MAX_VALUE / 10 ? u64.MAX_VALUE : <u64>scanCount * 10;
  do {
    cursor = htScan(dbKeys(db), cursor, collect, 0);
  } while (cursor != 0 && --steps != 0 && <i64>foundCount < scanCount && reserveStep());
  return cursor;
}

/** Whether a collected entry belongs in the reply; deletes it where it has expired. */
function isWanted(db: usize, item: usize): bool {
  if (!isMatch(item)) return false;
  if (scanType != 0) {
    // Redis: TYPE asks for the key as a command does, with hits and misses.
    const entry = lookupReadNoTouch(db, itemKeyPtr(item), itemKeyLen(item));
    return entry != 0 &&
      equalsNoCase(argPtr(scanType), argLen(scanType), typeName(entryType(entry)));
  }
  if (!isExpired(item)) return true;
  dbFindRaw(db, itemKeyPtr(item), itemKeyLen(item));
  return !dbMeetExpired(db, item, false);
}

const cursorText = memory.data(32);

export function cmdScan(): void {
  if (!scanCursorOrReply(1) || !scanOptionsOrReply()) return;
  const db = dbAt(client.db);
  const cursor = walk(db, scanCursor);
  let kept: u32 = 0;
  for (let i: u32 = 0; i < foundCount; i++) {
    const item: usize = load<u32>(found + (<usize>i << 2));
    if (isWanted(db, item)) store<u32>(found + (<usize>(kept++) << 2), <u32>item);
  }
  replyArray(2);
  replyBulk(cursorText, ull2string(cursor, cursorText));
  replyArray(kept);
  for (let i: u32 = 0; i < kept; i++) {
    const item: usize = load<u32>(found + (<usize>i << 2));
    replyBulk(itemKeyPtr(item), itemKeyLen(item));
  }
  if (found != local) free(found);
}
