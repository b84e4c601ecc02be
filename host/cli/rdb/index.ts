// `respite rdb`: every command on files, and on servers that it only reads.

import type { Command } from 'commander';
import { type RdbContext, setContext } from './common.js';
import type { RdbIo } from './io.js';

type Add = (rdb: Command) => void;

/** Commands in the order of the help; a command line loads the one it is about. */
const COMMANDS: Readonly<Record<string, () => Promise<Add>>> = {
  info: async () => (await import('./info.js')).addInfo,
  check: async () => (await import('./check.js')).addCheck,
  stats: async () => (await import('./stats.js')).addStats,
  memory: async () => (await import('./memory.js')).addMemory,
  top: async () => (await import('./top.js')).addTop,
  prefixes: async () => (await import('./prefixes.js')).addPrefixes,
  diff: async () => (await import('./diff.js')).addDiff,
  keys: async () => (await import('./keys.js')).addKeys,
  json: async () => (await import('./json.js')).addJson,
  csv: async () => (await import('./csv.js')).addCsv,
  resp: async () => (await import('./resp.js')).addResp,
  aof: async () => (await import('./aof.js')).addAof,
  convert: async () => (await import('./convert.js')).addConvert,
  filter: async () => (await import('./convert.js')).addFilter,
  split: async () => (await import('./split.js')).addSplit,
  merge: async () => (await import('./merge.js')).addMerge,
};

const EXAMPLES = `
Examples:
  respite rdb stats dump.rdb                              what is in it
  respite rdb json --ndjson redis://10.0.0.1 | jq .key    a live server, read as its replica
  respite rdb resp dump.rdb | redis-cli --pipe            into another server
  respite rdb convert --rdb-version redis6.2 -o old.rdb dump.rdb
  respite rdb help diff                                   options and examples of a command`;

/**
 * Adds `rdb` and its commands, of which those that the command line `argv` cannot mean may be
 * missing; the context will hold the exit code.
 */
export async function addRdb(
  program: Command,
  argv: readonly string[],
  io?: RdbIo,
): Promise<RdbContext> {
  const rdb = program
    .command('rdb')
    .description('read, analyse, convert and export RDB files and the data of live servers')
    .usage('<command> <file | - | redis://…> [options]')
    .addHelpText('after', EXAMPLES);
  const context = setContext(rdb, io);
  const [name, command = ''] = argv;
  if (name === 'rdb' && Object.hasOwn(COMMANDS, command)) {
    (await COMMANDS[command]!())(rdb);
    return context;
  }
  if (name === 'serve' || name === 'replicate') return context;
  for (const load of Object.values(COMMANDS)) (await load())(rdb);
  return context;
}
