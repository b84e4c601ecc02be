// `respite rdb keys`: the names of the keys.

import { type Command, Option } from 'commander';
import { MODE_KEYS_TEXT } from '../../core/inspector.js';
import { type KeysOptions, keysPlaces } from '../../rdb/export-keys.js';
import { type Job, perform, sourceCommand } from './common.js';

function optionsOf({ options }: Job): KeysOptions {
  const isNull = options.null === true;
  return {
    escape: (options.escape ?? (isNull ? 'raw' : 'utf8')) as KeysOptions['escape'],
    separator: isNull ? 'nul' : 'newline',
    db: options.withDb === true,
  };
}

export function addKeys(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'keys',
    summary: 'the names of the keys, one a line',
    examples: [
      ["keys --match 'session:*' --no-expiry dump.rdb", 'sessions that never expire'],
      ['keys --null --type stream dump.rdb | xargs -0 -n1 redis-cli xlen', 'any bytes, safely'],
      ['keys --escape repr dump.rdb', 'as redis-cli prints them on a terminal'],
    ],
  })
    .addOption(
      new Option(
        '--escape <how>',
        'other bytes: \\xHH, as redis-cli, all base64, or as they are',
      ).choices(['utf8', 'repr', 'base64', 'raw']),
    )
    .option('-0, --null', 'end names with a zero byte; names as they are unless --escape')
    .option('--with-db', 'the database and a tab before each name')
    .action(perform((job) => job.pump(MODE_KEYS_TEXT, keysPlaces(optionsOf(job)))));
}
