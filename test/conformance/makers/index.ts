// All makers of random commands, and a draw among them by weight.

import type { Make } from './common.js';
import { KEYSPACE } from './keyspace.js';
import { LIST } from './list.js';
import { SORT } from './sort.js';

/** One entry per unit of weight. */
export const ROULETTE: Make[] = [KEYSPACE, LIST, SORT].flatMap((family) =>
  family.flatMap(([weight, make]) => Array<Make>(weight).fill(make)),
);
