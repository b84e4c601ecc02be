// The periodic work of a core, for whoever owns one: the clean-up of what has expired, and freeing
// what was dropped bit by bit in the gaps between other work.

import type { Core } from './core.js';

/** What this needs of the platform's clock. */
export interface CronClock {
  nowMs(): number;
  monotonicMs(): number;
  defer(fn: () => void): void;
}

export class CoreCron {
  readonly #core: Core;
  readonly #clock: CronClock;
  #isFreeing = false;

  constructor(core: Core, clock: CronClock) {
    this.#core = core;
    this.#clock = clock;
  }

  /** To be called some ten times a second; the milliseconds that the clean-up took. */
  tick(): number {
    const began = this.#clock.monotonicMs();
    this.#core.x.cron(this.#clock.nowMs());
    const tookMs = this.#clock.monotonicMs() - began;
    if (!this.#isFreeing) this.#free();
    return tookMs;
  }

  #free(): void {
    this.#isFreeing = this.#core.x.lazyStep() !== 0;
    if (this.#isFreeing) this.#clock.defer(() => this.#free());
  }
}
