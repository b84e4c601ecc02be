// The instantaneous_* fields of INFO: how much happened a second, over the last 1.6 seconds.

/** Samples that the mean is taken over, and how far apart they are, as in Redis. */
const SAMPLES = 16;
const EVERY_MS = 100;

/** What is followed: totals that only grow (or begin anew at CONFIG RESETSTAT). */
export interface Traffic {
  commands: number;
  inputBytes: number;
  outputBytes: number;
  replInputBytes: number;
}

type Name = keyof Traffic;
const NAMES: readonly Name[] = ['commands', 'inputBytes', 'outputBytes', 'replInputBytes'];
const NONE: Traffic = { commands: 0, inputBytes: 0, outputBytes: 0, replInputBytes: 0 };

export class Rates {
  readonly #samples: Record<Name, number[]> = {
    commands: [],
    inputBytes: [],
    outputBytes: [],
    replInputBytes: [],
  };
  #last: Traffic = NONE;
  #lastMs: number | undefined;

  /** To be called now and then; `read` is asked when a sample is due. */
  sample(nowMs: number, read: () => Traffic): void {
    const passedMs = nowMs - (this.#lastMs ?? nowMs);
    if (this.#lastMs !== undefined && passedMs < EVERY_MS) return;
    const traffic = read();
    for (const name of NAMES) {
      if (passedMs === 0) break;
      const delta = Math.max(0, traffic[name] - this.#last[name]);
      const samples = this.#samples[name];
      samples.push((delta * 1000) / passedMs);
      if (samples.length > SAMPLES) samples.shift();
    }
    this.#last = traffic;
    this.#lastMs = nowMs;
  }

  perSecond(name: Name): number {
    return this.#samples[name].reduce((sum, one) => sum + one, 0) / SAMPLES;
  }

  reset(): void {
    for (const name of NAMES) this.#samples[name].length = 0;
  }
}
