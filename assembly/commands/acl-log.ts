/**
 * The log of refusals that ACL LOG shows: commands, keys and channels a user may not touch, and
 * failed logins.
 *
 *   entry   a block of its own (LogEntry), in a list with the latest refusal in front
 *
 * A refusal that equals one of the first SCAN_MAX entries, not a minute old, is counted there
 * instead, and that entry comes to the front. acllog-max-len bounds the number of entries; what
 * clients send is cut to TEXT_MAX bytes (Redis keeps all of it, which lets a client that may do
 * nothing fill the memory).
 */
import { alloc, free } from '../base/alloc';
import { blobLen, blobNew, blobPtr } from '../base/blob';
import { textBegin, textLen, textPtr } from '../base/text';
import { client } from '../clients/client';
import { nowMs } from '../keyspace/state';
import { textAddClient } from './client-line';

export const REASON_COMMAND: u32 = 0;
export const REASON_KEY: u32 = 1;
export const REASON_CHANNEL: u32 = 2;
export const REASON_AUTH: u32 = 3;

export const CONTEXT_TOPLEVEL: u32 = 0;
export const CONTEXT_MULTI: u32 = 1;
export const CONTEXT_SCRIPT: u32 = 2;

const SCAN_MAX: u32 = 10;
const SAME_MS: i64 = 60000;
const TEXT_MAX: u32 = 16384;

@unmanaged
export class LogEntry {
  next: u32;
  prev: u32;
  count: u64;
  /** REASON_*, CONTEXT_*. */
  reason: u32;
  context: u32;
  /** Blobs: what was refused, to whom, and the client's line. */
  object: u32;
  username: u32;
  info: u32;
  unused: u32;
  id: u64;
  createdMs: i64;
  updatedMs: i64;
}

let head: u32 = 0;
let tail: u32 = 0;
let length: u32 = 0;
let nextId: u64 = 0;
let lengthMax: u64 = 128;

/** The latest entry, address 0 = none; `next` leads to older ones. */
export function aclLogFirst(): LogEntry {
  return changetype<LogEntry>(<usize>head);
}

/** Number of entries. */
export function aclLogLength(): u32 {
  return length;
}

/** acllog-max-len; entries beyond it go with the next refusal. */
export function aclLogSetMax(entries: u64): void {
  lengthMax = entries;
}

function entryAt(ptr: u32): LogEntry {
  return changetype<LogEntry>(<usize>ptr);
}

function unlink(e: LogEntry): void {
  if (e.prev != 0) entryAt(e.prev).next = e.next;
  else head = e.next;
  if (e.next != 0) entryAt(e.next).prev = e.prev;
  else tail = e.prev;
  length--;
}

function linkFirst(e: LogEntry): void {
  const at = <u32>changetype<usize>(e);
  e.prev = 0;
  e.next = head;
  if (head != 0) entryAt(head).prev = at;
  else tail = at;
  head = at;
  length++;
}

function freeEntry(e: LogEntry): void {
  free(e.object);
  free(e.username);
  free(e.info);
  free(changetype<usize>(e));
}

/** ACL LOG RESET. */
export function aclLogClear(): void {
  while (head != 0) {
    const e = entryAt(head);
    unlink(e);
    freeEntry(e);
  }
}

// @ts-ignore: decorator
@inline function blobIs(blob: usize, ptr: usize, len: u32): bool {
  return blobLen(blob) == len && memory.compare(blobPtr(blob), ptr, len) == 0;
}

/** The current client's line, 0 without memory. */
function clientInfo(): usize {
  textBegin();
  textAddClient(client);
  // Without its end.
  return blobNew(textPtr, min(textLen - 1, TEXT_MAX));
}

let who: usize = 0;
let whoLen: u32 = 0;

/** Whom the next `aclLogAdd` is about; the bytes need to stay until then. */
export function aclLogUser(ptr: usize, len: u32): void {
  who = ptr;
  whoLen = min(len, TEXT_MAX);
}

/** An entry like this among the first, which is not too old; address 0 = none. */
function findEqual(reason: u32, context: u32, object: usize, len: u32): LogEntry {
  let at = head;
  for (let n: u32 = 0; n < SCAN_MAX && at != 0; n++, at = entryAt(at).next) {
    const e = entryAt(at);
    if (e.reason != reason || e.context != context || nowMs - e.updatedMs > SAME_MS) continue;
    if (blobIs(e.object, object, len) && blobIs(e.username, who, whoLen)) return e;
  }
  return entryAt(0);
}

/** A new entry, in no list; address 0 without memory. */
function newEntry(reason: u32, context: u32, object: usize, len: u32): LogEntry {
  const ptr = alloc(offsetof<LogEntry>());
  const objectCopy = blobNew(object, len);
  const nameCopy = blobNew(who, whoLen);
  if (ptr == 0 || objectCopy == 0 || nameCopy == 0) {
    free(ptr);
    free(objectCopy);
    free(nameCopy);
    return entryAt(0);
  }
  const e = changetype<LogEntry>(ptr);
  e.reason = reason;
  e.context = context;
  e.object = <u32>objectCopy;
  e.username = <u32>nameCopy;
  e.info = 0;
  e.count = 0;
  e.id = nextId++;
  e.createdMs = nowMs;
  return e;
}

/**
 * Notes that the current client was refused an object (a command, a key, a channel) as the user
 * `aclLogUser` named. Without memory nothing is noted. May grow memory; uses the scratch text.
 */
export function aclLogAdd(reason: u32, context: u32, object: usize, len: u32): void {
  len = min(len, TEXT_MAX);
  const info = clientInfo();
  if (info == 0) return;
  let e = findEqual(reason, context, object, len);
  if (changetype<usize>(e) != 0) {
    unlink(e);
  } else {
    e = newEntry(reason, context, object, len);
    if (changetype<usize>(e) == 0) {
      free(info);
      return;
    }
  }
  free(e.info);
  e.info = <u32>info;
  e.updatedMs = nowMs;
  e.count++;
  linkFirst(e);
  while (length > lengthMax) {
    const last = entryAt(tail);
    unlink(last);
    freeEntry(last);
  }
}
