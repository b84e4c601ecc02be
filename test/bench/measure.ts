// What the benchmarks have in common: figures of a process from /proc, a fast loader, medians,
// and the servers under comparison. Linux only, as the figures come from /proc.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { RawConnection } from '../support/connection.js';
import { available, type Server, type ServerKind } from '../support/servers.js';

export interface BenchOptions {
  /** Rounds per server; they alternate, medians are reported. */
  rounds: number;
  /** Multiplies the amounts of data and operations; 1 is what the issue asks for. */
  scale: number;
}

/** One measured figure set; numbers are rounded for printing only. */
export type Row = Record<string, string | number>;

export interface BenchResult {
  name: string;
  rows: Row[];
}

/** Operations a second, and CPU of the server for one of them. */
export interface Shot {
  perSec: number;
  cpuUs: number;
}

/**
 * Puts the medians of the servers' shots into a row, and what each is beside redis-server; the
 * ratios are given to `each` unrounded.
 */
export function putMedians(
  row: Row,
  kinds: readonly ServerKind[],
  shotsOf: (kind: ServerKind) => readonly Shot[],
  each: (name: string, ratio: number) => void = () => undefined,
): void {
  const figure = (kind: ServerKind, what: keyof Shot) =>
    median(shotsOf(kind).map((shot) => shot[what]));
  for (const kind of kinds) {
    row[`${kind} op/s`] = Math.round(figure(kind, 'perSec'));
    row[`${kind} µs`] = Number(figure(kind, 'cpuUs').toFixed(2));
    if (kind === 'redis') continue;
    for (const what of ['perSec', 'cpuUs'] as const) {
      const name = `${kind}/redis ${what === 'perSec' ? 'op/s' : 'µs'}`;
      const ratio = figure(kind, what) / figure('redis', what);
      row[name] = Number(ratio.toFixed(2));
      each(name, ratio);
    }
  }
}

let ticksPerSec = 0;

/** User and system CPU seconds of a process (all threads) so far. */
export function cpuSec(pid: number): number {
  ticksPerSec ||= Number(execFileSync('getconf', ['CLK_TCK']).toString());
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSec;
}

/** Resident bytes now and at the highest. */
export function residentBytes(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { now: of('VmRSS') * 1024, peak: of('VmHWM') * 1024 };
}

export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The servers that can be compared here: redis-server first, respite, newer ones if there. */
export function contenders(): ServerKind[] {
  const kinds: ServerKind[] = ['redis', 'respite', 'valkey91'];
  return kinds.filter((kind) => available(kind).ok);
}

/** One field of INFO. */
export async function infoField(server: Server, section: string, field: string): Promise<string> {
  const connection = await server.connect();
  try {
    const text = String(await connection.call('INFO', section));
    return new RegExp(`^${field}:(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  } finally {
    connection.close();
  }
}

export interface LoadOptions {
  count: number;
  valueBytes: number;
  /** Key of number i; 16 bytes, as redis-benchmark makes them, when not given. */
  key?: (i: number) => string;
}

const BATCH = 1000;
const OK_BYTES = 5;
const AHEAD_MAX = 50;

/** SETs `count` keys as fast as the server takes them. */
export async function loadKeys(
  port: number,
  { count, valueBytes, key }: LoadOptions,
): Promise<void> {
  const keyOf = key ?? ((i: number) => `key:${String(i).padStart(12, '0')}`);
  const tail = `\r\n$${valueBytes}\r\n${'x'.repeat(valueBytes)}\r\n`;
  const socket = net.connect(port, '127.0.0.1');
  let answered = 0;
  let wake = () => {};
  socket.on('data', (chunk: Buffer) => {
    answered += chunk.length;
    wake();
  });
  const until = async (bytes: number) => {
    while (answered < bytes) await new Promise<void>((resolve) => (wake = resolve));
  };
  for (let from = 0; from < count; from += BATCH) {
    const to = Math.min(count, from + BATCH);
    let text = '';
    for (let i = from; i < to; i++) {
      const name = keyOf(i);
      text += `*3\r\n$3\r\nSET\r\n$${name.length}\r\n${name}${tail}`;
    }
    socket.write(text, 'latin1');
    await until((from - AHEAD_MAX * BATCH) * OK_BYTES);
  }
  await until(count * OK_BYTES);
  socket.destroy();
}

/** Pings every everyMs and keeps the longest time to an answer; `stop` gives it in ms. */
export async function watchStalls(port: number, everyMs = 2): Promise<{ stop: () => number }> {
  const connection = await RawConnection.open(port);
  let longestMs = 0;
  let isOn = true;
  const loop = async () => {
    while (isOn && !connection.isClosed) {
      const startMs = performance.now();
      await connection.command('PING').catch(() => undefined);
      if (isOn) longestMs = Math.max(longestMs, performance.now() - startMs);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  void loop();
  return {
    stop: () => {
      isOn = false;
      connection.close();
      return longestMs;
    },
  };
}
