// How long to wait before the next attempt: exponential with full jitter, so that many replicas of
// one master that went away do not come back in step.

import type { Random } from '../platform/platform.js';

export interface BackoffOptions {
  /** Upper bound of the first delay. */
  minMs: number;
  /** Upper bound of every delay. */
  maxMs: number;
}

export class Backoff {
  readonly #random: Random;
  readonly #minMs: number;
  readonly #maxMs: number;
  #attempts = 0;

  constructor(random: Random, { minMs, maxMs }: BackoffOptions) {
    this.#random = random;
    this.#minMs = minMs;
    this.#maxMs = Math.max(minMs, maxMs);
  }

  /** Failures since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** A number in [0, 1). */
  #fraction(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#random.bytes(4);
    return (a + b * 256 + c * 65536 + d * 16777216) / 4294967296;
  }

  /** The next delay: anything from 0 to the bound, which doubles each time. */
  nextMs(): number {
    const bound = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts++;
    return Math.floor(this.#fraction() * bound);
  }

  /** For refusals that only a person can end: at least half the longest delay. */
  longMs(): number {
    this.#attempts++;
    return Math.floor(this.#maxMs * (0.5 + this.#fraction() / 2));
  }

  reset(): void {
    this.#attempts = 0;
  }
}
