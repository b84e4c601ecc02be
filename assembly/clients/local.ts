/**
 * Reads by the process that holds the core, without a request and without a reply: GET as a plain
 * call. Everything else in-process goes through an internal client like any other request.
 */
import { clientAt } from './client';
import { dbAt, dbCount, dbKeys, entryType, lookupRead } from '../keyspace/db';
import { loading, loadingAsync, masterDown, setNow } from '../keyspace/state';
import { stringRead, strLen, strPtr } from '../keyspace/strings';
import { TYPE_STRING } from '../types/object';

export const LOCAL_NONE: i32 = -1;
export const LOCAL_WRONG_TYPE: i32 = -2;
export const LOCAL_LOADING: i32 = -3;
export const LOCAL_MASTER_DOWN: i32 = -4;
export const LOCAL_NO_DB: i32 = -5;
/** A script that has run for too long holds everybody up. */
export const LOCAL_BUSY: i32 = -6;
export const LOCAL_CLOSED: i32 = -7;

/** Address of the value the last `localGet` found; good until the core is called again. */
export let localPtr: usize = 0;

/**
 * The string at a key as GET sees it: the length of its value, the bytes at `localPtr`; or below 0
 * why there is none (LOCAL_*). Counts a hit or a miss, and an access for LRU and LFU.
 */
export function localGet(db: u32, key: usize, keyLen: u32, nowMs: f64): i32 {
  if (db >= dbCount) return LOCAL_NO_DB;
  if (masterDown) return LOCAL_MASTER_DOWN;
  if (loading && !loadingAsync) return LOCAL_LOADING;
  setNow(<i64>nowMs);
  const item = lookupRead(dbAt(db), key, keyLen);
  if (item == 0) return LOCAL_NONE;
  if (entryType(item) != TYPE_STRING) return LOCAL_WRONG_TYPE;
  stringRead(item);
  localPtr = strPtr;
  return <i32>strLen;
}

/** Entries of a database, expired ones included, as DBSIZE counts. */
export function localDbSize(db: u32): u32 {
  return db < dbCount ? <u32>dbKeys(dbAt(db)).count : 0;
}

/** The database a client has selected. */
export function localDb(handle: u32): u32 {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? 0 : c.db;
}

/** Selects a database for a client; it must exist. */
export function localSelect(handle: u32, db: u32): void {
  const c = clientAt(handle);
  if (changetype<usize>(c) != 0 && db < dbCount) c.db = db;
}
