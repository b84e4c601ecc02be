// LATENCY HISTORY, LATEST, RESET, GRAPH, DOCTOR, HISTOGRAM, HELP. Spikes are in ../latency.ts, the
// histograms of commands in the core.

import { COMMAND_NAMES } from '../../commands/generated/table.js';
import { cumulative, readCommandStatistics } from '../../core/command-stats.js';
import type { HostCall, HostHandler } from '../host-commands.js';
import { argText, writeHelp } from '../host-commands.js';
import { latencyGraph, latencyReport } from '../latency.js';

const HELP = [
  'LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'DOCTOR',
  '    Return a human readable latency analysis report.',
  'GRAPH <event>',
  '    Return an ASCII latency graph for the <event> class.',
  'HISTORY <event>',
  '    Return time-latency samples for the <event> class.',
  'LATEST',
  '    Return the latest latency samples for all events.',
  'RESET [<event> ...]',
  '    Reset latency data of one or more <event> classes.',
  '    (default: reset all data for all event classes)',
  'HISTOGRAM [COMMAND ...]',
  '    Return a cumulative distribution of latencies in the format of a histogram for the ' +
    'specified command names.',
  '    If no commands are specified then all histograms are replied.',
  'HELP',
  '    Prints this help.',
];

function words(call: HostCall): string[] {
  return call.argv.slice(2).map((_, i) => argText(call, i + 2));
}

function cmdLatencyHistory(call: HostCall): void {
  const samples = call.server.latency.series(argText(call, 2))?.samples ?? [];
  call.out.array(samples.length);
  for (const { timeSec, ms } of samples) {
    call.out.array(2);
    call.out.int(timeSec);
    call.out.int(ms);
  }
}

function cmdLatencyLatest(call: HostCall): void {
  const { events } = call.server.latency;
  call.out.array(events.size);
  for (const [event, { samples, maxMs }] of events) {
    const last = samples.at(-1);
    call.out.array(4);
    call.out.bulk(event);
    call.out.int(last?.timeSec ?? 0);
    call.out.int(last?.ms ?? 0);
    call.out.int(maxMs);
  }
}

function cmdLatencyReset(call: HostCall): void {
  call.out.int(call.server.latency.reset(words(call)));
}

function cmdLatencyGraph(call: HostCall): void {
  const event = argText(call, 2);
  const series = call.server.latency.series(event);
  if (series === undefined) call.out.error(`ERR No samples available for event '${event}'`);
  else call.out.verbatim('txt', latencyGraph(event, series, call.server.nowMs()));
}

function cmdLatencyDoctor(call: HostCall): void {
  const { config, latency } = call.server;
  const settings = {
    thresholdMs: config.int('latency-monitor-threshold'),
    slowerThanUs: config.int('slowlog-log-slower-than'),
    slowlogLength: config.int('slowlog-max-len'),
    hz: config.int('hz'),
  };
  call.out.verbatim('txt', latencyReport(latency, settings, call.server.nowMs()));
}

/** Ids of the commands named; a container stands for its subcommands too. All without a name. */
function asked(names: readonly string[]): number[] {
  if (names.length === 0) return COMMAND_NAMES.map((_, id) => id);
  return names.flatMap((name) => {
    const lower = name.toLowerCase();
    return COMMAND_NAMES.flatMap((known, id) =>
      known === lower || known.startsWith(`${lower}|`) ? [id] : [],
    );
  });
}

function cmdLatencyHistogram(call: HostCall): void {
  const { core } = call.server;
  core.x.commandStatisticsSettle();
  const found = asked(words(call)).flatMap((id) => {
    const { histogram } = readCommandStatistics(core, id);
    return histogram === undefined ? [] : [{ id, ...cumulative(histogram) }];
  });
  call.out.map(found.length);
  for (const { id, calls, steps } of found) {
    call.out.bulk(COMMAND_NAMES[id] as string);
    call.out.map(2);
    call.out.bulk('calls');
    call.out.int(calls);
    call.out.bulk('histogram_usec');
    call.out.map(steps.length);
    for (const [us, count] of steps) {
      call.out.int(us);
      call.out.int(count);
    }
  }
}

export const LATENCY_FAMILY: Readonly<Record<string, HostHandler>> = {
  'latency|doctor': cmdLatencyDoctor,
  'latency|graph': cmdLatencyGraph,
  'latency|help': (call) => writeHelp(call, HELP),
  'latency|histogram': cmdLatencyHistogram,
  'latency|history': cmdLatencyHistory,
  'latency|latest': cmdLatencyLatest,
  'latency|reset': cmdLatencyReset,
};
