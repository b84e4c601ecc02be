// `respite rdb resp`: the data as commands, for `redis-cli --pipe`.

import { type Command, Option } from 'commander';
import type { CommandOptions } from '../../rdb/export-commands.js';
import { addCommandOptions, commandOptions, pumpCommands } from './commands.js';
import { type Job, perform, sourceCommand } from './common.js';
import { sizeValue } from './values.js';

function optionsOf(job: Job): CommandOptions {
  const { restore, onlyMissing, replace, payloadMax } = job.options;
  return {
    ...commandOptions(job),
    form: restore ? 'restore' : 'commands',
    existing: onlyMissing ? 'keep' : replace ? 'replace' : 'add',
    payloadMax: payloadMax as number | undefined,
  };
}

export function addResp(rdb: Command): void {
  const command = sourceCommand(rdb, {
    name: 'resp',
    summary: 'the data as commands, for redis-cli --pipe into any server',
    examples: [
      ['resp dump.rdb | redis-cli --pipe', 'into an empty server'],
      ['resp --restore --replace dump.rdb | redis-cli --pipe', 'quicker; encodings as in the file'],
      ['resp --only-missing dump.rdb | redis-cli --pipe', 'keys that are there are left alone'],
      ["resp --match 'user:*' --map-db 3 dump.rdb", 'some keys, into database 3'],
      ['resp --target 6.2 dump.rdb', 'nothing that 6.2 does not know'],
    ],
  })
    .option('--restore', 'RESTORE with the bytes of the file instead of commands by type')
    .addOption(new Option('--replace', 'keys that are there are replaced').conflicts('onlyMissing'))
    .option('--only-missing', 'keys that are there are not touched')
    .option(
      '--payload-max <bytes>',
      'with --restore: larger values are written as commands (8mb)',
      sizeValue,
    );
  addCommandOptions(command).action(
    perform((job) => pumpCommands(job, optionsOf(job), (bytes) => job.write(bytes))),
  );
}
