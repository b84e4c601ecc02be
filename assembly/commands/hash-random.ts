/**
 * Random fields: HRANDFIELD.
 *
 * Redis: what has expired is removed first. A replica removes nothing; there, expired fields are
 * drawn again, and where nearly all have expired, a field is chosen by a walk over all.
 */
import { allocHeadroom } from '../base/alloc';
import { prngBelow } from '../base/prng';
import { drawnAdd, drawnBegin, drawnEnd, sampleBegin, sampleTake } from '../base/sample';
import { client } from '../clients/client';
import { fieldIsHidden, fieldsSeen, fieldsSettleAll } from '../keyspace/hash-fields';
import { argInt, argRangeOrReply } from '../resp/arg-values';
import { argc, argIs } from '../resp/args';
import { replyOom, replyOutOfRange, replySyntaxError } from '../resp/errors';
import { replyArray, replyBulk, replyFailed, replyNull, respVersion } from '../resp/reply';
import { elLen, elPtr, valLen, valPtr } from '../types/element';
import { hashEach, hashLen, hashRandom } from '../types/hash';
import { hash, hashOrReply } from './hash-common';

/** The shortest reply for a field: `$0`, CRLF, CRLF. */
const REPLY_MIN: u64 = 6;
/** More than this share of the fields is drawn by walking over all of them. */
const SHARE: u64 = 3;
/** Expired fields drawn before a walk chooses. */
const TRIES: u32 = 100;

let withValues: bool = false;
/** The hash, and how many of its fields are to be seen. */
let from: usize = 0;
let seen: u32 = 0;

function replyHead(count: i64): void {
  replyArray(withValues && respVersion == 2 ? count * 2 : count);
}

function replyField(): void {
  if (withValues && respVersion > 2) replyArray(2);
  replyBulk(elPtr, elLen);
  if (withValues) replyBulk(valPtr, valLen);
}

let skipLeft: u32 = 0;
function replyNth(_arg: usize): void {
  if (fieldIsHidden()) return;
  if (skipLeft-- == 0) replyField();
}

/** One field, of those that are to be seen each as likely. */
function replyOne(): void {
  for (let tries = TRIES; tries != 0; tries--) {
    hashRandom(from);
    if (fieldIsHidden()) continue;
    replyField();
    return;
  }
  skipLeft = prngBelow(seen);
  hashEach(from, replyNth, 0);
}

function replyEach(_arg: usize): void {
  if (!fieldIsHidden()) replyField();
}

function replySampled(_arg: usize): void {
  if (!fieldIsHidden() && sampleTake()) replyField();
}

/** `count` fields, the same ones again and again perhaps. */
function replyRepeated(count: u64): void {
  // Redis would go on for as long as there is memory.
  if (count > <u64>allocHeadroom() / REPLY_MIN) {
    replyOom();
    return;
  }
  replyHead(count);
  for (; count != 0 && !replyFailed; count--) replyOne();
}

/** `count` different fields, each choice of them equally likely. */
function replyDifferent(count: u32): void {
  // Where some have expired, drawing may meet too few of the others.
  if (<u64>count * SHARE > seen || hashLen(from) != seen) {
    replyHead(count);
    sampleBegin(count, seen);
    hashEach(from, replySampled, 0);
    return;
  }
  if (!drawnBegin(count)) {
    replyOom();
    return;
  }
  replyHead(count);
  while (count != 0) {
    if (!drawnAdd(hashRandom(from))) continue;
    replyField();
    count--;
  }
  drawnEnd();
}

export function cmdHrandfield(): void {
  withValues = argc >= 4;
  if (argc > 2) {
    if (!argRangeOrReply(2, -i64.MAX_VALUE, i64.MAX_VALUE)) return;
    if (argc > 4 || (withValues && !argIs(3, 'withvalues'))) {
      replySyntaxError();
      return;
    }
    const most = i64.MAX_VALUE / 2;
    if (withValues && (argInt < -most || argInt > most)) {
      replyOutOfRange();
      return;
    }
  }
  if (!hashOrReply()) return;
  from = fieldsSettleAll(client.db, hash);
  seen = from == 0 ? 0 : fieldsSeen(from);
  if (argc == 2) {
    if (seen == 0) replyNull();
    else replyOne();
  } else if (seen == 0 || argInt == 0) {
    replyArray(0);
  } else if (argInt < 0) {
    replyRepeated(-argInt);
  } else if (argInt >= <i64>seen) {
    replyHead(seen);
    hashEach(from, replyEach, 0);
  } else {
    replyDifferent(<u32>argInt);
  }
}
