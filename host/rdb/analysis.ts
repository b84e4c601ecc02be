// analyzeRdb: one pass over a dump, everything that can be said of it.

import { MODE_STATS, VALUE_TYPES } from '../core/inspector.js';
import { isRespiteError, type RespiteError } from '../errors.js';
import { type AllSums, keyRow, RawAnalysis } from './analysis-decode.js';
import type {
  Bound,
  Bucket,
  Damage,
  Histogram,
  HistogramName,
  RdbAnalysis,
  SlotAnalysis,
  SlotRow,
} from './analysis-types.js';
import {
  boolean,
  type Checks,
  checkOptions,
  either,
  filterCheck,
  INSPECT_CHECKS,
  nested,
  numberFrom,
  time,
  wholeFrom,
} from './check-options.js';
import { addToFile, emptyFile, type RdbFile } from './file-facts.js';
import { EXAMPLES, FINDING_LIMITS, type FindingLimits, findingsOf } from './findings.js';
import { branchesOf, PREFIX_CHECKS, type PrefixOptions, prefixTables } from './prefix-tables.js';
import { beginInspection, type ReadOptions } from './read-rdb.js';
import { RecordCutter } from './records.js';
import { type OnProgress, outputs } from './run.js';
import type { RdbSource } from './source.js';

export interface AnalyzeOptions
  extends Omit<ReadOptions, 'values' | 'elementBytesMax' | 'onLongString'> {
  /** The time expiry is judged at, Unix ms; default: now. */
  nowMs?: number | undefined;
  /** Rows of the tables of largest keys; default 20, at most 1000, 0: none. */
  top?: number | undefined;
  /** False: no prefixes (and no findings about them). */
  prefixes?: false | PrefixOptions | undefined;
  /** Beginnings of names that are told apart; default 8192 (about 150 bytes each), 64 to 2^20. */
  prefixNodes?: number | undefined;
  /** False: cluster slots are not computed; `all`: the analysis has every one of them. */
  slots?: boolean | 'all' | undefined;
  /** False: none; or other limits. */
  findings?: false | { [K in keyof FindingLimits]?: FindingLimits[K] | undefined } | undefined;
  /** A damaged file gives what was read before the damage, with `damage` set, and no error. */
  partial?: boolean | undefined;
}

/** Beginnings of names that leave the core at most. */
const PREFIXES_MAX = 2048;
const TOP_MAX = 1000;
const NODES_MIN = 64;
const NODES_MAX = 1 << 20;
/** Larger than any size: the finding never occurs. */
const NEVER = 1e18;

const LIMIT_CHECKS = Object.fromEntries(
  Object.keys(FINDING_LIMITS).map((name) => [name, numberFrom(0)]),
) as Checks<FindingLimits>;

const CHECKS: Checks<AnalyzeOptions> = {
  ...INSPECT_CHECKS,
  filter: filterCheck,
  nowMs: time,
  top: wholeFrom(0, TOP_MAX),
  prefixes: either(false, nested(PREFIX_CHECKS)),
  prefixNodes: wholeFrom(NODES_MIN, NODES_MAX),
  slots: either('all', boolean),
  findings: either(false, nested(LIMIT_CHECKS)),
  partial: boolean,
};

/** The limits asked for; what is not said is as usual. */
function limitsOf(findings: AnalyzeOptions['findings']): FindingLimits {
  const own = Object.entries(findings || {}).filter(([, limit]) => limit !== undefined);
  return { ...FINDING_LIMITS, ...Object.fromEntries(own) };
}

/** Options of the mode by place: assembly/inspect/stats.ts. */
export function analysisPlaces(options: AnalyzeOptions, nowMs: number): Record<number, number> {
  const { top = 20, prefixes, prefixNodes = 8192, slots = true, findings } = options;
  const limits = limitsOf(findings);
  return {
    0: nowMs,
    1: top,
    2: prefixes === false ? 0 : prefixNodes,
    3: slots ? 1 : 0,
    4: findings === false ? 0 : EXAMPLES,
    5: limits.largeBytes,
    6: limits.manyElements,
    7: limits.elementBytes,
    8: limits.nameBytes,
    9: limits.idleSec || NEVER,
    10: limits.pendingEntries,
    11: PREFIXES_MAX,
  };
}

/**
 * Reads a dump once and tells what is in it: sums, histograms, largest keys, prefixes, findings.
 * Memory is constant whatever the size of the file. Rejects with ERR_RESPITE_RDB_FORMAT (offset,
 * reason, key, database) where it is damaged or ends early, unless `partial` is set.
 */
export async function analyzeRdb(
  source: RdbSource,
  options: AnalyzeOptions = {},
): Promise<RdbAnalysis> {
  checkOptions(options, CHECKS);
  const { nowMs = Date.now(), partial } = options;
  const places = analysisPlaces(options, nowMs);
  const inspector = await beginInspection(source, options, MODE_STATS, places);
  const file = emptyFile();
  const raw = new RawAnalysis();
  const cutter = new RecordCutter();
  let bytesRead = 0;
  let damage: Damage | null = null;
  const onProgress: OnProgress = (bytes, size, keys) => {
    bytesRead = bytes;
    options.onProgress?.(bytes, size, keys);
  };
  try {
    for await (const output of outputs(inspector, source, { ...options, onProgress })) {
      for (const record of cutter.cut(output)) if (!addToFile(file, record)) raw.add(record);
    }
  } catch (error) {
    if (!partial || !isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
    damage = damageOf(error);
  } finally {
    Object.assign(file, inspector.version);
    inspector.close();
  }
  const { damaged } = inspector;
  return put(raw, { file, bytesRead, nowMs, damaged, damage }, options);
}

function damageOf(error: RespiteError): Damage {
  const { offset, reason, db, key } = error.details as unknown as Damage;
  const { message } = error;
  return { offset, reason, message, ...(key === undefined ? {} : { db, key }) } as Damage;
}

const ZERO: AllSums = {
  ...{ keys: 0, memoryBytes: 0, fileBytes: 0, elements: 0 },
  ...{ payloadBytes: 0, expires: 0, keyNameBytes: 0 },
};

function sum<T extends AllSums>(rows: readonly T[]): AllSums {
  const total = { ...ZERO };
  for (const row of rows) {
    for (const name of Object.keys(ZERO) as (keyof AllSums)[]) total[name] += row[name];
  }
  return total;
}

interface Facts {
  file: RdbFile;
  bytesRead: number;
  nowMs: number;
  damaged: number;
  damage: Damage | null;
}

const byMemory = (a: { memoryBytes: number }, b: { memoryBytes: number }) =>
  b.memoryBytes - a.memoryBytes;

function put(raw: RawAnalysis, facts: Facts, options: AnalyzeOptions): RdbAnalysis {
  const total = sum(raw.kinds);
  const root = branchesOf(raw.trie);
  const wanted = options.prefixes === false ? {} : options.prefixes;
  const tables = root === undefined ? undefined : prefixTables(root, wanted);
  const analysis: Omit<RdbAnalysis, 'findings'> = {
    ...facts,
    total,
    expiry: expiryOf(raw),
    types: VALUE_TYPES.map((type) => {
      const { keyNameBytes: _, ...sums } = sum(raw.kinds.filter((one) => one.type === type));
      return { type, ...sums };
    })
      .filter(({ keys }) => keys > 0)
      .sort(byMemory),
    encodings: raw.kinds
      .map(({ payloadBytes: _, expires: __, keyNameBytes: ___, ...row }) => row)
      .sort(byMemory),
    databases: raw.databases
      .map(({ payloadBytes: _, keyNameBytes: __, isRest: ___, ...row }) => row)
      .sort((a, b) => a.db - b.db),
    slots: options.slots === false ? null : slotsOf(raw, options.slots === 'all'),
    histograms: histogramsOf(raw),
    topBySize: (raw.tops.get('size') ?? []).map(keyRow),
    topByLength: (raw.tops.get('length') ?? []).map(keyRow),
    prefixes: tables?.prefixes ?? null,
    idle: seconds(raw.buckets.get(HIST_IDLE)),
    frequency: raw.buckets.has(HIST_FREQ) ? bucketsOf(raw.buckets.get(HIST_FREQ)!) : null,
    bounds: boundsOf(raw, options),
  };
  if (options.findings === false) return { ...analysis, findings: [] };
  const limits = limitsOf(options.findings);
  const named = tables?.named ?? [];
  return { ...analysis, findings: findingsOf({ raw, analysis, named, limits }) };
}

function expiryOf({ expiries }: RawAnalysis): RdbAnalysis['expiry'] {
  const row = (i: number) => {
    const { endMs: _, ...sums } = expiries[i] ?? { ...ZERO, endMs: 0 };
    const { keys, memoryBytes, fileBytes, elements } = sums;
    return { keys, memoryBytes, fileBytes, elements };
  };
  let from = 0;
  const buckets = expiries.slice(2).map(({ endMs, keys, memoryBytes }): Bucket => {
    const to = endMs < 0 ? null : endMs / 1000;
    const bucket = { from, to, keys, memoryBytes };
    from = to ?? from;
    return bucket;
  });
  return { none: row(0), expired: row(1), buckets };
}

const SLOT_ROWS = 32;
const SLOTS = 16_384;

function slotsOf({ slots }: RawAnalysis, hasAll: boolean): SlotAnalysis {
  const used = slots.length;
  const mean = (pick: (one: (typeof slots)[number]) => number) =>
    used === 0 ? 0 : slots.reduce((total, one) => total + pick(one), 0) / used;
  return {
    used,
    keysMean: mean(({ keys }) => keys),
    memoryMean: mean(({ memoryBytes }) => memoryBytes),
    rows: [...slots].sort(byMemory).slice(0, SLOT_ROWS),
    ...(hasAll ? { all: everySlot(slots) } : {}),
  };
}

function everySlot(slots: readonly SlotRow[]): Required<SlotAnalysis>['all'] {
  const all = { keys: Array<number>(SLOTS).fill(0), memoryBytes: Array<number>(SLOTS).fill(0) };
  for (const { slot, keys, memoryBytes } of slots) {
    all.keys[slot] = keys;
    all.memoryBytes[slot] = memoryBytes;
  }
  return all;
}

// ---- histograms

/** In the order of assembly/inspect/histogram.ts. */
const HISTOGRAMS: readonly (HistogramName | undefined)[] = [
  ...(['memory', 'file', 'key-name', 'string', 'list', 'set', 'zset', 'hash', 'stream'] as const),
  ...([undefined, 'largest-element'] as const),
];
const HIST_IDLE = 11;
const HIST_FREQ = 12;
const IN_ELEMENTS = new Set<HistogramName>(['list', 'set', 'zset', 'hash', 'stream']);

type RawBucket = readonly [bucket: number, keys: number, memoryBytes: number];

/** Powers of two without gaps. */
function bucketsOf(raw: readonly RawBucket[]): Bucket[] {
  const known = new Map(raw.map(([bucket, ...rest]) => [bucket, rest]));
  const [first, last] = [raw[0]?.[0] ?? 0, raw.at(-1)?.[0] ?? -1];
  const buckets: Bucket[] = [];
  for (let i = first; i <= last; i++) {
    const [keys = 0, memoryBytes = 0] = known.get(i) ?? [];
    buckets.push({ from: i === 0 ? 0 : 2 ** (i - 1), to: 2 ** i, keys, memoryBytes });
  }
  return buckets;
}

function histogramsOf(raw: RawAnalysis): Histogram[] {
  return HISTOGRAMS.flatMap((of, i): Histogram[] => {
    const buckets = raw.buckets.get(i);
    if (of === undefined || buckets === undefined) return [];
    const unit = IN_ELEMENTS.has(of) ? 'elements' : 'bytes';
    return [{ of, unit, buckets: bucketsOf(buckets) }];
  });
}

function seconds(raw: readonly RawBucket[] | undefined): Bucket[] | null {
  return raw === undefined ? null : bucketsOf(raw);
}

function boundsOf(raw: RawAnalysis, options: AnalyzeOptions): Bound[] {
  const bounds: Bound[] = [];
  const { prefixNodes = 8192 } = options;
  if (raw.folded > 0) {
    const few = 'beginnings shared by few keys were counted with shorter ones';
    const note = `${few}; missingMax of each prefix says how many keys it may lack`;
    bounds.push({ table: 'prefixes', limit: prefixNodes, note });
  }
  if (raw.leftOut > 0) {
    const note = `prefixes of fewer than ${raw.leftOut} keys and little memory are not listed`;
    bounds.push({ table: 'wide-prefixes', limit: PREFIXES_MAX, note });
  }
  if (raw.databases.some(({ isRest }) => isRest)) {
    const note = 'the last database of the list may contain keys of others';
    bounds.push({ table: 'databases', limit: 256, note });
  }
  return bounds;
}
