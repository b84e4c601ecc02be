// CPU seconds of `respite rdb` commands beside redis-check-rdb on the same file, best of some
// rounds: node test/bench/rdb-commands.mjs FILE [rounds]. Files: mixed-dump.mjs. Needs an
// optimised build and GNU time.

import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [file, rounds = '3'] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: rdb-commands.mjs FILE [rounds]');
const MAIN = new URL('../../build/js/cli/main.js', import.meta.url).pathname;
const out = join(tmpdir(), `rdb-commands-${process.pid}`);
const respite = (...args) => [process.execPath, MAIN, 'rdb', ...args, '--quiet', '-o', out, file];

/** Command, and the most of redis-check-rdb's time it may take. */
const RUNS = [
  ['redis-check-rdb', ['redis-check-rdb', file], 1],
  ['stats', respite('stats', '--json'), 1.2],
  ['memory', respite('memory'), 1.2],
  ['prefixes', respite('prefixes'), 1.5],
  ['top', respite('top'), 1.2],
  ['json', respite('json'), 3],
  ['resp', respite('resp'), 1.9],
  ['resp --restore', respite('resp', '--restore'), 1.1],
];

function run(command) {
  const format = '%U %S %M';
  const args = ['-f', format, ...command];
  const { stderr, status } = spawnSync('/usr/bin/time', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  const [user, system, kilobytes] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { seconds: user + system, megabytes: kilobytes / 1024 };
}

const best = new Map();
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, command] of RUNS) {
    const { seconds, megabytes } = run(command);
    const known = best.get(name) ?? { seconds: Number.POSITIVE_INFINITY, megabytes: 0 };
    best.set(name, {
      seconds: Math.min(known.seconds, seconds),
      megabytes: Math.max(known.megabytes, megabytes),
    });
  }
}
const { seconds: one } = best.get('redis-check-rdb');
for (const [name, , most] of RUNS) {
  const { seconds, megabytes } = best.get(name);
  const ratio = seconds / one;
  const verdict = ratio <= most ? '' : `  above ${most}`;
  const figures = `${seconds.toFixed(2)} s  ${ratio.toFixed(2)}x  ${megabytes.toFixed(0)} MB`;
  console.log(`${name.padEnd(16)}${figures}${verdict}`);
}
spawnSync('rm', ['-f', out]);
