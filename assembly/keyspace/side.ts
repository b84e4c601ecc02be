/**
 * The side data set: a second array of databases (and of function libraries) that a load fills
 * while the live one is served, and that replaces the live one at once when it is whole.
 *
 *   live   db 0 | db 1 | ...        what clients see (db.ts)
 *   side   db 0 | db 1 | ...        same layout, made by sideBegin, gone after commit or abort
 *
 * Swapping exchanges the heads of the tables only: O(databases), whatever they hold. The tables
 * that went out of use are freed bit by bit by the lazy-free queue (value.ts). Watched keys stay
 * with the live databases: whoever watches a key that either data set holds is told.
 *
 * Not here: reading anything into it (rdb/load.ts), and when serving the old data is allowed
 * (the host's decision, REPLICATION.md section 3).
 */
import { alloc, free } from '../base/alloc';
import {
  DB_SIZE,
  dbAt,
  dbCount,
  dbExpires,
  dbKeys,
  dbSwap,
  dbTickets,
} from './db';
import { ticketsClear } from './hash-tickets';
import { forgetTable, freeTableLater } from './value';
import { signalAllKeys } from './ready-keys';
import { trackingFlushed } from './tracking';
import { touchWatchedAll } from './watch';

let sideBase: usize = 0;

/** Whether there is a side data set now. */
export function sideActive(): bool {
  return sideBase != 0;
}

/** Makes an empty side data set, dropping one that is there. False when memory ran out. */
export function sideBegin(): bool {
  sideAbort();
  const size = <usize>dbCount * DB_SIZE;
  sideBase = alloc(size);
  if (sideBase == 0) return false;
  memory.fill(sideBase, 0, size);
  return true;
}

/** A database of the side data set; only while there is one. */
// @ts-ignore: decorator
@inline export function sideDbAt(index: u32): usize {
  return sideBase + <usize>index * DB_SIZE;
}

/** Empties a database: its entries are freed later. Watches are the caller's business. */
function drop(db: usize): void {
  forgetTable(dbExpires(db));
  ticketsClear(dbTickets(db));
  freeTableLater(dbKeys(db));
}

/** The side data set becomes the live one; the old data is freed later. O(databases + watches). */
export function sideCommit(): void {
  if (sideBase == 0) return;
  for (let i: u32 = 0; i < dbCount; i++) {
    const live = dbAt(i);
    const side = sideDbAt(i);
    touchWatchedAll(live, side);
    signalAllKeys(live, side);
    dbSwap(live, side);
  }
  trackingFlushed();
  sideAbort();
}

/** Drops the side data set; its entries are freed later. Nothing to do when there is none. */
export function sideAbort(): void {
  if (sideBase == 0) return;
  for (let i: u32 = 0; i < dbCount; i++) drop(sideDbAt(i));
  free(sideBase);
  sideBase = 0;
}

/** Empties all live databases; their entries are freed later. Watchers of their keys are told. */
export function liveDrop(): void {
  for (let i: u32 = 0; i < dbCount; i++) {
    const db = dbAt(i);
    if (dbKeys(db).count == 0) continue;
    touchWatchedAll(db, 0);
    signalAllKeys(db, 0);
    drop(db);
  }
  trackingFlushed();
}
