// What `convert`, `filter`, `split` and `merge` share: versions by number or server, databases
// renumbered, losses told.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { latin1 } from '../../core/inspector.js';
import { RespiteError } from '../../errors.js';
import {
  type ConvertOptions,
  type ConvertSummary,
  type RdbConversion,
  VALKEY_VERSION,
} from '../../rdb/convert.js';
import type { LossKind, RdbLoss } from '../../rdb/convert-frames.js';
import type { DbMap } from '../../rdb/db-map.js';
import type { OpenAgain } from '../../rdb/source.js';
import { type Job, usage } from './common.js';
import { type Output, openOutput, outputKey } from './output.js';
import { spoolsOf } from './spool.js';
import { sizeValue } from './values.js';

/** The format each release writes (RDB.md, section 1), later ones first; 7.2 is 7.02 here. */
const RELEASES: readonly [server: string, from: number, version: number][] = [
  ['valkey', 9, VALKEY_VERSION],
  ['valkey', 7.02, 11],
  ['redis', 8.1, 15],
  ['redis', 8.08, 14],
  ['redis', 8.06, 13],
  ['redis', 7.04, 12],
  ['redis', 7.02, 11],
  ['redis', 7, 10],
  ['redis', 5, 9],
  ['redis', 4, 8],
  ['redis', 3.02, 7],
  ['redis', 2.06, 6],
  ['redis', 2.04, 2],
  ['redis', 1, 1],
];

/** `9`, `80`, or a server's release: `redis6.2`, `redis-7.4`, `valkey9`. */
export function versionValue(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const match = /^(redis|valkey)[ -]?(\d+)(?:\.(\d+))?/.exec(text.toLowerCase());
  if (match !== null) {
    const [, server, major, minor = '0'] = match;
    const release = Number(major) + Number(minor) / 100;
    const found = RELEASES.find(([name, since]) => name === server && release >= since);
    if (found !== undefined) return found[2];
  }
  throw new InvalidArgumentError('It is 1 to 15, 80 (Valkey 9), or a release: redis6.2, valkey9.');
}

/** Pairs of databases; `source`: 1-based number of the source they are for, all without one. */
interface MapEntry {
  source: number | undefined;
  from: number;
  to: number;
}

function mapValue(text: string, earlier: MapEntry[] = []): MapEntry[] {
  const made = text.split(',').map((part) => {
    const match = /^(?:(\d+)@)?(\d+):(\d+)$/.exec(part.trim());
    if (match === null) throw new InvalidArgumentError('It is from:to, as 0:1 or 0:1,3:0.');
    const source = match[1] === undefined ? undefined : Number(match[1]);
    return { source, from: Number(match[2]), to: Number(match[3]) };
  });
  return [...earlier, ...made];
}

/** Options of all four. */
export function rewriteOptions(command: Command): Command {
  return command
    .option('--map-db <from:to>', 'write keys of a database into another: 0:1,3:0', mapValue)
    .option('--drop-expiry', 'keys lose their expiry')
    .addOption(
      new Option('--compress <which>', 'strings of values that are rewritten')
        .choices(['source', 'always', 'never'])
        .default('source'),
    )
    .addOption(
      new Option('--duplicates <which>', 'a key that comes twice').choices([
        ...['error', 'first', 'last', 'keep'],
      ]),
    )
    .option(
      '--memory <bytes>',
      'to find keys that come twice (default 6mb, 425,000 keys); more keys take more passes',
      sizeValue,
    )
    .option('--losses <file>', 'write what the output cannot hold there, a JSON record a line')
    .option('--refuse-loss', 'end with exit code 4 at the first thing that cannot be held');
}

export function versionOption(command: Command): Command {
  const what = 'write this version, or the one of a server: 9, 80, redis6.2, valkey9';
  return command.option('--rdb-version <version>', what, versionValue);
}

/** The map for all sources and, by their number, those for single ones. */
export function mapsOf(job: Job, sources: number): (DbMap | undefined)[] | undefined {
  const entries = job.options.mapDb as MapEntry[] | undefined;
  if (entries === undefined) return undefined;
  for (const { source, from, to } of entries) {
    if (source !== undefined && (source < 1 || source > sources)) {
      throw usage(`--map-db ${source}@${from}:${to}: no such source, of ${sources}`);
    }
    const isOther = (one: MapEntry) => one.source === source && one.from === from && one.to !== to;
    if (entries.some(isOther)) throw usage(`--map-db says two things about database ${from}`);
  }
  return Array.from({ length: sources }, (_, index) => {
    const own = entries.filter(({ source }) => source === undefined || source === index + 1);
    return own.length === 0
      ? undefined
      : Object.fromEntries(own.map(({ from, to }) => [from, to] as const));
  });
}

/** The library's options for one source as the command line has them; losses go to `losses`. */
export function convertOptions(job: Job, losses: LossList): ConvertOptions {
  const { options } = job;
  return {
    ...job.readOptions,
    mapDb: mapsOf(job, job.sources.length)?.[0],
    version: options.rdbVersion as number | undefined,
    dropExpiry: options.dropExpiry === true,
    compress: options.compress as ConvertOptions['compress'],
    duplicates: options.duplicates as ConvertOptions['duplicates'],
    tableBytes: options.memory as number | undefined,
    strict: options.refuseLoss === true,
    onLoss: (loss) => losses.add(loss),
  };
}

const LOSS_TEXTS: Record<LossKind, string> = {
  key: 'keys whose type that version does not have',
  fieldExpiry: 'hashes with expiries of fields (the fields stay)',
  unownedPending: 'streams with pending entries that no consumer has',
  idempotence: 'streams with state of idempotent producers',
  streamOffsets: 'streams with counts of entries added, read and deleted',
  activeTime: 'streams with times at which consumers were active',
  function: 'libraries of functions',
  moduleAux: 'pieces of module data',
  keyMetadata: 'keys with metadata of modules',
  expiry: 'expiries after 2038',
  expiryMs: 'expiries in milliseconds, rounded up',
  eviction: 'keys with idle times or frequencies',
  slotImport: 'slots being imported',
  duplicate: 'keys that came twice',
  needsModule: 'values of modules, which only servers with these modules read',
  damaged: 'damaged values',
  duplicateFunction: 'libraries of functions of the name of another',
};

/** The list of losses is not written where an output is. */
export function refuseSameFile({ options }: Job, output: string): void {
  if (options.losses === undefined) return;
  const losses = outputKey(options.losses as string);
  if (losses === undefined || losses !== outputKey(output)) return;
  const reason = `--losses and -o are both ${output === '-' ? 'standard output' : output}`;
  throw new RespiteError('ERR_RESPITE_INVALID_CONFIG', `Nothing was written: ${reason}`, {
    details: { option: 'losses', reason },
  });
}

/** What is lost: to the file of --losses as it comes. */
export class LossList {
  readonly #out: Output | undefined;
  #lines: string[] = [];

  constructor(job: Job) {
    const file = job.options.losses as string | undefined;
    if (file === undefined) return;
    // of `split` each part's file is compared, too, when its name is known
    refuseSameFile(job, (job.options.output as string | undefined) ?? '-');
    this.#out = openOutput(job.io, file);
  }

  add({ kind, db, key, rdbType, count }: RdbLoss): void {
    if (this.#out === undefined) return;
    const line = { kind, db, key: latin1(key), rdbType, count };
    this.#lines.push(`${JSON.stringify(line)}\n`);
  }

  /** Between blocks: writes what came. */
  async flush(): Promise<void> {
    if (this.#lines.length === 0) return;
    const lines = this.#lines.join('');
    this.#lines = [];
    await this.#out?.write(lines);
  }

  /** The list is complete; what there was of each kind is said. */
  async end(job: Job, summary: ConvertSummary): Promise<void> {
    await this.flush();
    await this.#out?.commit();
    for (const [kind, count] of Object.entries(summary.losses)) {
      const text = LOSS_TEXTS[kind as LossKind];
      if (kind === 'needsModule') job.note(`${count} ${text}`);
      else if (kind === 'damaged') job.damaged(count);
      else job.skipped(count, text);
    }
  }
}

/**
 * Runs `work` with the job's sources, which can be opened more than once; what was kept of them for
 * that is removed afterwards.
 */
export async function withSources(
  job: Job,
  work: (sources: OpenAgain[]) => Promise<void>,
): Promise<void> {
  const spools = spoolsOf(job);
  try {
    await work(spools.map((spool) => (isAgain) => spool.open(isAgain)));
  } finally {
    for (const spool of spools) spool.close();
  }
}

/** Writes a conversion to the job's output. */
export async function writeConversion(
  job: Job,
  conversion: RdbConversion,
  losses: LossList,
): Promise<void> {
  const { output = '-' } = job.options;
  if (output === '-' && job.io.outIsTerminal) {
    const reason = 'an RDB file is not for a terminal: name one with -o, or pipe it on';
    throw new RespiteError('ERR_RESPITE_INVALID_CONFIG', `Nothing was written: ${reason}`, {
      details: { option: 'output', reason },
    });
  }
  const { out } = job;
  try {
    for await (const block of conversion) {
      const written = out.write(block);
      if (written !== undefined) await written;
      await losses.flush();
    }
  } finally {
    await losses.end(job, conversion.summary);
  }
}
