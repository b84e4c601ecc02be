/**
 * What INFO commandstats, INFO latencystats and LATENCY HISTOGRAM show of every command, and which
 * commands are timed at all.
 *
 * Reading the clock twice costs half a GET. So commands are of two kinds. A *short line* is one
 * whose work is known to be small: a command flagged `fast` (and few more) in its shortest form,
 * without a long last argument. Of those one in a few dozen is timed and stands for the others;
 * the distance varies, so that a client's regular pattern cannot hide behind it. Everything else
 * is timed always. A short line that turns out long after all, because its reply fills a block or
 * more (GET of a large value), is timed from there on (base/clock.ts).
 *
 * When the host wants to hear of commands so short that a sample would not do (slowlog-log-
 * slower-than below a millisecond), everything is timed.
 *
 *   row, 40 bytes
 *   +0  u64 calls
 *   +8  f64 nanoseconds, of all calls but the untimed ones since the last sample
 *   +16 u32 calls that answered with an error      +20 u32 calls refused before they ran
 *   +24 u32 histogram: HISTOGRAM_SIZE u32 counters, 0 = none yet
 *   +28 u16 short lines left until one is timed    +30 u16 how many these were in the beginning
 *   +32 f64 nanoseconds of the last short line that was timed
 *
 * The histogram is HdrHistogram's with two digits, from 1 ns to 1 s, as in Redis.
 */
import { allocAside, freeAside } from '../base/alloc';
import { clockMarked, clockNs } from '../base/clock';
import { client, CLIENT_BLOCKED, CLIENT_INTERNAL } from '../clients/client';
import { argc, argv, setArgs } from '../resp/args';
import { CMD_COUNT, CMDFLAG_FAST, CMDFLAG_SKIP_SLOWLOG } from './generated/ids';
import { cmdFlags, cmdShortForm } from './generated/table';
import { reportSlow } from './host-call';

const ROW: usize = 40;
const OFF_NS: usize = 8;
const OFF_FAILED: usize = 16;
const OFF_REJECTED: usize = 20;
const OFF_HISTOGRAM: usize = 24;
const OFF_LEFT: usize = 28;
const OFF_PERIOD: usize = 30;
const OFF_LAST: usize = 32;
const commandStats = memory.data(<i32>CMD_COUNT * 40, 16);

/** A last argument longer than this makes a line long. */
const LONG_ARGUMENT: u32 = 65536;
/** Short lines between two that are timed: this many and up to 31 more. */
const PERIOD: u32 = 32;
/** Counters of a histogram: 24 halves of 128, see `histogramIndex`. */
const HISTOGRAM_SIZE: usize = 3072;
const HISTOGRAM_MAX_NS: f64 = 1e9;

/** Commands that took as long are reported to the host. Infinity: none. */
let reportNs: f64 = Infinity;
let timesAll: bool = false;
let tracksLatency: bool = true;
/** Where the periods come from; any sequence would do. */
let seed: u32 = 1;

/** What is reported, whether every line is timed, whether histograms are kept. */
export function commandTiming(slowNs: f64, all: bool, histograms: bool): void {
  reportNs = slowNs;
  timesAll = all;
  tracksLatency = histograms;
}

// @ts-ignore: decorator
@inline function row(id: i32): usize {
  return commandStats + <usize>id * ROW;
}

/**
 * Decides whether the command in the arguments is timed: how many calls the measurement will stand
 * for, 0 = it is not timed.
 */
// @ts-ignore: decorator
@inline export function callWeight(id: i32): u32 {
  const last = load<u32>(argv + (<usize>argc << 3) - 4);
  if (timesAll || argc > cmdShortForm(id) || last > LONG_ARGUMENT) return 1;
  const at = row(id);
  const left: u32 = load<u16>(at, OFF_LEFT);
  if (left == 0) return nextPeriod(at);
  store<u16>(at, left - 1, OFF_LEFT);
  return 0;
}

function nextPeriod(at: usize): u32 {
  const weight: u32 = <u32>load<u16>(at, OFF_PERIOD) + 1;
  seed = seed * 1664525 + 1013904223;
  const period = PERIOD + (seed >>> 27);
  store<u16>(at, period, OFF_LEFT);
  store<u16>(at, period, OFF_PERIOD);
  return weight;
}

// @ts-ignore: decorator
@inline export function countCall(id: i32): void {
  const at = row(id);
  store<u64>(at, load<u64>(at) + 1);
}

/**
 * A command that was timed has ended. `weight` is what `callWeight` said and `began` the clock
 * then; with weight 0 the time runs from `clockMark`. `words` and `pairs` are its arguments, which
 * are the current ones again afterwards if it is reported.
 */
export function callEnded(id: i32, weight: u32, began: f64, words: u32, pairs: usize): void {
  const at = row(id);
  const isMarked = weight == 0;
  const ns = max<f64>(clockNs() - (isMarked ? clockMarked : began), 0);
  if (isMarked) {
    // It stands for itself: the sample to come does not speak for it.
    weight = 1;
    store<u16>(at, load<u16>(at, OFF_PERIOD) - 1, OFF_PERIOD);
  } else if (words <= cmdShortForm(id)) {
    store<f64>(at, ns, OFF_LAST);
  }
  if (client.flags & CLIENT_BLOCKED) {
    // Redis: its call is over when it is served.
    store<f64>(at, load<f64>(at, OFF_NS) + ns, OFF_NS);
    return;
  }
  count(at, ns, weight);
  if (ns >= reportNs) report(id, ns, words, pairs);
}

/** A blocked client's command was served, which took so long. */
export function callServed(id: i32, ns: f64, words: u32, pairs: usize): void {
  count(row(id), ns, 1);
  if (ns >= reportNs) report(id, ns, words, pairs);
}

function report(id: i32, ns: f64, words: u32, pairs: usize): void {
  setArgs(words, pairs);
  const flags = cmdFlags(id);
  // What the host asks for itself is nobody's command.
  const isUnlogged = (flags & CMDFLAG_SKIP_SLOWLOG) != 0 || (client.flags & CLIENT_INTERNAL) != 0;
  reportSlow(
    client.handle,
    id,
    ns / 1000,
    (isUnlogged ? 1 : 0) | (flags & CMDFLAG_FAST ? 2 : 0),
  );
}

/** Adds `weight` calls of `ns` each. */
function count(at: usize, ns: f64, weight: u32): void {
  store<f64>(at, load<f64>(at, OFF_NS) + ns * <f64>weight, OFF_NS);
  if (!tracksLatency) return;
  let histogram: usize = load<u32>(at, OFF_HISTOGRAM);
  if (histogram == 0) {
    histogram = allocAside(HISTOGRAM_SIZE << 2);
    // Without memory for it there is none.
    if (histogram == 0) return;
    memory.fill(histogram, 0, HISTOGRAM_SIZE << 2);
    store<u32>(at, <u32>histogram, OFF_HISTOGRAM);
  }
  const cell = histogram + (histogramIndex(ns) << 2);
  store<u32>(cell, load<u32>(cell) + weight);
}

/** Place of a duration: buckets of 256 values, each twice as wide; the upper half counts. */
function histogramIndex(ns: f64): usize {
  const value = <u32>min<f64>(max<f64>(ns, 1), HISTOGRAM_MAX_NS);
  const bucket: u32 = 24 - clz(value | 255);
  return <usize>((bucket << 7) + (value >>> bucket));
}

/** Lets the last sample speak for the untimed calls so far, so that times and calls agree. */
export function commandStatsSettle(): void {
  for (let id = 0; id < CMD_COUNT; id++) {
    const at = row(id);
    const pending: u32 = <u32>load<u16>(at, OFF_PERIOD) - load<u16>(at, OFF_LEFT);
    if (pending == 0) continue;
    store<u16>(at, load<u16>(at, OFF_LEFT), OFF_PERIOD);
    count(at, load<f64>(at, OFF_LAST), pending);
  }
}

/** The row of a command; host/core/command-stats.ts reads it. */
export function commandStatsRow(id: i32): usize {
  return row(id);
}

/** CONFIG RESETSTAT. */
export function commandStatsReset(): void {
  for (let id = 0; id < CMD_COUNT; id++) {
    freeAside(load<u32>(row(id), OFF_HISTOGRAM));
  }
  memory.fill(commandStats, 0, <usize>CMD_COUNT * ROW);
}

export function countFailed(id: i32): void {
  const at = row(id) + OFF_FAILED;
  store<u32>(at, load<u32>(at) + 1);
}

export function countRejected(id: i32): void {
  const at = row(id) + OFF_REJECTED;
  store<u32>(at, load<u32>(at) + 1);
}
