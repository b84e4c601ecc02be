// `respite rdb merge`: several RDB files as one.

import type { Command } from 'commander';
import { RespiteError } from '../../errors.js';
import { mergeRdb, type RdbDamage } from '../../rdb/convert.js';
import { type Job, perform, sourceCommand } from './common.js';
import {
  convertOptions,
  LossList,
  mapsOf,
  rewriteOptions,
  versionOption,
  withSources,
  writeConversion,
} from './rewrite.js';

/** Damage with the name of its file in front. */
function named(job: Job, error: RdbDamage): RdbDamage {
  const { source = 0 } = error.details;
  const name = job.sources[source]!.replace(/^(rediss?:\/\/).*@/i, '$1');
  const text = error.message.replace(/^Source \d+/, () => name);
  return new RespiteError(error.code, text, { cause: error, details: error.details });
}

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
      await withSources(job, async (sources) => {
        const conversion = mergeRdb(sources, options);
        try {
          await writeConversion(job, conversion, losses);
        } catch (error) {
          const [first, ...others] = conversion.summary.damage;
          for (const other of others) job.io.writeErr(`respite: ${named(job, other).message}\n`);
          throw error === first && first !== undefined ? named(job, first) : error;
        }
      });
    }),
  );
}
