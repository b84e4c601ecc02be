/**
 * Fields of hashes that expire: who must not see them any more, and who removes them.
 *
 * On a master a command that names an expired field removes it first (`fieldsSettle`), so for the
 * command there is no such field; walks over all fields leave expired ones out (`fieldIsHidden`);
 * the cycle removes what nobody asks for. Each removal goes to followers as HDEL. A replica removes
 * nothing by itself: its readers do not see the field, its master's HDEL takes it away.
 *
 * Redis 8.0 hides and removes in the same places, but for HSET, HDEL, HSETEX and HEXPIRE, which
 * there find an expired field that the cycle has not reached yet. Here they do not.
 */
import { itemKeyLen, itemKeyPtr } from '../hashtable/item';
import { argc, argLen, argPtr } from '../resp/args';
import { elExpire, elLen, elPtr } from '../types/element';
import {
  hashDelete,
  hashExpired,
  hashGet,
  hashLen,
  hashMinExpire,
  hashTakeExpired,
} from '../types/hash';
import { TYPE_HASH } from '../types/object';
import {
  dbAt,
  dbCount,
  dbFindRaw,
  dbId,
  dbTakeFound,
  dbTickets,
  entryType,
  isExpired,
  signalModified,
} from './db';
import { effectHdel, effectsCommit } from './effects';
import { ticketDropFirst, ticketFirst, ticketPostpone } from './hash-tickets';
import { NOTIFY_GENERIC, NOTIFY_HASH, notifyKeyspaceEvent } from './notify';
import {
  activeExpire,
  countExpiredFields,
  fromMaster,
  isReplica,
  loading,
  nowMs,
} from './state';
import { freeEntry } from './value';

/** Whether the hash has fields that have expired and are still there. */
// @ts-ignore: decorator
@inline function hasExpired(entry: usize): bool {
  const least = hashMinExpire(entry);
  return least >= 0 && least < nowMs && !loading;
}

/** Whether the field looked at has expired and must not be seen. */
// @ts-ignore: decorator
@inline export function fieldIsHidden(): bool {
  return elExpire >= 0 && elExpire < nowMs && !loading && !fromMaster;
}

/** How many fields of the hash a reader sees. */
export function fieldsSeen(entry: usize): u32 {
  const all = hashLen(entry);
  return hasExpired(entry) && !fromMaster ? all - hashExpired(entry, nowMs) : all;
}

/** Whether a command may remove what has expired; `write`: it is one that changes data. */
function mayRemove(write: bool): bool {
  return !isReplica || (write && !fromMaster);
}

/** Fields were removed because they expired: all must know, and an emptied hash goes. False: so. */
function noteExpired(db: usize, entry: usize, removed: u32): bool {
  const key = itemKeyPtr(entry);
  const keyLen = itemKeyLen(entry);
  countExpiredFields(removed);
  notifyKeyspaceEvent(NOTIFY_HASH, 'hexpired', dbId(db), key, keyLen);
  signalModified(db, key, keyLen);
  if (hashLen(entry) != 0) return true;
  dbFindRaw(db, key, keyLen);
  dbTakeFound(db);
  notifyKeyspaceEvent(NOTIFY_GENERIC, 'del', dbId(db), key, keyLen);
  freeEntry(entry);
  return false;
}

/**
 * Removes the fields named by arguments `first`, `first + step` … that have expired from a hash of
 * database number `db`, where the caller may do that (`write`: it changes data). Returns the entry;
 * 0 when there is none, or when it went with its last field (`foundHash` is then its key's).
 */
// @ts-ignore: decorator
@inline export function fieldsSettle(
  db: u32,
  entry: usize,
  first: u32,
  step: u32,
  write: bool,
): usize {
  return entry == 0 || !hasExpired(entry) ? entry : settle(db, entry, first, step, write);
}

function settle(db: u32, entry: usize, first: u32, step: u32, write: bool): usize {
  if (!mayRemove(write)) return entry;
  let removed: u32 = 0;
  for (let i = first; i < argc; i += step) {
    if (!hashGet(entry, argPtr(i), argLen(i))) continue;
    if (elExpire < 0 || elExpire >= nowMs) continue;
    effectHdel(db, entry, argPtr(i), argLen(i));
    hashDelete(entry, argPtr(i), argLen(i));
    removed++;
  }
  return removed == 0 || noteExpired(dbAt(db), entry, removed) ? entry : 0;
}

/**
 * Removes all fields that have expired, for a command that needs the number of those left. Returns
 * as `fieldsSettle`. Redis: so does HRANDFIELD. O(removed).
 */
export function fieldsSettleAll(db: u32, entry: usize): usize {
  if (entry == 0 || !hasExpired(entry) || !mayRemove(false)) return entry;
  expireDb = db;
  const removed = hashTakeExpired(entry, nowMs, u32.MAX_VALUE, tellExpired, entry);
  return noteExpired(dbAt(db), entry, removed) ? entry : 0;
}

let expireDb: u32 = 0;

/** HDEL for the field that is about to be removed. */
function tellExpired(entry: usize): void {
  effectHdel(expireDb, entry, elPtr, elLen);
}

/** The same outside of commands: each is a unit of its own. */
function tellExpiredAlone(entry: usize): void {
  effectHdel(expireDb, entry, elPtr, elLen);
  effectsCommit();
}

// ---- the cycle

/** Fields removed by one cycle; doubled while cycles end with more to do, up to the maximum. */
const CYCLE_FIELDS: u32 = 1000;
const CYCLE_FIELDS_MAX: u32 = 8000;
/** Tickets looked at by one cycle. */
const CYCLE_TICKETS: u32 = 1000;

let cycleFields: u32 = CYCLE_FIELDS;
let cycleDb: u32 = 0;

/**
 * Removes expired fields in all databases, in the order in which they expired within each, a
 * bounded number of them. Not on replicas.
 */
export function fieldsExpireCycle(): void {
  if (isReplica || loading || !activeExpire) return;
  let fields = cycleFields;
  let tickets = CYCLE_TICKETS;
  for (let i: u32 = 0; i < dbCount && fields != 0; i++) {
    const db = dbAt(cycleDb);
    let due = ticketFirst(dbTickets(db));
    while (due >= 0 && due < nowMs && fields != 0 && tickets != 0) {
      fields -= expireFirst(db, fields);
      tickets--;
      due = ticketFirst(dbTickets(db));
    }
    if (fields != 0 && tickets != 0) cycleDb = (cycleDb + 1) % dbCount;
    else break;
  }
  cycleFields = fields != 0 ? CYCLE_FIELDS : min(cycleFields * 2, CYCLE_FIELDS_MAX);
}

/** Sees to the hash of the earliest ticket; how many fields were removed, `limit` at most. */
function expireFirst(db: usize, limit: u32): u32 {
  const tickets = dbTickets(db);
  const entry = dbFindRaw(db, elPtr, elLen);
  if (entry == 0 || entryType(entry) != TYPE_HASH || hashMinExpire(entry) < 0) {
    ticketDropFirst(tickets);
    return 0;
  }
  expireDb = dbId(db);
  // A key that has expired itself goes as a whole; its fields wait for that.
  const removed = isExpired(entry)
    ? <u32>0
    : hashTakeExpired(entry, nowMs, limit, tellExpiredAlone, entry);
  if (removed != 0 && !noteExpired(db, entry, removed)) return removed;
  const next = hashMinExpire(entry);
  if (next < 0) ticketDropFirst(tickets);
  else ticketPostpone(tickets, entry, isExpired(entry) ? nowMs + 1000 : next);
  return removed;
}
