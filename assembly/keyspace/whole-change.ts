/**
 * Changes of several parts that must happen as a whole or not at all, although memory may run out
 * at any of them: SADD, HSET, HEXPIRE and their like with many elements.
 *
 * While memory is plentiful (that is nearly always) the value is changed in place. Near the limit a
 * copy of it is changed, which then takes its place:
 *
 *   const obj = changeBegin(entry, bytes, parts);      0: no memory, nothing changed
 *   … change obj; if a part fails: changeFailed(entry), else changeDone(entry) …
 */
import { allocFaultCountdown, allocHeadroom, heapBytes, usedMemory } from '../base/alloc';
import { argc, argLen, argPtr } from '../resp/args';
import { holder, objChange, objEncoding, objMake, objType, objValue } from '../types/holder';
import { valueDup } from '../types/value';
import { effectArg, effectBegin } from './effects';
import { freeValue } from './value';

/** Memory never taken before that must remain beyond the needs; see `isRoomSure`. */
const ROOM_SPARE: u64 = 32 << 20;
/** The static holder that copies stand in. */
const COPY: u32 = 2;

/**
 * Whether `parts` allocations of `bytes` in all cannot fail. Four times the bytes cover size
 * classes and rounding to whole chunks, 128 a part its share of a table, the spare a fresh slab in
 * every class and one doubling of a directory. Only memory never used before counts, as it has no
 * gaps.
 */
export function isRoomSure(bytes: u64, parts: u32): bool {
  if (allocFaultCountdown >= 0) return false;
  const gaps: usize = heapBytes > usedMemory ? heapBytes - usedMemory : 0;
  return <u64>(allocHeadroom() - gaps) > bytes * 4 + <u64>parts * 128 + ROOM_SPARE;
}

/** Bytes of the arguments from `first` on. */
export function argBytes(first: u32): u64 {
  let bytes: u64 = 0;
  for (let i = first; i < argc; i++) bytes += argLen(i);
  return bytes;
}

let isCopy: bool = false;

/**
 * The object to make a change of `parts` parts, `bytes` in all, to: the entry or a copy of it. 0:
 * out of memory. One part alone is its own whole. May grow memory.
 */
export function changeBegin(entry: usize, bytes: u64, parts: u32): usize {
  isCopy = false;
  if (parts < 2 || isRoomSure(bytes, parts)) return entry;
  const type = objType(entry);
  const encoding = objEncoding(entry);
  const value = valueDup(type, encoding, objValue(entry));
  if (value == 0) return 0;
  const copy = holder(COPY);
  objMake(copy, type, encoding, value);
  isCopy = true;
  return copy;
}

/** The change is complete. */
export function changeDone(entry: usize): void {
  if (!isCopy) return;
  const copy = holder(COPY);
  freeValue(objType(entry), objEncoding(entry), objValue(entry));
  objChange(entry, objEncoding(copy), objValue(copy));
}

/**
 * A part of the change found no memory. True: nothing has changed. False: the platform refused what
 * should have been there, and the parts so far stay; followers must hear of them.
 */
export function changeFailed(): bool {
  if (!isCopy) return false;
  const copy = holder(COPY);
  freeValue(objType(copy), objEncoding(copy), objValue(copy));
  return true;
}

/** The effect of a command that got no further than argument `end`. */
export function effectUpTo(db: u32, end: u32): void {
  effectBegin(db, end);
  for (let i: u32 = 0; i < end; i++) effectArg(argPtr(i), argLen(i));
}
