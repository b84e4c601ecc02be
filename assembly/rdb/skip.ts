/*
 * What is read past: module data, arrays, Valkey's slot import jobs; and the tally of skipped
 * values. Skipping needs the layout all the same: nothing in an RDB says how long a value is.
 *
 *   module data   (opcode, payload)* 0         opcodes: 1 SINT, 2 UINT: length; 3 FLOAT: 4 bytes;
 *                                              4 DOUBLE: 8 bytes; 5 STRING: string
 *   module id     9 characters of 6 bits (A-Za-z0-9-_), then 10 bits of version
 *   array         len n, len hasCursor, [len cursor], n x (len index, len tag, payload)
 *                 tags: 0 string, 1 i64, 2 f64, 3 short string (RDB 14, second-hand)
 *
 * Not here: module types before their release format (type 6). Unframed, they are refused.
 */
import { alloc } from '../base/alloc';
import {
  RdbReader, commit, failAt, inputOffset, passString, unitHas, unitLength, unitStop,
} from './input';
import { lenValue } from './length';
import { ERR_ARRAY, ERR_MEMORY, ERR_MODULE_OPCODE } from './opcodes';

const MODULE_EOF: u64 = 0;
const MODULE_SINT: u64 = 1;
const MODULE_UINT: u64 = 2;
const MODULE_FLOAT: u64 = 3;
const MODULE_DOUBLE: u64 = 4;
const MODULE_STRING: u64 = 5;

/** Skip module data up to and with its EOF. 1 when done, else what the caller has to return. */
export function skipModuleData(r: RdbReader): i32 {
  while (true) {
    if (r.opString) {
      const done = passString(r, r.b);
      if (done <= 0) return done;
      r.opString = false;
    }
    let p = unitLength(r, r.p);
    if (!p) return unitStop;
    const op = lenValue;
    if (op == MODULE_SINT || op == MODULE_UINT) {
      p = unitLength(r, p);
      if (!p) return unitStop;
    } else if (op == MODULE_FLOAT || op == MODULE_DOUBLE) {
      const bytes: usize = op == MODULE_FLOAT ? 4 : 8;
      if (!unitHas(r, p, bytes)) return unitStop;
      p += bytes;
    } else if (op == MODULE_STRING) {
      r.opString = true;
    } else if (op != MODULE_EOF) {
      return failAt(r, ERR_MODULE_OPCODE, inputOffset(r), op);
    }
    commit(r, p);
    if (op == MODULE_EOF) return 1;
  }
}

/** Write the nine characters of a module id at `dst` (9 bytes of room). */
export function rdbModuleName(dst: usize, moduleId: u64): void {
  for (let i: usize = 0; i < 9; i++) {
    const v = <u32>((moduleId >> (58 - 6 * i)) & 63);
    let c: u32 = 0x5f;
    if (v < 26) c = 0x41 + v;
    else if (v < 52) c = 0x61 + v - 26;
    else if (v < 62) c = 0x30 + v - 52;
    else if (v == 62) c = 0x2d;
    store<u8>(dst + i, <u8>c);
  }
}

/** The module's version of its own encoding. */
export function rdbModuleVersion(moduleId: u64): u32 {
  return <u32>(moduleId & 1023);
}

/**
 * Skip the elements of an array whose count is in `r.left`. 1 when done, else what the caller has
 * to return.
 */
export function skipArray(r: RdbReader): i32 {
  while (r.opString || r.left) {
    if (r.opString) {
      const done = passString(r, r.b);
      if (done <= 0) return done;
      r.opString = false;
      r.left--;
      continue;
    }
    let p = unitLength(r, r.p);
    if (p) p = unitLength(r, p);
    if (!p) return unitStop;
    const tag = lenValue;
    if (tag == 1 || tag == 2) {
      if (!unitHas(r, p, 8)) return unitStop;
      p += 8;
      r.left--;
    } else if (tag == 0 || tag == 3) {
      r.opString = true;
    } else {
      return failAt(r, ERR_ARRAY, inputOffset(r), tag);
    }
    commit(r, p);
  }
  return 1;
}

/** Unit: head of an array; its count goes to `r.left`. 1 when done. */
export function arrayHead(r: RdbReader): i32 {
  let p = unitLength(r, r.p);
  if (!p) return unitStop;
  const count = lenValue;
  p = unitLength(r, p);
  if (!p) return unitStop;
  if (lenValue > 1) return failAt(r, ERR_ARRAY, inputOffset(r), lenValue);
  if (lenValue) {
    p = unitLength(r, p);
    if (!p) return unitStop;
  }
  r.left = count;
  commit(r, p);
  return 1;
}

/** Skip `r.left` pairs of slots. 1 when done. */
export function skipSlotRanges(r: RdbReader): i32 {
  for (; r.left; r.left--) {
    let p = unitLength(r, r.p);
    if (p) p = unitLength(r, p);
    if (!p) return unitStop;
    commit(r, p);
  }
  return 1;
}

// ---- tally

/** Kinds of skipped values told apart; the last line of the tally takes all others. */
const TALLY_MAX: u32 = 32;

/** One line: values skipped of one type, and of one module where the type is a module's. */
@unmanaged
export class SkippedLine {
  moduleId: u64;
  count: u64;
  type: u32;
}

/** Count the current value as skipped. False when memory is short. */
export function tallySkipped(r: RdbReader): bool {
  const size = (offsetof<SkippedLine>() + 7) & ~7;
  if (!r.skipped) {
    r.skipped = alloc(size * TALLY_MAX);
    if (!r.skipped) {
      failAt(r, ERR_MEMORY, r.keyOffset, 0);
      return false;
    }
  }
  for (let i: u32 = 0; i < r.skippedLen; i++) {
    const line = changetype<SkippedLine>(r.skipped + <usize>i * size);
    const isLast = i == TALLY_MAX - 1;
    if (isLast || (line.type == r.type && line.moduleId == r.moduleId)) {
      line.count++;
      return true;
    }
  }
  const line = changetype<SkippedLine>(r.skipped + <usize>r.skippedLen * size);
  r.skippedLen++;
  line.type = r.type;
  line.moduleId = r.moduleId;
  line.count = 1;
  return true;
}

/** Line `index` (below r.skippedLen) of the tally of skipped values. */
export function rdbSkippedLine(r: RdbReader, index: u32): SkippedLine {
  const size = (offsetof<SkippedLine>() + 7) & ~7;
  return changetype<SkippedLine>(r.skipped + <usize>index * size);
}
