/**
 * Logical positions: how many entries were ever added up to an id, how far a group lags behind.
 *
 * A stream counts the entries ever added, not where each stands; deletions in the middle make the
 * position of an id unknowable. These are the cases in which it is known. Redis: the rules are
 * those of 7.0.15, observed through XINFO.
 */
import {
  ENTRIES_READ_UNKNOWN,
  groupEntriesRead,
  groupLastMs,
  groupLastSeq,
  streamEntriesAdded,
  streamFirstMs,
  streamFirstSeq,
  streamLastMs,
  streamLastSeq,
  streamLength,
  streamMaxDeletedMs,
  streamMaxDeletedSeq,
} from './stream-layout';

/** Order of two ids: -1, 0 or 1. */
// @ts-ignore: decorator
@inline export function idCompare(aMs: u64, aSeq: u64, bMs: u64, bSeq: u64): i32 {
  if (aMs != bMs) return aMs < bMs ? -1 : 1;
  return aSeq == bSeq ? 0 : aSeq < bSeq ? -1 : 1;
}

/**
 * Whether an entry with an id not below this one may have been deleted, and what was deleted lies
 * among the entries (not before the first of them).
 */
export function streamHasTombstonesFrom(s: usize, ms: u64, seq: u64): bool {
  const maxMs = streamMaxDeletedMs(s);
  const maxSeq = streamMaxDeletedSeq(s);
  if (streamLength(s) == 0 || (maxMs | maxSeq) == 0) return false;
  if (idCompare(streamFirstMs(s), streamFirstSeq(s), maxMs, maxSeq) > 0) return false;
  return idCompare(ms, seq, maxMs, maxSeq) <= 0;
}

/** How many entries were added up to the id, itself included; ENTRIES_READ_UNKNOWN if unknown. */
export function streamEstimateRead(s: usize, ms: u64, seq: u64): i64 {
  const added = <i64>streamEntriesAdded(s);
  const length = <i64>streamLength(s);
  if (added == 0) return 0;
  const atLast = idCompare(ms, seq, streamLastMs(s), streamLastSeq(s));
  if (length == 0 && atLast <= 0) return added;
  if (atLast == 0) return added;
  if (atLast > 0) return ENTRIES_READ_UNKNOWN;
  const maxMs = streamMaxDeletedMs(s);
  const maxSeq = streamMaxDeletedSeq(s);
  const firstMs = streamFirstMs(s);
  const firstSeq = streamFirstSeq(s);
  if ((maxMs | maxSeq) == 0 || idCompare(maxMs, maxSeq, firstMs, firstSeq) < 0) {
    const atFirst = idCompare(ms, seq, firstMs, firstSeq);
    if (atFirst < 0) return added - length;
    if (atFirst == 0) return added - length + 1;
  }
  return ENTRIES_READ_UNKNOWN;
}

/** Whether the last `groupLag` is known. */
export let groupLagKnown: bool = true;

/** Entries the group has not been given yet, as XINFO GROUPS tells; see `groupLagKnown`. */
export function groupLag(s: usize, group: usize): i64 {
  groupLagKnown = true;
  const added = <i64>streamEntriesAdded(s);
  if (added == 0) return 0;
  const read = groupEntriesRead(group);
  const ms = groupLastMs(group);
  const seq = groupLastSeq(group);
  if (read != ENTRIES_READ_UNKNOWN && !streamHasTombstonesFrom(s, ms, seq)) return added - read;
  const estimate = streamEstimateRead(s, ms, seq);
  groupLagKnown = estimate != ENTRIES_READ_UNKNOWN;
  return added - estimate;
}
