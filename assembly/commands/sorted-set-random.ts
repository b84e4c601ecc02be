/** ZRANDMEMBER. */
import { alloc, allocHeadroom, free } from '../base/alloc';
import { prngBelow } from '../base/prng';
import { sort32 } from '../base/sort';
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { argInt, argRangeOrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replyOutOfRange, replySyntaxError, replyWrongType } from '../resp/errors';
import {
  replyArray,
  replyBulk,
  replyDouble,
  replyFailed,
  replyNull,
  respVersion,
} from '../resp/reply';
import { elLen, elPtr, elScore } from '../types/element';
import { TYPE_ZSET } from '../types/object';
import { zsetLen, ZsetPos, zsetRandom, zsetSeek, zsetStep } from '../types/zset';

/** The shortest reply for a member: `$0`, CRLF, CRLF. */
const REPLY_MIN: u64 = 6;
/** More than this share of the members is drawn by walking over all of them. */
const SHARE: u64 = 3;

const pos = changetype<ZsetPos>(memory.data(16));

let zset: usize = 0;
let withScores: bool = false;

function zsetOrReply(): bool {
  zset = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (zset == 0 || entryType(zset) == TYPE_ZSET) return true;
  replyWrongType();
  return false;
}

function replyHead(count: i64): void {
  replyArray(withScores && respVersion == 2 ? count * 2 : count);
}

function replyMember(): void {
  if (withScores && respVersion > 2) replyArray(2);
  replyBulk(elPtr, elLen);
  if (withScores) replyDouble(elScore);
}

/** Redis: the whole set is told from the highest member down. */
function replyAll(): void {
  const count = zsetLen(zset);
  replyHead(count);
  let more = zsetSeek(zset, count - 1, pos);
  while (more) {
    replyMember();
    more = zsetStep(pos, false);
  }
}

/** `count` members, the same ones again and again perhaps. */
function replyRepeated(count: u64): void {
  // Redis would go on for as long as there is memory.
  if (count > <u64>allocHeadroom() / REPLY_MIN) {
    replyOom();
    return;
  }
  replyHead(count);
  for (; count != 0 && !replyFailed; count--) {
    zsetRandom(zset);
    replyMember();
  }
}

/** `count` different members, each set of them equally likely, by one walk over all. */
function replyByWalk(count: u32): void {
  replyHead(count);
  let left = zsetLen(zset);
  let more = zsetSeek(zset, 0, pos);
  while (more && count != 0) {
    if (prngBelow(left--) < count) {
      replyMember();
      count--;
    }
    more = zsetStep(pos, true);
  }
}

function rankOrder(a: u32, b: u32): i32 {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The same by drawing ranks, for few of many. */
function replyByRanks(count: u32): void {
  const ranks = alloc(<usize>count << 2);
  if (ranks == 0) {
    replyOom();
    return;
  }
  const size = zsetLen(zset);
  let have: u32 = 0;
  while (have < count) {
    // Ranks drawn twice are drawn again; each round most of the missing ones are found.
    for (let i = have; i < count; i++) store<u32>(ranks + (<usize>i << 2), prngBelow(size));
    sort32(ranks, count, <u32>rankOrder.index);
    have = 1;
    for (let i: u32 = 1; i < count; i++) {
      const rank = load<u32>(ranks + (<usize>i << 2));
      if (rank == load<u32>(ranks + (<usize>(have - 1) << 2))) continue;
      store<u32>(ranks + (<usize>have << 2), rank);
      have++;
    }
  }
  replyHead(count);
  for (let i: u32 = 0; i < count; i++) {
    zsetSeek(zset, load<u32>(ranks + (<usize>i << 2)), pos);
    replyMember();
  }
  free(ranks);
}

function replyCount(count: i64): void {
  if (zset == 0 || count == 0) replyArray(0);
  else if (count < 0) replyRepeated(-count);
  else if (count >= <i64>zsetLen(zset)) replyAll();
  else if (<u64>count * SHARE > zsetLen(zset)) replyByWalk(<u32>count);
  else replyByRanks(<u32>count);
}

export function cmdZrandmember(): void {
  withScores = argc >= 4;
  if (argc == 2) {
    if (!zsetOrReply()) return;
    if (zset == 0) {
      replyNull();
    } else {
      zsetRandom(zset);
      replyBulk(elPtr, elLen);
    }
    return;
  }
  if (!argRangeOrReply(2, -i64.MAX_VALUE, i64.MAX_VALUE)) return;
  if (argc > 4 || (withScores && !argIs(3, 'withscores'))) {
    replySyntaxError();
    return;
  }
  const most = i64.MAX_VALUE / 2;
  if (withScores && (argInt < -most || argInt > most)) {
    replyOutOfRange();
    return;
  }
  if (zsetOrReply()) replyCount(argInt);
}
