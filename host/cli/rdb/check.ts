// `respite rdb check`: verifies a whole file.

import type { Command } from 'commander';
import { checkRdb, type RdbVerdict } from '../../rdb/check.js';
import { perform, sourceCommand } from './common.js';

const CHECKSUMS = {
  ok: 'right',
  absent: 'none, the format has none',
  disabled: 'none, the server was told not to write one',
  unchecked: 'not computed',
} as const;

export function checksumText({ checksum }: Pick<RdbVerdict, 'checksum'>): string {
  return checksum === undefined ? 'unknown' : CHECKSUMS[checksum];
}

export function addCheck(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'check',
    summary: 'verify a whole file: checksum, structure, the inside of every value',
    filters: false,
    output: false,
    examples: [
      ['check dump.rdb', 'says whether it is whole, and where it is not'],
      ['check --quiet dump.rdb && echo good', 'only the exit code'],
      ['check --salvage dump.rdb', 'counts the damaged values too'],
    ],
  }).action(
    perform(async (job) => {
      const verdict = await checkRdb(await job.open(), job.inspectOptions);
      job.damaged(verdict.damaged);
      if (job.options.quiet) return;
      const { version, isValkey, keys } = verdict;
      const format = `${isValkey ? 'Valkey ' : ''}RDB ${version}`;
      const state = verdict.damaged === 0 ? 'whole' : 'damaged';
      const text = `${format}, ${keys} keys, checksum ${checksumText(verdict)}: ${state}\n`;
      await job.write(text);
    }),
  );
}
