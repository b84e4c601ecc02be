/** Commands on whole databases, and the clock: DBSIZE FLUSHDB FLUSHALL SWAPDB TIME. */
import { client } from '../clients/client';
import {
  dbAt,
  dbCount,
  dbExpires,
  dbKeys,
  dbSetAvgTtl,
  dbSetExpireCursor,
  dbSwap,
  dbTickets,
} from '../keyspace/db';
import { effectNone, effectVerbatim } from '../keyspace/effects';
import { signalAllKeys } from '../keyspace/ready-keys';
import { markDirty } from '../keyspace/state';
import { ticketsClear } from '../keyspace/hash-tickets';
import { forgetTable, freeTableLater, freeTableNow } from '../keyspace/value';
import { trackingFlushed } from '../keyspace/tracking';
import { touchWatchedAll } from '../keyspace/watch';
import { argInt, argRangeOrReplyText } from '../resp/arg-values';
import { argc, argIs } from '../resp/args';
import { replySyntaxError } from '../resp/errors';
import { replyError, replyInt, replyOk } from '../resp/reply';

/** Databases of more entries are freed bit by bit whatever was asked for: no call may stall. */
const FREE_NOW_MAX: u32 = 10000;

export function cmdDbsize(): void {
  replyInt(dbKeys(dbAt(client.db)).count);
}

/** Empties a database; returns how many entries it had. */
function flush(db: usize, later: bool): u32 {
  const keys = dbKeys(db);
  const count = keys.count;
  touchWatchedAll(db, 0);
  signalAllKeys(db, 0);
  forgetTable(dbExpires(db));
  ticketsClear(dbTickets(db));
  if (later || count > FREE_NOW_MAX) freeTableLater(keys);
  else freeTableNow(keys);
  dbSetExpireCursor(db, 0);
  dbSetAvgTtl(db, 0);
  return count;
}

/** Whether the optional word is ASYNC in `isAsync`; false = answered with a syntax error. */
function flushOptionOrReply(): bool {
  isAsync = argc == 2 && argIs(1, 'async');
  if (argc == 1 || isAsync || (argc == 2 && argIs(1, 'sync'))) return true;
  replySyntaxError();
  return false;
}
let isAsync: bool = false;

/** Redis: flushing goes to followers even if there was nothing to flush. */
function effectAlways(): void {
  effectVerbatim(client.db);
  effectNone();
}

export function cmdFlushdb(): void {
  if (!flushOptionOrReply()) return;
  markDirty(flush(dbAt(client.db), isAsync));
  trackingFlushed();
  effectAlways();
  replyOk();
}

export function cmdFlushall(): void {
  if (!flushOptionOrReply()) return;
  let count: u64 = 0;
  for (let i: u32 = 0; i < dbCount; i++) count += flush(dbAt(i), isAsync);
  trackingFlushed();
  markDirty(count + 1);
  effectAlways();
  replyOk();
}

export function cmdSwapdb(): void {
  const least = i32.MIN_VALUE;
  const most = i32.MAX_VALUE;
  if (!argRangeOrReplyText(1, least, most, 'ERR invalid first DB index')) return;
  const first = argInt;
  if (!argRangeOrReplyText(2, least, most, 'ERR invalid second DB index')) return;
  const second = argInt;
  if (first < 0 || first >= <i64>dbCount || second < 0 || second >= <i64>dbCount) {
    replyError('ERR DB index is out of range');
    return;
  }
  const a = dbAt(<u32>first);
  const b = dbAt(<u32>second);
  if (a != b) {
    touchWatchedAll(a, b);
    touchWatchedAll(b, a);
    signalAllKeys(a, b);
    signalAllKeys(b, a);
    dbSwap(a, b);
  }
  markDirty(1);
  replyOk();
}

