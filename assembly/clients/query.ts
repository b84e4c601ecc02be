/**
 * From bytes to commands: request framing for RESP2/RESP3 multibulk and inline commands, pipelined
 * and split anywhere.
 *
 * Two parsers. The *batch parser* reads up to BATCH complete multibulk commands from one chunk, in
 * place, so that they can be run in phases (see commands/process.ts): it accepts only what is
 * complete and plain and otherwise stops. The *slow parser* takes over from there: it goes byte by
 * byte through the client's own query buffer, remembers where it was, knows inline commands, all
 * limits and all of Redis' protocol errors. Both read the same grammar:
 *
 *   *<argc>\r\n ( $<len>\r\n <bytes>\r\n ){argc}    or    word word "quoted" 'word'\r\n
 *
 * Bytes come in through one shared read buffer. What is left over after the complete commands is
 * copied to the client's query buffer; the next chunk is parsed where the leftover fits in front of
 * it (the headroom), so a pipeline is never copied whole.
 *
 * The query buffer grows with the bytes that arrive, never by an announced length.
 */
import {
  allocUrgent,
  free,
  goodSize,
  realloc,
  reallocUrgent,
  usableSize,
} from '../base/alloc';
import { splitWord, wordEnd, wordStart } from '../base/words';
import { setArgs } from '../resp/args';
import { protoMaxBulkLen } from '../keyspace/state';
import { accessIsOpen } from './acl-user';
import {
  Client,
  CLIENT_AUTHENTICATED,
  CLIENT_CLOSE_NOW,
  CLIENT_MASTER,
  CLIENT_REFUSED,
  clientResetQuery,
  countQueryBytes,
} from './client';

/** Commands run as one batch. */
export const BATCH: u32 = 32;
/** Room for the argument pairs of one batch. */
const PAIRS: u32 = 8192;
/** Longest inline command, and longest multibulk or bulk header. */
const INLINE_MAX: u32 = 64 * 1024;
const MULTIBULK_MAX: i64 = i32.MAX_VALUE;
const UNAUTH_MULTIBULK_MAX: i64 = 10;
const UNAUTH_BULK_MAX: i64 = 16384;

/** Leftovers up to this size are put in front of the next chunk instead of in a buffer. */
export const HEADROOM: u32 = 65536;
/** Bytes the host may read at once. */
export const READ_SIZE: u32 = 65536;

const pairs = memory.data(<i32>PAIRS * 8, 16);
/** One row per batched command: argc, address of its pairs. */
const batchRows = memory.data(<i32>BATCH * 8, 16);

/** Commands found by the last `parseBatch`. */
export let batchCount: u32 = 0;
/** Where the last `parseBatch` stopped: the first byte not consumed. */
export let batchEnd: usize = 0;
/** It stopped because the tables were full: more may follow without the slow parser. */
export let batchFull: bool = false;

export function batchArgc(i: u32): u32 {
  return load<u32>(batchRows + (<usize>i << 3));
}
export function batchArgv(i: u32): usize {
  return load<u32>(batchRows + (<usize>i << 3), 4);
}

let numberEnd: usize = 0;

/**
 * A decimal of one to nine digits with \r\n behind it, at `p`; -1 when it is anything else or not
 * complete. Leaves the address behind the \n in `numberEnd`.
 */
// @ts-ignore: decorator
@inline function plainNumber(p: usize, end: usize): i32 {
  // Two digits or fewer is what nearly all headers have.
  if (p + 4 > end) return -1;
  let n: u32 = <u32>load<u8>(p) - 48;
  if (n > 9) return -1;
  let c: u32 = load<u8>(p, 1);
  if (c == 13) {
    numberEnd = p + 3;
    return load<u8>(p, 2) == 10 ? n : -1;
  }
  // Leading zeros are for the slow parser to refuse.
  return n == 0 ? -1 : longNumber(p + 1, end, n);
}

function longNumber(p: usize, end: usize, n: u32): i32 {
  const stop = min(end, p + 8);
  while (p < stop) {
    const c: u32 = <u32>load<u8>(p) - 48;
    if (c > 9) break;
    n = n * 10 + c;
    p++;
  }
  if (p + 2 > end || load<u16>(p) != 0x0a0d) return -1;
  numberEnd = p + 2;
  return n;
}

/**
 * Reads complete plain multibulk commands from [p, end) into the batch tables; none for a client
 * that is not authenticated, because its limits are the slow parser's business.
 */
export function parseBatch(c: Client, p: usize, end: usize): void {
  let count: u32 = 0;
  let used: u32 = 0;
  batchFull = false;
  while (p < end && !isUnauthenticated(c)) {
    if (count == BATCH) {
      batchFull = true;
      break;
    }
    if (load<u8>(p) != 42) break;
    const n = plainNumber(p + 1, end);
    if (n <= 0) break;
    if (used + n > PAIRS) {
      batchFull = count != 0;
      break;
    }
    const args = parseArgs(numberEnd, end, n, used);
    if (args == 0) break;
    store<u32>(batchRows + (<usize>count << 3), n);
    store<u32>(batchRows + (<usize>count << 3), <u32>(pairs + (<usize>used << 3)), 4);
    count++;
    used += n;
    p = args;
  }
  batchCount = count;
  batchEnd = p;
}

/** The address behind `n` arguments at `p`, their pairs stored from `used` on; 0 = incomplete. */
// @ts-ignore: decorator
@inline function parseArgs(p: usize, end: usize, n: u32, used: u32): usize {
  let at = pairs + (<usize>used << 3);
  for (let i: u32 = 0; i < n; i++) {
    if (p >= end || load<u8>(p) != 36) return 0;
    const len = plainNumber(p + 1, end);
    if (len < 0) return 0;
    const ptr = numberEnd;
    if (<u64>ptr + len + 2 > <u64>end) return 0;
    if (load<u16>(ptr + len) != 0x0a0d) return 0;
    store<u32>(at, <u32>ptr);
    store<u32>(at, len, 4);
    at += 8;
    p = ptr + len + 2;
  }
  return p;
}

// ---- the query buffer

/** client-query-buffer-limit. Set by the host. */
let queryMax: u64 = 1 << 30;

export function querySetMax(bytes: u64): void {
  queryMax = bytes;
}

/** Whether `len` more bytes pass client-query-buffer-limit. */
export function isQueryTooLong(c: Client, len: u32): bool {
  return <u64>c.qlen + len > queryMax && (c.flags & CLIENT_MASTER) == 0;
}

/** Appends bytes to a client's query buffer; false when memory ran out or it grew too large. */
export function queryAppend(c: Client, ptr: usize, len: u32): bool {
  const need: u64 = <u64>c.qlen + len;
  if (isQueryTooLong(c, len)) return false;
  if (need > <u64>c.qcap) {
    // Doubling up to a limit keeps the copies few; beyond it a steady step keeps the waste small.
    const grow: u64 = need < 64 << 20 ? need * 2 : need + (32 << 20);
    const want = goodSize(<usize>min<u64>(grow, 0xf0000000));
    if (<u64>want < need) return false;
    let moved = realloc(c.qbuf, want);
    // In a full core requests of up to a chunk are still taken.
    if (moved == 0) moved = reallocUrgent(c.qbuf, goodSize(<usize>need));
    if (moved == 0) return false;
    const cap = usableSize(moved);
    countQueryBytes(<isize>cap - <isize>c.qcap);
    c.qbuf = <u32>moved;
    c.qcap = <u32>cap;
  }
  memory.copy(<usize>c.qbuf + c.qlen, ptr, len);
  c.qlen += len;
  return true;
}

/** Drops the executed front of the query buffer; frees it when nothing is left. */
export function queryTrim(c: Client): void {
  const left = c.qlen - c.qpos;
  if (left == 0 && c.multibulkLeft == 0) {
    if (c.qbuf != 0) countQueryBytes(-<isize>c.qcap);
    free(c.qbuf);
    c.qbuf = 0;
    c.qcap = 0;
  } else if (c.qpos != 0) {
    memory.copy(c.qbuf, <usize>c.qbuf + c.qpos, left);
    if (c.multibulkLeft != 0) moveArgs(c, c.qpos);
  }
  c.qlen = left;
  c.parsePos = c.parsePos > c.qpos ? c.parsePos - c.qpos : 0;
  c.qpos = 0;
}

/** The arguments of a half-read command are noted by offset; the buffer moved down by `by`. */
function moveArgs(c: Client, by: u32): void {
  for (let i: u32 = 0; i < c.pargc; i++) {
    const at: usize = <usize>c.pargv + (<usize>i << 3);
    store<u32>(at, load<u32>(at) - by);
  }
}

// ---- the slow parser

export const PARSE_MORE: i32 = 0;
export const PARSE_COMMAND: i32 = 1;
/** An empty line or `*0`: nothing to run. */
export const PARSE_EMPTY: i32 = 2;
export const PARSE_ERROR: i32 = 3;

/** With PARSE_ERROR: the text behind `ERR Protocol error: `. */
export let parseError: string = '';
/** … and a byte that the text ends with in quotes, or -1. */
export let parseErrorByte: i32 = -1;

/** Gathered words of an inline command; freed with the next one. */
let inlineBytes: usize = 0;

function fail(text: string, byte: i32 = -1): i32 {
  parseError = text;
  parseErrorByte = byte;
  return PARSE_ERROR;
}

/**
 * Goes on with the command at the front of the query buffer. PARSE_COMMAND: its arguments are set
 * (resp/args.ts), they lie in the query buffer until `queryTrim`, and `qpos` is behind it.
 */
export function parseSlow(c: Client): i32 {
  if (c.multibulkLeft == 0) {
    if (c.qpos >= c.qlen) return PARSE_MORE;
    if (load<u8>(<usize>c.qbuf + c.qpos) != 42) return parseInline(c);
    const started = startMultibulk(c);
    if (started != PARSE_COMMAND) return started;
  }
  return parseBulks(c);
}

/** Offset of the \r of the line at `from`, -1 when it is not there yet. */
function lineEnd(c: Client, from: u32): i64 {
  const base: usize = c.qbuf;
  for (let i = from; i + 1 < c.qlen; i++) {
    if (load<u8>(base + i) == 13) return i;
  }
  return -1;
}

/** string2ll's strictness on [from, to) of the query buffer; false = not a number. */
function strictNumber(c: Client, from: u32, to: u32): bool {
  let p: usize = <usize>c.qbuf + from;
  const end: usize = <usize>c.qbuf + to;
  if (p == end) return false;
  const negative = load<u8>(p) == 45;
  if (negative) p++;
  if (p == end || end - p > 19) return false;
  const first: u32 = load<u8>(p);
  if (first == 48 && (negative || end - p > 1)) return false;
  let n: u64 = 0;
  while (p < end) {
    const d: u32 = <u32>load<u8>(p) - 48;
    if (d > 9) return false;
    n = n * 10 + d;
    p++;
  }
  if (n > <u64>i64.MAX_VALUE + (negative ? 1 : 0)) return false;
  parsedNumber = negative ? -<i64>n : <i64>n;
  return true;
}
let parsedNumber: i64 = 0;

// @ts-ignore: decorator
@inline function isUnauthenticated(c: Client): bool {
  return (c.flags & (CLIENT_AUTHENTICATED | CLIENT_MASTER)) == 0 && !accessIsOpen();
}

/** Reads `*n\r\n`. PARSE_COMMAND: n > 0 and the arguments follow. */
function startMultibulk(c: Client): i32 {
  const cr = lineEnd(c, c.qpos);
  if (cr < 0) {
    return c.qlen - c.qpos > INLINE_MAX ? fail('too big mbulk count string') : PARSE_MORE;
  }
  if (!strictNumber(c, c.qpos + 1, <u32>cr) || parsedNumber > MULTIBULK_MAX) {
    return fail('invalid multibulk length');
  }
  if (parsedNumber > UNAUTH_MULTIBULK_MAX && isUnauthenticated(c)) {
    return fail('unauthenticated multibulk length');
  }
  c.parsePos = <u32>cr + 2;
  if (parsedNumber <= 0) {
    c.qpos = c.parsePos;
    return PARSE_EMPTY;
  }
  c.multibulkLeft = <u32>parsedNumber;
  c.bulkLen = -1;
  c.pargc = 0;
  return PARSE_COMMAND;
}

function parseBulks(c: Client): i32 {
  while (c.multibulkLeft > 0) {
    if (c.bulkLen < 0) {
      const header = parseBulkHeader(c);
      if (header != PARSE_COMMAND) return header;
    }
    const len: u32 = c.bulkLen;
    if (<u64>c.qlen - c.parsePos < <u64>len + 2) return PARSE_MORE;
    if (!pushArg(c, c.parsePos, len)) return fail('out of memory');
    // Redis: the two bytes behind an argument are skipped, whatever they are.
    c.parsePos += len + 2;
    c.bulkLen = -1;
    c.multibulkLeft--;
  }
  c.qpos = c.parsePos;
  for (let i: u32 = 0; i < c.pargc; i++) {
    const at: usize = <usize>c.pargv + (<usize>i << 3);
    store<u32>(at, load<u32>(at) + c.qbuf);
  }
  setArgs(c.pargc, c.pargv);
  return PARSE_COMMAND;
}

function parseBulkHeader(c: Client): i32 {
  const cr = lineEnd(c, c.parsePos);
  if (cr < 0) {
    return c.qlen - c.parsePos > INLINE_MAX ? fail('too big bulk count string') : PARSE_MORE;
  }
  const first = load<u8>(<usize>c.qbuf + c.parsePos);
  if (first != 36) return fail("expected '$', got '", first);
  const ok = strictNumber(c, c.parsePos + 1, <u32>cr);
  const unlimited = (c.flags & CLIENT_MASTER) != 0;
  if (!ok || parsedNumber < 0 || (!unlimited && <u64>parsedNumber > protoMaxBulkLen)) {
    return fail('invalid bulk length');
  }
  if (parsedNumber > i32.MAX_VALUE) return fail('invalid bulk length');
  if (parsedNumber > UNAUTH_BULK_MAX && isUnauthenticated(c)) {
    return fail('unauthenticated bulk length');
  }
  c.bulkLen = <i32>parsedNumber;
  c.parsePos = <u32>cr + 2;
  return PARSE_COMMAND;
}

/** Notes an argument by its offset; the pairs become addresses when the command is complete. */
function pushArg(c: Client, offset: u32, len: u32): bool {
  if (c.pargc == c.pargvCap) {
    const cap = max<u32>(c.pargvCap * 2, 16);
    const moved = reallocUrgent(c.pargv, <usize>cap << 3);
    if (moved == 0) return false;
    c.pargv = <u32>moved;
    c.pargvCap = cap;
  }
  const at: usize = <usize>c.pargv + (<usize>c.pargc << 3);
  store<u32>(at, offset);
  store<u32>(at, len, 4);
  c.pargc++;
  return true;
}

// ---- requests that find no memory

/** Longest header that can be right: a sign, ten digits, CRLF. */
const HEADER_MAX: u32 = 32;
const headerBytes = memory.data(32);

/**
 * The request in the query buffer cannot be kept: what there is of it is dropped, and the rest will
 * be as it comes (`querySkip`), so that the client can be answered and goes on. False: the client
 * must be closed, because it is not known where the request ends, or not even a header finds room.
 */
export function queryRefuse(c: Client): bool {
  const left = c.multibulkLeft;
  const inBulk = left != 0 && c.bulkLen >= 0;
  // What was received of the header that comes next, or of a command not begun.
  const from = inBulk ? c.qlen : left != 0 ? c.parsePos : c.qpos;
  const have = c.qlen - from;
  if (have > HEADER_MAX) return false;
  const skip: u32 = inBulk ? <u32>c.bulkLen + 2 - (c.qlen - c.parsePos) : 0;
  memory.copy(headerBytes, <usize>c.qbuf + from, have);
  clientResetQuery(c);
  c.multibulkLeft = left;
  c.skipBytes = skip;
  c.flags |= CLIENT_REFUSED;
  return have == 0 || queryAppend(c, headerBytes, have);
}

/**
 * Throws away bytes of a refused request; the address behind them. CLIENT_REFUSED is gone when all
 * of it was there; with CLIENT_CLOSE_NOW it is no request.
 */
export function querySkip(c: Client, p: usize, end: usize): usize {
  while (p < end) {
    if (c.skipBytes == 0) {
      p = skipHeader(c, p, end);
      if (c.flags & CLIENT_CLOSE_NOW) return end;
      continue;
    }
    const n = <u32>min<usize>(c.skipBytes, end - p);
    c.skipBytes -= n;
    p += n;
    if (c.skipBytes != 0 || --c.multibulkLeft != 0) continue;
    clientResetQuery(c);
    c.flags &= ~CLIENT_REFUSED;
    break;
  }
  return p;
}

/** Gathers a header in the query buffer, and reads it when it is whole. */
function skipHeader(c: Client, p: usize, end: usize): usize {
  let last: u32 = 0;
  while (p < end && last != 10) {
    last = load<u8>(p);
    if (c.qlen == HEADER_MAX || !queryAppend(c, p++, 1)) {
      c.flags |= CLIENT_CLOSE_NOW;
      return end;
    }
  }
  if (last != 10) return p;
  const kind: u32 = c.multibulkLeft == 0 ? 42 : 36;
  const isNumber = load<u8>(c.qbuf) == kind && c.qlen > 3 && strictNumber(c, 1, c.qlen - 2);
  if (!isNumber || parsedNumber < (kind == 42 ? 1 : 0) || parsedNumber > MULTIBULK_MAX) {
    c.flags |= CLIENT_CLOSE_NOW;
    return end;
  }
  if (kind == 42) c.multibulkLeft = <u32>parsedNumber;
  else c.skipBytes = <u32>parsedNumber + 2;
  c.qlen = 0;
  return p;
}

// ---- inline commands

function parseInline(c: Client): i32 {
  const base: usize = c.qbuf;
  let nl = c.qpos;
  // Redis: a NUL hides the end of the line from it, so it waits, up to the limit.
  while (nl < c.qlen && load<u8>(base + nl) != 10 && load<u8>(base + nl) != 0) nl++;
  if (nl == c.qlen || load<u8>(base + nl) == 0) {
    return c.qlen - c.qpos > INLINE_MAX ? fail('too big inline request') : PARSE_MORE;
  }
  const start = c.qpos;
  let stop = nl;
  if (stop > start && load<u8>(base + stop - 1) == 13) stop--;
  c.qpos = nl + 1;
  if (c.flags & CLIENT_MASTER && stop > start) {
    // A master sends bare newlines as a sign of life, and nothing else inline.
    return fail('Master using the inline protocol. Desync?');
  }
  return splitLine(c, base + start, base + stop);
}

function splitLine(c: Client, p: usize, end: usize): i32 {
  free(inlineBytes);
  inlineBytes = allocUrgent(end - p + 1);
  if (inlineBytes == 0) return fail('out of memory');
  c.pargc = 0;
  let to = inlineBytes;
  for (;;) {
    p = wordStart(p, end);
    if (p == 0) break;
    const word = to;
    p = splitWord(p, end, to);
    if (p == 0) return fail('unbalanced quotes in request');
    to = wordEnd;
    if (!pushArg(c, <u32>word, <u32>(to - word))) return fail('out of memory');
  }
  if (c.pargc == 0) return PARSE_EMPTY;
  setArgs(c.pargc, c.pargv);
  return PARSE_COMMAND;
}
