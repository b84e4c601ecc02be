// Where a full synchronisation is loaded to, and what clients see meanwhile. Redis decides this by
// `repl-diskless-load`; there is no file in between here, so its three words mean:
//
//   disabled, on-empty-db   as a redis-server that first receives a file: the old data is served
//                           until the new set is whole
//   swapdb                  the old data is served only if it is of the same history; other
//                           commands answer LOADING
//
// In all of them the new set is loaded aside when there is old data and memory for both, so a
// transfer that breaks harms nothing. Where memory does not suffice the old data is dropped when
// the first bytes of the RDB are here, and commands answer LOADING until a set is whole.

export type DisklessLoad = 'disabled' | 'on-empty-db' | 'swapdb';

export interface LoadFacts {
  mode: DisklessLoad;
  oldKeys: number;
  /** Bytes the core has in use. */
  usedBytes: number;
  /** Bytes it could still take. */
  headroomBytes: number;
  /** Length of the RDB where the master said it. */
  announcedBytes: number | undefined;
  /** The old data has the replication id of the new. */
  isSameHistory: boolean;
  /** The last attempt to load aside ran out of memory. */
  asideFailed: boolean;
}

export interface LoadPlan {
  /** Into a second set, the old one kept until the new one is whole. */
  aside: boolean;
  /** What clients get meanwhile: LOADING, reads under async_loading, or the old data as ever. */
  clients: 'loading' | 'async' | 'old';
}

/** An RDB of strings in memory takes about this much more than on the wire. */
const GROWTH = 1.5;

export function planLoad(facts: LoadFacts): LoadPlan {
  if (facts.oldKeys === 0) return { aside: false, clients: 'loading' };
  const announced = (facts.announcedBytes ?? 0) * GROWTH;
  const isFitting = Math.max(announced, facts.usedBytes) <= facts.headroomBytes;
  if (facts.asideFailed || !isFitting) return { aside: false, clients: 'loading' };
  if (facts.mode !== 'swapdb') return { aside: true, clients: 'old' };
  return { aside: true, clients: facts.isSameHistory ? 'async' : 'loading' };
}
