// Long work in slices: timers, signals and sockets get their turn between them.

/** So long may work go on before others get their turn. */
const TURN_MS = 50;

type Defer = (fn: () => void) => void;

/** Calls back after the tasks that wait now; without the delay that nested timers have. */
function deferrer(): Defer {
  // Node.js and its like; taken now, because tests replace it by one that stands still
  const { setImmediate: immediate } = globalThis as { setImmediate?: Defer };
  if (immediate !== undefined) return (fn) => immediate(fn);
  if (typeof MessageChannel === 'undefined') return (fn) => setTimeout(fn, 0);
  // scheduler.yield would go on before timers
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return (fn) => {
    waiting.push(fn);
    port2.postMessage(undefined);
  };
}

let defer: Defer | undefined;

/** Resolves when others had their turn. */
export function turn(): Promise<void> {
  defer ??= deferrer();
  const later = defer;
  return new Promise((resolve) => later(resolve));
}

/** When it is time for one. */
export class Turns {
  #sinceMs = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#sinceMs >= TURN_MS;
  }

  async give(): Promise<void> {
    await turn();
    this.#sinceMs = performance.now();
  }
}
