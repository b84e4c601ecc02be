/**
 * The phases of commands with many keys (MGET, MSET, DEL, EXISTS …): hash a chunk of keys, load
 * all their table groups, load all entries found there, and only then look them up one by one. The
 * loads of a phase are independent of each other, so the processor overlaps their cache misses.
 *
 * How a command uses it, for keys in arguments `first`, `first + step`, …:
 *
 *   for (let i = first; i < argc; i += step) {
 *     if (touchDue(i)) touchKeys(db, i, step);
 *     touchHint(i);
 *     … lookupRead(db, argPtr(i), argLen(i)) …
 *   }
 *   touchEnd();
 *
 * All of it is a hint: lookups see what is there when they run.
 */
import { htTouchGroups, htTouchItems } from '../hashtable/hashtable';
import { argc, argLen, argPtr } from '../resp/args';
import { dbKeys, dbTouchReach, keyHash, keyHashHint } from './db';

/** Keys of a chunk: as many misses as a processor keeps in flight, several times over. */
const CHUNK: u32 = 64;

const hashes = memory.data(<i32>CHUNK * 8, 16);
let chunkFirst: u32 = 0;
let chunkStep: u32 = 1;
/** First argument behind the chunk; 0 = none was made. */
let chunkEnd: u32 = 0;

/** Whether argument `index` lies behind the present chunk. */
// @ts-ignore: decorator
@inline export function touchDue(index: u32): bool {
  return index >= chunkEnd;
}

/** Hashes and touches the keys from argument `first` on, as many as a chunk takes. */
export function touchKeys(db: usize, first: u32, step: u32): void {
  const table = dbKeys(db);
  const left = (argc - first + step - 1) / step;
  const count = min(left, CHUNK);
  for (let i: u32 = 0; i < count; i++) {
    const arg = first + i * step;
    const hash = keyHash(argPtr(arg), argLen(arg));
    store<u64>(hashes + (<usize>i << 3), hash);
  }
  if (count > 1) {
    htTouchGroups(table, hashes, count);
    htTouchItems(table, hashes, count, dbTouchReach(db));
  }
  chunkFirst = first;
  chunkStep = step;
  chunkEnd = first + count * step;
}

/** Makes the hash of argument `index`, which is in the present chunk, known to its lookup. */
// @ts-ignore: decorator
@inline export function touchHint(index: u32): void {
  const i = <usize>(chunkStep == 1 ? index - chunkFirst : (index - chunkFirst) / chunkStep);
  keyHashHint(argPtr(index), load<u64>(hashes + (i << 3)));
}

/** Must follow the last lookup: hints are for the bytes of this command only. */
// @ts-ignore: decorator
@inline export function touchEnd(): void {
  chunkEnd = 0;
  keyHashHint(0, 0);
}
