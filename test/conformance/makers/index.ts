// All makers of random commands, and a draw among them by weight.

import type { Prng } from '../../support/prng.js';
import { BLOCKING } from './blocking.js';
import type { Make } from './common.js';
import { GEO } from './geo.js';
import { HYPERLOGLOG } from './hyperloglog.js';
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

/** One entry per unit of weight. */
const FAMILIES = [BLOCKING, GEO, HYPERLOGLOG, KEYSPACE, LIST, SET, SORT, STREAM, ZSET];
const ROULETTE: Make[] = FAMILIES.flatMap((family) =>
  family.flatMap(([weight, make]) => Array<Make>(weight).fill(make)),
);

/** `count` random commands, and what is needed between them. */
export function drawCommands(prng: Prng, count: number): (string | Buffer)[][] {
  return Array.from({ length: count }, () => prng.pick(ROULETTE)(prng)).flatMap((command) => {
    const name = String(command[0]);
    if (name.startsWith('SORT')) return [ERRNO_RESET, command];
    return /^B([LR]|Z[MP])/.test(name) ? [['MULTI'], command, ['EXEC']] : [command];
  });
}
