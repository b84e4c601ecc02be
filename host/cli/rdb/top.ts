// `respite rdb top`: the largest keys.

import { type Command, Option } from 'commander';
import type { KeyRow } from '../../rdb/analysis-types.js';
import { analyse } from './analyse.js';
import { type Job, perform, sourceCommand } from './common.js';
import { countText, nameText, sizeCell, type TableColumn, tableText, timeText } from './tables.js';
import { rowsValue } from './values.js';

const COLUMNS: readonly TableColumn<KeyRow>[] = [
  { head: 'key', isText: true, cell: ({ key }) => nameText(key) },
  { head: 'db', cell: ({ db }) => String(db) },
  { head: 'type', isText: true, cell: ({ type, encoding }) => `${type} ${encoding}` },
  { head: 'memory', cell: ({ memoryBytes }) => sizeCell(memoryBytes) },
  { head: 'in file', cell: ({ fileBytes }) => sizeCell(fileBytes) },
  { head: 'elements', cell: ({ count }) => countText(count) },
  { head: 'longest', cell: ({ largest }) => sizeCell(largest) },
  { head: 'expires', isText: true, cell: ({ expireAtMs }) => timeText(expireAtMs) },
];

export function topTable(rows: readonly KeyRow[]): Promise<string> {
  return tableText(COLUMNS, rows);
}

async function top(job: Job): Promise<void> {
  const { rows, by, json } = job.options as { rows: number; by: string; json?: boolean };
  const options = { top: rows, prefixes: false, slots: false, findings: false } as const;
  await analyse(job, options, async ({ topBySize, topByLength }) => {
    const keys = by === 'length' ? topByLength : topBySize;
    await job.write(json ? `${JSON.stringify(keys, undefined, 2)}\n` : await topTable(keys));
  });
}

export function addTop(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'top',
    summary: 'the largest keys',
    examples: [
      ['top dump.rdb', 'the 20 that take most memory'],
      ['top --by length --rows 100 dump.rdb', 'collections with most elements'],
      ['top --type zset --json dump.rdb', 'sorted sets, for machines'],
    ],
  })
    .option('--rows <rows>', 'how many, at most 1000', rowsValue, 20)
    .addOption(
      new Option('--by <measure>', 'size (memory) or length (elements of collections)')
        .choices(['size', 'length'])
        .default('size'),
    )
    .option('--json', 'for machines')
    .action(perform(top));
}
