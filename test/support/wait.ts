// Waiting in tests: for a time, or until something becomes true.

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export interface WaitOptions {
  timeoutMs?: number;
  everyMs?: number;
  what?: string;
}

/**
 * Calls `check` until it gives a truthy value and returns that; throws after timeoutMs with the
 * last error or the name of what was awaited. An exception in `check` counts as "not yet".
 */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 10, what = 'condition' }: WaitOptions = {},
): Promise<NonNullable<T>> {
  const until = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value) return value as NonNullable<T>;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > until) {
      throw new Error(`waited ${timeoutMs} ms for ${what}; last: ${String(last)}`);
    }
    await sleep(everyMs);
  }
}
