// How much of JavaScript's heap is in use. Lua values live there, so this is what bounds a script.

import { getHeapStatistics } from 'node:v8';

/** More of the heap than this is too much: a script that needs more is ended. */
const SHARE_MAX = 0.8;

export function isHeapFull(): boolean {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used > limit * SHARE_MAX;
}
