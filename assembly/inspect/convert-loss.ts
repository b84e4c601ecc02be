/**
 * What the target cannot hold: noted while a key is rewritten, told when the key is written.
 *
 *   frame FRAME_LOSS   u32 LOSS_*, u32 db, u64 number, u32 RDB type, then the key (or name),
 *                      at most NAME_MAX bytes of it
 *
 * `number`: how many fields, entries … it concerns. The host counts by kind, lists, or refuses.
 */
import { RdbReader } from '../rdb/input';
import { FRAME_LOSS, frame } from './convert-parts';
import { outCommit } from './out';

/** The key itself: a type without any form in that version. */
export const LOSS_KEY: u32 = 0;
/** Expiries of hash fields. */
export const LOSS_FIELD_EXPIRY: u32 = 1;
/** Pending entries of a stream's group that belong to no consumer. */
export const LOSS_UNOWNED: u32 = 2;
/** State of idempotent producers of a stream. */
export const LOSS_IDEMPOTENCE: u32 = 3;
/** First and greatest deleted id, entries added, entries read by groups. */
export const LOSS_STREAM_OFFSETS: u32 = 4;
/** When a consumer was last active. */
export const LOSS_ACTIVE_TIME: u32 = 5;
/** A library of functions. */
export const LOSS_FUNCTION: u32 = 6;
/** Data of a module that belong to no key, */
export const LOSS_MODULE_AUX: u32 = 7;
/** and those it keeps beside a key. */
export const LOSS_KEY_META: u32 = 8;
/** An expiry that 32 bits of seconds cannot say. */
export const LOSS_EXPIRY: u32 = 9;
/** Milliseconds of an expiry (rounded up to the second). */
export const LOSS_EXPIRY_MS: u32 = 10;
/** Idle time or frequency. */
export const LOSS_EVICTION: u32 = 11;
/** A slot that was being imported. */
export const LOSS_SLOT_IMPORT: u32 = 12;
/** A key that was written already, from another file or database. */
export const LOSS_DUPLICATE: u32 = 13;
/** Not lost, but only servers with that module will read it. */
export const LOSS_NEEDS_MODULE: u32 = 14;
/** A value that is damaged inside. */
export const LOSS_DAMAGED: u32 = 15;
/** A library of functions whose name came before with other code. */
export const LOSS_DUPLICATE_FUNCTION: u32 = 16;
const LOSSES: u32 = 17;

const NAME_MAX: usize = 1024;
/** Numbers of the key's losses by kind, and which there are. */
const numbers = memory.data(136, 8);
let noted: u32 = 0;

/** The next key. */
export function lossBegin(): void {
  if (noted == 0) return;
  memory.fill(numbers, 0, <usize>LOSSES << 3);
  noted = 0;
}

/** The key loses that. */
export function lossNote(kind: u32, number: u64): void {
  if (number == 0) return;
  const at = numbers + (<usize>kind << 3);
  store<u64>(at, load<u64>(at) + number);
  noted |= 1 << kind;
}

/** Tells what was noted of the current key. */
export function lossTell(r: RdbReader): void {
  if (noted == 0) return;
  for (let kind: u32 = 0; kind < LOSSES; kind++) {
    if (noted & (1 << kind)) {
      lossOf(kind, load<u64>(numbers + (<usize>kind << 3)), r.key.ptr, r.key.len, r);
    }
  }
  lossBegin();
}

/** Tells of something lost under that name. */
export function lossOf(kind: u32, number: u64, name: usize, nameLen: usize, r: RdbReader): void {
  const n = min(nameLen, NAME_MAX);
  const at = frame(FRAME_LOSS, 0, 20 + n);
  if (at == 0) return;
  store<u32>(at, kind);
  store<u32>(at, r.db, 4);
  store<u64>(at, number, 8);
  store<u32>(at, r.type, 16);
  memory.copy(at + 20, name, n);
  outCommit(20 + n);
}
