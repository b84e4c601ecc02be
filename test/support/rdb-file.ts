// RDB files written by hand out of keys, without a checksum (eight zero bytes: disabled).

import { f64, i64, len, str } from './rdb-build.js';

export interface MadeKey {
  name: string;
  /** A string, or the elements of a list, set (strings), hash or zset (pairs). */
  value:
    | string
    | { list: readonly string[] }
    | { set: readonly string[] }
    | { hash: readonly (readonly [string, string])[] }
    | { zset: readonly (readonly [string, number])[] };
  expireAtMs?: number;
  idleSec?: number;
  freq?: number;
  db?: number;
}

function valueBytes(value: MadeKey['value']): [type: number, bytes: Buffer] {
  if (typeof value === 'string') return [0, str(value)];
  const counted = (parts: Buffer[], n: number) => Buffer.concat([len(n), ...parts]);
  if ('list' in value) return [1, counted(value.list.map(str), value.list.length)];
  if ('set' in value) return [2, counted(value.set.map(str), value.set.length)];
  if ('hash' in value) return [4, counted(value.hash.flat().map(str), value.hash.length)];
  const pairs = value.zset.flatMap(([member, score]) => [str(member), f64(score)]);
  return [5, counted(pairs, value.zset.length)];
}

export function madeRdb(keys: Iterable<MadeKey>): Buffer {
  const parts: Buffer[] = [Buffer.from('REDIS0009', 'latin1')];
  let db = -1;
  for (const key of keys) {
    if ((key.db ?? 0) !== db) {
      db = key.db ?? 0;
      parts.push(Buffer.from([254]), len(db));
    }
    if (key.expireAtMs !== undefined) parts.push(Buffer.from([252]), i64(key.expireAtMs));
    if (key.idleSec !== undefined) parts.push(Buffer.from([248]), len(key.idleSec));
    if (key.freq !== undefined) parts.push(Buffer.from([249, key.freq]));
    const [type, bytes] = valueBytes(key.value);
    parts.push(Buffer.from([type]), str(key.name), bytes);
  }
  parts.push(Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 0]));
  return Buffer.concat(parts);
}
