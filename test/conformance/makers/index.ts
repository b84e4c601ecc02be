// All makers of random commands, by family, and a draw among them by weight.

import type { Make, Weighted } from './common.js';
import { HASH, HASH_EXPIRE } from './hash.js';
import { KEYS } from './keys.js';
import { KEYSPACE } from './keyspace.js';
import { LIST } from './list.js';
import { SET } from './set.js';
import { SORT } from './sort.js';
import { STREAM } from './stream.js';
import { ZSET } from './zset.js';

/** What redis-server 7.0 can be asked. */
const FAMILIES: Record<string, Weighted[]> = {
  keyspace: KEYSPACE,
  list: LIST,
  set: SET,
  hash: HASH,
  sort: SORT,
  stream: STREAM,
  zset: ZSET,
};
/** To be asked for by name: what only newer servers know, and what goes with it. */
const NEWER: Record<string, Weighted[]> = { 'hash-expire': HASH_EXPIRE, keys: KEYS };

/** One entry per unit of weight, of the families named; of all that 7.0 knows without names. */
export function roulette(names: readonly string[] = Object.keys(FAMILIES)): Make[] {
  return names.flatMap((name) => {
    const family = FAMILIES[name] ?? NEWER[name];
    if (family === undefined) throw new Error(`no makers called ${name}`);
    return family.flatMap(([weight, make]) => Array<Make>(weight).fill(make));
  });
}

export const ROULETTE: Make[] = roulette();
