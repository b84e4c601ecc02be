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

/** Closed by the host once its replies are out. */
export const CLIENT_CLOSE_AFTER_REPLY: u32 = 1 << 3;
/** In the host's list of clients with something to send. */
export const CLIENT_READY: u32 = 1 << 10;
/** Not a connection: in-process calls. */
export const CLIENT_INTERNAL: u32 = 1 << 12;
/** To be closed at once, replies dropped. */
export const CLIENT_CLOSE_NOW: u32 = 1 << 13;
/** Something of `push` makes the client receive what it did not ask for. */
export const CLIENT_LISTENS: u32 = 1 << 31;

/** Has subscriptions. */
export const PUSH_PUBSUB: u32 = 1 << 0;
export const PUSH_MONITOR: u32 = 1 << 1;
/** CLIENT TRACKING ON, and its modes. */
export const PUSH_TRACKING: u32 = 1 << 2;
export const PUSH_BCAST: u32 = 1 << 3;
export const PUSH_OPTIN: u32 = 1 << 4;
export const PUSH_OPTOUT: u32 = 1 << 5;
export const PUSH_NOLOOP: u32 = 1 << 6;
/** CLIENT CACHING decides about the next command. */
export const PUSH_CACHING: u32 = 1 << 7;
/** An invalidation could not be sent: who it was to be redirected to is gone. */
export const PUSH_BROKEN_REDIRECT: u32 = 1 << 8;
/** Another client's invalidations were redirected here, once. */
export const PUSH_TARGET: u32 = 1 << 9;
/** Closed for leaving more output unread than its class may. */
export const PUSH_OVER_LIMIT: u32 = 1 << 10;

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

  // ---- subscriptions (keyspace/pubsub.ts): by kind, first link and number of them
  channels: u32;
  patterns: u32;
  shards: u32;
  channelCount: u32;
  patternCount: u32;
  shardCount: u32;

  // ---- client-side caching (keyspace/tracking.ts) and MONITOR (keyspace/monitor.ts)
  /** What others hold of this client, 0 = nobody does. */
  ref: u32;
  /** The ref of the client that gets its invalidations, 0 = itself; and that client's id. */
  redirect: u32;
  redirectIdLo: u32;
  redirectIdHi: u32;
  /** First membership in a prefix of broadcasting mode. */
  prefixes: u32;
  /** Neighbours among the clients that track; valid with PUSH_TRACKING. */
  trackNext: u32;
  trackPrev: u32;
  /** Neighbours among the clients in MONITOR mode; valid with PUSH_MONITOR. */
  monitorNext: u32;
  monitorPrev: u32;

  /** Since when the output is above the soft limit of its class, unix ms; 0 = it is not. */
  aboveSoftMs: i64;
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
