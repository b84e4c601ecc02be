/**
 * Compact values: a blob of the file (listpack, ziplist, intset, zipmap), checked from end to end,
 * becomes a value. Listpacks and intsets are copied as they are, for this engine keeps them in
 * Redis' own bytes; ziplists and zipmaps, which no one keeps any more, are rewritten as listpacks.
 *
 * What it is not: the limits. Whether a compact value stays compact is for types/ to say.
 *
 * Duplicates. Redis looks for them only with sanitize-dump-payload; here always, so it has to be
 * cheap: keys are hashed (seeded, so a file cannot aim at collisions) into a small table, and only
 * when two hashes are equal does the exact check of encoding/ run.
 *
 * Sources: RDB.md section 4; behaviour of redis 7.0.15 with the same files.
 */
import { alloc, free } from '../base/alloc';
import { siphash } from '../base/siphash';
import { intsetDup, intsetFree, intsetValidate } from '../encoding/intset';
import { lpDup, lpFree, lpLength } from '../encoding/listpack';
import {
  LP_CHECK_BAD, LP_CHECK_OOM, lpCheckCount, lpCheckMultiple, lpCheckUnique, lpValidate,
} from '../encoding/listpack-check';
import { lpEntryTotal, lpGetText, lpValLen } from '../encoding/listpack-entry';
import {
  zlEnd, zlFirst, zlGetText, zlNext, zlToListpack, zlValidate, zlValLen,
} from '../encoding/ziplist';
import {
  zmFieldLen, zmFirst, zmNext, zmToListpack, zmValidate, zmValueLen,
} from '../encoding/zipmap';
import { ADD_OOM, BLOB_TAKEN } from '../types/element';
import { hashFromListpackEx, hashFromZipmap } from '../types/hash';
import { listAppendPacked, listPush } from '../types/list';
import { setFromIntset, setFromListpack } from '../types/set';
import { zsetFromListpack } from '../types/zset';
import {
  LOAD_ERR_BLOB, LOAD_ERR_DUPLICATE_ELEMENT, LOAD_ERR_INTSET, LOAD_ERR_LISTPACK, LOAD_ERR_ZIPLIST,
  LOAD_ERR_ZIPMAP,
} from './load-info';
import { BLOB_LISTPACK, BLOB_ZIPLIST, ERR_MEMORY, TYPE_LIST_ZIPLIST } from './opcodes';

/** What a blob answers besides an error: the object is a value now; there were no elements. */
export const BLOB_OK: i32 = 0;
export const BLOB_EMPTY: i32 = -1;

const LP_HEADER: usize = 6;
/** Up to this many keys the exact check is quick. */
const EXACT_MAX: u32 = 12;
/** Room for the hashes of this many keys stands ready; more need temporary memory. */
const SCRATCH_KEYS: u32 = 2048;
const scratch = memory.data(16384, 8);

// ---- duplicates

/** Whether keys 0, step, 2 * step ... of a valid listpack all differ. LP_CHECK_*. O(n). */
function lpUnique(lp: usize, step: u32, count: u32): i32 {
  const keys = count / step;
  if (keys <= EXACT_MAX) return lpCheckUnique(lp, step);
  let slots: u32 = 32;
  while (slots < keys * 2) slots <<= 1;
  const bytes = <usize>slots << 2;
  const table = keys <= SCRATCH_KEYS ? scratch : alloc(bytes);
  if (table == 0) return LP_CHECK_OOM;
  memory.fill(table, 0, bytes);
  const isClear = fillHashes(table, slots - 1, lp, step);
  if (table != scratch) free(table);
  return isClear ? 1 : lpCheckUnique(lp, step);
}

/** Puts the hash of each key into the table; false when two are equal. */
function fillHashes(table: usize, mask: u32, lp: usize, step: u32): bool {
  const end = lp + load<u32>(lp) - 1;
  let turn: u32 = 0;
  for (let p = lp + LP_HEADER; p < end; p += lpEntryTotal(p)) {
    const isKey = turn == 0;
    if (++turn == step) turn = 0;
    if (!isKey) continue;
    const hash = siphash(lpGetText(p), lpValLen);
    const tag = <u32>(hash >>> 32) | 1;
    let at = <u32>hash & mask;
    while (true) {
      const seen = load<u32>(table + (<usize>at << 2));
      if (seen == 0) break;
      if (seen == tag) return false;
      at = (at + 1) & mask;
    }
    store<u32>(table + (<usize>at << 2), tag);
  }
  return true;
}

/** 0 or the error when keys are not unique. */
function checkUnique(lp: usize, step: u32, count: u32): i32 {
  const verdict = lpUnique(lp, step, count);
  if (verdict == LP_CHECK_OOM) return ERR_MEMORY;
  return verdict == LP_CHECK_BAD ? LOAD_ERR_DUPLICATE_ELEMENT : 0;
}

// ---- to listpacks

/** The listpack the last `ownListpack` made; its entries, and why there is none. */
let ownCount: u32 = 0;
let ownError: i32 = 0;

/** An owned listpack of the blob at [ptr, ptr + len), or 0 with `ownError`. */
function ownListpack(container: u32, ptr: usize, len: u32): usize {
  let lp: usize;
  if (container == BLOB_LISTPACK) {
    ownError = LOAD_ERR_LISTPACK;
    if (!lpValidate(ptr, len)) return 0;
    ownCount = lpCheckCount;
    lp = lpDup(ptr);
  } else {
    ownError = LOAD_ERR_ZIPLIST;
    if (!zlValidate(ptr, len)) return 0;
    lp = zlToListpack(ptr);
    if (lp) ownCount = lpLength(lp);
  }
  ownError = lp ? 0 : ERR_MEMORY;
  return lp;
}

/** Error of a `...FromListpack`; the listpack is freed unless it was taken. */
function taken(result: i32, lp: usize): i32 {
  if (result == BLOB_TAKEN) return BLOB_OK;
  lpFree(lp);
  return result == ADD_OOM ? ERR_MEMORY : LOAD_ERR_BLOB;
}

// ---- values of one blob

/** Makes `obj` a set of the intset. BLOB_OK or an error. */
export function blobIntset(obj: usize, ptr: usize, len: u32): i32 {
  if (!intsetValidate(ptr, len)) return LOAD_ERR_INTSET;
  const is = intsetDup(ptr);
  if (!is) return ERR_MEMORY;
  if (setFromIntset(obj, is) == BLOB_TAKEN) return BLOB_OK;
  intsetFree(is);
  return ERR_MEMORY;
}

/** Makes `obj` a set of the listpack. BLOB_OK, BLOB_EMPTY or an error. */
export function blobSet(obj: usize, ptr: usize, len: u32): i32 {
  const lp = ownListpack(BLOB_LISTPACK, ptr, len);
  if (!lp) return ownError;
  const code = ownCount ? checkUnique(lp, 1, ownCount) : BLOB_EMPTY;
  if (code != 0) {
    lpFree(lp);
    return code;
  }
  return taken(setFromListpack(obj, lp), lp);
}

/** Are there pairs, and no key twice? 0, BLOB_EMPTY or an error. */
function checkGroups(lp: usize, step: u32): i32 {
  if (ownCount == 0) return BLOB_EMPTY;
  if (!lpCheckMultiple(lp, step)) return LOAD_ERR_BLOB;
  return checkUnique(lp, step, ownCount);
}

/** Makes `obj` a sorted set of the listpack or ziplist. BLOB_OK, BLOB_EMPTY or an error. */
export function blobZset(obj: usize, container: u32, ptr: usize, len: u32): i32 {
  const lp = ownListpack(container, ptr, len);
  if (!lp) return ownError;
  const code = checkGroups(lp, 2);
  if (code != 0) {
    lpFree(lp);
    return code;
  }
  return taken(zsetFromListpack(obj, lp), lp);
}

/** Makes `obj` a hash of the listpack or ziplist. BLOB_OK, BLOB_EMPTY or an error. */
export function blobHash(obj: usize, container: u32, ptr: usize, len: u32): i32 {
  const lp = ownListpack(container, ptr, len);
  if (!lp) return ownError;
  return hashOf(obj, lp, 0);
}

function hashOf(obj: usize, lp: usize, longest: u32): i32 {
  const code = checkGroups(lp, 2);
  if (code != 0) {
    lpFree(lp);
    return code;
  }
  return taken(hashFromZipmap(obj, lp, longest), lp);
}

/** Makes `obj` a hash of the zipmap. BLOB_OK, BLOB_EMPTY or an error. */
export function blobZipmap(obj: usize, ptr: usize, len: u32): i32 {
  if (!zmValidate(ptr, len)) return LOAD_ERR_ZIPMAP;
  const end = ptr + len - 1;
  let longest: u32 = 0;
  for (let p = zmFirst(ptr); (p = zmNext(p, end)) != 0; ) {
    longest = max(longest, max(zmFieldLen, zmValueLen));
  }
  const lp = zmToListpack(ptr, len);
  if (!lp) return ERR_MEMORY;
  ownCount = lpLength(lp);
  return hashOf(obj, lp, longest);
}

/** Makes `obj` a hash of the listpack of triples. BLOB_OK, BLOB_EMPTY or an error. */
export function blobHashEx(obj: usize, ptr: usize, len: u32): i32 {
  const lp = ownListpack(BLOB_LISTPACK, ptr, len);
  if (!lp) return ownError;
  const code = checkGroups(lp, 3);
  if (code != 0) {
    lpFree(lp);
    return code;
  }
  return taken(hashFromListpackEx(obj, lp), lp);
}

// ---- lists

/** Appends a node, or the elements of an old list, to the list `obj`. BLOB_OK or an error. */
export function blobList(obj: usize, type: u32, container: u32, ptr: usize, len: u32): i32 {
  // Redis: a list of one ziplist becomes nodes of the configured size, quicklist nodes stay.
  if (type == TYPE_LIST_ZIPLIST) return pushAll(obj, ptr, len);
  const lp = ownListpack(container == BLOB_ZIPLIST ? BLOB_ZIPLIST : BLOB_LISTPACK, ptr, len);
  if (!lp) return ownError;
  if (ownCount == 0) {
    lpFree(lp);
    return BLOB_OK;
  }
  if (listAppendPacked(obj, lp)) return BLOB_OK;
  lpFree(lp);
  return ERR_MEMORY;
}

function pushAll(obj: usize, ptr: usize, len: u32): i32 {
  if (!zlValidate(ptr, len)) return LOAD_ERR_ZIPLIST;
  const end = zlEnd(ptr);
  for (let p = zlFirst(ptr); p != 0; p = zlNext(p, end)) {
    const text = zlGetText(p, end);
    if (!listPush(obj, text, zlValLen, false)) return ERR_MEMORY;
  }
  return BLOB_OK;
}
