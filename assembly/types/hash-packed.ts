/**
 * The order of a hash in a listpack of triples (ENC_LISTPACK_EX, Redis 7.4): field, value, expiry;
 * those that expire first, by expiry and among equals the one set last first, then those with
 * expiry 0.
 *
 * A triple moves by rotating bytes in place: entries of a listpack are the same wherever they
 * stand, so moving them needs no memory and cannot fail.
 */
import {
  lpBytes,
  lpEntryTotal,
  lpFirst,
  lpGetInt,
  lpNext,
  lpReplaceInt,
  lpValInt,
} from '../encoding/listpack';

/** The expiry of the triple at `p`; 0 = none. */
function expiryOf(lp: usize, p: usize): i64 {
  lpGetInt(lpNext(lp, lpNext(lp, p)));
  return lpValInt;
}

// @ts-ignore: decorator
@inline function isBefore(a: i64, b: i64): bool {
  return a != 0 && (b == 0 || a < b);
}

/** Bytes of the triple at `p`. */
function tripleBytes(p: usize): u32 {
  const one = lpEntryTotal(p);
  const two = lpEntryTotal(p + one);
  return one + two + lpEntryTotal(p + one + two);
}

function reverse(from: usize, to: usize): void {
  while (from + 1 < to) {
    const c = load<u8>(from);
    store<u8>(from++, load<u8>(--to));
    store<u8>(to, c);
  }
}

/** Exchanges the bytes from `a` to `b` with those from `b` to `c`. */
function rotate(a: usize, b: usize, c: usize): void {
  if (a == b || b == c) return;
  reverse(a, b);
  reverse(b, c);
  reverse(a, c);
}

/** The place of an expiry: the first triple not before it (`skip` aside), or the terminator. */
function placeOf(lp: usize, ms: i64, skip: usize): usize {
  const end = lp + lpBytes(lp) - 1;
  if (ms == 0) return end;
  let p = lpFirst(lp);
  while (p != 0 && p != end) {
    if (p != skip && !isBefore(expiryOf(lp, p), ms)) return p;
    p += tripleBytes(p);
  }
  return end;
}

/** Moves the triple at `p` so that it stands before `place`. */
function moveTo(p: usize, place: usize): void {
  const behind = p + tripleBytes(p);
  if (place < p) rotate(place, p, behind);
  else if (place > behind) rotate(p, behind, place);
}

/**
 * Sets the expiry of the triple at `p` (0 = none) and moves it to its place. The new address of the
 * listpack; 0: out of memory, nothing changed (never for 0, which is the shortest entry).
 */
export function exSetExpire(lp: usize, p: usize, ms: i64): usize {
  const off = p - lp;
  const expiryAt = lpNext(lp, lpNext(lp, p));
  lp = lpReplaceInt(lp, expiryAt, ms);
  if (lp == 0) return 0;
  p = lp + off;
  moveTo(p, placeOf(lp, ms, p));
  return lp;
}

/** Whether the triples are in order. */
export function exIsOrdered(lp: usize): bool {
  const end = lp + lpBytes(lp) - 1;
  let last: i64 = 1;
  for (let p = lpFirst(lp); p != 0 && p != end; p += tripleBytes(p)) {
    const ms = expiryOf(lp, p);
    if (isBefore(ms, last)) return false;
    last = ms;
  }
  return true;
}

/** Puts the triples in order, stably. O(n²): for listpacks within the limits. */
export function exOrder(lp: usize): void {
  const end = lp + lpBytes(lp) - 1;
  let p = lpFirst(lp);
  while (p != 0 && p != end) {
    const next = p + tripleBytes(p);
    const ms = expiryOf(lp, p);
    let q = lpFirst(lp);
    while (q != p && !isBefore(ms, expiryOf(lp, q))) q += tripleBytes(q);
    moveTo(p, q);
    p = next;
  }
}
