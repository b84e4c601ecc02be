// `respite rdb split`: several RDB files made of one, in one pass.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { isRespiteError, RespiteError } from '../../errors.js';
import { type SplitPart, splitRdb } from '../../rdb/convert.js';
import type { OpenAgain } from '../../rdb/source.js';
import type { SplitBy } from '../../rdb/split-by.js';
import { type Job, perform, sourceCommand, usage } from './common.js';
import { type Output, openOutput } from './output.js';
import {
  convertOptions,
  LossList,
  refuseSameFile,
  rewriteOptions,
  versionOption,
  withSources,
} from './rewrite.js';
import { countValue, sizeValue, slotValue } from './values.js';

type Range = [from: number, to: number];

function rangeValues(text: string, earlier: Range[] = []): Range[] {
  return [...earlier, ...text.split(',').map((part) => slotValue(part.trim()) as Range)];
}

function textValues(text: string, earlier: string[] = []): string[] {
  return [...earlier, text];
}

function partsValue(text: string): number {
  const parts = countValue(text);
  if (parts > 1000) throw new InvalidArgumentError('At most 1000 parts can be written at once.');
  return parts;
}

const WAYS: Record<string, (options: Record<string, unknown>) => SplitBy> = {
  byDb: () => ({ by: 'db' }),
  byType: () => ({ by: 'type' }),
  slots: (options) => ({ by: 'slots', ranges: options.slots as Range[] }),
  parts: (options) => ({ by: options.hash ? 'hash' : 'slot', parts: options.parts as number }),
  pattern: (options) => ({ by: 'pattern', patterns: options.pattern as string[] }),
  prefix: (options) => ({ by: 'prefix', prefixes: options.prefix as string[] }),
  size: (options) => ({ by: 'size', bytes: options.size as number }),
};

function splitBy({ options }: Job): SplitBy {
  const asked = Object.keys(WAYS).filter((name) => options[name] !== undefined);
  if (asked.length === 1) return WAYS[asked[0]!]!(options);
  const names = '--by-db, --by-type, --slots, --parts, --pattern, --prefix, --size';
  throw usage(`split takes one of ${names}`);
}

/** The files of the parts. */
class PartFiles {
  readonly #job: Job;
  readonly #pattern: string;
  readonly #files = new Map<number, Output>();

  constructor(job: Job) {
    this.#job = job;
    this.#pattern = job.options.output as string;
    if (this.#pattern.includes('{}')) return;
    const reason = '-o takes a path with {} in it, where the name of the part goes';
    throw new RespiteError('ERR_RESPITE_INVALID_CONFIG', reason, {
      details: { option: 'output', reason },
    });
  }

  pathOf(part: SplitPart): string {
    return this.#pattern.replaceAll('{}', part.name);
  }

  of(part: SplitPart): Output {
    let file = this.#files.get(part.index);
    if (file === undefined) {
      refuseSameFile(this.#job, this.pathOf(part));
      file = openOutput(this.#job.io, this.pathOf(part));
      this.#files.set(part.index, file);
    }
    return file;
  }

  async commit(): Promise<void> {
    for (const file of this.#files.values()) await file.commit();
  }

  discard(): void {
    for (const file of this.#files.values()) file.discard();
  }
}

async function split(job: Job): Promise<void> {
  const by = splitBy(job);
  await withSources(job, ([source]) => writeParts(job, source!, by));
}

async function writeParts(job: Job, source: OpenAgain, by: SplitBy): Promise<void> {
  const files = new PartFiles(job);
  const losses = new LossList(job);
  const options = convertOptions(job, losses);
  const parts = splitRdb(source, by, options);
  try {
    for await (const { part, block } of parts) {
      await files.of(part).write(block);
      await losses.flush();
    }
    await files.commit();
  } catch (error) {
    // what came before the damage is there to be used
    if (isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) {
      await files.commit();
      await listParts(job, files, parts.parts);
    } else {
      files.discard();
    }
    throw error;
  } finally {
    await losses.end(job, parts.summary);
  }
  await listParts(job, files, parts.parts);
}

async function listParts(job: Job, files: PartFiles, parts: readonly SplitPart[]): Promise<void> {
  if (job.options.quiet) return;
  for (const part of parts) {
    const line = `${files.pathOf(part)}: ${part.keys} keys, ${part.bytes} bytes\n`;
    await job.io.write(new TextEncoder().encode(line));
  }
}

export function addSplit(rdb: Command): void {
  const command = sourceCommand(rdb, {
    name: 'split',
    summary: 'make several files of one, in one pass',
    output: false,
    examples: [
      ['split --by-db -o dump-{}.rdb dump.rdb', 'dump-db0.rdb, dump-db1.rdb …'],
      ['split --parts 3 -o shard-{}.rdb dump.rdb', 'for three masters of a cluster'],
      ['split --prefix user: --prefix order: -o {}.rdb dump.rdb', 'user.rdb, order.rdb, rest.rdb'],
      ['split --size 1gb -o part-{}.rdb dump.rdb', 'files of about 1 GiB'],
    ],
  });
  command
    .requiredOption('-o, --output <path>', 'files to write: {} stands for the name of the part')
    .option('--by-db', 'a file for each database')
    .option('--by-type', 'a file for each type')
    .option('--slots <ranges>', 'a file for each range of cluster slots: 0-99,100-199', rangeValues)
    .option('--parts <n>', 'n files, the cluster slots divided evenly', partsValue)
    .addOption(new Option('--hash', 'with --parts: by a hash of the whole name'))
    .option('--pattern <glob>', 'a file for keys that match; may be repeated', textValues)
    .option('--prefix <text>', 'a file for keys that begin so; may be repeated', textValues)
    .option('--size <bytes>', 'a new file when one has so many bytes: 100mb, 1gb', sizeValue);
  versionOption(rewriteOptions(command)).action(perform(split));
}
