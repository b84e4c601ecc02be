// The latency monitor and rates, without a server.

import { describe, expect, test } from 'vitest';
import { LatencyMonitor, latencyGraph, latencyReport } from '../../../host/server/latency.js';
import { Rates } from '../../../host/server/rates.js';

const SETTINGS = { thresholdMs: 1, slowerThanUs: 10000, slowlogLength: 128, hz: 10 };

function monitor(thresholdMs: number, spikes: [event: string, ms: number, atMs: number][]) {
  const made = new LatencyMonitor(() => thresholdMs);
  for (const [event, ms, atMs] of spikes) made.add(event, ms, atMs);
  return made;
}

describe('the latency monitor', () => {
  test('keeps what is at or above the threshold, the worst of each second', () => {
    const made = monitor(10, [
      ['command', 9.9, 1000],
      ['command', 10, 1000],
      ['command', 30.7, 1999],
      ['command', 20, 2000],
      ['fast-command', 11, 2000],
    ]);
    expect(made.series('command')).toEqual({
      samples: [
        { timeSec: 1, ms: 30 },
        { timeSec: 2, ms: 20 },
      ],
      maxMs: 30,
    });
    expect(made.reset(['nosuch', 'command', 'command'])).toBe(1);
    expect([...made.events.keys()]).toEqual(['fast-command']);
    expect(made.reset([])).toBe(1);
  });

  test('keeps 160 samples, and nothing while it is off', () => {
    const made = monitor(1, []);
    for (let sec = 0; sec < 200; sec++) made.add('command', 500 - sec, sec * 1000);
    expect(made.series('command')?.samples.length).toBe(160);
    expect(made.series('command')?.samples[0]).toEqual({ timeSec: 40, ms: 460 });
    expect(made.series('command')?.maxMs).toBe(500);
    expect(monitor(0, [['command', 1e6, 1]]).events.size).toBe(0);
  });

  // As redis-server 7.0.15 drew it.
  test('graph', () => {
    const made = monitor(1, [
      ['command', 10, 213_000],
      ['command', 20, 214_000],
      ['command', 30, 215_000],
    ]);
    const rows = ['  #', ' _|', ' ||', '_||', '   ', '321', 'sss', ''];
    expect(latencyGraph('command', made.series('command')!, 216_000)).toBe(
      ['command - high 30 ms, low 10 ms (all time high 30 ms)', '-'.repeat(80), ...rows].join('\n'),
    );
    const flat = monitor(1, [['command', 7, 0]]);
    expect(latencyGraph('command', flat.series('command')!, 90_000)).toContain('_\n \n1\nm\n');
  });

  test('a graph of more than 80 samples has several parts', () => {
    const made = monitor(1, []);
    for (let sec = 0; sec < 100; sec++) made.add('command', sec + 1, sec * 1000);
    const lines = latencyGraph('command', made.series('command')!, 100_000).split('\n');
    expect(lines[2]!.length).toBe(80);
    expect(lines.filter((line) => line.length === 20).length).toBeGreaterThan(4);
  });

  test('doctor', () => {
    const made = monitor(1, [
      ['command', 10, 213_000],
      ['command', 20, 214_000],
      ['command', 30, 215_000],
    ]);
    const report = latencyReport(made, SETTINGS, 216_000);
    expect(report).toMatch(/^Dave, I have observed latency spikes in this Redis instance\./);
    expect(report).toContain(
      '\n1. command: 3 latency spikes (average 20ms, mean deviation 6ms, period 1.00 sec). ' +
        'Worst all time event 30ms.\n\nI have a few advices for you:\n\n- Your current Slow Log',
    );
    expect(report).toContain("'CONFIG SET slowlog-log-slower-than 1000'");
    expect(latencyReport(monitor(1, []), SETTINGS, 0)).toMatch(/^Dave, no latency spike was/);
    const off = { ...SETTINGS, thresholdMs: 0 };
    expect(latencyReport(monitor(0, []), off, 0)).toMatch(/^I'm sorry, Dave/);
    const unlogged = latencyReport(made, { ...SETTINGS, slowerThanUs: -1 }, 216_000);
    expect(unlogged).toContain('Try to enable the Slow Log');
    const others = monitor(1, [
      ['fast-command', 5, 0],
      ['expire-cycle', 5, 0],
      ['other', 5, 0],
    ]);
    expect(latencyReport(others, SETTINGS, 0)).toMatch(/Commands that do little[\s\S]*'hz'/);
    expect(latencyReport(monitor(1, [['other', 5, 0]]), SETTINGS, 0)).toContain('any easy fix');
  });
});

test('rates are the mean of the last 16 samples', () => {
  const rates = new Rates();
  const traffic = { commands: 0, inputBytes: 0, outputBytes: 0, replInputBytes: 0 };
  rates.sample(1000, () => traffic);
  for (let i = 1; i <= 16; i++) {
    rates.sample(1000 + i * 100 - 50, () => expect.fail('too early'));
    rates.sample(1000 + i * 100, () => ({ ...traffic, commands: i * 20 }));
  }
  expect(rates.perSecond('commands')).toBeCloseTo(200);
  expect(rates.perSecond('inputBytes')).toBe(0);
  // CONFIG RESETSTAT: the totals begin anew.
  rates.reset();
  rates.sample(3000, () => traffic);
  expect(rates.perSecond('commands')).toBe(0);
});
