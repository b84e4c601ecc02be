/**
 * Fields of a hash that expire, remembered while their HSET is gathered: the expiry can only be set
 * behind it. Neighbours with the same time share a command.
 *
 *   noted field   +0 i64 ms, +8 u32 len, +12 bytes   padded to 4
 */
import { alloc, realloc } from '../base/alloc';
import { bytesCopy } from '../encoding/blob';
import { argument, argumentInt, argumentWord, commandBegin } from './command';
import { outFail } from './out';
import { respName } from './resp';

let buffer: usize = 0;
let cap: usize = 0;
let used: usize = 0;

export function afterDrop(): void {
  used = 0;
}

/** Notes a field (its bytes are copied). */
export function afterExpiry(ms: i64, ptr: usize, len: usize): void {
  const size: usize = (12 + len + 3) & ~(<usize>3);
  if (used + size > cap) {
    const want = max(cap * 2, used + size + 4096);
    const moved = buffer == 0 ? alloc(want) : realloc(buffer, want);
    if (moved == 0) {
      outFail();
      return;
    }
    buffer = moved;
    cap = want;
  }
  const at = buffer + used;
  store<i64>(at, ms);
  store<u32>(at, <u32>len, 8);
  bytesCopy(at + 12, ptr, <u32>len);
  used += size;
}

function next(at: usize): usize {
  return at + ((12 + <usize>load<u32>(at, 8) + 3) & ~3);
}

/** Writes the expiries noted, behind the HSET of their fields. */
export function afterWrite(): void {
  const end = buffer + used;
  let at = buffer;
  while (at < end) {
    const ms = load<i64>(at);
    let count: u32 = 0;
    let to = at;
    for (; to < end && load<i64>(to) == ms; to = next(to)) count++;
    commandBegin(5 + count, 'HPEXPIREAT');
    respName();
    argumentInt(ms);
    argumentWord('FIELDS');
    argumentInt(count);
    for (; at < to; at = next(at)) argument(at + 12, load<u32>(at, 8));
  }
  used = 0;
}
