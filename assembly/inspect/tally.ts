/**
 * What was read so far, whatever the mode and the filters: keys in all and of the current database,
 * values that were given up. Progress and the facts of the file are made of it.
 */
import { RdbReader } from '../rdb/input';
import { rdbOffset } from '../rdb/reader';

export let tallyKeys: u64 = 0;
/** Values that were damaged and left out. */
export let tallyDamaged: u64 = 0;
/** Keys of one database since it was selected, and those of them that expire. */
export let tallyDb: u32 = 0;
export let tallyDbKeys: u64 = 0;
export let tallyDbExpires: u64 = 0;

/** Bytes of the RDB, 0 before its end was reached; more may follow in the file. */
export let tallyBytes: u64 = 0;

export function tallyBegin(): void {
  tallyBytes = 0;
  tallyKeys = 0;
  tallyDamaged = 0;
  tallyDbBegin();
}

/** Another database begins. */
export function tallyDbBegin(): void {
  tallyDbKeys = 0;
  tallyDbExpires = 0;
}

export function tallyKey(r: RdbReader): void {
  tallyKeys++;
  tallyDb = r.db;
  tallyDbKeys++;
  if (r.hasExpire) tallyDbExpires++;
}

export function tallyDamage(): void {
  tallyDamaged++;
}

export function tallyEnd(r: RdbReader): void {
  tallyBytes = rdbOffset(r);
}
