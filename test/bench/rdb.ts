// `respite rdb` over the mixed dump (rdb-data.ts), beside redis-check-rdb on the same file, which
// only verifies: CPU seconds of whole processes, all threads, and the highest resident memory.
// Rounds alternate, medians are reported. Output goes to /dev/null. --scale makes the dump smaller.

import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { RESPITE_MAIN } from '../support/servers.js';
import { type BenchOptions, type BenchResult, median, type Row } from './measure.js';
import { mixedDump } from './rdb-data.js';

const KEYS = 1_000_000;
const ORACLE = 'redis-check-rdb';
/** What issue 4 asks for: at most so many times the oracle's CPU seconds. */
const GOALS: Record<string, number> = {
  stats: 1.2,
  memory: 1.2,
  json: 3,
  resp: 1.9,
  'resp --restore': 1.1,
  prefixes: 1.5,
};
const RESIDENT_MB_MAX = 90;
const COMMANDS = [
  ...['check', 'info', 'keys', 'stats', 'memory', 'prefixes', 'top'],
  ...['json', 'csv', 'resp', 'resp --restore', 'aof', 'convert --rdb-version 9', 'filter', 'diff'],
];

interface Shot {
  cpuSec: number;
  wallSec: number;
  residentMb: number;
}

/** Why a command cannot be measured; undefined: it can. */
function missing(command: string): string | undefined {
  const [name, option] = command.split(' ');
  try {
    const args = [RESPITE_MAIN, 'rdb', name!, '--help'];
    const help = execFileSync(process.execPath, args, { stdio: 'pipe' }).toString();
    // of an unknown command the help is that of `rdb`
    if (!help.includes(`rdb ${name} [options]`)) return 'no such command yet';
    return option === undefined || help.includes(option) ? undefined : `no ${option} yet`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Peak resident bytes of a child of `pid`, as long as it lives. */
function peakOfChild(pid: number): number {
  try {
    const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    const status = readFileSync(`/proc/${child}/status`, 'latin1');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Runs a program below a shell that measures it. */
function shoot(words: readonly string[]): Promise<Shot> {
  return new Promise((resolve, reject) => {
    const script = 'TIMEFORMAT="%R %U %S"; time "$@" 2>&4';
    const nowhere = openSync('/dev/null', 'w');
    const stdio: (number | 'pipe' | 'ignore')[] = ['ignore', nowhere, 'pipe', 'ignore', 'pipe'];
    const shell = spawn('bash', ['-c', script, 'bash', ...words], { stdio });
    let times = '';
    let said = '';
    let peak = 0;
    shell.stderr!.on('data', (chunk: Buffer) => (times += chunk));
    shell.stdio[4]!.on('data', (chunk: Buffer) => (said += chunk));
    const watch = setInterval(() => (peak = Math.max(peak, peakOfChild(shell.pid!))), 10);
    shell.once('error', reject);
    shell.once('close', (code) => {
      clearInterval(watch);
      closeSync(nowhere);
      const [wall, user, system] = times.trim().split(/\s+/).map(Number);
      if (code !== 0) reject(new Error(`${words.join(' ')} ended with ${code}: ${said}`));
      else resolve({ cpuSec: user! + system!, wallSec: wall!, residentMb: peak / 1e6 });
    });
  });
}

export async function rdb({ rounds, scale }: BenchOptions): Promise<BenchResult> {
  const file = await mixedDump(Math.round(KEYS * scale));
  const skipped = new Map(COMMANDS.map((command) => [command, missing(command)]));
  const names = [ORACLE, ...COMMANDS.filter((command) => skipped.get(command) === undefined)];
  const shots = new Map<string, Shot[]>();
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? [...names].reverse() : names) {
      const words =
        name === ORACLE
          ? [ORACLE, file]
          : [process.execPath, RESPITE_MAIN, 'rdb', ...name.split(' '), '--quiet', file];
      if (name === 'diff') words.push(file);
      shots.set(name, [...(shots.get(name) ?? []), await shoot(words)]);
    }
  }
  const rows = [...shots].map(([name, some]) => row(name, some, shots.get(ORACLE)!));
  for (const [name, why] of skipped) {
    if (why !== undefined) rows.push({ command: name, 'CPU s': 'skipped', note: why });
  }
  const megabytes = Math.round(statSync(file).size / 1e6);
  return { name: `rdb: ${megabytes} MB, ${rounds} rounds`, rows };
}

function row(name: string, some: Shot[], oracle: Shot[]): Row {
  const of = (what: keyof Shot, from = some) => median(from.map((shot) => shot[what]));
  const ratio = of('cpuSec') / of('cpuSec', oracle);
  const goal = GOALS[name];
  const isOver = goal !== undefined && ratio > goal;
  const isFat = name !== ORACLE && of('residentMb') > RESIDENT_MB_MAX;
  return {
    command: name,
    'CPU s': of('cpuSec').toFixed(2),
    ratio: ratio.toFixed(2),
    goal: goal?.toFixed(1) ?? '',
    'wall s': of('wallSec').toFixed(2),
    'resident MB': of('residentMb').toFixed(0),
    note: [isOver ? 'too slow' : '', isFat ? 'too large' : ''].filter(Boolean).join(', '),
  };
}
