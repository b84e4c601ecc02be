// `respite rdb csv`: a line a key, in the columns of other tools.

import { type Command, Option } from 'commander';
import { MODE_CSV } from '../../core/inspector.js';
import { type CsvOptions, csvPlaces } from '../../rdb/export-csv.js';
import { type Job, perform, sourceCommand } from './common.js';

function optionsOf({ options }: Job): CsvOptions {
  return {
    columns: options.columns as CsvOptions['columns'],
    escape: options.escape as CsvOptions['escape'],
    header: options.header !== false,
  };
}

export function addCsv(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'csv',
    summary: 'a line a key: type, encoding, elements, bytes in memory, expiry',
    examples: [
      ['csv dump.rdb', 'in the columns of redis-rdb-tools'],
      ['csv --columns go -o report.csv dump.rdb', 'in those of HDT3213/rdb'],
      ['csv --min-size 1mb dump.rdb', 'the large keys'],
    ],
  })
    .addOption(
      new Option('--columns <set>', 'of redis-rdb-tools, or of the Go tool rdb')
        .choices(['rdb-tools', 'go'])
        .default('rdb-tools'),
    )
    .addOption(
      new Option('--escape <how>', 'other bytes of names: \\xHH, all base64, or as they are')
        .choices(['utf8', 'base64', 'raw'])
        .default('utf8'),
    )
    .option('--no-header', 'no line with the names of the columns')
    .action(perform((job) => job.pump(MODE_CSV, csvPlaces(optionsOf(job)))));
}
