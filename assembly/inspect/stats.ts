/**
 * MODE_STATS: everything that can be said of a file in one pass and a fixed
 * amount of memory. What is counted here: sums by type and encoding, by database, by slot, by time
 * left; the other tables have files of their own. The result leaves at the end, or where the file
 * is broken (stats-report.ts).
 */
import { alloc, free } from '../base/alloc';
import { SLOT_COUNT, keyHashSlot } from '../base/crc16';
import { RdbReader } from '../rdb/input';
import { SHAPE_STRING } from './event';
import { facts } from './facts';
import {
  findingLimits, findingLimits2, findingsBegin, findingsKey, findingsString,
} from './findings';
import {
  HIST_FILE, HIST_FREQ, HIST_IDLE, HIST_LARGEST, HIST_MEMORY, HIST_NAME, HIST_SHAPE, histogramAdd,
  histogramsBegin,
} from './histogram';
import { optionNumber } from './options';
import { prefixesAdd, prefixesBegin, prefixesEnd } from './prefixes';
import { TOPS, TOP_ELEMENT, TOP_LENGTH, TOP_SIZE, topAdd, topBegin, topEnd } from './top';

// ---- options, by place
const OPTION_NOW: u32 = 0;
/** Rows of the tables of largest keys; 0: none. */
const OPTION_TOP: u32 = 1;
/** Nodes of the tree of prefixes; 0: no prefixes. */
const OPTION_NODES: u32 = 2;
const OPTION_SLOTS: u32 = 3;
/** Examples of each finding; 0: no findings. Limits of findings follow. */
const OPTION_EXAMPLES: u32 = 4;
const OPTION_LARGE: u32 = 5;
const OPTION_MANY: u32 = 6;
const OPTION_ELEMENT: u32 = 7;
const OPTION_NAME: u32 = 8;
const OPTION_IDLE: u32 = 9;
const OPTION_PENDING: u32 = 10;

// ---- rows of sums: u64 keys, memory, file bytes, elements, payload, expires, bytes of names, db
export const SUMS: usize = 64;

/** By SHAPE_* * AS_COUNT + AS_*. */
export const AS_COUNT: u32 = 10;
export const SHAPES: u32 = 7;
const kinds = memory.data(4480, 8);
/** By database, in the order they came; the last row takes what found no place. */
export const DATABASES: u32 = 256;
const databases = memory.data(16384, 8);
export let databasesUsed: u32 = 0;
let database: usize = 0;

/** By time left: none, expired, then EXPIRY_LIMITS, then longer; u64 keys, memory, file, count. */
export const EXPIRIES: u32 = 12;
const expiries = memory.data(384, 8);
const EXPIRY_LIMITS: usize = memory.data<i64>([
  60000, 600000, 3600000, 21600000, 86400000, 604800000, 2592000000, 7776000000, 31536000000
]);
/** Keys and memory that expire in each of the next hours. */
export const HOURS: u32 = 168;
const hours = memory.data(2688, 8);

/** Per slot u32 keys, pad, u64 memory; 0 = not asked for. */
export let slots: usize = 0;
let hasTop: bool = false;
let hasPrefixes: bool = false;
let hasFindings: bool = false;
let now: i64 = 0;

export function statsBegin(): bool {
  memory.fill(kinds, 0, 4480);
  memory.fill(databases, 0, 16384);
  memory.fill(expiries, 0, 384);
  memory.fill(hours, 0, 2688);
  histogramsBegin();
  databasesUsed = 0;
  database = 0;
  now = <i64>optionNumber(OPTION_NOW);
  findingsBegin(now);
  findingLimits(
    <u64>optionNumber(OPTION_LARGE),
    <u64>optionNumber(OPTION_MANY),
    <u64>optionNumber(OPTION_ELEMENT),
  );
  findingLimits2(
    <u64>optionNumber(OPTION_NAME),
    <i64>optionNumber(OPTION_IDLE),
    <u64>optionNumber(OPTION_PENDING),
  );
  const rows = <u32>optionNumber(OPTION_TOP);
  const examples = <u32>optionNumber(OPTION_EXAMPLES);
  const nodes = <u32>optionNumber(OPTION_NODES);
  hasTop = rows != 0;
  hasFindings = examples != 0;
  hasPrefixes = nodes != 0;
  free(slots);
  slots = 0;
  if (optionNumber(OPTION_SLOTS) != 0) {
    slots = alloc(<usize>SLOT_COUNT << 4);
    if (slots == 0) return false;
    memory.fill(slots, 0, <usize>SLOT_COUNT << 4);
  }
  if (!topBegin(TOP_SIZE, rows) || !topBegin(TOP_LENGTH, rows)) return false;
  for (let i = TOP_ELEMENT; i < TOPS; i++) if (!topBegin(i, examples)) return false;
  return !hasPrefixes || prefixesBegin(nodes);
}

export function statsEnd(): void {
  free(slots);
  slots = 0;
  topEnd();
  prefixesEnd();
}

export function kindRow(i: u32): usize {
  return kinds + <usize>i * SUMS;
}
export function databaseRow(i: u32): usize {
  return databases + <usize>i * SUMS;
}
export function expiryRow(i: u32): usize {
  return expiries + (<usize>i << 5);
}
export function hourCell(i: u32): usize {
  return hours + (<usize>i << 4);
}
/** Where bucket `i` of the expiry ends, ms from now. */
export function expiryLimit(i: u32): i64 {
  return load<i64>(EXPIRY_LIMITS + (<usize>i << 3));
}

// ---- a key

/** A string passes. */
export function statsString(r: RdbReader): void {
  if (hasFindings) findingsString(r);
}

function add(at: usize, r: RdbReader, elements: u64): void {
  store<u64>(at, load<u64>(at) + 1);
  store<u64>(at, load<u64>(at, 8) + facts.memory, 8);
  store<u64>(at, load<u64>(at, 16) + facts.fileBytes, 16);
  store<u64>(at, load<u64>(at, 24) + elements, 24);
  store<u64>(at, load<u64>(at, 32) + facts.payload, 32);
  if (r.hasExpire) store<u64>(at, load<u64>(at, 40) + 1, 40);
  store<u64>(at, load<u64>(at, 48) + r.key.len, 48);
}

/** The current key is whole, and wanted. */
export function statsKey(r: RdbReader): void {
  const shape = facts.shape;
  const elements: u64 = shape == SHAPE_STRING ? 1 : facts.count;
  const bytes = facts.memory;
  add(kindRow(shape * AS_COUNT + facts.encoding), r, elements);
  if (database == 0 || load<u64>(database, 56) != <u64>r.db) database = findDatabase(r.db);
  add(database, r, elements);
  expiry(r, elements);
  histogramAdd(HIST_MEMORY, bytes, bytes);
  histogramAdd(HIST_FILE, facts.fileBytes, bytes);
  histogramAdd(HIST_NAME, r.key.len, bytes);
  histogramAdd(HIST_SHAPE + shape, facts.count, bytes);
  if (shape != SHAPE_STRING) histogramAdd(HIST_LARGEST, facts.largest, bytes);
  if (r.idleSec >= 0) histogramAdd(HIST_IDLE, r.idleSec, bytes);
  if (r.freq >= 0) histogramAdd(HIST_FREQ, r.freq, bytes);
  if (slots != 0) {
    const at = slots + (<usize>keyHashSlot(r.key.ptr, r.key.len) << 4);
    store<u32>(at, load<u32>(at) + 1);
    store<u64>(at, load<u64>(at, 8) + bytes, 8);
  }
  if (hasTop) {
    topAdd(TOP_SIZE, r, <f64>bytes);
    if (shape != SHAPE_STRING) topAdd(TOP_LENGTH, r, <f64>facts.count);
  }
  if (hasPrefixes) prefixesAdd(r);
  if (hasFindings) findingsKey(r);
}

function findDatabase(db: u32): usize {
  for (let i: u32 = 0; i < databasesUsed; i++) {
    if (load<u64>(databaseRow(i), 56) == <u64>db) return databaseRow(i);
  }
  if (databasesUsed < DATABASES) databasesUsed++;
  const at = databaseRow(databasesUsed - 1);
  // the row that takes the rest keeps the number it had
  if (load<u64>(at) == 0) store<u64>(at, db, 56);
  return at;
}

function expiry(r: RdbReader, elements: u64): void {
  let i: u32 = 0;
  if (r.hasExpire) {
    const left = r.expireMs - now;
    i = 1;
    if (left >= 0) {
      i = 2;
      while (i < EXPIRIES - 1 && left >= expiryLimit(i - 2)) i++;
      const hour = left / 3600000;
      if (hour < <i64>HOURS) {
        const cell = hourCell(<u32>hour);
        store<u64>(cell, load<u64>(cell) + 1);
        store<u64>(cell, load<u64>(cell, 8) + facts.memory, 8);
      }
    }
  }
  const at = expiryRow(i);
  store<u64>(at, load<u64>(at) + 1);
  store<u64>(at, load<u64>(at, 8) + facts.memory, 8);
  store<u64>(at, load<u64>(at, 16) + facts.fileBytes, 16);
  store<u64>(at, load<u64>(at, 24) + elements, 24);
}
