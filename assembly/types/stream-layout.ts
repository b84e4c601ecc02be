/**
 * The records a stream is made of, their fields, and what the functions on them may answer.
 *
 *   stream (104 bytes)
 *   +0  u64 ms, +8 u64 seq    last id
 *   +16 u64 ms, +24 u64 seq   first live id, 0-0 when empty
 *   +32 u64 ms, +40 u64 seq   greatest id ever deleted by XDEL, 0-0 if none
 *   +48 u64 entries added     ever, tombstones included
 *   +56 u64 length            live entries
 *   +64 tree nodes            master id -> listpack (stream-node.ts); 12 bytes
 *   +76 names groups          by name (stream-names.ts); 12 bytes
 *   +88 u32 idmp              idempotent-producer state (stream-idmp.ts), 0 = none
 *   +92 u32 unused
 *   +96 u64 node bytes        listpack bytes of all nodes
 *
 *   group (56 bytes)          +0 u32 name (a blob; names.ts wants it first)
 *   +4  u32 unused
 *   +8  u64 ms, +16 u64 seq   last delivered id
 *   +24 i64 entries read      -1 = not known
 *   +32 tree pending          id -> pending record
 *   +44 names consumers
 *
 *   consumer (40 bytes)       +0 u32 name
 *   +4  u32 unused
 *   +8  i64 seen ms           last time the consumer was named
 *   +16 i64 active ms         last time it got something, -1 = never
 *   +24 tree pending          the same records as in the group's tree
 *   +36 u32 unused
 *
 *   pending (24 bytes)
 *   +0  i64 delivery ms, +8 u64 delivery count
 *   +16 u32 consumer          its owner; 0 = in the unowned ("NACK") zone of Redis 8.8
 *
 * Every pending record is in its group's tree and in the tree of its owner, if it has one.
 */
import { blobLen, blobPtr } from '../base/blob';

/** Done. */
export const STREAM_OK: i32 = 0;
/** Memory ran out; nothing has changed. */
export const STREAM_OOM: i32 = -1;
/** The id (group, consumer, pending entry) is there already. */
export const STREAM_EXISTS: i32 = -2;
/** No such id (group, consumer, pending entry). */
export const STREAM_MISSING: i32 = -3;
/** The id is not greater than the last one. */
export const STREAM_ID_SMALL: i32 = -4;
/** The last possible id is in use. */
export const STREAM_ID_EXHAUSTED: i32 = -5;
/** An entry beyond the size a node may have. */
export const STREAM_TOO_LARGE: i32 = -6;

// Refusals of foreign data.
/** A node is no well-formed listpack. */
export const STREAM_BAD_LISTPACK: i32 = -16;
/** A node's counts, fields or flags contradict each other. */
export const STREAM_BAD_NODE: i32 = -17;
/** Ids do not ascend, within a node or from node to node. */
export const STREAM_BAD_ORDER: i32 = -18;
/** The stream's length is not the number of its live entries. */
export const STREAM_BAD_LENGTH: i32 = -19;
/** The last id is below an entry's. */
export const STREAM_BAD_LAST_ID: i32 = -20;
/** A consumer's pending entry is not pending in the group. */
export const STREAM_BAD_PENDING: i32 = -21;
/** A pending entry has two owners, or none. */
export const STREAM_BAD_OWNER: i32 = -22;

export const STREAM_SIZE: usize = 104;
export const GROUP_SIZE: usize = 56;
export const CONSUMER_SIZE: usize = 40;
export const PENDING_SIZE: usize = 24;
/** entries_read of a group whose position is not known. */
export const ENTRIES_READ_UNKNOWN: i64 = -1;

// ---- stream

// @ts-ignore: decorator
@inline export function streamLastMs(s: usize): u64 {
  return load<u64>(s);
}

// @ts-ignore: decorator
@inline export function streamLastSeq(s: usize): u64 {
  return load<u64>(s, 8);
}

export function streamSetLast(s: usize, ms: u64, seq: u64): void {
  store<u64>(s, ms);
  store<u64>(s, seq, 8);
}

// @ts-ignore: decorator
@inline export function streamFirstMs(s: usize): u64 {
  return load<u64>(s, 16);
}

// @ts-ignore: decorator
@inline export function streamFirstSeq(s: usize): u64 {
  return load<u64>(s, 24);
}

export function streamSetFirst(s: usize, ms: u64, seq: u64): void {
  store<u64>(s, ms, 16);
  store<u64>(s, seq, 24);
}

// @ts-ignore: decorator
@inline export function streamMaxDeletedMs(s: usize): u64 {
  return load<u64>(s, 32);
}

// @ts-ignore: decorator
@inline export function streamMaxDeletedSeq(s: usize): u64 {
  return load<u64>(s, 40);
}

export function streamSetMaxDeleted(s: usize, ms: u64, seq: u64): void {
  store<u64>(s, ms, 32);
  store<u64>(s, seq, 40);
}

// @ts-ignore: decorator
@inline export function streamEntriesAdded(s: usize): u64 {
  return load<u64>(s, 48);
}

export function streamSetEntriesAdded(s: usize, n: u64): void {
  store<u64>(s, n, 48);
}

/** Live entries. */
// @ts-ignore: decorator
@inline export function streamLength(s: usize): u64 {
  return load<u64>(s, 56);
}

export function streamSetLength(s: usize, n: u64): void {
  store<u64>(s, n, 56);
}

/** The tree of nodes: master id -> listpack. */
// @ts-ignore: decorator
@inline export function streamNodes(s: usize): usize {
  return s + 64;
}

/** The groups, by name. */
// @ts-ignore: decorator
@inline export function streamGroups(s: usize): usize {
  return s + 76;
}

// @ts-ignore: decorator
@inline export function streamIdmp(s: usize): usize {
  return load<u32>(s, 88);
}

export function streamSetIdmp(s: usize, idmp: usize): void {
  store<u32>(s, <u32>idmp, 88);
}

// @ts-ignore: decorator
@inline export function streamNodeBytes(s: usize): u64 {
  return load<u64>(s, 96);
}

export function streamSetNodeBytes(s: usize, bytes: u64): void {
  store<u64>(s, bytes, 96);
}

// ---- group

/** The name of a group or a consumer. */
// @ts-ignore: decorator
@inline export function namePtr(groupOrConsumer: usize): usize {
  return blobPtr(load<u32>(groupOrConsumer));
}

// @ts-ignore: decorator
@inline export function nameLen(groupOrConsumer: usize): u32 {
  return blobLen(load<u32>(groupOrConsumer));
}

// @ts-ignore: decorator
@inline export function groupLastMs(group: usize): u64 {
  return load<u64>(group, 8);
}

// @ts-ignore: decorator
@inline export function groupLastSeq(group: usize): u64 {
  return load<u64>(group, 16);
}

export function groupSetLast(group: usize, ms: u64, seq: u64): void {
  store<u64>(group, ms, 8);
  store<u64>(group, seq, 16);
}

// @ts-ignore: decorator
@inline export function groupEntriesRead(group: usize): i64 {
  return load<i64>(group, 24);
}

export function groupSetEntriesRead(group: usize, n: i64): void {
  store<i64>(group, n, 24);
}

/** The group's pending entries: id -> record. */
// @ts-ignore: decorator
@inline export function groupPending(group: usize): usize {
  return group + 32;
}

/** The group's consumers, by name. */
// @ts-ignore: decorator
@inline export function groupConsumers(group: usize): usize {
  return group + 44;
}

// ---- consumer

// @ts-ignore: decorator
@inline export function consumerSeenMs(consumer: usize): i64 {
  return load<i64>(consumer, 8);
}

export function consumerSetSeenMs(consumer: usize, ms: i64): void {
  store<i64>(consumer, ms, 8);
}

// @ts-ignore: decorator
@inline export function consumerActiveMs(consumer: usize): i64 {
  return load<i64>(consumer, 16);
}

export function consumerSetActiveMs(consumer: usize, ms: i64): void {
  store<i64>(consumer, ms, 16);
}

/** The consumer's pending entries: id -> record. */
// @ts-ignore: decorator
@inline export function consumerPending(consumer: usize): usize {
  return consumer + 24;
}

// ---- pending record

// @ts-ignore: decorator
@inline export function pendingTimeMs(pending: usize): i64 {
  return load<i64>(pending);
}

export function pendingSetTimeMs(pending: usize, ms: i64): void {
  store<i64>(pending, ms);
}

// @ts-ignore: decorator
@inline export function pendingDeliveries(pending: usize): u64 {
  return load<u64>(pending, 8);
}

export function pendingSetDeliveries(pending: usize, n: u64): void {
  store<u64>(pending, n, 8);
}

/** The owner, 0 = none. */
// @ts-ignore: decorator
@inline export function pendingConsumer(pending: usize): usize {
  return load<u32>(pending, 16);
}

/** For stream-group.ts, which keeps the trees in step with it. */
export function pendingSetConsumer(pending: usize, consumer: usize): void {
  store<u32>(pending, <u32>consumer, 16);
}
