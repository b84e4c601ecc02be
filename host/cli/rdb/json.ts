// `respite rdb json`: the whole file as JSON.

import { type Command, Option } from 'commander';
import { MODE_JSON } from '../../core/inspector.js';
import { type JsonOptions, jsonPlaces } from '../../rdb/export-json.js';
import { readLeftOut } from '../../rdb/left-out.js';
import { type Job, perform, sourceCommand } from './common.js';

function optionsOf({ options }: Job): JsonOptions {
  return {
    form: options.ndjson ? 'lines' : options.flat ? 'flat' : 'array',
    escape: options.escape as JsonOptions['escape'],
    keysOnly: options.keysOnly === true,
    sizes: options.sizes === true,
  };
}

export function addJson(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'json',
    summary: 'the whole file as JSON: keys, values, expiries, streams with groups, functions',
    examples: [
      ['json dump.rdb', 'an array, a record a key'],
      ['json --ndjson dump.rdb | jq -c \'select(.type=="hash")\'', 'a record a line'],
      ["json --flat --match 'user:*' -o users.json dump.rdb", 'as redis-rdb-tools writes'],
      ['json --escape base64 dump.rdb', 'every string in base64'],
    ],
  })
    .addOption(new Option('--ndjson', 'a record a line').conflicts('flat'))
    .addOption(new Option('--flat', 'an object a database, {"key": value}, no facts'))
    .addOption(
      new Option('--escape <how>', 'bytes that are not UTF-8: \\xHH, \\u00XX each, or all base64')
        .choices(['utf8', 'latin1', 'base64'])
        .default('utf8'),
    )
    .option('--keys-only', 'no records about the file')
    .addOption(
      new Option(
        '--sizes',
        'count, longest element, bytes in the file and in memory of each value',
      ).conflicts('flat'),
    )
    .action(
      perform((job) =>
        job.pump(MODE_JSON, jsonPlaces(optionsOf(job)), (inspector) => {
          const { counts } = readLeftOut(inspector);
          job.skipped(counts.module ?? 0, 'values of modules');
          job.skipped(counts.type ?? 0, 'arrays');
          job.skipped(counts.detail ?? 0, 'keys with metadata of modules');
        }),
      ),
    );
}
