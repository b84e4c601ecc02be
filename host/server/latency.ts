// The latency monitor: for each class of events the spikes of at least latency-monitor-threshold
// milliseconds. What LATENCY says of them is in commands/latency.ts.

/** Samples kept of each class, as in Redis. */
const SAMPLES_MAX = 160;

export interface LatencySample {
  timeSec: number;
  ms: number;
}

export interface LatencySeries {
  /** Oldest first. */
  samples: LatencySample[];
  /** Worst since the last reset, of all time. */
  maxMs: number;
}

export class LatencyMonitor {
  readonly #series = new Map<string, LatencySeries>();
  readonly #thresholdMs: () => number;

  constructor(thresholdMs: () => number) {
    this.#thresholdMs = thresholdMs;
  }

  /** False: nothing is recorded, so nothing need be measured. */
  get isOn(): boolean {
    return this.#thresholdMs() > 0;
  }

  get events(): ReadonlyMap<string, LatencySeries> {
    return this.#series;
  }

  series(event: string): LatencySeries | undefined {
    return this.#series.get(event);
  }

  /** Records a spike, if it is one. Within a second only the worst is kept. */
  add(event: string, took: number, nowMs: number): void {
    const ms = Math.floor(took);
    const threshold = this.#thresholdMs();
    if (threshold === 0 || ms < threshold) return;
    const timeSec = Math.floor(nowMs / 1000);
    const series = this.#series.get(event) ?? { samples: [], maxMs: 0 };
    this.#series.set(event, series);
    series.maxMs = Math.max(series.maxMs, ms);
    const last = series.samples.at(-1);
    if (last?.timeSec === timeSec) {
      last.ms = Math.max(last.ms, ms);
      return;
    }
    series.samples.push({ timeSec, ms });
    if (series.samples.length > SAMPLES_MAX) series.samples.shift();
  }

  /** Forgets the named classes, or all; how many there were. */
  reset(events: readonly string[]): number {
    const names = events.length === 0 ? [...this.#series.keys()] : events;
    return names.filter((name) => this.#series.delete(name)).length;
  }
}

// ---- LATENCY GRAPH: Redis' sparklines

const GRAPH_COLUMNS = 80;
const GRAPH_ROWS = 4;
const GRAPH_CHARS = '_o#';

function age(sec: number): string {
  if (sec < 60) return `${sec}s`;
  if (sec < 3600) return `${Math.floor(sec / 60)}m`;
  if (sec < 86400) return `${Math.floor(sec / 3600)}h`;
  return `${Math.floor(sec / 86400)}d`;
}

/** Heights of columns as rows of characters, and the labels below them, read downwards. */
function renderRange(values: readonly number[], labels: readonly string[]): string {
  const steps = GRAPH_CHARS.length * GRAPH_ROWS;
  const level = values.map((value) => Math.min(Math.max(Math.floor(value * steps), 0), steps - 1));
  const lines: string[] = [];
  for (let row = 0; row < GRAPH_ROWS; row++) {
    const base = (GRAPH_ROWS - row - 1) * GRAPH_CHARS.length;
    const chars = level.map((step) => {
      if (step < base) return ' ';
      return step - base < GRAPH_CHARS.length ? GRAPH_CHARS[step - base] : '|';
    });
    lines.push(chars.join(''));
  }
  lines.push(' '.repeat(values.length));
  const longest = Math.max(...labels.map((label) => label.length));
  for (let i = 0; i < longest; i++) lines.push(labels.map((label) => label[i] ?? ' ').join(''));
  return lines.map((line) => `${line}\n`).join('');
}

/** The reply of LATENCY GRAPH. */
export function latencyGraph(event: string, series: LatencySeries, nowMs: number): string {
  const nowSec = Math.floor(nowMs / 1000);
  const ms = series.samples.map((sample) => sample.ms);
  const [high, low] = [Math.max(...ms), Math.min(...ms)];
  const span = high === low ? 1 : high - low;
  const values = ms.map((one) => (one - low) / span);
  const labels = series.samples.map((sample) => age(Math.max(0, nowSec - sample.timeSec)));
  const parts: string[] = [];
  for (let at = 0; at < values.length; at += GRAPH_COLUMNS) {
    const to = at + GRAPH_COLUMNS;
    parts.push(renderRange(values.slice(at, to), labels.slice(at, to)));
  }
  return (
    `${event} - high ${high} ms, low ${low} ms (all time high ${series.maxMs} ms)\n` +
    `${'-'.repeat(GRAPH_COLUMNS)}\n${parts.join('\n')}`
  );
}

// ---- LATENCY DOCTOR

const DISABLED =
  "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. You " +
  'may use "CONFIG SET latency-monitor-threshold <milliseconds>." in order to enable it. If we ' +
  "weren't in a deep space mission I'd suggest to take a look at " +
  'https://redis.io/topics/latency-monitor.\n';
const NOTHING =
  'Dave, no latency spike was observed during the lifetime of this Redis instance, not in the ' +
  'slightest bit. I honestly think you ought to sit down calmly, take a stress pill, and think ' +
  'things over.\n';
const OBSERVED =
  'Dave, I have observed latency spikes in this Redis instance. ' +
  "You don't mind talking about it, do you Dave?\n\n";
const NO_ADVICE =
  "\nWhile there are latency events logged, I'm not able to suggest any easy fix. Please use the " +
  'Redis community to get some help, providing this report in your help request.\n';

/** Settings that the doctor's advice depends on. */
export interface LatencySettings {
  thresholdMs: number;
  slowerThanUs: number;
  slowlogLength: number;
  hz: number;
}

function summary(event: string, { samples, maxMs }: LatencySeries, nowSec: number): string {
  const count = samples.length;
  const sum = samples.reduce((all, { ms }) => all + ms, 0);
  const average = count === 0 ? 0 : Math.floor(sum / count);
  const spread = samples.reduce((all, { ms }) => all + Math.abs(average - ms), 0);
  const deviation = count === 0 ? 0 : Math.floor(spread / count);
  const oldest = samples[0]?.timeSec ?? nowSec;
  const period = Math.max(1, nowSec - oldest) / Math.max(1, count);
  return (
    `${event}: ${count} latency spikes (average ${average}ms, mean deviation ${deviation}ms, ` +
    `period ${period.toFixed(2)} sec). Worst all time event ${maxMs}ms.`
  );
}

function commandAdvice({ thresholdMs, slowerThanUs, slowlogLength }: LatencySettings): string[] {
  const out: string[] = [];
  if (slowerThanUs < 0 || slowlogLength === 0) {
    out.push(
      'There are latency issues with potentially slow commands you are using. Try to enable the ' +
        `Slow Log Redis feature using the command 'CONFIG SET slowlog-log-slower-than ` +
        `${thresholdMs * 1000}'. If the Slow log is disabled Redis is not able to log slow ` +
        'commands execution for you.',
    );
  } else if (Math.floor(slowerThanUs / 1000) > thresholdMs) {
    out.push(
      'Your current Slow Log configuration only logs events that are slower than your configured ' +
        "latency monitor threshold. Please use 'CONFIG SET slowlog-log-slower-than " +
        `${thresholdMs * 1000}'.`,
    );
  }
  out.push(
    'Check your Slow Log to understand what are the commands you are running which are too slow ' +
      'to execute. Please check https://redis.io/commands/slowlog for more information.',
  );
  return out;
}

const FAST_ADVICE =
  'Commands that do little work were slow. This usually means that the process did not get the ' +
  'CPU, that the machine swaps, or that the JavaScript of the same process held up the event ' +
  "loop. Check with 'redis-cli --intrinsic-latency 100' what the system itself adds.";

/** The reply of LATENCY DOCTOR. */
export function latencyReport(
  monitor: LatencyMonitor,
  settings: LatencySettings,
  nowMs: number,
): string {
  const { events } = monitor;
  if (events.size === 0) return settings.thresholdMs === 0 ? DISABLED : NOTHING;
  const advice: string[] = [];
  const lines: string[] = [];
  for (const [event, series] of events) {
    lines.push(`${lines.length + 1}. ${summary(event, series, Math.floor(nowMs / 1000))}\n`);
    if (event === 'command') advice.push(...commandAdvice(settings));
    if (event === 'fast-command') advice.push(FAST_ADVICE);
    if (event === 'expire-cycle' && settings.hz < 100) {
      advice.push(
        "In order to make the Redis keys expiring process more incremental, try to set the 'hz' " +
          "configuration parameter to 100 using 'CONFIG SET hz 100'.",
      );
    }
  }
  if (advice.length === 0) return OBSERVED + lines.join('') + NO_ADVICE;
  const list = advice.map((text) => `- ${text}\n`).join('');
  return `${OBSERVED}${lines.join('')}\nI have a few advices for you:\n\n${list}`;
}
