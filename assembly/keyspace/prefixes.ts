/**
 * Client-side caching, broadcasting mode: clients ask for prefixes and hear of every change of a
 * key that begins with one of theirs, read or not.
 *
 *   prefix   +0 u32 next, in byte order     +4 u32 text (a blob)    +8 u32 first member
 *            +12 u32 no memory was left for a changed key           +16 HashTable keys (20 bytes)
 *            `keys`: what changed since the last message; items whose PTR is the client that
 *            changed it first, 0 = none
 *   member   +0 u32 next, +4 u32 previous of the prefix, +8 u32 next of the client,
 *            +12 u32 prefix, +16 u32 outbox
 *
 * Changes are gathered and sent when the host's chunk of commands is through, as Redis does once
 * per turn of its loop: one message per prefix, with the keys in byte order. As in Redis each
 * change walks all prefixes there are.
 */
import { alloc, free } from '../base/alloc';
import { blobLen, blobNew, blobPtr } from '../base/blob';
import { siphash } from '../base/siphash';
import { sort32 } from '../base/sort';
import {
  HashTable,
  htClearStep,
  htFind,
  HT_SIZE,
  htInit,
  htInsertSlot,
  htScan,
  htSetItem,
} from '../hashtable/hashtable';
import {
  ITEM_PTR,
  itemKeyLen,
  itemKeyPtr,
  itemNew,
  itemSetValue,
  itemValue,
} from '../hashtable/item';
import { Outbox, PUSH_NOLOOP } from '../resp/outbox';
import { invalidationBegin, invalidationOfAll, invalidationSend } from './invalidation';
import { messageBulk, messageEnd, messageHeader, runningClient } from './push';

const OFF_TEXT: usize = 4;
const OFF_MEMBERS: usize = 8;
const OFF_LOST: usize = 12;
const OFF_KEYS: usize = 16;
const PREFIX_SIZE: usize = OFF_KEYS + HT_SIZE;

const OFF_PREV: usize = 4;
const OFF_OF_CLIENT: usize = 8;
const OFF_PREFIX: usize = 12;
const OFF_OUTBOX: usize = 16;
const MEMBER_SIZE: usize = 20;

let prefixes: usize = 0;
/** Prefixes that somebody listens to. */
export let prefixCount: u32 = 0;
/** Something changed that was not told yet. */
export let prefixesPending: bool = false;

function compareBytes(a: usize, aLen: u32, b: usize, bLen: u32): i32 {
  const order = memory.compare(a, b, min(aLen, bLen));
  return order != 0 ? order : aLen < bLen ? -1 : aLen > bLen ? 1 : 0;
}

// @ts-ignore: decorator
@inline function keysOf(prefix: usize): HashTable {
  return changetype<HashTable>(prefix + OFF_KEYS);
}

// ---- members

/** Whether two prefixes have keys in common: one begins with the other. */
export function prefixesOverlap(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  return memory.compare(a, b, min(aLen, bLen)) == 0;
}

/** First prefix of a client: a member; `prefixOfNext` for more, `prefixText` for its text. */
// @ts-ignore: decorator
@inline export function prefixOfFirst(o: Outbox): usize {
  return o.prefixes;
}

// @ts-ignore: decorator
@inline export function prefixOfNext(member: usize): usize {
  return load<u32>(member, OFF_OF_CLIENT);
}

/** The text of a member's prefix: a blob. */
export function prefixText(member: usize): usize {
  return load<u32>(load<u32>(member, OFF_PREFIX), OFF_TEXT);
}

/** The prefix with this text, made if need be; 0 = no memory. */
function prefixOf(ptr: usize, len: u32): usize {
  let before: usize = 0;
  let at = prefixes;
  while (at != 0) {
    const text: usize = load<u32>(at, OFF_TEXT);
    const order = compareBytes(blobPtr(text), blobLen(text), ptr, len);
    if (order == 0) return at;
    if (order > 0) break;
    before = at;
    at = load<u32>(at);
  }
  const fresh = alloc(PREFIX_SIZE);
  const text: usize = fresh == 0 ? 0 : blobNew(ptr, len);
  if (text == 0) {
    free(fresh);
    return 0;
  }
  store<u32>(fresh, <u32>at);
  store<u32>(fresh, <u32>text, OFF_TEXT);
  store<u32>(fresh, 0, OFF_MEMBERS);
  store<u32>(fresh, 0, OFF_LOST);
  htInit(keysOf(fresh));
  if (before != 0) store<u32>(before, <u32>fresh);
  else prefixes = fresh;
  prefixCount++;
  return fresh;
}

/** Frees a prefix that has no members; what changed under it need not be told. */
function dropIfUnused(prefix: usize): void {
  if (load<u32>(prefix, OFF_MEMBERS) != 0) return;
  if (prefixes == prefix) {
    prefixes = load<u32>(prefix);
  } else {
    let at = prefixes;
    while (<usize>load<u32>(at) != prefix) at = load<u32>(at);
    store<u32>(at, load<u32>(prefix));
  }
  clearKeys(prefix);
  free(load<u32>(prefix, OFF_TEXT));
  free(prefix);
  prefixCount--;
}

/** Where in the client's list, kept in byte order, a prefix belongs: address of the link to it. */
function placeOf(o: Outbox, prefix: usize): usize {
  const text: usize = load<u32>(prefix, OFF_TEXT);
  let at = changetype<usize>(o) + offsetof<Outbox>('prefixes');
  while (load<u32>(at) != 0) {
    const member: usize = load<u32>(at);
    const other = prefixText(member);
    if (compareBytes(blobPtr(other), blobLen(other), blobPtr(text), blobLen(text)) >= 0) break;
    at = member + OFF_OF_CLIENT;
  }
  return at;
}

/** The client wants to hear of a prefix; twice is once. False = no memory. May grow memory. */
export function prefixesJoin(o: Outbox, ptr: usize, len: u32): bool {
  const prefix = prefixOf(ptr, len);
  if (prefix == 0) return false;
  const place = placeOf(o, prefix);
  const next: usize = load<u32>(place);
  if (next != 0 && <usize>load<u32>(next, OFF_PREFIX) == prefix) return true;
  const member = alloc(MEMBER_SIZE);
  if (member == 0) {
    dropIfUnused(prefix);
    return false;
  }
  const second: usize = load<u32>(prefix, OFF_MEMBERS);
  store<u32>(member, <u32>second);
  store<u32>(member, 0, OFF_PREV);
  store<u32>(member, <u32>next, OFF_OF_CLIENT);
  store<u32>(member, <u32>prefix, OFF_PREFIX);
  store<u32>(member, <u32>changetype<usize>(o), OFF_OUTBOX);
  if (second != 0) store<u32>(second, <u32>member, OFF_PREV);
  store<u32>(prefix, <u32>member, OFF_MEMBERS);
  store<u32>(place, <u32>member);
  return true;
}

/** The client wants to hear of none any more. */
export function prefixesLeave(o: Outbox): void {
  for (let member: usize = o.prefixes; member != 0; ) {
    const next = prefixOfNext(member);
    const prefix: usize = load<u32>(member, OFF_PREFIX);
    const after: usize = load<u32>(member);
    const before: usize = load<u32>(member, OFF_PREV);
    if (after != 0) store<u32>(after, <u32>before, OFF_PREV);
    if (before != 0) store<u32>(before, <u32>after);
    else store<u32>(prefix, <u32>after, OFF_MEMBERS);
    free(member);
    dropIfUnused(prefix);
    member = next;
  }
  o.prefixes = 0;
}

// ---- changes

function clearKeys(prefix: usize): void {
  const keys = keysOf(prefix);
  keys.pauseMerge = 0;
  while (!htClearStep(keys, free, u32.MAX_VALUE)) {}
  store<u32>(prefix, 0, OFF_LOST);
}

/** Notes a changed key with every prefix it begins with. */
export function prefixesKeyChanged(ptr: usize, len: u32, byCommand: bool): void {
  const hash = siphash(ptr, len);
  const writer: usize = byCommand ? runningClient() : 0;
  for (let prefix = prefixes; prefix != 0; prefix = load<u32>(prefix)) {
    const text: usize = load<u32>(prefix, OFF_TEXT);
    const textLen = blobLen(text);
    if (textLen > len || memory.compare(blobPtr(text), ptr, textLen) != 0) continue;
    prefixesPending = true;
    const keys = keysOf(prefix);
    if (htFind(keys, ptr, len, hash) != 0) continue;
    const item = itemNew(ITEM_PTR, ptr, len, 0);
    const slot: usize = item == 0 ? 0 : htInsertSlot(keys, hash);
    if (slot == 0) {
      free(item);
      store<u32>(prefix, 1, OFF_LOST);
      continue;
    }
    itemSetValue(item, writer);
    htSetItem(slot, item);
  }
}

// ---- messages

/** Changed keys of the prefix being sent, in byte order: u32 items. */
let list: usize = 0;
let listCount: u32 = 0;
/** Keys this client changed are left out; 0 = none are. */
let skip: usize = 0;

function gather(item: usize, _arg: usize): void {
  store<u32>(list + (<usize>listCount << 2), <u32>item);
  listCount++;
}

function compareItems(a: u32, b: u32): i32 {
  return compareBytes(itemKeyPtr(a), itemKeyLen(a), itemKeyPtr(b), itemKeyLen(b));
}

/** Whether entry `i` of the list is for a receiver who wants no keys of `skip`. */
// @ts-ignore: decorator
@inline function isSkipped(i: u32): bool {
  return skip != 0 && itemValue(load<u32>(list + (<usize>i << 2))) == skip;
}

function writeKeys(_resp: u32): void {
  let count: u32 = 0;
  for (let i: u32 = 0; i < listCount; i++) if (!isSkipped(i)) count++;
  messageHeader(42, count);
  for (let i: u32 = 0; i < listCount; i++) {
    if (isSkipped(i)) continue;
    const item: usize = load<u32>(list + (<usize>i << 2));
    messageBulk(itemKeyPtr(item), itemKeyLen(item));
  }
}

/** How many of the listed keys were changed by a client. */
function countOf(writer: usize): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < listCount; i++) {
    if (itemValue(load<u32>(list + (<usize>i << 2))) == writer) count++;
  }
  return count;
}

/** Makes the list of a prefix; false = no memory. */
function makeList(keys: HashTable): bool {
  list = alloc(<usize>keys.count << 2);
  if (list == 0) return false;
  listCount = 0;
  let cursor: u64 = 0;
  do {
    cursor = htScan(keys, cursor, gather, 0);
  } while (cursor != 0);
  sort32(list, listCount, compareItems.index);
  return true;
}

function sendList(prefix: usize): void {
  skip = 0;
  invalidationBegin(writeKeys);
  for (let m: usize = load<u32>(prefix, OFF_MEMBERS); m != 0; m = load<u32>(m)) {
    const o = changetype<Outbox>(<usize>load<u32>(m, OFF_OUTBOX));
    const own = o.push & PUSH_NOLOOP ? countOf(changetype<usize>(o)) : 0;
    if (own == listCount) continue;
    if (own != 0) {
      skip = changetype<usize>(o);
      invalidationBegin(writeKeys);
    }
    invalidationSend(o);
    if (own != 0) {
      skip = 0;
      invalidationBegin(writeKeys);
    }
  }
  free(list);
}

/** A prefix that does not know all that changed: its members must forget everything. */
function sendAll(prefix: usize): void {
  invalidationOfAll();
  for (let m: usize = load<u32>(prefix, OFF_MEMBERS); m != 0; m = load<u32>(m)) {
    invalidationSend(changetype<Outbox>(<usize>load<u32>(m, OFF_OUTBOX)));
  }
}

/** Tells everybody what changed since the last time. Not while a reply is being written. */
export function prefixesSend(): void {
  prefixesPending = false;
  for (let prefix = prefixes; prefix != 0; prefix = load<u32>(prefix)) {
    const keys = keysOf(prefix);
    const isLost = load<u32>(prefix, OFF_LOST) != 0;
    if (keys.count == 0 && !isLost) continue;
    if (!isLost && makeList(keys)) sendList(prefix);
    else sendAll(prefix);
    clearKeys(prefix);
  }
  messageEnd();
}
