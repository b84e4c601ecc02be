// The statistics of commands and errors as the core keeps them (assembly/commands/command-stats.ts,
// assembly/resp/error-stats.ts), and what can be read from a histogram of durations.

import type { Core } from './core.js';

export interface CommandStatistics {
  calls: number;
  /** Of all calls together. */
  us: number;
  failed: number;
  rejected: number;
  /** Counters by place; undefined: nothing was recorded. */
  histogram: Uint32Array | undefined;
}

const ROW_BYTES = 40;
const HISTOGRAM_SIZE = 3072;
const ERROR_ROW_BYTES = 40;
const ERROR_CODE_AT = 9;

/** What is known of a command; `settle` must have been called since commands ran. */
export function readCommandStatistics(core: Core, id: number): CommandStatistics {
  const bytes = core.copy(core.x.commandStatistics(id) >>> 0, ROW_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, ROW_BYTES);
  const histogram = view.getUint32(24, true);
  return {
    calls: Number(view.getBigUint64(0, true)),
    us: Math.floor(view.getFloat64(8, true) / 1000),
    failed: view.getUint32(16, true),
    rejected: view.getUint32(20, true),
    histogram:
      histogram === 0
        ? undefined
        : new Uint32Array(core.copy(histogram, HISTOGRAM_SIZE * 4).slice().buffer),
  };
}

/** How often each error code was answered, by code. */
export function readErrorStatistics(core: Core): [code: string, count: number][] {
  const count = core.x.errorStatisticsCount();
  const bytes = core.copy(core.x.errorStatistics() >>> 0, count * ERROR_ROW_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out: [string, number][] = [];
  for (let at = 0; at < bytes.length; at += ERROR_ROW_BYTES) {
    const length = view.getUint8(at + 8);
    const code = bytes.subarray(at + ERROR_CODE_AT, at + ERROR_CODE_AT + length);
    out.push([latin1(code), Number(view.getBigUint64(at, true))]);
  }
  return out.sort(([a], [b]) => (a < b ? -1 : 1));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

// ---- histograms: HdrHistogram with two digits, in nanoseconds

/** The longest duration that a place of a histogram stands for. */
function highestNs(index: number): number {
  if (index < 128) return index;
  const width = widthNs(index);
  return ((index & 127) + 128) * width + width - 1;
}

/** How many durations a place stands for. */
function widthNs(index: number): number {
  return 2 ** Math.max(0, (index >> 7) - 1);
}

function placeOf(ns: number): number {
  const bucket = 24 - Math.clz32(ns | 255);
  return Math.min((bucket << 7) + Math.floor(ns / 2 ** bucket), HISTOGRAM_SIZE - 1);
}

function total(histogram: Uint32Array): number {
  let sum = 0;
  for (const n of histogram) sum += n;
  return sum;
}

/** The duration, ns, below or at which so many percent of the calls were. */
export function percentileNs(histogram: Uint32Array, percent: number): number {
  const wanted = Math.max(1, Math.floor((Math.min(percent, 100) / 100) * total(histogram) + 0.5));
  let sum = 0;
  for (const [index, n] of histogram.entries()) {
    sum += n;
    if (sum < wanted) continue;
    const longest = highestNs(index);
    // Of the shortest calls the shortest that they can have been.
    return percent === 0 ? longest - widthNs(index) + 1 : longest;
  }
  return 0;
}

/** How many calls took up to so many µs, in steps of about two where the number grows. */
export function cumulative(histogram: Uint32Array): { calls: number; steps: [number, number][] } {
  const calls = total(histogram);
  const steps: [number, number][] = [];
  let sum = 0;
  let at = 0;
  for (let level = 1024; sum < calls; level *= 2) {
    const before = sum;
    const place = placeOf(Math.min(level, 2 ** 30));
    for (; at <= place; at++) sum += histogram[at] as number;
    if (sum > before) steps.push([Math.floor(highestNs(place) / 1000), sum]);
  }
  return { calls, steps };
}
