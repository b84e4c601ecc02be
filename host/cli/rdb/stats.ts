// `respite rdb stats`: what is in a dump, for people, for machines, or as an HTML report.

import { basename } from 'node:path';
import type { Command } from 'commander';
import type { Bucket, Finding, RdbAnalysis, Sums } from '../../rdb/analysis-types.js';
import { htmlReport } from '../../rdb/html-report.js';
import { analyse } from './analyse.js';
import { type Job, perform, sourceCommand } from './common.js';
import { openOutput } from './output.js';
import { prefixTable } from './prefixes.js';
import {
  countText,
  nameText,
  percentText,
  sizeCell,
  type TableColumn,
  tableText,
} from './tables.js';
import { topTable } from './top.js';
import { rowsValue } from './values.js';

/** Rows of prefixes and of largest keys that people see. */
const ROWS = 10;

type Row = Sums & { name: string; expires?: number };

function sumColumns(whole: number, head: string): TableColumn<Row>[] {
  return [
    { head, isText: true, cell: ({ name }) => name },
    { head: 'keys', cell: ({ keys }) => countText(keys) },
    { head: 'memory', cell: ({ memoryBytes }) => sizeCell(memoryBytes) },
    { head: '', cell: ({ memoryBytes }) => percentText(memoryBytes, whole) },
    { head: 'in file', cell: ({ fileBytes }) => sizeCell(fileBytes) },
    { head: 'elements', cell: ({ elements }) => countText(elements) },
    {
      head: 'expire',
      cell: ({ expires, keys }) => (expires === undefined ? '' : percentText(expires, keys)),
    },
  ];
}

const SPANS: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
];
function spanText(seconds: number): string {
  const [unit, letter] = SPANS.find(([least]) => seconds >= least) ?? [1, 's'];
  return `${Math.round(seconds / unit)}${letter}`;
}

const BAR = 30;
const bucketColumns: TableColumn<Bucket & { name: string; most: number }>[] = [
  { head: 'expiry', isText: true, cell: ({ name }) => name },
  { head: 'keys', cell: ({ keys }) => countText(keys) },
  { head: 'memory', cell: ({ memoryBytes }) => sizeCell(memoryBytes) },
  { head: '', isText: true, cell: ({ keys, most }) => '#'.repeat(Math.ceil((BAR * keys) / most)) },
];

function expiryTable({ expiry }: RdbAnalysis): Promise<string> {
  const named = [
    { name: 'none', ...expiry.none, from: 0, to: null },
    { name: 'past', ...expiry.expired, from: 0, to: null },
    ...expiry.buckets.map((bucket) => {
      const { from, to } = bucket;
      const name = to === null ? `>= ${spanText(from)}` : `< ${spanText(to)}`;
      return { name, ...bucket };
    }),
  ].filter(({ keys }) => keys > 0);
  const most = Math.max(...named.map(({ keys }) => keys));
  return tableText(
    bucketColumns,
    named.map((row) => ({ ...row, most })),
  );
}

function findingText({ severity, title, advice, examples }: Finding): string {
  const names = examples.map(({ name }) => nameText(name)).join(', ');
  const lines = [`[${severity}] ${title}`, `    ${advice}`];
  if (names !== '') lines.push(`    ${names}`);
  return `${lines.join('\n')}\n`;
}

function headText({ file, total, damaged }: RdbAnalysis): string {
  const server = file.aux['valkey-ver'] ?? file.aux['redis-ver'];
  const format = `${file.isValkey ? 'Valkey ' : ''}RDB ${file.version}`;
  const from = server === undefined ? '' : `, written by ${server}`;
  const left = damaged === 0 ? '' : `, ${countText(damaged)} damaged values left out`;
  const keys = `${countText(total.keys)} keys, ${countText(total.elements)} elements`;
  const bytes = `${sizeCell(total.fileBytes)} in the file, about ${sizeCell(total.memoryBytes)}`;
  return `${format}${from}\n${keys}, ${bytes} in memory${left}\n`;
}

async function show(job: Job, analysis: RdbAnalysis): Promise<void> {
  const { total, types, encodings, databases } = analysis;
  const parts = [headText(analysis)];
  const sums = (head: string, rows: Row[]) => tableText(sumColumns(total.memoryBytes, head), rows);
  parts.push(
    await sums(
      'type',
      types.map((row) => ({ ...row, name: row.type })),
    ),
  );
  const kinds = encodings.map((row) => ({ ...row, name: `${row.type} ${row.encoding}` }));
  parts.push(await sums('encoding', kinds));
  if (databases.length > 1) {
    parts.push(
      await sums(
        'database',
        databases.map((row) => ({ ...row, name: `${row.db}` })),
      ),
    );
  }
  if (total.keys > 0) parts.push(await expiryTable(analysis));
  const { prefixes, topBySize, findings, bounds } = analysis;
  if (prefixes !== null && prefixes.automatic.length > 0) {
    parts.push(await prefixTable(prefixes.automatic.slice(0, ROWS), total.memoryBytes));
  }
  if (topBySize.length > 0) parts.push(await topTable(topBySize.slice(0, ROWS)));
  if (findings.length > 0) parts.push(findings.map(findingText).join(''));
  await job.write(parts.join('\n'));
  for (const { table, limit, note } of bounds) job.note(`${table} (${limit}): ${note}`);
}

async function writeHtml(job: Job, analysis: RdbAnalysis, file: string): Promise<void> {
  const name = job.sources[0]!;
  const title = name.includes('://') || name === '-' ? 'RDB' : basename(name);
  const out = openOutput(job.io, file);
  await out.write(htmlReport(analysis, { title }));
  await out.commit();
}

async function stats(job: Job): Promise<void> {
  const { json, html, top } = job.options as { json?: boolean; html?: string; top: number };
  await analyse(job, { top }, async (analysis) => {
    if (html !== undefined) await writeHtml(job, analysis, html);
    if (json) await job.write(`${JSON.stringify(analysis, undefined, 2)}\n`);
    else if (html === undefined) await show(job, analysis);
  });
}

export function addStats(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'stats',
    summary: 'what is in it: sums, sizes, expiry, prefixes, largest keys, findings',
    examples: [
      ['stats dump.rdb', 'tables'],
      ['stats --html report.html dump.rdb', 'a report to read in a browser'],
      ['stats --json dump.rdb', 'everything, for machines'],
      ['stats --type hash --match "user:*" dump.rdb', 'of some keys only'],
    ],
  })
    .option('--json', 'the whole analysis as JSON')
    .option('--html <file>', 'write a self-contained HTML report there')
    .option('--top <rows>', 'rows of the largest keys (JSON and HTML), at most 1000', rowsValue, 20)
    .action(perform(stats));
}
