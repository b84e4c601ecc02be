// Test entry: the types as one small module.
export * from '../../../../assembly/base/alloc';
export { sipSeed } from '../../../../assembly/base/siphash';
export { prngSeed } from '../../../../assembly/base/prng';
export * from '../../../../assembly/encoding/listpack';
export * from '../../../../assembly/encoding/intset';
export * from '../../../../assembly/types/element';
export * from '../../../../assembly/types/holder';
export * from '../../../../assembly/types/limits';
export * from '../../../../assembly/types/list';
export * from '../../../../assembly/types/set';
export * from '../../../../assembly/types/hash';
export * from '../../../../assembly/types/zset';
export * from '../../../../assembly/types/rank-tree';
export * from '../../../../assembly/types/value';
export * from '../../../../assembly/rdb/save-sink';
export * from '../../../../assembly/rdb/save-value';

import {
  elExpire,
  elLen,
  elPtr,
  elScore,
  valLen,
  valPtr,
} from '../../../../assembly/types/element';
import { hashScan, hashTakeExpired } from '../../../../assembly/types/hash';
import { setScan } from '../../../../assembly/types/set';
import { zsetScan } from '../../../../assembly/types/zset';

// @ts-ignore: decorator
@external('env', 'visited')
declare function visited(el: usize, elLen: u32, val: usize, valLen: u32, num: f64): void;

function tellSet(_arg: usize): void {
  visited(elPtr, elLen, 0, 0, 0);
}
function tellHash(_arg: usize): void {
  visited(elPtr, elLen, valPtr, valLen, <f64>elExpire);
}
function tellZset(_arg: usize): void {
  visited(elPtr, elLen, 0, 0, elScore);
}
export function scanSet(obj: usize, cursor: u64): u64 {
  return setScan(obj, cursor, tellSet, 0);
}
export function scanHash(obj: usize, cursor: u64): u64 {
  return hashScan(obj, cursor, tellHash, 0);
}
export function scanZset(obj: usize, cursor: u64): u64 {
  return zsetScan(obj, cursor, tellZset, 0);
}
export function takeExpired(obj: usize, nowMs: f64, limit: u32): u32 {
  return hashTakeExpired(obj, <i64>nowMs, limit, tellHash, 0);
}
