// `respite rdb merge`: several RDB files as one.

import type { Command } from 'commander';
import { mergeRdb } from '../../rdb/convert.js';
import { perform, sourceCommand } from './common.js';
import {
  convertOptions,
  LossList,
  mapsOf,
  rewriteOptions,
  versionOption,
  withSources,
  writeConversion,
} from './rewrite.js';

export function addMerge(rdb: Command): void {
  const command = sourceCommand(rdb, {
    name: 'merge',
    summary: 'put several files together; keys that come twice are an error unless told otherwise',
    sources: '<sources...>',
    examples: [
      ['merge -o all.rdb shard1.rdb shard2.rdb shard3.rdb', 'the shards of a cluster'],
      ['merge --duplicates last -o new.rdb base.rdb changes.rdb', 'later files win'],
      ['merge --map-db 2@0:1 -o both.rdb a.rdb b.rdb', 'database 0 of b.rdb becomes 1'],
    ],
  });
  versionOption(rewriteOptions(command)).action(
    perform(async (job) => {
      const losses = new LossList(job);
      const options = { ...convertOptions(job, losses), mapDb: mapsOf(job, job.sources.length) };
      await withSources(job, (sources) => writeConversion(job, mergeRdb(sources, options), losses));
    }),
  );
}
