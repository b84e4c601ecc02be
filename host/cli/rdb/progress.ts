// How far reading has come, on standard error, where somebody looks at it.

import type { SingleBar } from 'cli-progress';
import type { RdbIo } from './io.js';

const EVERY_MS = 200;
/** Short work shows nothing. */
const FIRST_MS = 700;

export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function spanText(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  if (s < 3600) return `${Math.trunc(s / 60)}:${two(s % 60)}`;
  return `${Math.trunc(s / 3600)}:${two(Math.trunc(s / 60) % 60)}:${two(s % 60)}`;
}

export interface Step {
  position: number;
  size: number | undefined;
  keys: number | undefined;
}

/** A line or bar on a terminal; plain lines elsewhere, when they are asked for. */
export class Progress {
  readonly #io: RdbIo;
  readonly #startMs = performance.now();
  #shownMs: number;
  #bar: SingleBar | undefined;
  #isLoading = false;

  constructor(io: RdbIo) {
    this.#io = io;
    this.#shownMs = this.#startMs + FIRST_MS - EVERY_MS;
  }

  step(step: Step): void {
    const now = performance.now();
    if (now - this.#shownMs < EVERY_MS) return;
    this.#shownMs = now;
    const seconds = (now - this.#startMs) / 1000;
    const rate = step.position / seconds;
    const left = step.size === undefined ? undefined : (step.size - step.position) / rate;
    const text = [
      `${bytesText(step.position)}${step.size === undefined ? '' : ` of ${bytesText(step.size)}`}`,
      `${bytesText(rate)}/s`,
      ...(step.keys === undefined ? [] : [`${step.keys.toLocaleString('en-US')} keys`]),
      left === undefined ? spanText(seconds) : `${spanText(left)} left`,
    ].join(' · ');
    if (!this.#io.errIsTerminal) this.#io.writeErr(`${text}\n`);
    else this.#draw(step, text);
  }

  #draw({ position, size }: Step, text: string): void {
    if (this.#bar !== undefined) {
      this.#bar.update(size === undefined ? 0 : position, { text });
      return;
    }
    if (this.#isLoading) return;
    this.#isLoading = true;
    import('cli-progress').then(({ default: { SingleBar, Presets } }) => {
      if (!this.#isLoading) return;
      const format = size === undefined ? ' {text}' : ' {bar} {percentage}% · {text}';
      const options = { format, clearOnComplete: true, hideCursor: true, barsize: 24 };
      this.#bar = new SingleBar({ ...options, stream: process.stderr }, Presets.shades_classic);
      this.#bar.start(size ?? 1, position, { text });
    });
  }

  /** Makes room for another line; the bar comes back with the next step. */
  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
    this.#isLoading = false;
  }
}
