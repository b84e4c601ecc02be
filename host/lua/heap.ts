// How much of JavaScript's heap is in use. Lua values live there, so this is what bounds a script.
// Node.js tells it, and browsers with Chromium's engine; where nobody does, time is the bound.

/** More of the heap than this is too much: a script that needs more is ended. */
const SHARE_MAX = 0.8;
/** Without its garbage it must hold less than this share of the limit, or be full again soon. */
const SHARE_LIVE = 0.75;

/** Used bytes, the limit, and bytes outside the heap: there V8 has strings of many megabytes. */
type Look = () => readonly [number, number, number];

interface NodeV8 {
  getHeapStatistics(): {
    used_heap_size: number;
    heap_size_limit: number;
    external_memory: number;
  };
  setFlagsFromString(flags: string): void;
}

interface NodeVm {
  runInNewContext(code: string): unknown;
}

interface Engine {
  process?: { getBuiltinModule?(name: string): unknown };
  performance?: { memory?: { usedJSHeapSize: number; jsHeapSizeLimit: number } };
}

const { process, performance } = globalThis as Engine;

function findLook(): Look | undefined {
  const v8 = process?.getBuiltinModule?.('node:v8') as NodeV8 | undefined;
  if (v8 !== undefined) {
    return () => {
      const found = v8.getHeapStatistics();
      return [found.used_heap_size, found.heap_size_limit, found.external_memory];
    };
  }
  const memory = performance?.memory;
  return memory && (() => [memory.usedJSHeapSize, memory.jsHeapSizeLimit, 0]);
}

/** V8's collector, which is behind a flag; undefined: it cannot be called here. */
function findCollector(): (() => void) | undefined {
  const v8 = process?.getBuiltinModule?.('node:v8') as NodeV8 | undefined;
  const vm = process?.getBuiltinModule?.('node:vm') as NodeVm | undefined;
  if (v8 === undefined || vm === undefined) return undefined;
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('globalThis.gc');
  v8.setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function' ? (gc as () => void) : undefined;
}

const look = findLook();
let collect: (() => void) | undefined;

/** Watches one script after the other. */
export class HeapWatch {
  readonly #mayTake: () => number;
  /** In use when it was first looked at; below 0: not yet. */
  #before = -1;

  /** A script may take so many bytes more than there were in use; 0: as much as there is. */
  constructor(mayTake: () => number) {
    this.#mayTake = mayTake;
  }

  /** A script begins. */
  begin(): void {
    this.#before = -1;
  }

  isFull(): boolean {
    if (look === undefined) return false;
    const [used, most, outside] = look();
    if (this.#before < 0) this.#before = used + outside;
    const take = this.#mayTake() || most;
    if (used <= most * SHARE_MAX && used + outside <= this.#before + take) return false;
    // Much of it may be garbage, also of the scripts before.
    collect ??= findCollector();
    if (collect === undefined) return true;
    collect();
    const [inside, , around] = look();
    const live = inside + around;
    if (live < this.#before) this.#before = live;
    if (inside > most * SHARE_MAX * SHARE_LIVE) return true;
    return live > this.#before + take * SHARE_LIVE;
  }
}
