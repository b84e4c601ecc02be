/**
 * Clients the host must look after although they sent nothing: output was made for them, or they
 * are to be closed. A list through the clients themselves, first come first served, emptied by the
 * host after each call.
 */
import { Client, CLIENT_READY, clientAt } from './client';

const NONE: u32 = u32.MAX_VALUE;
let head: u32 = NONE;
let tail: u32 = NONE;
/** Clients in the list. */
export let readyCount: u32 = 0;

/** Puts a client in the list, once. */
export function readyAdd(c: Client): void {
  if (c.flags & CLIENT_READY) return;
  c.flags |= CLIENT_READY;
  c.nextReady = NONE;
  if (head == NONE) head = c.handle;
  else clientAt(tail).nextReady = c.handle;
  tail = c.handle;
  readyCount++;
}

/** Takes one client off the list: its handle, -1 when the list is empty. */
export function readyTake(): i32 {
  if (head == NONE) return -1;
  const handle = head;
  const c = clientAt(handle);
  head = c.nextReady;
  c.nextReady = NONE;
  c.flags &= ~CLIENT_READY;
  readyCount--;
  return <i32>handle;
}

/** A client is going away: it must not stay in the list. O(list). */
export function readyRemove(c: Client): void {
  if ((c.flags & CLIENT_READY) == 0) return;
  c.flags &= ~CLIENT_READY;
  readyCount--;
  if (head == c.handle) {
    head = c.nextReady;
    return;
  }
  let at = clientAt(head);
  while (at.nextReady != c.handle) at = clientAt(at.nextReady);
  at.nextReady = c.nextReady;
  if (tail == c.handle) tail = at.handle;
}
