/**
 * The reply writer: RESP2 and RESP3, into a client's list of reply blocks.
 *
 *   reply block
 *   +0  u32 next    next block of the list, 0 at the end
 *   +4  u32 len     bytes of data
 *   +8  u32 cap     room for data
 *   +12 u32 unused
 *   +16 data
 *
 * Writing goes to one list at a time (`replyBegin` … `replyEnd`), through globals, so that the
 * usual reply is a few stores. Blocks never move, so an address in one stays good until the host
 * has taken it. Standard blocks come from a small pool: the client that is served gets the block
 * that was used a moment ago, still in the cache. The host takes whole blocks (`replyTake`), writes
 * their bytes to the socket from where they are, and gives them back (`replyRecycle`).
 *
 * A reply that finds no memory sets `replyFailed`; the client must then be closed, because its
 * stream of replies has a hole.
 */
import { alloc, allocUrgent, free, goodSize } from '../base/alloc';
import { formatG17 } from '../base/numbers/format';
import { ll2string } from '../base/numbers/integers';
import { clockMark } from '../base/clock';
import { writeLiteral } from '../base/literal';
import { countErrorBytes, countErrorText } from './error-stats';

const OFF_LEN: usize = 4;
const OFF_CAP: usize = 8;
const HEADER: usize = 16;
/** A standard block is one chunk of the allocator. */
const BLOCK_SIZE: usize = 65536;
const POOL_MAX: u32 = 16;
/** Smallest block of a list that is only added to. */
const APPEND_MIN: usize = 240;
/** Room that is enough for any header, number or short constant. */
const SMALL: u32 = 64;

/** A list of reply blocks; lives in the client. */
@unmanaged
export class ReplyList {
  /** First block, the next to be sent; 0 = nothing. */
  head: u32;
  /** Last block, where writing goes on. */
  tail: u32;
  /** Bytes in the list that the host has not taken. */
  bytes: u32;
}

let list: ReplyList = changetype<ReplyList>(0);
let pos: usize = 0;
let end: usize = 0;
let pool: u32 = 0;
let poolCount: u32 = 0;
/** Replies are thrown away while this is not 0 (CLIENT REPLY OFF, a master's commands). */
let muted: u32 = 0;

/** Protocol of the list being written: 2 or 3. */
export let respVersion: u32 = 2;
/** Whole blocks in the list being written at which no more are added: it has grown too long. */
let listMax: u32 = u32.MAX_VALUE;

/** Set when a reply could not be stored; see above. */
export let replyFailed: bool = false;
/** Error replies written since the start; a caller compares to see whether a command failed. */
export let replyErrors: u32 = 0;
/** Sets that number back: errors that a script has met are not its own. */
export function replyErrorsSet(count: u32): void {
  replyErrors = count;
}
/** Bytes of replies produced, thrown away ones not counted. */
export let replyBytesTotal: u64 = 0;

/** Starts writing to a list. Lists do not nest: `replyEnd` first, or use `replySwitch`. */
export function replyBegin(to: ReplyList, version: u32, mute: bool): void {
  list = to;
  respVersion = version;
  muted = mute ? 1 : 0;
  replyFailed = false;
  listMax = u32.MAX_VALUE;
  const tail: usize = to.tail;
  if (tail == 0) {
    pos = 0;
    end = 0;
    return;
  }
  pos = tail + HEADER + load<u32>(tail, OFF_LEN);
  end = tail + HEADER + load<u32>(tail, OFF_CAP);
}

/** Bytes from which on the list being written takes no more; until `replyEnd`. */
export function replyLimit(bytes: u32): void {
  listMax = bytes;
}

/** Ends writing: the list's lengths are true again. */
export function replyEnd(): void {
  settle();
  list = changetype<ReplyList>(0);
}

/** Changes the protocol in mid-list (HELLO). */
export function replySetVersion(version: u32): void {
  respVersion = version;
}

/** Throws away (or not) what is written from here on. */
export function replyMute(on: bool): void {
  muted = on ? 1 : 0;
}

export function replyIsMuted(): bool {
  return muted != 0;
}

/** The list being written, 0 = none. */
export function replyCurrent(): usize {
  return changetype<usize>(list);
}

/** Where writing goes on: the same as before as long as nothing was written in between. */
export function replyPosition(): usize {
  return pos;
}

function settle(): void {
  const tail: usize = list.tail;
  if (tail == 0) return;
  const len = <u32>(pos - tail - HEADER);
  const before = load<u32>(tail, OFF_LEN);
  store<u32>(tail, len, OFF_LEN);
  list.bytes += len - before;
  replyBytesTotal += len - before;
}

function newBlock(need: usize): usize {
  if (need <= BLOCK_SIZE - HEADER && pool != 0) {
    const block: usize = pool;
    pool = load<u32>(block);
    poolCount--;
    store<u32>(block, 0);
    store<u32>(block, 0, OFF_LEN);
    return block;
  }
  const size: usize = max(need + HEADER, BLOCK_SIZE);
  if (size < need) return 0;
  const block = allocUrgent(size);
  if (block == 0) return 0;
  store<u32>(block, 0);
  store<u32>(block, 0, OFF_LEN);
  store<u32>(block, <u32>(size - HEADER), OFF_CAP);
  return block;
}

/** Makes room for `need` contiguous bytes at `pos`; false (and `replyFailed`): there is none. */
function reserveSlow(need: usize): bool {
  if (list.bytes >= listMax) {
    replyFailed = true;
    return false;
  }
  const block = newBlock(need);
  if (block == 0) {
    replyFailed = true;
    return false;
  }
  settle();
  if (list.tail != 0) {
    store<u32>(<usize>list.tail, <u32>block);
    clockMark();
  } else {
    list.head = <u32>block;
  }
  list.tail = <u32>block;
  pos = block + HEADER;
  end = pos + load<u32>(block, OFF_CAP);
  return true;
}

// @ts-ignore: decorator
@inline function reserve(need: usize): bool {
  if (muted != 0) return false;
  if (pos + need <= end) return true;
  return reserveSlow(need);
}

/**
 * Takes the first block off a list for sending: returns its address, 0 when there is none. Its
 * data are at +16, its length at +4. It belongs to the caller until `replyRecycle`.
 */
export function replyTake(from: ReplyList): usize {
  const block: usize = from.head;
  if (block == 0) return 0;
  from.head = load<u32>(block);
  if (from.head == 0) from.tail = 0;
  from.bytes -= load<u32>(block, OFF_LEN);
  return block;
}

/** Gives a taken block back. */
export function replyRecycle(block: usize): void {
  if (load<u32>(block, OFF_CAP) == <u32>(BLOCK_SIZE - HEADER) && poolCount < POOL_MAX) {
    store<u32>(block, pool);
    pool = <u32>block;
    poolCount++;
    return;
  }
  free(block);
}

/** Frees all blocks of a list. */
export function replyClear(from: ReplyList): void {
  for (;;) {
    const block = replyTake(from);
    if (block == 0) return;
    replyRecycle(block);
  }
}

/**
 * Adds bytes to the end of any list, the one being written included, muted or not: for what a
 * client is sent unasked. False when memory ran out: the list has a hole. May grow memory.
 *
 * A list that is only ever added to gets blocks that grow with it, not standard ones, because there
 * may be thousands of such lists at a time.
 */
export function replyAppend(to: ReplyList, ptr: usize, len: usize): bool {
  if (changetype<usize>(to) == changetype<usize>(list)) return appendHere(ptr, len);
  replyBytesTotal += len;
  while (len > 0) {
    let tail: usize = to.tail;
    let used: u32 = tail == 0 ? 0 : load<u32>(tail, OFF_LEN);
    if (tail == 0 || used == load<u32>(tail, OFF_CAP)) {
      tail = addBlock(to, len);
      if (tail == 0) return false;
      used = 0;
    }
    const n = min<usize>(len, load<u32>(tail, OFF_CAP) - used);
    memory.copy(tail + HEADER + used, ptr, n);
    store<u32>(tail, used + <u32>n, OFF_LEN);
    to.bytes += <u32>n;
    ptr += n;
    len -= n;
  }
  return true;
}

function appendHere(ptr: usize, len: usize): bool {
  const wasMuted = muted;
  const hadFailed = replyFailed;
  muted = 0;
  replyFailed = false;
  replyRaw(ptr, len);
  const isWhole = !replyFailed;
  muted = wasMuted;
  replyFailed = hadFailed || !isWhole;
  return isWhole;
}

function shortBlock(cap: usize): usize {
  const size = goodSize(cap + HEADER);
  const block = alloc(size);
  if (block == 0) return 0;
  store<u32>(block, 0);
  store<u32>(block, 0, OFF_LEN);
  store<u32>(block, <u32>(size - HEADER), OFF_CAP);
  return block;
}

/** A fresh last block for `need` bytes, or part of them; 0 when memory ran out. */
function addBlock(to: ReplyList, need: usize): usize {
  const want = max<usize>(max<usize>(need, to.bytes), APPEND_MIN);
  const block = want >= BLOCK_SIZE / 2 ? newBlock(BLOCK_SIZE - HEADER) : shortBlock(want);
  if (block == 0) return 0;
  if (to.tail != 0) store<u32>(<usize>to.tail, <u32>block);
  else to.head = <u32>block;
  to.tail = <u32>block;
  return block;
}

/** Moves all bytes of another list to the one being written, as `replyAppend`. */
export function replyAppendList(from: ReplyList): void {
  for (;;) {
    const block = replyTake(from);
    if (block == 0) return;
    appendHere(block + HEADER, load<u32>(block, OFF_LEN));
    replyRecycle(block);
  }
}

/** Bytes as they are; for replies made elsewhere (the host's). */
export function replyRaw(ptr: usize, len: usize): void {
  if (muted != 0) return;
  while (len > 0) {
    if (pos == end && !reserveSlow(min<usize>(len, BLOCK_SIZE - HEADER))) return;
    const n = min<usize>(len, end - pos);
    memory.copy(pos, ptr, n);
    pos += n;
    ptr += n;
    len -= n;
  }
}

/** A whole reply made elsewhere; an error counts as one. */
export function replyMade(ptr: usize, len: usize): void {
  if (len != 0 && load<u8>(ptr) == 45) {
    replyErrors++;
    countErrorBytes(ptr + 1, len - 1);
  }
  replyRaw(ptr, len);
}

/** A constant as it is, CRLF included in the literal. */
export function replyLiteral(text: string): void {
  if (reserve(<usize>text.length)) pos += writeLiteral(pos, text);
}

// "+OK\r\n" and its like are single stores; little-endian words of the text.
export function replyOk(): void {
  if (!reserve(SMALL)) return;
  store<u64>(pos, 0x0a0d4b4f2b);
  pos += 5;
}

/** +text */
export function replySimple(text: string): void {
  if (!reserve(<usize>text.length + 3)) return;
  store<u8>(pos++, 43);
  pos += writeLiteral(pos, text);
  crlf();
}

// @ts-ignore: decorator
@inline function crlf(): void {
  store<u16>(pos, 0x0a0d);
  pos += 2;
}

function header(kind: u8, n: i64): void {
  if (!reserve(SMALL)) return;
  store<u8>(pos, kind);
  if (<u64>n < 10) {
    store<u32>(pos, 0x0a0d3000 + (<u32>n << 8) + kind);
    pos += 4;
    return;
  }
  pos += 1 + ll2string(n, pos + 1);
  crlf();
}

/** :n */
export function replyInt(n: i64): void {
  header(58, n);
}

/** $len and the bytes. */
export function replyBulk(ptr: usize, len: u32): void {
  if (muted != 0) return;
  const need: usize = <usize>len + 32;
  if (pos + need > end && need <= 4096) {
    if (!reserveSlow(need)) return;
  }
  if (pos + need <= end) {
    store<u8>(pos, 36);
    pos += 1 + ll2string(len, pos + 1);
    crlf();
    memory.copy(pos, ptr, len);
    pos += len;
    crlf();
    return;
  }
  header(36, len);
  replyRaw(ptr, len);
  replyLiteral('\r\n');
}

/**
 * Room for `need` bytes that a caller writes itself, for replies of many small elements: the
 * address, and its end in `replyRoomEnd`. What was written is told with `replyWrote` before any
 * other reply. 0: nothing is to be written (thrown away, or no memory).
 */
export function replyRoom(need: usize): usize {
  if (!reserve(need)) return 0;
  replyRoomEnd = end;
  return pos;
}
export let replyRoomEnd: usize = 0;

/** Takes what was written up to `to` into the reply. */
// @ts-ignore: decorator
@inline export function replyWrote(to: usize): void {
  pos = to;
}

/** A literal as a bulk string. */
export function replyBulkLiteral(text: string): void {
  header(36, text.length);
  replyLiteral(text);
  replyLiteral('\r\n');
}

/** An integer as a bulk string. */
export function replyBulkInt(n: i64): void {
  if (!reserve(SMALL)) return;
  const digits = ll2string(n, numberScratch);
  replyBulk(numberScratch, digits);
}
const numberScratch = memory.data(512);

/** Nothing: $-1, or _ in RESP3. */
export function replyNull(): void {
  if (!reserve(SMALL)) return;
  if (respVersion == 2) {
    store<u64>(pos, 0x0a0d312d24);
    pos += 5;
  } else {
    store<u32>(pos, 0x0a0d5f);
    pos += 3;
  }
}

/** No array: *-1, or _ in RESP3. */
export function replyNullArray(): void {
  if (respVersion == 2) replyLiteral('*-1\r\n');
  else replyNull();
}

export function replyArray(n: i64): void {
  header(42, n);
}

/** A map of n pairs; an array of 2n in RESP2. */
export function replyMap(n: i64): void {
  if (respVersion == 2) header(42, n * 2);
  else header(37, n);
}

/** A set of n elements; an array in RESP2. */
export function replySet(n: i64): void {
  header(respVersion == 2 ? 42 : 126, n);
}

/** A push message of n elements; an array in RESP2. */
export function replyPush(n: i64): void {
  header(respVersion == 2 ? 42 : 62, n);
}

/** Attributes are RESP3 only; the caller does not send them in RESP2. */
export function replyAttribute(n: i64): void {
  header(124, n);
}

export function replyBool(on: bool): void {
  if (respVersion == 2) replyInt(on ? 1 : 0);
  else replyLiteral(on ? '#t\r\n' : '#f\r\n');
}

/** A double as Redis 7 prints it: `,x` in RESP3, a bulk string in RESP2. */
export function replyDouble(x: f64): void {
  if (muted != 0) return;
  const n = formatG17(x, numberScratch);
  if (respVersion == 2) {
    replyBulk(numberScratch, n);
    return;
  }
  if (!reserve(n + 3)) return;
  store<u8>(pos++, 44);
  memory.copy(pos, numberScratch, n);
  pos += n;
  crlf();
}

/** A number in exponent notation of any size, as text: `(n` in RESP3. */
export function replyBigNumber(ptr: usize, len: u32): void {
  if (respVersion == 2) {
    replyBulk(ptr, len);
    return;
  }
  replyLiteral('(');
  replyRaw(ptr, len);
  replyLiteral('\r\n');
}

/** Text with a three-letter format; a bulk string in RESP2. */
export function replyVerbatim(ptr: usize, len: u32, format: string): void {
  if (respVersion == 2) {
    replyBulk(ptr, len);
    return;
  }
  header(61, <i64>len + 4);
  replyLiteral(format);
  replyLiteral(':');
  replyRaw(ptr, len);
  replyLiteral('\r\n');
}

/** An array of status lines: the lines of the literal, as HELP answers. */
export function replyLines(text: string): void {
  const n = <u32>text.length;
  let lines: u32 = 1;
  for (let i: u32 = 0; i < n; i++) if (charAt(text, i) == 10) lines++;
  replyArray(lines);
  let from: u32 = 0;
  while (lines-- > 0) {
    let to = from;
    while (to < n && charAt(text, to) != 10) to++;
    if (!reserve(<usize>(to - from) + 3)) return;
    store<u8>(pos++, 43);
    for (let i = from; i < to; i++) store<u8>(pos++, <u8>charAt(text, i));
    crlf();
    from = to + 1;
  }
}

// @ts-ignore: decorator
@inline function charAt(text: string, i: u32): u32 {
  return load<u8>(changetype<usize>(text) + (<usize>i << 1));
}

/** -text; the literal begins with the error's code. */
export function replyError(text: string): void {
  replyErrors++;
  countErrorText(text);
  if (!reserve(<usize>text.length + 3)) return;
  store<u8>(pos++, 45);
  pos += writeLiteral(pos, text);
  crlf();
}

/** Starts an error made of pieces: `errorText`, `errorBytes` …, `errorEnd`. */
export function errorBegin(text: string): void {
  replyErrors++;
  countErrorText(text);
  replyLiteral('-');
  replyLiteral(text);
}

export function errorText(text: string): void {
  replyLiteral(text);
}

/**
 * Client-given bytes inside an error; line ends become spaces, at most `limit` bytes are shown.
 * Redis: what follows a NUL is not.
 */
export function errorBytes(ptr: usize, len: u32, limit: u32): void {
  const n = min(len, limit);
  if (!reserve(n)) return;
  for (let i: u32 = 0; i < n; i++) {
    const c: u32 = load<u8>(ptr + i);
    if (c == 0) return;
    store<u8>(pos++, <u8>(c == 10 || c == 13 ? 32 : c));
  }
}

export function errorInt(n: i64): void {
  const digits = ll2string(n, numberScratch);
  replyRaw(numberScratch, digits);
}

export function errorEnd(): void {
  replyLiteral('\r\n');
}

/** Room for a header that is not known yet. */
const GAP: usize = 24;

/**
 * A header whose count is not known yet: room is kept for it, which `replyDeferredEnd` fills and
 * closes up. Of several at a time the one begun last is ended first.
 */
export function replyDeferred(): usize {
  if (!reserve(SMALL)) return 0;
  const gap = pos;
  store<u32>(gap, list.tail);
  pos += GAP;
  return gap;
}

/** Completes `replyDeferred`: `kind` is the type byte (`*` 42, `%` 37, `~` 126, `>` 62). */
export function replyDeferredEnd(gap: usize, kind: u8, n: i64): void {
  if (gap == 0) return;
  const block: usize = load<u32>(gap);
  const isLast = block == <usize>list.tail;
  const stop = isLast ? pos : block + HEADER + load<u32>(block, OFF_LEN);
  store<u8>(gap, kind);
  const len = ll2string(n, gap + 1) + 3;
  store<u16>(gap + len - 2, 0x0a0d);
  memory.copy(gap + len, gap + GAP, stop - gap - GAP);
  const closed = <u32>GAP - len;
  if (isLast) {
    pos -= closed;
    return;
  }
  // The block is full and counted already.
  store<u32>(block, load<u32>(block, OFF_LEN) - closed, OFF_LEN);
  list.bytes -= closed;
  replyBytesTotal -= closed;
}

/** Array, map or set kinds for `replyDeferredEnd` in the current protocol. */
export function replyDeferredArrayEnd(holder: usize, n: i64): void {
  replyDeferredEnd(holder, 42, n);
}

export function replyDeferredMapEnd(holder: usize, pairs: i64): void {
  if (respVersion == 2) replyDeferredEnd(holder, 42, pairs * 2);
  else replyDeferredEnd(holder, 37, pairs);
}

export function replyDeferredSetEnd(holder: usize, n: i64): void {
  replyDeferredEnd(holder, respVersion == 2 ? 42 : 126, n);
}
