// `respite rdb convert` and `filter`: an RDB file made of another.

import type { Command } from 'commander';
import { convertRdb } from '../../rdb/convert.js';
import { type Job, perform, sourceCommand } from './common.js';
import {
  convertOptions,
  LossList,
  rewriteOptions,
  versionOption,
  versionValue,
  withSources,
  writeConversion,
} from './rewrite.js';

async function convert(job: Job): Promise<void> {
  const losses = new LossList(job);
  const options = convertOptions(job, losses);
  await withSources(job, ([source]) => writeConversion(job, convertRdb(source!, options), losses));
}

export function addConvert(rdb: Command): void {
  const command = sourceCommand(rdb, {
    name: 'convert',
    summary: 'write the file for an older or newer server; what it cannot hold is listed',
    examples: [
      ['convert --rdb-version 9 -o old.rdb dump.rdb', 'for Redis 5 to 6.2'],
      ['convert --rdb-version valkey9 -o v.rdb dump.rdb', 'for Valkey 9'],
      ['convert --rdb-version redis4.0 --refuse-loss - < in.rdb > out.rdb', 'all, or nothing'],
    ],
  });
  rewriteOptions(command)
    .requiredOption(
      '--rdb-version <version>',
      'write this version, or the one of a server: 9, 80, redis6.2, valkey9',
      versionValue,
    )
    .action(perform(convert));
}

export function addFilter(rdb: Command): void {
  const command = sourceCommand(rdb, {
    name: 'filter',
    summary: 'write a file with only some of the keys',
    examples: [
      ["filter --match 'user:*' -o users.rdb dump.rdb", 'keys of that name'],
      ['filter --db 3 --map-db 3:0 --drop-expiry -o three.rdb dump.rdb', 'one database, as 0'],
      ['filter --slot 0-5460 -o shard.rdb redis://10.0.0.1', "a shard's part of a live server"],
    ],
  });
  versionOption(rewriteOptions(command)).action(perform(convert));
}
