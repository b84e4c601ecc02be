// Which commands are timed, what the statistics make of it, and what is reported as slow: with a
// stopwatch that goes on by one step at each reading.

import { beforeEach, describe, expect, test } from 'vitest';
import { COMMAND_NAMES } from '../../../host/commands/generated/table.js';
import {
  cumulative,
  percentileNs,
  readCommandStatistics,
  readErrorStatistics,
} from '../../../host/core/command-stats.js';
import { Core } from '../../../host/core/core.js';
import { type MemoryClient, MemoryHost } from '../../sim/memory-host.js';
import { encodeCommand } from '../../support/bytes.js';

interface Slow {
  name: string;
  us: number;
  flags: number;
  words: string[];
}

let host: MemoryHost;
let client: MemoryClient;
let readings = 0;
let stepNs = 1000;
let slow: Slow[] = [];

beforeEach(() => {
  readings = 0;
  stepNs = 1000;
  slow = [];
  let nowNs = 0;
  host = new MemoryHost({
    make: (module, imports, options) => {
      const core: Core = new Core(
        module,
        {
          hostCommand: (handle, id) => imports.hostCommand(handle, id),
          applyProblem: (id) => imports.applyProblem(id),
          clockNs: () => {
            readings++;
            nowNs += stepNs;
            return nowNs;
          },
          slowCommand: (_handle, id, us, flags) => {
            const words = core.commandArgs().map((word) => Buffer.from(word).toString('latin1'));
            slow.push({ name: COMMAND_NAMES[id]!, us, flags, words });
          },
        },
        options,
      );
      return core;
    },
  });
  client = host.open();
});

async function run(...args: (string | Buffer)[]): Promise<string> {
  return (await client.ask(encodeCommand(args))).toString('latin1');
}

async function repeat(times: number, ...args: string[]): Promise<void> {
  await client.ask(Buffer.concat(Array(times).fill(encodeCommand(args))));
}

function statsOf(name: string) {
  host.core.x.commandStatisticsSettle();
  return readCommandStatistics(host.core, COMMAND_NAMES.indexOf(name as 'get'));
}

describe('short lines', () => {
  test('are timed by samples that stand for all', async () => {
    await repeat(1000, 'GET', 'k');
    expect(readings).toBeGreaterThan(2 * 10);
    expect(readings).toBeLessThan(2 * 40);
    const { calls, us, histogram } = statsOf('get');
    expect([calls, us]).toEqual([1000, 1000]);
    expect(cumulative(histogram!)).toEqual({ calls: 1000, steps: [[1, 1000]] });
    await repeat(500, 'GET', 'k');
    expect(statsOf('get')).toMatchObject({ calls: 1500, us: 1500 });
  });

  test('the first of each command is timed', async () => {
    for (const name of ['GET', 'STRLEN', 'TYPE', 'TTL', 'INCR']) await run(name, 'n');
    expect(readings).toBe(10);
  });

  test('a long reply is timed from where it turns out to be long', async () => {
    await run('SET', 'big', Buffer.alloc(300_000, 'x'));
    await run('GET', 'big');
    host.core.x.configureTiming(1e6, false, true);
    stepNs = 2e6;
    for (let i = 0; i < 40; i++) await run('GET', 'none');
    slow = [];
    const before = readings;
    await run('GET', 'big');
    expect(readings - before).toBe(2);
    expect(slow).toEqual([{ name: 'get', us: 2000, flags: 2, words: ['GET', 'big'] }]);
  });

  test('a long argument, and a longer form, are timed always', async () => {
    await run('SADD', 's', 'a');
    await run('APPEND', 'k', 'a');
    const before = readings;
    await run('APPEND', 'k', 'v'.repeat(70_000));
    await run('SADD', 's', 'b', 'c');
    await run('SPOP', 's', '2');
    expect(readings - before).toBe(6);
  });
});

describe('what is reported', () => {
  test('nothing, until it is asked for', async () => {
    stepNs = 1e12;
    host.core.x.configureTiming(Number.POSITIVE_INFINITY, false, true);
    await run('KEYS', '*');
    expect(slow).toEqual([]);
    host.core.x.configureTiming(1e9, false, true);
    await run('KEYS', '*');
    expect(slow.map(({ name }) => name)).toEqual(['keys']);
  });

  test('every command when all are asked for', async () => {
    host.core.x.configureTiming(0, true, true);
    await client.ask(
      Buffer.concat([
        ...Array.from({ length: 100 }, () => encodeCommand(['GET', 'k'])),
        ...[['MULTI'], ['INCR', 'n'], ['KEYS', '*'], ['EXEC'], ['CLIENT', 'GETNAME']].map((words) =>
          encodeCommand(words),
        ),
      ]),
    );
    expect(slow.slice(0, 100).every(({ name, us }) => name === 'get' && us === 1)).toBe(true);
    expect(slow.slice(100).map(({ name, words }) => [name, words.join(' ')])).toEqual([
      ['multi', 'MULTI'],
      ['incr', 'INCR n'],
      ['keys', 'KEYS *'],
      ['exec', 'EXEC'],
      ['client|getname', 'CLIENT GETNAME'],
    ]);
    // EXEC has no place in SLOWLOG, and its time is that of all it ran.
    expect(slow[103]).toMatchObject({ flags: 1, us: 5 });
    expect(slow[101]!.flags).toBe(2);
  });

  test('refused commands are neither timed nor called', async () => {
    host.core.x.configureTiming(0, true, true);
    await run('GET');
    await run('NOSUCH');
    expect(slow).toEqual([]);
    expect(statsOf('get')).toMatchObject({ calls: 0, rejected: 1, failed: 0 });
  });
});

describe('statistics', () => {
  test('failures and error codes', async () => {
    await run('SET', 'k', 'v');
    await run('INCR', 'k');
    await run('HGET', 'k', 'f');
    await run('GET');
    await run('DEBUG', 'ERROR', 'CODE text');
    expect(statsOf('incr')).toMatchObject({ calls: 1, failed: 1 });
    expect(readErrorStatistics(host.core)).toEqual([
      ['ERR', 3],
      ['WRONGTYPE', 1],
    ]);
    host.core.x.statisticsReset();
    expect(readErrorStatistics(host.core)).toEqual([]);
    expect(statsOf('incr')).toMatchObject({ calls: 0, failed: 0, us: 0, histogram: undefined });
  });

  test('no histograms when they are not wanted', async () => {
    host.core.x.configureTiming(Number.POSITIVE_INFINITY, false, false);
    await run('KEYS', '*');
    expect(statsOf('keys')).toMatchObject({ calls: 1, us: 1, histogram: undefined });
  });

  test('histograms are no part of the memory of the data', async () => {
    // A block for replies is kept.
    await run('PING');
    const before = host.core.x.replicaUsedBytes();
    for (const name of ['GET', 'STRLEN', 'TYPE', 'TTL', 'KEYS']) await run(name, 'n');
    expect(host.core.x.replicaUsedBytes()).toBe(before);
  });
});

describe('histograms', () => {
  // What redis-server 7.0.15 printed for calls of that length.
  test.each([
    [2000, '2.007', 2],
    [3000, '3.007', 4],
    [8000, '8.031', 8],
    [125_000, '125.439', 132],
    [110_000, '110.079', 132],
    [86_000, '86.015', 132],
    [376_800, '376.831', 528],
    [20_150_000, '20185.087', 33816],
  ])('%i ns', async (ns, percentile, step) => {
    stepNs = ns;
    await run('KEYS', '*');
    const { histogram } = statsOf('keys');
    expect((percentileNs(histogram!, 50) / 1000).toFixed(3)).toBe(percentile);
    expect(cumulative(histogram!)).toEqual({ calls: 1, steps: [[step, 1]] });
  });

  test('percentiles, and durations beyond the range', async () => {
    for (const ns of [1000, 2000, 3000, 5e9]) {
      stepNs = ns;
      await run('KEYS', '*');
    }
    const { histogram } = statsOf('keys');
    const at = (percent: number) => percentileNs(histogram!, percent);
    expect([0, 25, 26, 50, 75].map(at)).toEqual([1000, 1003, 1003, 2007, 3007]);
    expect(at(100)).toBeGreaterThanOrEqual(1e9);
    expect(cumulative(histogram!).calls).toBe(4);
  });
});
