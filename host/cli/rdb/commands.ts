// What `resp` and `aof` share: the options of exported commands, and what could not be said.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { type CommandOptions, exportCommands } from '../../rdb/export-commands.js';
import type { LeftOut, LeftOutReason } from '../../rdb/left-out.js';
import type { Job } from './common.js';
import { countValue } from './values.js';

/** `0:5,1:6`, or one number for all. */
export function mapValue(text: string): ReadonlyMap<number, number> | number {
  if (/^\d+$/.test(text)) return Number(text);
  const pairs = text.split(',').map((pair) => /^(\d+):(\d+)$/.exec(pair.trim()));
  if (pairs.some((pair) => pair === null)) {
    throw new InvalidArgumentError('It takes pairs, as 0:5,1:6, or one number for all.');
  }
  const map = new Map<number, number>();
  for (const [from, to] of pairs.map((pair) => pair!.slice(1).map(Number) as [number, number])) {
    if (map.has(from) && map.get(from) !== to) {
      throw new InvalidArgumentError(`It says two things about database ${from}.`);
    }
    map.set(from, to);
  }
  return map;
}

export function addCommandOptions(command: Command): Command {
  return command
    .option('--target <version>', 'for a server of this version: 6.2, 7.0, valkey-8.1')
    .option('--map-db <numbers>', 'other databases: 0:5,1:6, or one number for all', mapValue)
    .option('--keep-expired', 'keys and fields whose time is over, too')
    .option('--persist', 'nothing expires')
    .option('--no-functions', 'no function libraries and scripts')
    .addOption(
      new Option('--batch <elements>', 'elements in one command').argParser(countValue).default(64),
    );
}

export function commandOptions({ options }: Job): CommandOptions {
  return {
    target: options.target as string | undefined,
    databases: options.mapDb as CommandOptions['databases'],
    keepExpired: options.keepExpired === true,
    persist: options.persist === true,
    functions: options.functions !== false,
    batch: options.batch as number,
  };
}

const TEXTS: Record<LeftOutReason, string> = {
  module: 'values of modules',
  type: 'values of a type without commands',
  empty: 'keys without elements',
  expired: 'expired keys',
  'field-expiry': 'expiries of hash fields, which the target does not have',
  detail: 'details of streams and of modules that no command sets',
  'not-a-number': 'members whose score is not a number',
  function: 'function libraries that the target does not load',
  'as-commands': 'values too large for RESTORE, written as commands',
};
/** What belongs to a faithful copy: no server has these keys, or nothing is missing. */
const HARMLESS: readonly LeftOutReason[] = ['empty', 'expired', 'as-commands'];
const EXAMPLES_MAX = 3;

/** Says what could not be said. */
function reportLeftOut(job: Job, { counts, examples }: LeftOut): void {
  for (const [why, count] of Object.entries(counts) as [LeftOutReason, number][]) {
    const keys = examples.filter(({ reason }) => reason === why).slice(0, EXAMPLES_MAX);
    const names = keys.map(({ key }) => JSON.stringify(Buffer.from(key).toString('utf8')));
    const some =
      names.length === 0 ? '' : `: ${names.join(', ')}${count > names.length ? ' …' : ''}`;
    const text = `${TEXTS[why]}${some}`;
    if (HARMLESS.includes(why)) job.note(`${count} ${text}`);
    else job.skipped(count, text);
  }
}

/** Writes the first source as commands; says in the end what could not be said. */
export async function pumpCommands(
  job: Job,
  options: CommandOptions,
  write: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const run = exportCommands(await job.open(), { ...job.readOptions, ...options });
  try {
    for await (const output of run) {
      const written = write(output);
      if (written !== undefined) await written;
    }
  } finally {
    job.damaged(run.damaged);
    reportLeftOut(job, run.leftOut);
  }
}
