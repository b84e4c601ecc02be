/**
 * Pushes: what clients are sent without having asked, whoever makes it (messages, invalidations,
 * MONITOR lines), and how much of it may pile up.
 *
 * A message is put together once, as bytes, and then added to the list of every receiver. The two
 * protocols differ in its first byte only. A long last element (a published message) is not copied
 * into it but sent from where it lies.
 *
 * To another client a push goes at once. To the client whose command runs it goes at once only
 * while nothing of the command's reply is written, as Redis has it; behind the first byte it is
 * held until the reply is whole. Redis: 7.0 writes it into the middle of EXEC's reply, which is no
 * valid reply then; since 7.2 it comes behind.
 *
 * Limits are those of client-output-buffer-limit. Who leaves more unread is closed, its output is
 * dropped there and then, and nothing more is added: memory for slow readers is bounded.
 */
import { free, realloc } from '../base/alloc';
import { writeLiteral } from '../base/literal';
import { ll2string } from '../base/numbers/integers';
import {
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_INTERNAL,
  CLIENT_LISTENS,
  Outbox,
  outboxList,
  PUSH_OVER_LIMIT,
  PUSH_PUBSUB,
  readyAdd,
} from '../resp/outbox';
import {
  replyAppend,
  replyAppendList,
  replyClear,
  replyCurrent,
  ReplyList,
  replyPosition,
} from '../resp/reply';
import { nowMs } from './state';

const HEADER_MAX: u32 = 24;
const INITIAL_CAP: u32 = 256;
/** A buffer that grew beyond this is not kept by `messageEnd`. */
const KEEP_CAP: u32 = 1 << 16;

/** MONITOR clients and clients that track; commands are looked at while there are any. */
export let observers: u32 = 0;
let running: usize = 0;
/** Where writing stood when nothing of the running command's reply was written. */
let mark: usize = 0;
/** Pushes for the running client that must wait for its reply. */
const held = changetype<ReplyList>(memory.data(16, 8));

export function observersChange(by: i32): void {
  observers += by;
}

/** Commands of this client run from here on; address 0: of none. */
export function pushRunning(o: Outbox): void {
  running = changetype<usize>(o);
}

/** The client whose commands run, 0 = none. */
// @ts-ignore: decorator
@inline export function runningClient(): usize {
  return running;
}

// @ts-ignore: decorator
@inline export function isRunning(o: Outbox): bool {
  return running == changetype<usize>(o);
}

/** Sets or clears PUSH_* bits. */
export function pushFlags(o: Outbox, set: u32, clear: u32): void {
  o.push = (o.push & ~clear) | set;
  if (o.push != 0) o.flags |= CLIENT_LISTENS;
  else o.flags &= ~CLIENT_LISTENS;
}

// ---- messages

let buffer: usize = 0;
let cap: u32 = 0;
let length: u32 = 0;
let failed: bool = false;
/** A last element that is sent from where it lies. */
let tailPtr: usize = 0;
let tailLen: u32 = 0;
const crlf = memory.data<u8>([13, 10]);

function room(need: u32): bool {
  if (length + need <= cap) return true;
  const want = max(max(cap * 2, INITIAL_CAP), length + need);
  const moved: usize = want < need || failed ? 0 : realloc(buffer, want);
  if (moved == 0) {
    failed = true;
    return false;
  }
  buffer = moved;
  cap = want;
  return true;
}

/** Starts a message of `count` elements. */
export function messageBegin(count: u32): void {
  messageText();
  messageHeader(62, count);
}

/** Starts a message that is no push but bytes as they are, the same in both protocols. */
export function messageText(): void {
  length = 0;
  failed = false;
  tailLen = 0;
  tailPtr = 0;
}

/** All that were to get the message have it. */
export function messageEnd(): void {
  if (cap <= KEEP_CAP) return;
  free(buffer);
  buffer = 0;
  cap = 0;
}

/** A type byte, a number and CRLF. */
export function messageHeader(kind: u8, n: u64): void {
  if (!room(HEADER_MAX)) return;
  const at = buffer + length;
  store<u8>(at, kind);
  const digits = ll2string(n, at + 1);
  store<u16>(at + 1 + digits, 0x0a0d);
  length += digits + 3;
}

export function messageBytes(ptr: usize, len: u32): void {
  if (!room(len)) return;
  memory.copy(buffer + length, ptr, len);
  length += len;
}

export function messageByte(byte: u32): void {
  if (!room(1)) return;
  store<u8>(buffer + length, <u8>byte);
  length++;
}

/** Decimal digits. */
export function messageDigits(n: i64): void {
  if (room(HEADER_MAX)) length += ll2string(n, buffer + length);
}

export function messageWord(text: string): void {
  if (room(<u32>text.length)) length += writeLiteral(buffer + length, text);
}

/** A bulk string. */
export function messageBulk(ptr: usize, len: u32): void {
  messageHeader(36, len);
  messageBytes(ptr, len);
  messageWord('\r\n');
}

/** A literal as a bulk string. */
export function messageLiteral(text: string): void {
  messageHeader(36, text.length);
  messageWord(text);
  messageWord('\r\n');
}

/** A bulk string as the last element; the bytes must stay until the last `messageTo`. */
export function messageTail(ptr: usize, len: u32): void {
  messageHeader(36, len);
  tailPtr = ptr;
  tailLen = len;
  if (len == 0) messageWord('\r\n');
}

/**
 * Adds the message to what a client will be sent. `after`: behind the reply if the client's own
 * command runs, even if nothing is written yet. Without memory the client is closed.
 */
export function messageTo(o: Outbox, after: bool = false): void {
  // Redis: who has said goodbye is told nothing more.
  if (o.flags & (CLIENT_CLOSE_NOW | CLIENT_CLOSE_AFTER_REPLY)) return;
  if (failed) {
    shut(o);
    return;
  }
  const first = load<u8>(buffer);
  if (first == 62 && o.resp == 2) store<u8>(buffer, 42);
  deliver(o, after);
  store<u8>(buffer, first);
}

function deliver(o: Outbox, after: bool): void {
  const list = outboxList(o);
  const here = replyCurrent() == changetype<usize>(o);
  if ((here && (after || replyPosition() != mark)) || (after && isRunning(o))) {
    if (!addTo(held)) shut(o);
    return;
  }
  if (!addTo(list)) shut(o);
  if (here) mark = replyPosition();
  else if (isOverLimit(o)) shutOverLimit(o);
  else readyAdd(o);
}

function addTo(list: ReplyList): bool {
  if (!replyAppend(list, buffer, length)) return false;
  return tailLen == 0 || (replyAppend(list, tailPtr, tailLen) && replyAppend(list, crlf, 2));
}

/** The running client's next command has written nothing yet. */
export function pushMark(): void {
  mark = replyPosition();
}

/** The running command's reply is whole: what was held goes out. */
// @ts-ignore: decorator
@inline export function pushRelease(): void {
  if (held.head != 0) replyAppendList(held);
}

/** Closes a client at once; its output is dropped. */
function shut(o: Outbox): void {
  o.flags |= CLIENT_CLOSE_NOW;
  if (replyCurrent() != changetype<usize>(o)) replyClear(outboxList(o));
  readyAdd(o);
}

// ---- limits

export const CLASS_NORMAL: u32 = 0;
export const CLASS_REPLICA: u32 = 1;
export const CLASS_PUBSUB: u32 = 2;
const CLASSES: u32 = 3;

/** Redis: the first bytes go to a buffer of the client itself, which does not count. */
const UNCOUNTED: u32 = 16384;

/** Per class: u32 hard, u32 soft, both bytes and 0 = none, u32 ms above soft, unused. */
const limits = memory.data(<i32>CLASSES * 16, 8);

/** Sets the limits of a class; 0 bytes = none. */
export function limitConfigure(which: u32, hard: f64, soft: f64, softSec: f64): void {
  if (which >= CLASSES) return;
  const at = limits + (<usize>which << 4);
  store<u32>(at, <u32>min<f64>(hard, u32.MAX_VALUE));
  store<u32>(at, <u32>min<f64>(soft, u32.MAX_VALUE), 4);
  store<u32>(at, <u32>min<f64>(softSec * 1000, u32.MAX_VALUE), 8);
}

/** CLASS_*: which limits apply. */
export function outputClass(o: Outbox): u32 {
  return o.push & PUSH_PUBSUB ? CLASS_PUBSUB : CLASS_NORMAL;
}

/** Bytes at which a reply that is being written need not go on. */
export function limitWhileWriting(o: Outbox): u32 {
  const hard = load<u32>(limits + (<usize>outputClass(o) << 4));
  if (hard == 0 || hard > u32.MAX_VALUE - UNCOUNTED || o.flags & CLIENT_INTERNAL) {
    return u32.MAX_VALUE;
  }
  return hard + UNCOUNTED;
}

function isOverLimit(o: Outbox): bool {
  if (o.replyBytes <= UNCOUNTED) {
    o.aboveSoftMs = 0;
    return false;
  }
  const used = o.replyBytes - UNCOUNTED;
  const at = limits + (<usize>outputClass(o) << 4);
  const hard = load<u32>(at);
  const soft = load<u32>(at, 4);
  if (hard != 0 && used >= hard) return true;
  if (soft == 0 || used < soft) {
    o.aboveSoftMs = 0;
    return false;
  }
  if (o.aboveSoftMs == 0) {
    o.aboveSoftMs = nowMs;
    return false;
  }
  return nowMs - o.aboveSoftMs > <i64>load<u32>(at, 8);
}

function shutOverLimit(o: Outbox): void {
  pushFlags(o, PUSH_OVER_LIMIT, 0);
  shut(o);
}

/** Closes a client whose output is above its limits; not while its list is being written. */
export function limitCheck(o: Outbox): void {
  if (o.replyHead == 0 || o.flags & (CLIENT_CLOSE_NOW | CLIENT_INTERNAL)) return;
  if (isOverLimit(o)) shutOverLimit(o);
}
