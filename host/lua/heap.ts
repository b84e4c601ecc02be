// How much of JavaScript's heap is in use. Lua values live there, so this is what bounds a script.
// Node.js tells it, and browsers with Chromium's engine; where nobody does, time is the bound.

/** More of the heap than this is too much: a script that needs more is ended. */
const SHARE_MAX = 0.8;

/** Used bytes and the limit. */
type Look = () => readonly [number, number];

interface NodeV8 {
  getHeapStatistics(): { used_heap_size: number; heap_size_limit: number };
}

interface Engine {
  process?: { getBuiltinModule?(name: string): NodeV8 | undefined };
  performance?: { memory?: { usedJSHeapSize: number; jsHeapSizeLimit: number } };
}

function findLook(): Look | undefined {
  const { process, performance } = globalThis as Engine;
  const v8 = process?.getBuiltinModule?.('node:v8');
  if (v8 !== undefined) {
    return () => {
      const { used_heap_size: used, heap_size_limit: limit } = v8.getHeapStatistics();
      return [used, limit];
    };
  }
  if (performance?.memory === undefined) return undefined;
  return () => {
    const { usedJSHeapSize: used, jsHeapSizeLimit: limit } = performance.memory!;
    return [used, limit];
  };
}

const look = findLook();

export function isHeapFull(): boolean {
  if (look === undefined) return false;
  const [used, limit] = look();
  return used > limit * SHARE_MAX;
}
