/**
 * The clean-up cycle: finds expired keys that nobody asks for.
 *
 * A cycle visits every database that has keys with an expiry: it samples `sampleSize` of them by
 * walking the expires table from where the last cycle stopped, deletes the expired ones in batches
 * of `batchSize`, and goes on with another round while the expired share is at least `threshold`,
 * at most `maxRounds` rounds. The six presets are in host/config; the host calls the cycle from its
 * timer, in which time is bounded because the work is: databases x rounds x sample.
 *
 * Not for replicas: there only the master's DEL removes a key.
 */
import {
  dbAt,
  dbAvgTtl,
  dbCount,
  dbExpireCursor,
  dbExpireFound,
  dbExpires,
  dbFindRaw,
  dbSetAvgTtl,
  dbSetExpireCursor,
} from './db';
import { htScan } from '../hashtable/hashtable';
import { itemExpire, itemKeyLen, itemKeyPtr } from '../hashtable/item';
import { effectsCommit } from './effects';
import { activeExpire, isReplica, loading, nowMs, paused } from './state';

const BATCH_MAX: u32 = 256;
/** Groups looked at per sample before a round gives up on a sparse table. */
const PROBES_PER_SAMPLE: u32 = 20;

let sampleSize: u32 = 20;
let maxRounds: u32 = 4;
let batchSize: u32 = 10;
let threshold: f64 = 0.25;
let nextDb: u32 = 0;
/** Share of expired keys among those sampled, as it moves over the cycles; 0 to 1. */
export let expireStaleShare: f64 = 0;

const batch = memory.data(<i32>BATCH_MAX * 4);
let batchCount: u32 = 0;
let sampled: u32 = 0;
let expired: u32 = 0;
/** The same of the whole cycle. */
let cycleSampled: u32 = 0;
let cycleExpired: u32 = 0;
let ttlSum: i64 = 0;
let ttlCount: u32 = 0;

/** Sets the cycle's parameters; out of range ones are clamped to sane bounds. */
export function expireConfigure(sample: u32, rounds: u32, size: u32, share: f64): void {
  sampleSize = min(max(sample, 1), 10000);
  maxRounds = min(max(rounds, 1), 1000);
  batchSize = min(max(size, 1), BATCH_MAX);
  threshold = share;
}

function visit(item: usize, _arg: usize): void {
  sampled++;
  const left = itemExpire(item) - nowMs;
  if (left >= 0) {
    ttlSum += left;
    ttlCount++;
    return;
  }
  expired++;
  if (batchCount == BATCH_MAX) return;
  store<u32>(batch + ((<usize>batchCount) << 2), <u32>item);
  batchCount++;
}

function flushBatch(db: usize): void {
  for (let i: u32 = 0; i < batchCount; i++) {
    const item: usize = load<u32>(batch + (<usize>i << 2));
    dbFindRaw(db, itemKeyPtr(item), itemKeyLen(item));
    dbExpireFound(db, item);
    effectsCommit();
  }
  batchCount = 0;
}

/** One round in one database; the share of expired keys among those sampled. */
function round(db: usize): f64 {
  sampled = 0;
  expired = 0;
  batchCount = 0;
  let probes: u32 = sampleSize * PROBES_PER_SAMPLE;
  let cursor = dbExpireCursor(db);
  while (sampled < sampleSize && probes-- > 0) {
    cursor = htScan(dbExpires(db), cursor, visit, 0);
    if (batchCount >= batchSize) flushBatch(db);
    if (cursor == 0) break;
  }
  flushBatch(db);
  dbSetExpireCursor(db, cursor);
  cycleSampled += sampled;
  cycleExpired += expired;
  return sampled == 0 ? 0 : <f64>expired / <f64>sampled;
}

/** One clean-up cycle over all databases. */
export function expireCycle(): void {
  if (isReplica || loading || paused != 0 || !activeExpire) return;
  cycleSampled = 0;
  cycleExpired = 0;
  for (let i: u32 = 0; i < dbCount; i++) {
    const db = dbAt((nextDb + i) % dbCount);
    if (dbExpires(db).count == 0) continue;
    ttlSum = 0;
    ttlCount = 0;
    for (let r: u32 = 0; r < maxRounds; r++) {
      if (round(db) < threshold || dbExpires(db).count == 0) break;
    }
    if (ttlCount != 0) {
      const average = ttlSum / ttlCount;
      const before = dbAvgTtl(db);
      dbSetAvgTtl(db, before == 0 ? average : (before / 50) * 49 + average / 50);
    }
  }
  const share: f64 = cycleSampled == 0 ? 0 : <f64>cycleExpired / <f64>cycleSampled;
  expireStaleShare = share * 0.05 + expireStaleShare * 0.95;
  nextDb = (nextDb + 1) % max<u32>(dbCount, 1);
}
