// The per-command report of a conformance run: build/out/conformance.md (counts) and
// build/out/conformance-differences.txt (every difference). Made anew by each run.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../support/servers.js';
import type { Difference, Outcome, Waiting } from './runner.js';

export interface FileResult {
  file: string;
  outcomes: Outcome[];
  differences: Difference[];
  waiting: Waiting[];
}

/** One difference as text. */
export function describeDifference(file: string, difference: Difference): string {
  const { line, text, oracle, subject } = difference;
  return `${file}:${line}: ${text}\n    redis:   ${oracle}\n    subject: ${subject}`;
}

/** The first differences of a file, for an assertion message. */
export function summary(file: string, differences: readonly Difference[], max = 20): string {
  const shown = differences.slice(0, max).map((one) => describeDifference(file, one));
  const more = differences.length > max ? `\n… and ${differences.length - max} more` : '';
  return `${differences.length} differences\n${shown.join('\n')}${more}`;
}

/** How many lines were not sent, and for which commands they wait. */
export function describeWaiting(results: readonly FileResult[]): string {
  const lines = new Set<string>();
  const cases = new Map<string, number>();
  for (const { file, waiting } of results) {
    for (const { line, command } of waiting) {
      lines.add(`${file.split(' ')[0]}:${line}`);
      cases.set(command, (cases.get(command) ?? 0) + 1);
    }
  }
  const names = [...cases.keys()].sort().map((name) => name.replace('|', ' '));
  return `${lines.size} lines wait for later commands: ${names.join(', ') || 'none'}`;
}

export function writeReport(results: readonly FileResult[], subject: string): void {
  const rows = new Map<string, { cases: number; same: number; known: number }>();
  for (const outcome of results.flatMap((result) => result.outcomes)) {
    const row = rows.get(outcome.command) ?? { cases: 0, same: 0, known: 0 };
    row.cases++;
    if (outcome.ok && outcome.known === undefined) row.same++;
    if (outcome.ok && outcome.known !== undefined) row.known++;
    rows.set(outcome.command, row);
  }
  const total = [...rows.values()].reduce((sum, row) => sum + row.cases, 0);
  const same = [...rows.values()].reduce((sum, row) => sum + row.same, 0);
  const known = [...rows.values()].reduce((sum, row) => sum + row.known, 0);
  const lines = [
    '# Conformance',
    '',
    `${subject} beside redis-server 7.0.15: ${same} of ${total} replies the same, ` +
      `${known} different as the lines say, ${total - same - known} not as they should be.`,
    '',
    `${describeWaiting(results)}.`,
    '',
    '| command | cases | same | written differences |',
    '| --- | ---: | ---: | ---: |',
    ...[...rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, row]) => {
        const mark = row.same + row.known === row.cases ? '' : ' **';
        return `| ${name.replace('|', ' ')} | ${row.cases} | ${row.same}${mark} | ${row.known} |`;
      }),
  ];
  const out = join(ROOT, 'build/out');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'conformance.md'), `${lines.join('\n')}\n`);
  const all = results.flatMap(({ file, differences }) =>
    differences.map((difference) => describeDifference(file, difference)),
  );
  writeFileSync(join(out, 'conformance-differences.txt'), `${all.join('\n')}\n`);
}
