/**
 * The receiving half of a client: where replies gather, in which protocol, and the list of those
 * the host must look after although they sent nothing.
 *
 * It stands below keyspace/, so that a change of the data set can tell clients of it (messages,
 * notifications, invalidations, MONITOR) without knowing what else a connection is; clients/
 * client.ts extends it. `flags` holds the CLIENT_* bits of client.ts; only the few needed here have
 * their names here. `push` holds what the client listens to (PUSH_*), and nothing else.
 */
import { ReplyList } from './reply';

/** In the host's list of clients with something to send. */
export const CLIENT_READY: u32 = 1 << 10;

@unmanaged
export class Outbox {
  // ---- replies; first, because an outbox is used as its own ReplyList
  replyHead: u32;
  replyTail: u32;
  replyBytes: u32;

  /** Index in the table of clients. */
  handle: u32;
  /** CLIENT_*. */
  flags: u32;
  /** 2 or 3. */
  resp: u32;
  /** PUSH_*. */
  push: u32;
  /** Neighbours in the ready list, 0 at its ends; valid with CLIENT_READY. */
  readyNext: u32;
  readyPrev: u32;
}

// @ts-ignore: decorator
@inline export function outboxList(o: Outbox): ReplyList {
  return changetype<ReplyList>(changetype<usize>(o));
}

// ---- the ready list: emptied by the host after each call

let readyHead: u32 = 0;
let readyTail: u32 = 0;
/** Clients in the list. */
export let readyCount: u32 = 0;

/** Puts a client in the list, once. */
export function readyAdd(o: Outbox): void {
  if (o.flags & CLIENT_READY) return;
  o.flags |= CLIENT_READY;
  const at = <u32>changetype<usize>(o);
  o.readyNext = 0;
  o.readyPrev = readyTail;
  if (readyTail != 0) changetype<Outbox>(<usize>readyTail).readyNext = at;
  else readyHead = at;
  readyTail = at;
  readyCount++;
}

/** Takes the longest waiting client off the list: its handle, -1 when the list is empty. */
export function readyTake(): i32 {
  if (readyHead == 0) return -1;
  const o = changetype<Outbox>(<usize>readyHead);
  readyRemove(o);
  return <i32>o.handle;
}

/** Takes a client off the list if it is in it. O(1). */
export function readyRemove(o: Outbox): void {
  if ((o.flags & CLIENT_READY) == 0) return;
  o.flags &= ~CLIENT_READY;
  readyCount--;
  if (o.readyPrev != 0) changetype<Outbox>(<usize>o.readyPrev).readyNext = o.readyNext;
  else readyHead = o.readyNext;
  if (o.readyNext != 0) changetype<Outbox>(<usize>o.readyNext).readyPrev = o.readyPrev;
  else readyTail = o.readyPrev;
}
