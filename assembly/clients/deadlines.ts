/**
 * Deadlines of blocked clients: a binary heap, the earliest on top.
 *
 * Times are those of the host's steady clock, in ms, because a wall clock that is set must not wake
 * anyone. The core learns that time only when the host tells it, so a fresh entry first holds its
 * timeout; `deadlinesArm`, which the host calls after every call that made a fresh one, adds the
 * time. Redis: of equal deadlines that of the older client comes first.
 *
 *   entry   +0 f64 ms, +8 u64 client id, +16 u32 the owner's record, +20 unused
 *
 * A record (blocked.ts) keeps where its entry is: an index + 1 in the heap.
 */
import { realloc } from '../base/alloc';
import { Blocked } from './blocked';

const OFF_ID: usize = 8;
const OFF_RECORD: usize = 16;
const ENTRY: usize = 24;
const CAP_MIN: u32 = 16;

let base: usize = 0;
let cap: u32 = 0;
let heapCount: u32 = 0;
/** Entries behind the heap that still hold timeouts. */
let freshCount: u32 = 0;

// @ts-ignore: decorator
@inline function entryAt(index: u32): usize {
  return base + <usize>index * ENTRY;
}

/** Puts an entry at an index; its record is told. */
// @ts-ignore: decorator
@inline function put(index: u32, ms: f64, id: u64, record: u32): void {
  const at = entryAt(index);
  store<f64>(at, ms);
  store<u64>(at, id, OFF_ID);
  store<u32>(at, record, OFF_RECORD);
  changetype<Blocked>(<usize>record).place = index + 1;
}

/** Copies the entry at `from` to `to`. */
function move(from: u32, to: u32): void {
  const at = entryAt(from);
  put(to, load<f64>(at), load<u64>(at, OFF_ID), load<u32>(at, OFF_RECORD));
}

function isBefore(ms: f64, id: u64, index: u32): bool {
  const other = load<f64>(entryAt(index));
  return ms < other || (ms == other && id < load<u64>(entryAt(index), OFF_ID));
}

/** Finds the place of an entry that may have to go up from `index`, and puts it there. */
function siftUp(index: u32, ms: f64, id: u64, record: u32): void {
  while (index > 0) {
    const parent = (index - 1) >>> 1;
    if (!isBefore(ms, id, parent)) break;
    move(parent, index);
    index = parent;
  }
  put(index, ms, id, record);
}

/** The same downwards. */
function siftDown(index: u32, ms: f64, id: u64, record: u32): void {
  for (;;) {
    let child: u32 = 2 * index + 1;
    if (child >= heapCount) break;
    const right = child + 1;
    if (right < heapCount) {
      const at = entryAt(right);
      if (isBefore(load<f64>(at), load<u64>(at, OFF_ID), child)) child = right;
    }
    if (isBefore(ms, id, child)) break;
    move(child, index);
    index = child;
  }
  put(index, ms, id, record);
}

/** A record that is to be woken `timeoutMs` from now. False when memory ran out. */
export function deadlineAdd(record: Blocked, timeoutMs: f64, id: u64): bool {
  const at = heapCount + freshCount;
  if (at == cap) {
    const want = max(cap * 2, CAP_MIN);
    const moved = realloc(base, <usize>want * ENTRY);
    if (moved == 0) return false;
    base = moved;
    cap = want;
  }
  put(at, timeoutMs, id, <u32>changetype<usize>(record));
  freshCount++;
  return true;
}

/** Takes a record out; nothing to do when it has no deadline. */
export function deadlineRemove(record: Blocked): void {
  const index = record.place - 1;
  if (record.place == 0) return;
  record.place = 0;
  const last = heapCount + freshCount - 1;
  if (index >= heapCount) {
    if (index != last) move(last, index);
    freshCount--;
    return;
  }
  heapCount--;
  if (index != heapCount) {
    const at = entryAt(heapCount);
    const ms = load<f64>(at);
    const id = load<u64>(at, OFF_ID);
    const other = load<u32>(at, OFF_RECORD);
    if (index > 0 && isBefore(ms, id, (index - 1) >>> 1)) siftUp(index, ms, id, other);
    else siftDown(index, ms, id, other);
  }
  // The heap's last place is free now: the fresh entries close up.
  if (freshCount != 0) move(last, heapCount);
}

/** Clients with a deadline. */
export function deadlineCount(): u32 {
  return heapCount + freshCount;
}

/** Whether there are deadlines that `deadlinesArm` has not seen. */
export function deadlinesFresh(): bool {
  return freshCount != 0;
}

/** Gives the fresh entries their time. */
export function deadlinesArm(nowMs: f64): void {
  while (freshCount != 0) {
    const at = entryAt(heapCount);
    const ms = load<f64>(at) + nowMs;
    const id = load<u64>(at, OFF_ID);
    const record = load<u32>(at, OFF_RECORD);
    freshCount--;
    heapCount++;
    siftUp(heapCount - 1, ms, id, record);
  }
}

/** The earliest deadline, infinity when there is none. */
export function deadlineFirst(): f64 {
  return heapCount == 0 ? Infinity : load<f64>(base);
}

/** Whose it is; only while there is one. */
export function deadlineFirstRecord(): Blocked {
  return changetype<Blocked>(<usize>load<u32>(base, OFF_RECORD));
}
