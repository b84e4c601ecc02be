/**
 * The result of MODE_STATS as records for the host (host/rdb/analysis-decode.ts): u32 bytes of the
 * record, u32 kind, then f64 numbers, little-endian, in the order written here. Rows are told one a
 * record, empty ones not at all.
 *
 *   R_KIND      shape, encoding, the seven sums
 *   R_DB        database, the seven sums; 1 if the row took others too
 *   R_EXPIRY    row (0 none, 1 expired, then by time left), end in ms (-1: none), four sums
 *   R_HOUR      hours from now, keys, memory
 *   R_SLOT      slot, keys, memory
 *   R_BUCKET    histogram, bucket, keys, memory
 *   R_TOP       table, rank, eight numbers of top.ts, db, shape, encoding, freq, bytes of the name;
 *               then the name
 *   R_FINDING   finding, keys, memory, saving, its own number
 *   R_PREFIX    depth in the tree, keys, expires, memory, file bytes, elements, memory that does
 *               not expire, payload, memory and number of small strings, missing, keys by type
 *               (six), and what a prefix within the label may lack beside; then the label. Parents
 *               before children.
 *   R_FOLDED    keys up to which parts of the tree were folded away, and up to which left out here
 */
import { SLOT_COUNT } from '../base/crc16';
import {
  FINDINGS, findingCell,
} from './findings';
import { HISTOGRAMS, HIST_BUCKETS, histogramBytes, histogramKeys } from './histogram';
import { optionNumber } from './options';
import { outCommit, outReserve } from './out';
import {
  prefixLabel, prefixLabelLen, prefixParent, prefixSums, prefixesAbove, prefixesFolded,
  prefixesTotal,
} from './prefixes';
import {
  AS_COUNT, DATABASES, EXPIRIES, HOURS, SHAPES, databaseRow, databasesUsed, expiryLimit, expiryRow,
  hourCell, kindRow, slots, statsEnd,
} from './stats';
import { TOPS, topRow, topRows } from './top';

const R_KIND: u32 = 64;
const R_DB: u32 = 65;
const R_EXPIRY: u32 = 66;
const R_HOUR: u32 = 67;
const R_SLOT: u32 = 68;
const R_BUCKET: u32 = 69;
const R_TOP: u32 = 70;
const R_FINDING: u32 = 71;
const R_PREFIX: u32 = 72;
const R_FOLDED: u32 = 73;

/** Most nodes of the tree of prefixes that are told; MODE_STATS' option 2 says how many it has. */
const OPTION_NODES: u32 = 2;
const OPTION_PREFIXES: u32 = 11;

let to: usize = 0;
let start: usize = 0;

/** A record of so many numbers and further bytes. False when memory is short. */
function begin(kind: u32, numbers: usize, bytes: usize): bool {
  const size: usize = <usize>8 + (numbers << 3) + bytes;
  start = outReserve(size);
  if (start == 0) return false;
  store<u32>(start, <u32>size);
  store<u32>(start, kind, 4);
  to = start + 8;
  return true;
}
function put(value: f64): void {
  store<f64>(to, value);
  to += 8;
}
/** `count` u64 at `from`. */
function putAll(from: usize, count: usize): void {
  for (let i: usize = 0; i < count; i++) put(<f64>load<u64>(from + (i << 3)));
}
function end(): void {
  outCommit(to - start);
}

export function statsReport(): void {
  sums();
  expiries();
  if (slots != 0) slotRows();
  buckets();
  for (let i: u32 = 0; i < TOPS; i++) topTable(i);
  findings();
  if (optionNumber(OPTION_NODES) != 0) prefixes();
  statsEnd();
}

function sums(): void {
  for (let i: u32 = 0; i < SHAPES * AS_COUNT; i++) {
    const row = kindRow(i);
    if (load<u64>(row) == 0 || !begin(R_KIND, 9, 0)) continue;
    put(<f64>(i / AS_COUNT));
    put(<f64>(i % AS_COUNT));
    putAll(row, 7);
    end();
  }
  for (let i: u32 = 0; i < databasesUsed; i++) {
    const row = databaseRow(i);
    if (!begin(R_DB, 9, 0)) continue;
    put(<f64>load<u64>(row, 56));
    putAll(row, 7);
    put(i == DATABASES - 1 ? 1 : 0);
    end();
  }
}

function expiries(): void {
  for (let i: u32 = 0; i < EXPIRIES; i++) {
    if (!begin(R_EXPIRY, 6, 0)) continue;
    put(<f64>i);
    put(i < 2 || i == EXPIRIES - 1 ? -1 : <f64>expiryLimit(i - 2));
    putAll(expiryRow(i), 4);
    end();
  }
  for (let i: u32 = 0; i < HOURS; i++) {
    if (load<u64>(hourCell(i)) == 0 || !begin(R_HOUR, 3, 0)) continue;
    put(<f64>i);
    putAll(hourCell(i), 2);
    end();
  }
}

function slotRows(): void {
  for (let i: u32 = 0; i < SLOT_COUNT; i++) {
    const at = slots + (<usize>i << 4);
    const keys = load<u32>(at);
    if (keys == 0 || !begin(R_SLOT, 3, 0)) continue;
    put(<f64>i);
    put(<f64>keys);
    put(<f64>load<u64>(at, 8));
    end();
  }
}

function buckets(): void {
  for (let h: u32 = 0; h < HISTOGRAMS; h++) {
    for (let b: u32 = 0; b < HIST_BUCKETS; b++) {
      const keys = histogramKeys(h, b);
      if (keys == 0 || !begin(R_BUCKET, 4, 0)) continue;
      put(<f64>h);
      put(<f64>b);
      put(<f64>keys);
      put(<f64>histogramBytes(h, b));
      end();
    }
  }
}

function topTable(which: u32): void {
  const rows = topRows(which);
  for (let i: u32 = 0; i < rows; i++) {
    const row = topRow(which, i);
    const kept: usize = load<u32>(row, 84);
    if (!begin(R_TOP, 15, kept)) continue;
    put(<f64>which);
    put(<f64>i);
    memory.copy(to, row, 64);
    to += 64;
    put(<f64>load<u32>(row, 64));
    put(<f64>load<u32>(row, 68));
    put(<f64>load<u32>(row, 72));
    put(<f64>load<i32>(row, 76));
    put(<f64>load<u32>(row, 80));
    memory.copy(to, row + 88, kept);
    to += kept;
    end();
  }
}

function findings(): void {
  for (let i: u32 = 0; i < FINDINGS; i++) {
    const cell = findingCell(i);
    if (load<u64>(cell) == 0 || !begin(R_FINDING, 5, 0)) continue;
    put(<f64>i);
    putAll(cell, 4);
    end();
  }
}

// ---- prefixes

/** Depth first; a node that is too small is left out with all below it. */
function prefixes(): void {
  const root = prefixesTotal();
  const most = <u32>optionNumber(OPTION_PREFIXES);
  let keys: u32 = 1;
  let bytes: u64 = 1;
  // what has many keys or much memory, in the proportion of the whole
  const all = prefixSums(root);
  const mean = max<u64>(load<u64>(all, 8) / max<u64>(load<u32>(all), 1), 1);
  while (prefixesAbove(keys, bytes) > most && keys < 1 << 30) {
    keys *= 2;
    bytes = <u64>keys * mean;
  }
  let n = root;
  let depth: u32 = 0;
  while (n != 0) {
    const at = prefixSums(n);
    const isTold = n == root || load<u32>(at) >= keys || load<u64>(at, 8) >= bytes;
    if (isTold) prefix(n, depth);
    let next: u32 = isTold ? load<u32>(at, 92) : 0;
    if (next != 0) {
      depth++;
    } else {
      while (n != root && load<u32>(prefixSums(n), 96) == 0) {
        n = prefixParent(n);
        depth--;
      }
      next = n == root ? 0 : load<u32>(prefixSums(n), 96);
    }
    n = next;
  }
  if (!begin(R_FOLDED, 2, 0)) return;
  put(<f64>prefixesFolded);
  put(keys > 1 ? <f64>keys : 0);
  end();
}

function prefix(n: u32, depth: u32): void {
  const at = prefixSums(n);
  const label = prefixLabelLen(n);
  if (!begin(R_PREFIX, 18, label)) return;
  put(<f64>depth);
  put(<f64>load<u32>(at));
  put(<f64>load<u32>(at, 4));
  putAll(at + 8, 6);
  put(<f64>load<u32>(at, 56));
  put(<f64>load<u32>(at, 60));
  for (let i: usize = 68; i < 92; i += 4) put(<f64>load<u32>(at + i));
  put(<f64>load<u32>(at, 100));
  memory.copy(to, prefixLabel(n), label);
  to += label;
  end();
}
