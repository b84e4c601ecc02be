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

/** Why a file is none that could be looked at; undefined: it is an RDB file, or begins as one. */
export function whyNone({ damage, file }: Report, name: string): string | undefined {
  if (damage?.reason === 'RDB version not supported') return `${name}: ${damage.reason}.`;
  if (damage === null || file.version > 0) return undefined;
  const isEmpty = damage.offset === 0 && damage.reason === 'unexpected end of file';
  return `${name} is not an RDB file${isEmpty ? ': there is nothing in it to read' : ''}.`;
}

/** What `salvage` leaves out; anything else that is wrong is still wrong with it. */
const IN_A_VALUE = ['damaged container of elements', 'collection without elements'];

/** Whether more of the file could be read without its damaged values. */
export function canSalvage({ damage }: Report): boolean {
  return damage !== null && IN_A_VALUE.includes(damage.reason);
}
