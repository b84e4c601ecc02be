// One timer for all that the core has to do at a time of its own: the deadlines of blocked clients
// and the end of a pause. The core says when the next one is; nothing is looked at in between.

import type { Core } from '../core/core.js';
import type { Clock, TimerHandle } from '../platform/platform.js';

/** Longest delay a timer takes; it is then set again. */
const DELAY_MAX_MS = 0x7fffffff;

export class Deadlines {
  readonly #core: Core;
  readonly #clock: Clock;
  readonly #drainReady: () => void;
  #timer: TimerHandle | undefined;
  /** When the timer is due, by the steady clock. */
  #dueMs = Number.POSITIVE_INFINITY;

  /** `drainReady`: the clients that were woken are to be attended to. */
  constructor(core: Core, clock: Clock, drainReady: () => void) {
    this.#core = core;
    this.#clock = clock;
    this.#drainReady = drainReady;
  }

  /** Deadlines have changed, or may have: the timer is set to the next one. */
  arm(): void {
    this.#set(this.#core.x.armDeadlines(this.#clock.monotonicMs()));
  }

  #set(dueMs: number): void {
    // A timer that is too early asks again.
    if (dueMs >= this.#dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    const delayMs = Math.min(
      Math.max(0, Math.ceil(dueMs - this.#clock.monotonicMs())),
      DELAY_MAX_MS,
    );
    this.#timer = this.#clock.setTimer(delayMs, () => this.#due()).unref();
  }

  #due(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    const { x } = this.#core;
    this.#set(x.serveDeadlines(this.#clock.monotonicMs(), this.#clock.nowMs()));
    if (x.readyClients() !== 0) this.#drainReady();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#dueMs = Number.NEGATIVE_INFINITY;
  }
}
