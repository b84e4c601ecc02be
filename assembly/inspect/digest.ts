/**
 * MODE_DIGEST: what differs between two files, by a digest of every key. One instance, three runs:
 *
 *   PHASE_KEEP     the first file: digests are kept (digest-table.ts)
 *   PHASE_COMPARE  the second file: keys that are new or differ are told
 *   PHASE_LIST     the first file again: keys that the second did not have are told
 *
 * When the first file has more keys than the table may hold, a pass is about some of them
 * (digestFrom, digestTo) and the others are passed over; the host makes as many as it takes.
 *
 * A digest is 41 bits over the value, not over its encoding: sets, hashes and sorted sets in any
 * order, field expiries and scores included; of streams entries, groups, consumers and pending
 * identities, without times. Values whose inside is not read (modules, arrays) count by their size.
 *
 * Records (host/rdb/diff.ts): u32 bytes, u32 kind R_DIFF, f64 what (DIFF_*), database, shape,
 * estimated memory, bytes in the file, elements, expiry ms (-1); then the name.
 */
import { murmur64a } from '../base/murmur';
import { RdbReader } from '../rdb/input';
import {
  REC_STREAM_CONSUMER, REC_STREAM_CONSUMER_PEL, REC_STREAM_GROUP, REC_STREAM_META,
  REC_STREAM_NODE, REC_STREAM_PEL,
} from '../rdb/opcodes';
import {
  KEY_OTHER_EXPIRY, KEY_SAME, KEY_UNKNOWN, digestCompare, digestEntries, digestIsUnseen,
  digestMatched, digestPut, digestTakes, digestsBegin, digestsSort,
} from './digest-table';
import {
  SHAPE_LIST, SHAPE_OTHER, evExpireMs, evLen, evMs, evPtr, evScore, evSeq, evValueLen, evValuePtr,
} from './event';
import { INSPECT_ERR_MEMORY, setInspectError } from './failure';
import { facts } from './facts';
import { optionNumber } from './options';
import { outCommit, outReserve } from './out';

const OPTION_PHASE: u32 = 0;
/** For PHASE_KEEP: the first part, the one behind the last, bytes of the table. */
const OPTION_FROM: u32 = 1;
const OPTION_TO: u32 = 2;
const OPTION_BYTES: u32 = 3;
const PHASE_KEEP: u32 = 0;
const PHASE_COMPARE: u32 = 1;

const DIFF_REMOVED: u32 = 0;
const DIFF_ADDED: u32 = 1;
/** The value (or its type) is another. */
const DIFF_VALUE: u32 = 2;
/** The value is the same, the expiry is not. */
const DIFF_EXPIRY: u32 = 3;

const R_DIFF: u32 = 80;
const HEAD: usize = 64;
const PRIME: u64 = 0x9e3779b97f4a7c15;

let phase: u32 = PHASE_KEEP;
let digest: u64 = 0;
let entry: u64 = 0;
/** The current key: its hash, and whether this run reads it. */
let hash: u64 = 0;
let reads: bool = false;
/** Keys that are the same in both files. */
export let digestSame: u64 = 0;

export function digestBegin(): bool {
  phase = <u32>optionNumber(OPTION_PHASE);
  digestSame = 0;
  if (phase == PHASE_KEEP) {
    const from = <u32>optionNumber(OPTION_FROM);
    digestsBegin(from, <u32>optionNumber(OPTION_TO), <u64>optionNumber(OPTION_BYTES));
  } else if (phase == PHASE_COMPARE) {
    digestsSort();
  }
  return true;
}

/** Keys of the first file that the second has not. */
export function digestMissing(): u64 {
  return digestEntries - digestMatched;
}

/** Whether the value of the current key is needed. */
export function digestReads(): bool {
  return reads;
}

// ---- values

function mix(h: u64): u64 {
  h = (h ^ (h >> 32)) * PRIME;
  h = (h ^ (h >> 29)) * PRIME;
  return h ^ (h >> 32);
}

export function digestKey(r: RdbReader): void {
  digest = mix(facts.shape + 1);
  hash = murmur64a(r.key.ptr, <u32>r.key.len, mix(r.db));
  reads = digestTakes(hash) && (phase <= PHASE_COMPARE || digestIsUnseen(hash));
}

export function digestString(): void {
  digest += murmur64a(evPtr, <u32>evLen, digest);
}

export function digestElement(): void {
  const h = murmur64a(evPtr, <u32>evLen, PRIME);
  digest = facts.shape == SHAPE_LIST ? mix(digest * PRIME + h) : digest + mix(h);
}

export function digestField(): void {
  const h = murmur64a(evPtr, <u32>evLen, 1);
  const v = murmur64a(evValuePtr, <u32>evValueLen, h);
  digest += mix(v + mix(<u64>evExpireMs));
}

export function digestScored(): void {
  // -0 equals 0, as for Redis
  const score = reinterpret<u64>(evScore == 0 ? 0 : evScore);
  digest += mix(murmur64a(evPtr, <u32>evLen, mix(score)));
}

/** An entry of a stream, or what belongs to its groups: all in their order. */
export function digestEntry(r: RdbReader, kind: i32): void {
  let h: u64 = <u64>kind;
  switch (kind) {
    case REC_STREAM_NODE:
      entry = mix(evMs * PRIME + evSeq);
      digest = mix(digest * PRIME + entry);
      return;
    case REC_STREAM_META:
      h += mix(r.n0) + mix(r.n1 * PRIME + r.n2);
      break;
    case REC_STREAM_GROUP:
      h += murmur64a(r.a.ptr, <u32>r.a.len, mix(r.n0 * PRIME + r.n1));
      break;
    case REC_STREAM_CONSUMER:
      h += murmur64a(r.a.ptr, <u32>r.a.len, 2);
      break;
    case REC_STREAM_PEL:
    case REC_STREAM_CONSUMER_PEL:
      h += mix(r.n0 * PRIME + r.n1);
      break;
    default: return;
  }
  digest = mix(digest * PRIME + h);
}

export function digestEntryField(): void {
  const h = murmur64a(evPtr, <u32>evLen, entry);
  digest = mix(digest * PRIME + murmur64a(evValuePtr, <u32>evValueLen, h));
}

// ---- a key

export function digestEnd(r: RdbReader): void {
  if (!reads) return;
  if (facts.shape == SHAPE_OTHER) digest += mix(facts.fileBytes);
  const expireMs = r.hasExpire ? r.expireMs : -1;
  if (phase == PHASE_KEEP) {
    if (!digestPut(hash, mix(digest), expireMs)) setInspectError(INSPECT_ERR_MEMORY);
    return;
  }
  if (phase != PHASE_COMPARE) {
    tell(r, DIFF_REMOVED);
    return;
  }
  const known = digestCompare(hash, mix(digest), expireMs);
  if (known == KEY_SAME) digestSame++;
  else if (known == KEY_UNKNOWN) tell(r, DIFF_ADDED);
  else tell(r, known == KEY_OTHER_EXPIRY ? DIFF_EXPIRY : DIFF_VALUE);
}

function tell(r: RdbReader, what: u32): void {
  const len = r.key.len;
  const at = outReserve(HEAD + len);
  if (at == 0) return;
  store<u32>(at, <u32>(HEAD + len));
  store<u32>(at, R_DIFF, 4);
  store<f64>(at, <f64>what, 8);
  store<f64>(at, <f64>r.db, 16);
  store<f64>(at, <f64>facts.shape, 24);
  store<f64>(at, <f64>facts.memory, 32);
  store<f64>(at, <f64>facts.fileBytes, 40);
  store<f64>(at, <f64>facts.count, 48);
  store<f64>(at, r.hasExpire ? <f64>r.expireMs : -1, 56);
  memory.copy(at + HEAD, r.key.ptr, len);
  outCommit(HEAD + len);
}
