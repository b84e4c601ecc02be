// LZF: the compression of long strings and list nodes in RDB files.
//
// What it is: a decompressor that trusts nothing, and a compressor that makes the same choices,
// byte for byte, as the one in redis-server 7.0.15, so that DUMP payloads and files can be
// compared. What it is not: a policy. What is worth trying (strings above 20 bytes) and how much it
// must save (the `dstCap` given) is decided by the caller.
// Source of the format: RDB.md §2. Source of the choices: liblzf 3.6 in its "very fast" setting
// with a table of 2^16, studied and then checked against a running server.
//
//   000LLLLL                      L+1 literal bytes follow (1..32)
//   LLLooooo oooooooo             L+2 bytes (3..8) from o+1 bytes back; L = 1..6
//   111ooooo LLLLLLLL oooooooo    L+9 bytes (9..264) from o+1 bytes back
//
// Why the table is never cleared. It maps a hash of three bytes to the offset where they were last
// seen. liblzf leaves it uninitialised, and yet its output does not depend on what is in it: a slot
// counts only if its offset is behind the current one and the three bytes there are the same. Every
// offset behind the current one was entered into the table, except those inside a match; but the
// three bytes at such a place also stand at the match's source, hence further left, and so on down
// to an offset that was entered (the last two places of a match, whose three bytes reach beyond it,
// are entered). They share one hash, so the slot was written in this run. A stale slot therefore
// never passes. The same holds between our calls, so one static table serves without clearing.

/** Places in the table: 2^16, of 4 bytes. */
const HASH_LOG: u32 = 16;
const HASH_MASK: u32 = (1 << HASH_LOG) - 1;
const table: usize = memory.data(1 << 18);

const LITERALS_MAX: u32 = 32;
const OFFSET_MAX: u32 = 1 << 13;
const MATCH_MAX: u32 = (1 << 8) + (1 << 3);

/**
 * Decompresses `len` bytes at `src` into `dst`. True only if the input is well-formed, is used to
 * its last byte and gives exactly `dstLen` bytes. On false `dst` holds a part of the output, never
 * more than `dstLen` bytes. The ranges must not overlap. O(dstLen).
 */
export function lzfDecompress(src: usize, len: u32, dst: usize, dstLen: u32): bool {
  const srcEnd = src + len;
  const dstEnd = dst + dstLen;
  let out = dst;
  while (src < srcEnd) {
    const control: u32 = load<u8>(src++);
    if (control < 32) {
      const count = control + 1;
      if (srcEnd - src >= WILD && dstEnd - out >= WILD) {
        copyWild(out, src, count);
        src += count;
        out += count;
        continue;
      }
      if (srcEnd - src < <usize>count || dstEnd - out < <usize>count) return false;
      copyLiterals(out, src, count);
      src += count;
      out += count;
      continue;
    }
    let count = control >> 5;
    if (count == 7) {
      if (src >= srcEnd) return false;
      count += load<u8>(src++);
    }
    if (src >= srcEnd) return false;
    const back = (((control & 31) << 8) | load<u8>(src++)) + 1;
    count += 2;
    if (<usize>back > out - dst || dstEnd - out < <usize>count) return false;
    if (count <= <u32>WILD && back >= 8 && dstEnd - out >= WILD) copyWild(out, out - back, count);
    else copyBack(out, back, count);
    out += count;
  }
  return out == dstEnd;
}

/** Bytes that copyWild may write. */
const WILD: usize = 32;

/**
 * Copies 1 to 32 bytes, and up to 32 in all with what follows: eight at a time, in order, so that
 * a source eight bytes or more before `dst` repeats as it should.
 */
// @ts-ignore: decorator
@inline
function copyWild(dst: usize, src: usize, count: u32): void {
  store<u64>(dst, load<u64>(src));
  store<u64>(dst, load<u64>(src, 8), 8);
  if (count > 16) {
    store<u64>(dst, load<u64>(src, 16), 16);
    store<u64>(dst, load<u64>(src, 24), 24);
  }
}

/** Bytes written so far, for `lzfPart`. */
export let lzfHave: usize = 0;

/**
 * The same piece by piece: decompresses the whole codes among the `len` bytes at `src` behind the
 * `have` bytes that `dst` holds. Returns how many bytes of input it used (what is left is the
 * beginning of a code, at most 32 bytes), or -1 if the input is damaged or gives more than
 * `dstLen` bytes; `lzfHave` tells how much there is now.
 */
export function lzfPart(src: usize, len: usize, dst: usize, have: usize, dstLen: usize): isize {
  const begin = src;
  const srcEnd = src + len;
  const dstEnd = dst + dstLen;
  let out = dst + have;
  while (src < srcEnd) {
    const control: u32 = load<u8>(src);
    if (control < 32) {
      const count = control + 1;
      if (srcEnd - src <= <usize>count) break;
      if (dstEnd - out < <usize>count) return -1;
      copyLiterals(out, src + 1, count);
      src += count + 1;
      out += count;
      continue;
    }
    let count = control >> 5;
    const head: usize = count == 7 ? 3 : 2;
    if (srcEnd - src < head) break;
    if (count == 7) count += load<u8>(src, 1);
    const back = (((control & 31) << 8) | load<u8>(src + head - 1)) + 1;
    count += 2;
    if (<usize>back > out - dst || dstEnd - out < <usize>count) return -1;
    copyBack(out, back, count);
    src += head;
    out += count;
  }
  lzfHave = out - dst;
  return <isize>(src - begin);
}

/** Copies 1 to 32 bytes between ranges that do not overlap. */
// @ts-ignore: decorator
@inline
function copyLiterals(dst: usize, src: usize, count: u32): void {
  while (count >= 8) {
    store<u64>(dst, load<u64>(src));
    dst += 8;
    src += 8;
    count -= 8;
  }
  while (count != 0) {
    store<u8>(dst++, load<u8>(src++));
    count--;
  }
}

/**
 * Copies `count` bytes from `back` bytes before `dst`. When the ranges overlap the output repeats,
 * as if copied byte by byte; eight at a time is the same from a distance of eight on.
 */
function copyBack(dst: usize, back: u32, count: u32): void {
  if (back >= count && count > 64) {
    memory.copy(dst, dst - back, count);
    return;
  }
  if (back == 1) {
    memory.fill(dst, load<u8>(dst - 1), count);
    return;
  }
  let from = dst - back;
  if (back >= 8) {
    while (count >= 8) {
      store<u64>(dst, load<u64>(from));
      dst += 8;
      from += 8;
      count -= 8;
    }
  }
  while (count != 0) {
    store<u8>(dst++, load<u8>(from++));
    count--;
  }
}

/** The slot of the three bytes at `p`. */
// @ts-ignore: decorator
@inline
function slotOf(p: usize): usize {
  const h = (<u32>load<u8>(p) << 16) | (<u32>load<u8>(p, 1) << 8) | <u32>load<u8>(p, 2);
  return table + (<usize>(((h >> (24 - HASH_LOG)) - h * 5) & HASH_MASK) << 2);
}

/**
 * Compresses `len` bytes at `src` into at most `dstCap` bytes at `dst`; the number of bytes
 * written, or 0 if it does not fit (nothing beyond dst + dstCap is touched). The ranges must not
 * overlap.
 * Redis: for strings it passes len - 4 as `dstCap`; the caller decides that. O(len).
 */
export function lzfCompress(src: usize, len: u32, dst: usize, dstCap: u32): u32 {
  if (len == 0 || dstCap == 0) return 0;
  const srcEnd = src + len;
  const dstEnd = <u64>dst + dstCap;
  const hashEnd = len > 2 ? srcEnd - 2 : src; // where fewer than three bytes are left
  let p = src;
  let out = dst + 1; // one byte is kept free before a run for its length
  let run: u32 = 0; // literals since
  while (p < hashEnd) {
    const slot = slotOf(p);
    const at = <u32>(p - src);
    const seen = load<u32>(slot);
    store<u32>(slot, at);
    const back = at - seen - 1; // offset as coded; wraps to a large number if seen >= at
    const ref = src + seen;
    if (back < OFFSET_MAX && seen != 0 && sameThree(ref, p)) {
      const room: u64 = <u64>out + 4 - (run == 0 ? 1 : 0);
      if (room >= dstEnd) return 0;
      if (run != 0) store<u8>(out - run - 1, run - 1);
      else out--; // no run to close: take its byte back
      const count = matchLength(ref, p, <u32>(srcEnd - p));
      out = putMatch(out, back, count - 2);
      run = 0;
      out++;
      p += count;
      if (p >= hashEnd) break;
      store<u32>(slotOf(p - 2), <u32>(p - 2 - src));
      store<u32>(slotOf(p - 1), <u32>(p - 1 - src));
      continue;
    }
    if (<u64>out >= dstEnd) return 0;
    store<u8>(out++, load<u8>(p++));
    if (++run == LITERALS_MAX) {
      store<u8>(out - run - 1, run - 1);
      run = 0;
      out++;
    }
  }
  if (<u64>out + 3 > dstEnd) return 0;
  return putTail(p, srcEnd, out, run, dst);
}

/** The last literals (at most two bytes are left) and the end of the run; the size in all, or 0. */
function putTail(p: usize, srcEnd: usize, out: usize, run: u32, dst: usize): u32 {
  while (p < srcEnd) {
    store<u8>(out++, load<u8>(p++));
    if (++run == LITERALS_MAX) {
      store<u8>(out - run - 1, run - 1);
      run = 0;
      out++;
    }
  }
  if (run != 0) store<u8>(out - run - 1, run - 1);
  else out--;
  return <u32>(out - dst);
}

/** True if the three bytes at `a` and `b`, both with three bytes of input left, are the same. */
// @ts-ignore: decorator
@inline
function sameThree(a: usize, b: usize): bool {
  return load<u16>(a) == load<u16>(b) && load<u8>(a, 2) == load<u8>(b, 2);
}

/**
 * How many bytes at `p` repeat those at `ref` (three at least, known by the caller), with `left`
 * bytes of input left. liblzf looks at the first 19 bytes if it may, and beyond them never at the
 * last two bytes of the input; its output shows it.
 */
function matchLength(ref: usize, p: usize, left: u32): u32 {
  let limit = left - 2;
  if (limit > MATCH_MAX) limit = MATCH_MAX;
  let count: u32 = 3;
  if (limit > 16) {
    let differ = load<u64>(ref, 3) ^ load<u64>(p, 3);
    if (differ != 0) return 3 + (<u32>ctz(differ) >> 3);
    differ = load<u64>(ref, 11) ^ load<u64>(p, 11);
    if (differ != 0) return 11 + (<u32>ctz(differ) >> 3);
    count = 19;
    while (count + 8 <= limit) {
      differ = load<u64>(ref + count) ^ load<u64>(p + count);
      if (differ != 0) return count + (<u32>ctz(differ) >> 3);
      count += 8;
    }
  }
  while (count < limit && load<u8>(ref + count) == load<u8>(p + count)) count++;
  return count;
}

/** Writes a match of code length `code` (its bytes less two); the address after it. */
// @ts-ignore: decorator
@inline
function putMatch(out: usize, back: u32, code: u32): usize {
  if (code < 7) {
    store<u8>(out++, (back >> 8) + (code << 5));
  } else {
    store<u8>(out++, (back >> 8) + (7 << 5));
    store<u8>(out++, code - 7);
  }
  store<u8>(out++, back);
  return out;
}
