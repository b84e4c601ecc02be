// `respite rdb diff`: what differs between two dumps.

import type { Command } from 'commander';
import { isRespiteError } from '../../errors.js';
import { bytesText } from '../../rdb/bytes-text.js';
import { type DiffEntry, DiffPrefixes, diffRdb, type RdbDiff } from '../../rdb/diff.js';
import { type Job, perform, sourceCommand, usage } from './common.js';
import { spoolsOf } from './spool.js';
import { countText, nameText, type TableColumn, tableText } from './tables.js';
import { separatorsValue, sizeValue } from './values.js';

const MARKS = { removed: '-', added: '+', changed: '~', expiry: '@' } as const;

type Row = ReturnType<DiffPrefixes['rows']>[number];
const COLUMNS: readonly TableColumn<Row>[] = [
  { head: 'prefix', isText: true, cell: ({ prefix }) => nameText(prefix) || '(none)' },
  { head: 'added', cell: ({ added }) => countText(added) },
  { head: 'removed', cell: ({ removed }) => countText(removed) },
  { head: 'changed', cell: ({ changed }) => countText(changed) },
  { head: 'expiry', cell: ({ expiry }) => countText(expiry) },
];
const ROWS = 50;

const line = ({ kind, db, type, key }: DiffEntry) =>
  `${MARKS[kind]} ${db} ${type} ${bytesText(key).text}\n`;

function jsonLine({ kind, db, type, key, ...entry }: DiffEntry): string {
  const { text, base64 } = bytesText(key);
  const { expireAtMs = null, ...sizes } = entry;
  const name = base64 === undefined ? { key: text } : { key: text, keyBase64: base64 };
  return `${JSON.stringify({ kind, db, type, ...name, ...sizes, expireAtMs })}\n`;
}

interface Options {
  keys?: boolean;
  json?: boolean;
  separators: string;
  memory?: number;
}

async function diff(job: Job): Promise<void> {
  const options = job.options as unknown as Options;
  const { limit, ...filter } = job.filter;
  if (limit !== undefined && !options.keys && !options.json) {
    throw usage('--limit is about the lines of --keys and --json');
  }
  const spools = spoolsOf(job);
  const [first, second] = spools.map((spool) => (isAgain: boolean) => spool.open(isAgain));
  const found = diffRdb(first!, second!, {
    ...job.readOptions,
    filter,
    tableBytes: options.memory,
  });
  try {
    await tell(job, found, options);
  } finally {
    for (const spool of spools) spool.close();
  }
}

async function tell(job: Job, found: RdbDiff, options: Options): Promise<void> {
  const { keys, json, separators } = options;
  const prefixes = new DiffPrefixes(separators);
  let lines = '';
  let left = job.filter.limit ?? Number.POSITIVE_INFINITY;
  let damage: unknown;
  try {
    for await (const entry of found) {
      prefixes.add(entry);
      if (left === 0) continue;
      left--;
      if (json) lines += jsonLine(entry);
      else if (keys) lines += line(entry);
      if (lines.length < 1 << 16) continue;
      await job.write(lines);
      lines = '';
    }
  } catch (error) {
    // what differs before the damage is told
    if (!isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
    damage = error;
  }
  await job.write(lines);
  if (damage === undefined || prefixes.rows().length > 0) await tellCounts(job, found, prefixes);
  if (damage !== undefined) throw damage;
}

async function tellCounts(job: Job, found: RdbDiff, prefixes: DiffPrefixes): Promise<void> {
  const { counts } = found;
  if (job.options.json) {
    const rows = prefixes.rows();
    await job.write(`${JSON.stringify({ counts, prefixes: rows, isFull: prefixes.isFull })}\n`);
    return;
  }
  const told = Object.entries(counts).map(([what, n]) => `${countText(n)} ${what}`);
  await job.write(`${told.join(', ')}\n`);
  const rows = prefixes.rows();
  if (rows.length > 0) await job.write(`\n${await tableText(COLUMNS, rows.slice(0, ROWS))}`);
  if (prefixes.isFull) job.note('names of too many prefixes: some are counted under none');
}

export function addDiff(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'diff',
    summary: 'what differs: keys added, removed, changed, with counts by prefix',
    sources: '<first> <second>',
    examples: [
      ['diff old.rdb new.rdb', 'how many keys differ, by prefix'],
      ['diff --keys old.rdb new.rdb', 'each: + added, - removed, ~ changed, @ another expiry'],
      ['diff --json old.rdb redis://localhost', 'a file and a live server, an object a line'],
      [
        'diff redis://10.0.0.1 redis://10.0.0.2',
        'two servers; the first is kept in a file meanwhile',
      ],
    ],
  })
    .option('--keys', 'a line for each key that differs')
    .option('--json', 'an object a line, the counts last')
    .option('--separators <characters>', 'each of them ends a prefix', separatorsValue, ':')
    .option(
      '--memory <bytes>',
      'for the keys of the first, 16 bytes each (default 16mb); more keys take more passes',
      sizeValue,
    )
    .action(perform(diff));
}
