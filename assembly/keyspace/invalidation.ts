/**
 * Invalidation messages: who gets those of a client that tracks, and in which form.
 *
 *   ref    +0 u32 outbox, 0 = the client is gone      +4 u32 clients that redirect to it
 *          +8 u32 tracked keys that name it           +12 u32 next, +16 u32 previous ref
 *
 * A ref stands for a client where it may be gone by the time it is looked at, and outlives it until
 * nothing names it: so a client that goes away costs nothing, however many keys it has read.
 *
 * One message is in the making at a time (push.ts): `invalidationBegin` says what it tells of, each
 * `invalidationSend` puts it together in the form the receiver needs, if it is not so already.
 */
import { alloc, free } from '../base/alloc';
import { Outbox, PUSH_BROKEN_REDIRECT, PUSH_PUBSUB, PUSH_TARGET } from '../resp/outbox';
import {
  messageBegin,
  messageBulk,
  messageDigits,
  messageHeader,
  messageLiteral,
  messageTo,
  messageWord,
  pushFlags,
} from './push';

const REF_OUTBOX: usize = 0;
const REF_REDIRECTS: usize = 4;
const REF_KEYS: usize = 8;
const REF_NEXT: usize = 12;
const REF_PREV: usize = 16;
const REF_SIZE: usize = 20;

let refs: usize = 0;

// ---- refs

/** The ref of a client, made if need be; 0 = no memory. */
export function refOf(o: Outbox): usize {
  if (o.ref != 0) return o.ref;
  const ref = alloc(REF_SIZE);
  if (ref == 0) return 0;
  store<u32>(ref, <u32>changetype<usize>(o), REF_OUTBOX);
  store<u32>(ref, 0, REF_REDIRECTS);
  store<u32>(ref, 0, REF_KEYS);
  store<u32>(ref, <u32>refs, REF_NEXT);
  store<u32>(ref, 0, REF_PREV);
  if (refs != 0) store<u32>(refs, <u32>ref, REF_PREV);
  refs = ref;
  o.ref = <u32>ref;
  return ref;
}

/** Frees a ref that nothing needs any more. */
function refRelease(ref: usize): void {
  const uses = load<u32>(ref, REF_REDIRECTS) | load<u32>(ref, REF_KEYS);
  if ((uses | load<u32>(ref, REF_OUTBOX)) != 0) return;
  const next: usize = load<u32>(ref, REF_NEXT);
  const prev: usize = load<u32>(ref, REF_PREV);
  if (next != 0) store<u32>(next, <u32>prev, REF_PREV);
  if (prev != 0) store<u32>(prev, <u32>next, REF_NEXT);
  else refs = next;
  free(ref);
}

/** The client a ref stands for; address 0 when it is gone. */
// @ts-ignore: decorator
@inline export function refClient(ref: usize): Outbox {
  return changetype<Outbox>(<usize>load<u32>(ref, REF_OUTBOX));
}

/** The client goes away. */
export function refForget(o: Outbox): void {
  const ref: usize = o.ref;
  if (ref == 0) return;
  o.ref = 0;
  store<u32>(ref, 0, REF_OUTBOX);
  refRelease(ref);
}

/** One tracked key more (`by` 1) or less (-1) names the ref, which may be gone then. */
export function refCountKey(ref: usize, by: i32): void {
  store<u32>(ref, load<u32>(ref, REF_KEYS) + by, REF_KEYS);
  refRelease(ref);
}

/** No tracked key names any ref any more. O(refs). */
export function refDropKeys(): void {
  for (let ref = refs; ref != 0; ) {
    const next: usize = load<u32>(ref, REF_NEXT);
    store<u32>(ref, 0, REF_KEYS);
    refRelease(ref);
    ref = next;
  }
}

// ---- redirection

/**
 * `target` (address 0: nobody) stands in for the client from now on; `id` is the target's id.
 * False: no memory, nothing changed.
 */
export function redirectSet(o: Outbox, target: Outbox, id: u64): bool {
  const stands = changetype<usize>(target) != 0;
  const ref: usize = stands ? refOf(target) : 0;
  if (stands && ref == 0) return false;
  redirectDrop(o);
  if (!stands) return true;
  store<u32>(ref, load<u32>(ref, REF_REDIRECTS) + 1, REF_REDIRECTS);
  o.redirect = <u32>ref;
  o.redirectIdLo = <u32>id;
  o.redirectIdHi = <u32>(id >>> 32);
  pushFlags(target, PUSH_TARGET, 0);
  return true;
}

export function redirectDrop(o: Outbox): void {
  const ref: usize = o.redirect;
  if (ref == 0) return;
  o.redirect = 0;
  store<u32>(ref, load<u32>(ref, REF_REDIRECTS) - 1, REF_REDIRECTS);
  refRelease(ref);
}

/** The id of who stands in for the client, 0 = nobody does. */
export function redirectId(o: Outbox): u64 {
  return o.redirect == 0 ? 0 : (<u64>o.redirectIdHi << 32) | o.redirectIdLo;
}

// ---- messages

const FORM_NONE: u32 = 0;
const FORM_PUSH: u32 = 1;
const FORM_CHANNEL: u32 = 2;

/** What the message in push.ts is now. */
let form: u32 = FORM_NONE;
/** Writes what the message tells of. */
let body: (resp: u32) => void = bodyNull;
let keyPtr: usize = 0;
let keyLen: u32 = 0;

function bodyNull(resp: u32): void {
  // Redis: null is written in the protocol of who tracks, which who gets it may not know.
  messageWord(resp == 2 ? '$-1\r\n' : '_\r\n');
}

function bodyKey(_resp: u32): void {
  messageHeader(42, 1);
  messageBulk(keyPtr, keyLen);
}

/** What is sent from here on: whatever `write` writes, a RESP value in the given protocol. */
export function invalidationBegin(write: (resp: u32) => void): void {
  form = FORM_NONE;
  body = write;
}

/** What is sent from here on: one key. The bytes must stay until the last `invalidationSend`. */
export function invalidationOfKey(ptr: usize, len: u32): void {
  keyPtr = ptr;
  keyLen = len;
  invalidationBegin(bodyKey);
}

/** What is sent from here on: null, which stands for all keys. */
export function invalidationOfAll(): void {
  invalidationBegin(bodyNull);
}

function compose(wanted: u32, resp: u32): void {
  form = wanted;
  if (wanted == FORM_PUSH) {
    messageBegin(2);
    messageLiteral('invalidate');
  } else {
    messageBegin(3);
    messageLiteral('message');
    messageLiteral('__redis__:invalidate');
  }
  body(resp);
}

function sendBroken(o: Outbox): void {
  pushFlags(o, PUSH_BROKEN_REDIRECT, 0);
  if (o.resp == 2) return;
  messageBegin(2);
  messageLiteral('tracking-redir-broken');
  messageWord(':');
  messageDigits(<i64>redirectId(o));
  messageWord('\r\n');
  form = FORM_NONE;
  messageTo(o, true);
}

/** Sends the present body to a client that tracks, or to who stands in for it. */
export function invalidationSend(o: Outbox): void {
  let to = o;
  if (o.redirect != 0) {
    to = refClient(o.redirect);
    if (changetype<usize>(to) == 0) {
      sendBroken(o);
      return;
    }
  }
  let wanted = FORM_PUSH;
  if (to.resp == 2) {
    // RESP2 knows no pushes: it takes a subscriber to get one, and somebody who redirects.
    if (o.redirect == 0 || (to.push & PUSH_PUBSUB) == 0) return;
    wanted = FORM_CHANNEL;
  }
  if (form != wanted) compose(wanted, to.resp);
  messageTo(to, changetype<usize>(to) == changetype<usize>(o));
}
