/** DUMP and RESTORE: one value as bytes that any Redis of the same RDB version understands. */
import { free } from '../base/alloc';
import { blobLen, blobPtr } from '../base/blob';
import { client } from '../clients/client';
import {
  ITEM_NUM,
  itemFlags,
  itemMeta,
  itemReshape,
  itemSetExpire,
  itemSetMeta,
} from '../hashtable/item';
import {
  dbAt,
  dbDelete,
  lfuMinutes,
  lookupRead,
  lookupWrite,
  lruClock,
  signalModified,
} from '../keyspace/db';
import { skipChecksum } from '../keyspace/debug';
import { effectArg, effectBegin, effectInt, effectLiteral } from '../keyspace/effects';
import { entryNew, entryPutNew } from '../keyspace/entries';
import { NOTIFY_GENERIC, notifyKeyspaceEvent } from '../keyspace/notify';
import { isReplica, loading, markDirty, nowMs, policyLfu } from '../keyspace/state';
import { stringNewItem } from '../keyspace/strings';
import { freeEntry, freeValue } from '../keyspace/value';
import { DUMP_OK, DUMP_OOM, dumpEntry } from '../rdb/dump-entry';
import {
  isPayloadFooter,
  loadValuePayload,
  payloadKind,
  payloadValue,
} from '../rdb/load-payload';
import { ERR_MEMORY, RDB_NO_CHECKSUM } from '../rdb/opcodes';
import { sinkLen, sinkPtr, sinkTaken } from '../rdb/save-sink';
import { argInt, argI64OrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError } from '../resp/errors';
import { replyBulk, replyError, replyNull, replyOk } from '../resp/reply';
import { TYPE_STRING } from '../types/object';

export function cmdDump(): void {
  const item = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (item == 0) {
    replyNull();
    return;
  }
  const result = dumpEntry(item);
  if (result == DUMP_OK) {
    replyBulk(sinkPtr, <u32>sinkLen);
    sinkTaken();
  } else if (result == DUMP_OOM) {
    replyOom();
  } else {
    replyError('ERR DUMP of this type is not supported yet');
  }
}

// ---- RESTORE

let replace: bool = false;
let isAbsolute: bool = false;
/** Seconds of idleness, access counter; -1 = not given. */
let idleSec: i64 = -1;
let frequency: i64 = -1;
/** Expiry in unix ms; 0 = none. */
let expireMs: i64 = 0;

/** Reads the options from argument 4 on; false = answered with an error. */
function optionsOrReply(): bool {
  replace = false;
  isAbsolute = false;
  idleSec = -1;
  frequency = -1;
  for (let i: u32 = 4; i < argc; i++) {
    const more = i + 1 < argc;
    if (argIs(i, 'replace')) {
      replace = true;
    } else if (argIs(i, 'absttl')) {
      isAbsolute = true;
    } else if (argIs(i, 'idletime') && more && frequency == -1) {
      if (!argI64OrReply(++i)) return false;
      if (argInt < 0) {
        replyError('ERR Invalid IDLETIME value, must be >= 0');
        return false;
      }
      idleSec = argInt;
    } else if (argIs(i, 'freq') && more && idleSec == -1) {
      if (!argI64OrReply(++i)) return false;
      if (argInt < 0 || argInt > 255) {
        replyError('ERR Invalid FREQ value, must be >= 0 and <= 255');
        return false;
      }
      frequency = argInt;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return true;
}

/** The expiry of argument 2 in `expireMs`; false = answered with an error. */
function expireOrReply(): bool {
  if (!argI64OrReply(2)) return false;
  if (argInt < 0) {
    replyError('ERR Invalid TTL value, must be >= 0');
    return false;
  }
  // Redis: the sum may wrap, and then lies in the past.
  expireMs = argInt == 0 || isAbsolute ? argInt : argInt + nowMs;
  return true;
}

/** Loads the payload of argument 3 (`payloadValue`); false = answered with an error. */
function payloadOrReply(): bool {
  const code = loadValuePayload(argPtr(3), argLen(3), skipChecksum ? RDB_NO_CHECKSUM : 0);
  if (code == 0) return true;
  if (code == ERR_MEMORY) replyOom();
  else if (isPayloadFooter(code)) replyError('ERR DUMP payload version or checksum are wrong');
  else replyError('ERR Bad data format');
  return false;
}

/** The access clock that IDLETIME or FREQ ask for. */
function applyClock(item: usize): void {
  let clock: u32;
  if (policyLfu) {
    if (frequency < 0) return;
    clock = (lfuMinutes() << 8) | <u32>frequency;
  } else {
    if (idleSec < 0) return;
    const now = <i64>lruClock();
    // Redis: the product wraps; who claims to be older than the clock gets half its range.
    let at = now - (idleSec * 1000) / 1000;
    if (at < 0) at = (now + 0x7fffff) % 0xffffff;
    clock = <u32>at & 0xffffff;
  }
  itemSetMeta(item, (itemMeta(item) & 0xff) | (clock << 8));
}

function dropPayload(): void {
  freeValue(payloadKind & 15, payloadKind >>> 4, payloadValue);
}

/** The entry to store, around the payload's value; 0 = no memory, all of it freed. */
function finish(): usize {
  const value = payloadValue;
  let item: usize;
  if (payloadKind == TYPE_STRING) {
    item = stringNewItem(argPtr(1), argLen(1), blobPtr(value), blobLen(value));
    free(value);
  } else {
    item = entryNew(argPtr(1), argLen(1), payloadKind, value);
    if (item == 0) dropPayload();
  }
  if (item == 0) return 0;
  if (expireMs != 0) {
    const moved = itemReshape(item, itemFlags(item) | ITEM_NUM);
    if (moved == 0) {
      freeEntry(item);
      return 0;
    }
    item = moved;
    itemSetExpire(item, expireMs);
  }
  applyClock(item);
  return item;
}

function notify(event: string): void {
  notifyKeyspaceEvent(NOTIFY_GENERIC, event, client.db, argPtr(1), argLen(1));
}

/** RESTORE with an absolute expiry, for followers. */
function effectRestore(): void {
  effectBegin(client.db, argc + 1);
  for (let i: u32 = 0; i < argc; i++) {
    if (i == 2) effectInt(expireMs);
    else effectArg(argPtr(i), argLen(i));
  }
  effectLiteral('ABSTTL');
}

/** An expiry in the past: the key is gone, nothing is stored. */
function restoreExpired(db: usize): void {
  if (replace && dbDelete(db, argPtr(1), argLen(1))) {
    signalModified(db, argPtr(1), argLen(1));
    notify('del');
    markDirty(1);
    effectBegin(client.db, 2);
    effectLiteral('DEL');
    effectArg(argPtr(1), argLen(1));
  }
  replyOk();
}

export function cmdRestore(): void {
  if (!optionsOrReply()) return;
  const db = dbAt(client.db);
  if (!replace && lookupWrite(db, argPtr(1), argLen(1)) != 0) {
    replyError('BUSYKEY Target key name already exists.');
    return;
  }
  if (!expireOrReply()) return;
  if (!payloadOrReply()) return;
  if (expireMs != 0 && expireMs <= nowMs && !loading && !isReplica) {
    dropPayload();
    restoreExpired(db);
    return;
  }
  const item = finish();
  if (item == 0 || !entryPutNew(db, item)) {
    if (item != 0) freeEntry(item);
    replyOom();
    return;
  }
  signalModified(db, argPtr(1), argLen(1));
  notify('restore');
  markDirty(1);
  if (expireMs != 0 && !isAbsolute) effectRestore();
  replyOk();
}

/** The same from a node that moves a slot here; without a cluster there is no difference. */
export function cmdRestoreAsking(): void {
  cmdRestore();
}
