// What the core says of files, as the page uses it.

import type { RdbAnalysis } from '../rdb/analysis-types.js';
import type { DiffCounts, DiffPrefix } from '../rdb/diff.js';

export type Report = RdbAnalysis;

/** Two files compared key by key. */
export interface Comparison {
  counts: DiffCounts;
  prefixes: DiffPrefix[];
  /** Not every differing key was sent. */
  isCut: boolean;
}
