/**
 * Union, intersection and difference of sorted sets and sets: ZUNION ZINTER ZDIFF, their STORE
 * forms and ZINTERCARD.
 */
import { alloc, free } from '../base/alloc';
import { itemScore, itemSetScore } from '../hashtable/item';
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { zsetDiscard, zsetStore } from '../keyspace/zset-store';
import {
  argDouble,
  argF64OrReplyText,
  argI64OrReply,
  argInt,
  argRangeOrReplyText,
} from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongType } from '../resp/errors';
import {
  errorBegin,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyDouble,
  replyInt,
  respVersion,
} from '../resp/reply';
import { ADD_OOM, elLen, elPtr, elScore, elSetScore } from '../types/element';
import { holder } from '../types/holder';
import { TYPE_SET, TYPE_ZSET } from '../types/object';
import { setHas, setLen, setScan } from '../types/set';
import {
  zsetAdd,
  zsetLen,
  zsetNewTree,
  ZsetPos,
  zsetScore,
  zsetSeek,
  zsetStep,
  zsetToListpackIfFits,
} from '../types/zset';
import { buildBegin, buildEnd, buildIsNew, buildPut } from '../types/zset-build';

const OP_UNION: u32 = 0;
const OP_INTER: u32 = 1;
const OP_DIFF: u32 = 2;

const AGGREGATE_SUM: u32 = 0;
const AGGREGATE_MIN: u32 = 1;
const AGGREGATE_MAX: u32 = 2;

const pos = changetype<ZsetPos>(memory.data(16));

/** An input; an array of them is allocated for the command. */
@unmanaged
class Source {
  /** The entry, 0 = no such key. */
  entry: u32;
  /** Number of members. */
  count: u32;
  weight: f64;
}
const SOURCE_SIZE: usize = offsetof<Source>();
let sources: usize = 0;
let sourceCount: u32 = 0;

// @ts-ignore: decorator
@inline function sourceAt(i: u32): Source {
  return changetype<Source>(sources + <usize>i * SOURCE_SIZE);
}

let aggregate: u32 = AGGREGATE_SUM;
let withScores: bool = false;
/** ZINTERCARD's LIMIT, 0 = none. */
let limit: i64 = 0;

// ---- arguments

/** Reads numkeys in argument `at`; false: answered. */
function countOrReply(at: u32, name: string): bool {
  if (!argI64OrReply(at)) return false;
  if (argInt < 1) {
    errorBegin("ERR at least 1 input key is needed for '");
    errorText(name);
    errorText("' command");
    errorEnd();
    return false;
  }
  if (argInt > <i64>(argc - at - 1)) {
    replySyntaxError();
    return false;
  }
  sourceCount = <u32>argInt;
  return true;
}

/** Looks up the inputs, whose keys begin at argument `at`; false: answered. */
function sourcesOrReply(at: u32): bool {
  for (let i: u32 = 0; i < sourceCount; i++) {
    const entry = lookupRead(dbAt(client.db), argPtr(at + i), argLen(at + i));
    const source = sourceAt(i);
    source.entry = <u32>entry;
    source.count = 0;
    source.weight = 1;
    if (entry == 0) continue;
    const type = entryType(entry);
    if (type != TYPE_ZSET && type != TYPE_SET) {
      replyWrongType();
      return false;
    }
    source.count = type == TYPE_ZSET ? zsetLen(entry) : setLen(entry);
  }
  return true;
}

function weightsOrReply(at: u32): bool {
  for (let i: u32 = 0; i < sourceCount; i++) {
    if (!argF64OrReplyText(at + i, 'ERR weight value is not a float')) return false;
    sourceAt(i).weight = argDouble;
  }
  return true;
}

function aggregateOrReply(at: u32): bool {
  if (argIs(at, 'sum')) aggregate = AGGREGATE_SUM;
  else if (argIs(at, 'min')) aggregate = AGGREGATE_MIN;
  else if (argIs(at, 'max')) aggregate = AGGREGATE_MAX;
  else {
    replySyntaxError();
    return false;
  }
  return true;
}

/** Reads the options behind the keys; `store`, `card`: of the forms that have others. */
function optionsOrReply(i: u32, op: u32, store: bool, card: bool): bool {
  aggregate = AGGREGATE_SUM;
  withScores = false;
  limit = 0;
  while (i < argc) {
    const left = argc - i;
    const isWeighed = op != OP_DIFF && !card;
    if (isWeighed && left > sourceCount && argIs(i, 'weights')) {
      if (!weightsOrReply(i + 1)) return false;
      i += 1 + sourceCount;
    } else if (isWeighed && left >= 2 && argIs(i, 'aggregate')) {
      if (!aggregateOrReply(i + 1)) return false;
      i += 2;
    } else if (!store && !card && argIs(i, 'withscores')) {
      withScores = true;
      i++;
    } else if (card && left >= 2 && argIs(i, 'limit')) {
      const text = "ERR LIMIT can't be negative";
      if (!argRangeOrReplyText(i + 1, 0, i64.MAX_VALUE, text)) return false;
      limit = argInt;
      i += 2;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return true;
}

/** Smallest inputs first, equal ones as they came: sums depend on the order. */
function sortSources(): void {
  // Merge sort from the bottom up: as many inputs as arguments may come.
  const bytes = <usize>sourceCount * SOURCE_SIZE;
  let from = sources;
  let to = sources + bytes;
  for (let width: u32 = 1; width < sourceCount && width != 0; width *= 2) {
    for (let at: u32 = 0; at < sourceCount; at += width * 2) mergeRuns(from, to, at, width);
    const other = from;
    from = to;
    to = other;
  }
  if (from != sources) memory.copy(sources, from, bytes);
}

/** Merges the two runs of `width` at `at`. */
function mergeRuns(from: usize, to: usize, at: u32, width: u32): void {
  let i = at;
  const middle = min(at + width, sourceCount);
  let k = middle;
  const end = min(at + width * 2, sourceCount);
  for (let n = at; n < end; n++) {
    const right =
      i == middle || (k < end && countAt(from, k) < countAt(from, i));
    const taken = right ? k++ : i++;
    memory.copy(to + <usize>n * SOURCE_SIZE, from + <usize>taken * SOURCE_SIZE, SOURCE_SIZE);
  }
}

// @ts-ignore: decorator
@inline function countAt(base: usize, i: u32): u32 {
  return changetype<Source>(base + <usize>i * SOURCE_SIZE).count;
}

// ---- walking inputs

/** The input being walked. */
let walked: Source = changetype<Source>(0);
/** The walk is over: out of memory, or the limit is reached. */
let stopped: bool = false;
/** There was no memory. */
let failed: bool = false;
/** The result being made. */
let result: usize = 0;
let resultCount: i64 = 0;

/** Calls `visit` for each member of an input, in elPtr, elLen and elScore, until `stopped`. */
function walk(source: Source, visit: (arg: usize) => void): void {
  walked = source;
  if (source.count == 0) return;
  if (entryType(source.entry) == TYPE_ZSET) {
    let more = zsetSeek(source.entry, 0, pos);
    while (more && !stopped) {
      visit(0);
      more = zsetStep(pos, true);
    }
    return;
  }
  let cursor: u64 = 0;
  do {
    elSetScore(1);
    cursor = setScan(source.entry, cursor, visit, 0);
  } while (cursor != 0 && !stopped);
}

/** Looks a member up in an input; its score is then in elScore. */
function findIn(source: Source, ptr: usize, len: u32): bool {
  if (source.entry == 0) return false;
  if (entryType(source.entry) == TYPE_ZSET) return zsetScore(source.entry, ptr, len);
  elSetScore(1);
  return setHas(source.entry, ptr, len);
}

/** Redis: opposite infinities add up to 0. */
function aggregated(a: f64, b: f64): f64 {
  if (aggregate == AGGREGATE_MIN) return b < a ? b : a;
  if (aggregate == AGGREGATE_MAX) return b > a ? b : a;
  const sum = a + b;
  return isNaN<f64>(sum) ? 0 : sum;
}

/** The score of the member looked at, weighed; infinity times nothing is 0. */
// @ts-ignore: decorator
@inline function weighed(): f64 {
  const score = walked.weight * elScore;
  return isNaN<f64>(score) ? 0 : score;
}

function stop(): void {
  stopped = true;
  failed = true;
}

// ---- the three operations

function visitUnion(_arg: usize): void {
  if (stopped) return;
  const item = buildPut(result, elPtr, elLen);
  if (item == 0) stop();
  else if (buildIsNew) itemSetScore(item, weighed());
  else itemSetScore(item, aggregated(itemScore(item), weighed()));
}

/** Adds the member looked at to the result. */
function addToResult(score: f64): void {
  if (zsetAdd(result, score, elPtr, elLen) == ADD_OOM) stop();
}

function visitInter(_arg: usize): void {
  if (stopped) return;
  const own = elScore;
  let score = weighed();
  for (let i: u32 = 1; i < sourceCount; i++) {
    const source = sourceAt(i);
    if (source.entry == walked.entry) {
      elSetScore(own);
    } else if (!findIn(source, elPtr, elLen)) {
      elSetScore(own);
      return;
    }
    score = aggregated(score, elScore * source.weight);
  }
  resultCount++;
  if (result != 0) addToResult(score);
  else if (limit != 0 && resultCount >= limit) stopped = true;
  elSetScore(own);
}

function visitDiff(_arg: usize): void {
  if (stopped) return;
  const own = elScore;
  for (let i: u32 = 1; i < sourceCount; i++) {
    const source = sourceAt(i);
    if (source.entry == walked.entry || findIn(source, elPtr, elLen)) {
      elSetScore(own);
      return;
    }
  }
  addToResult(own);
  elSetScore(own);
}

/** Computes into the holder `h` (0: only counts); false: out of memory, nothing is left of it. */
function combine(op: u32, h: usize): bool {
  result = h;
  resultCount = 0;
  stopped = false;
  failed = false;
  if (h != 0 && !(op == OP_UNION ? buildBegin(h) : zsetNewTree(h))) return false;
  if (op != OP_DIFF) sortSources();
  if (op == OP_UNION) {
    for (let i: u32 = 0; i < sourceCount && !stopped; i++) walk(sourceAt(i), visitUnion);
    if (!failed) failed = !buildEnd(h);
  } else {
    walk(sourceAt(0), op == OP_INTER ? visitInter : visitDiff);
  }
  if (failed) zsetDiscard(h);
  return !failed;
}

// ---- commands

/** Reads the arguments from numkeys in `at` on into `sources`; false: answered. */
function readOrReply(at: u32, op: u32, store: bool, card: bool): bool {
  return sourcesOrReply(at + 1) && optionsOrReply(at + 1 + sourceCount, op, store, card);
}

/** Twice the room: sorting needs as much again. */
function roomOrReply(): bool {
  sources = alloc(<usize>sourceCount * SOURCE_SIZE * 2);
  if (sources != 0) return true;
  replyOom();
  return false;
}

function replyResult(h: usize): void {
  const count: i64 = zsetLen(h);
  const nested = withScores && respVersion > 2;
  replyArray(withScores && !nested ? count * 2 : count);
  let more = zsetSeek(h, 0, pos);
  while (more) {
    if (nested) replyArray(2);
    replyBulk(elPtr, elLen);
    if (withScores) replyDouble(elScore);
    more = zsetStep(pos, true);
  }
}

function answer(op: u32, name: string): void {
  if (!countOrReply(1, name) || !roomOrReply()) return;
  if (readOrReply(1, op, false, false)) {
    const h = holder(0);
    if (combine(op, h)) {
      replyResult(h);
      zsetDiscard(h);
    } else {
      replyOom();
    }
  }
  free(sources);
}

function storeResult(op: u32, name: string): void {
  if (!countOrReply(2, name) || !roomOrReply()) return;
  if (readOrReply(2, op, true, false)) {
    const h = holder(0);
    if (!combine(op, h)) {
      replyOom();
    } else if (zsetLen(h) != 0 && !zsetToListpackIfFits(h)) {
      zsetDiscard(h);
      replyOom();
    } else {
      const count = zsetLen(h);
      if (zsetStore(client.db, 1, h, name, 1)) replyInt(count);
      else replyOom();
    }
  }
  free(sources);
}

export function cmdZunion(): void {
  answer(OP_UNION, 'zunion');
}

export function cmdZinter(): void {
  answer(OP_INTER, 'zinter');
}

export function cmdZdiff(): void {
  answer(OP_DIFF, 'zdiff');
}

export function cmdZunionstore(): void {
  storeResult(OP_UNION, 'zunionstore');
}

export function cmdZinterstore(): void {
  storeResult(OP_INTER, 'zinterstore');
}

export function cmdZdiffstore(): void {
  storeResult(OP_DIFF, 'zdiffstore');
}

export function cmdZintercard(): void {
  if (!countOrReply(1, 'zintercard') || !roomOrReply()) return;
  if (readOrReply(1, OP_INTER, false, true)) {
    combine(OP_INTER, 0);
    replyInt(resultCount);
  }
  free(sources);
}
