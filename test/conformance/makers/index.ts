// All makers of random commands, by family, and a draw among them by weight.

import type { Prng } from '../../support/prng.js';
import { BLOCKING } from './blocking.js';
import type { Make, Weighted } from './common.js';
import { GEO } from './geo.js';
import { HASH, HASH_EXPIRE } from './hash.js';
import { HYPERLOGLOG } from './hyperloglog.js';
import { KEYS } from './keys.js';
import { KEYSPACE } from './keyspace.js';
import { LIST } from './list.js';
import { SET } from './set.js';
import { SORT } from './sort.js';
import { STREAM } from './stream.js';
import { ZSET } from './zset.js';

/**
 * Changes nothing, and makes C's errno 0 on the way. Redis: SORT takes an errno that an earlier
 * command left behind (ZADD k 1e-400 m) for a failure of its own.
 */
export const ERRNO_RESET = ['INCRBYFLOAT', 'errno', 'inf'];

/**
 * SORT turns a sorted set into a skiplist first. Redis: that reads scores, and a subnormal one
 * leaves an errno behind.
 */
const toSkiplist = ([, key = '']: (string | Buffer)[]): (string | Buffer)[] => {
  return ['SORT_RO', key, 'BY', 'nosort', 'LIMIT', '0', '0'];
};

/** What redis-server 7.0 can be asked. */
const FAMILIES: Record<string, Weighted[]> = {
  blocking: BLOCKING,
  geo: GEO,
  hash: HASH,
  hyperloglog: HYPERLOGLOG,
  keyspace: KEYSPACE,
  list: LIST,
  set: SET,
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

const ROULETTE = roulette();

/** `count` random commands, and what is needed between them. */
export function drawCommands(
  prng: Prng,
  count: number,
  makes: readonly Make[] = ROULETTE,
): (string | Buffer)[][] {
  return Array.from({ length: count }, () => prng.pick(makes)(prng)).flatMap((command) => {
    const name = String(command[0]);
    if (name.startsWith('SORT')) return [toSkiplist(command), ERRNO_RESET, command];
    return /^B([LR]|Z[MP])/.test(name) ? [['MULTI'], command, ['EXEC']] : [command];
  });
}
