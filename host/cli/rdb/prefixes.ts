// `respite rdb prefixes`: keys and memory by how names begin.

import type { Command } from 'commander';
import type { PrefixRow } from '../../rdb/analysis-types.js';
import { analyse } from './analyse.js';
import { type Job, perform, sourceCommand } from './common.js';
import {
  countText,
  nameText,
  percentText,
  sizeCell,
  type TableColumn,
  tableText,
} from './tables.js';
import { countValue, nodesValue, separatorsValue } from './values.js';

const columns = (whole: number): TableColumn<PrefixRow>[] => [
  { head: 'prefix', isText: true, cell: ({ prefix }) => nameText(prefix) },
  {
    head: 'keys',
    cell: ({ keys, missingMax }) => `${countText(keys)}${missingMax > 0 ? '+' : ''}`,
  },
  { head: 'memory', cell: ({ memoryBytes }) => sizeCell(memoryBytes) },
  { head: '', cell: ({ memoryBytes }) => percentText(memoryBytes, whole) },
  { head: 'elements', cell: ({ elements }) => countText(elements) },
  { head: 'expire', cell: ({ expires, keys }) => percentText(expires, keys) },
  { head: 'types', isText: true, cell: ({ types }) => Object.keys(types).join(', ') },
];

export function prefixTable(rows: readonly PrefixRow[], whole: number): Promise<string> {
  return tableText(columns(whole), rows);
}

interface Options {
  separators: string;
  depth: number;
  rows: number;
  nodes: number;
  automatic?: boolean;
  json?: boolean;
}

async function prefixes(job: Job): Promise<void> {
  const { separators, depth, rows, nodes, automatic, json } = job.options as unknown as Options;
  const options = {
    prefixes: { separators, depth, rows },
    ...{ prefixNodes: nodes, top: 0, slots: false, findings: false as const },
  };
  await analyse(job, options, async ({ prefixes: found, total, bounds }) => {
    if (found === null) return;
    if (json) {
      await job.write(`${JSON.stringify({ ...found, bounds }, undefined, 2)}\n`);
      return;
    }
    await job.write(await prefixTable(automatic ? found.automatic : found.rows, total.memoryBytes));
    for (const { table, limit, note } of bounds) job.note(`${table} (${limit}): ${note}`);
  });
}

export function addPrefixes(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'prefixes',
    summary: 'keys and memory by how names begin',
    examples: [
      ['prefixes dump.rdb', 'prefixes that end with a colon, by memory'],
      ['prefixes --automatic dump.rdb', 'where names begin to differ, whatever separates them'],
      ['prefixes --separators ":/." --depth 2 dump.rdb', 'other separators, two levels'],
      ['prefixes --json dump.rdb', 'both lists and the tree, for machines'],
    ],
  })
    .option('--separators <characters>', 'each of them ends a prefix', separatorsValue, ':')
    .option('--depth <separators>', 'separators in a prefix at most', countValue, 8)
    .option('--rows <rows>', 'how many', countValue, 50)
    .option('--automatic', 'without separators')
    .option('--nodes <nodes>', 'beginnings told apart, 150 bytes each', nodesValue, 32_768)
    .option('--json', 'for machines')
    .action(perform(prefixes));
}
