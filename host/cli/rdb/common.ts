// The frame of every `respite rdb` command: its arguments and options, what it reads and writes,
// how it ends. A command is a function that gets a `Job`:
//
//   export function addKeys(rdb: Command): void {
//     sourceCommand(rdb, { name: 'keys', summary: 'names of keys', examples: [...] })
//       .option('--null', 'end names with a zero byte')
//       .action(perform(async (job) => {
//         await job.pump(MODE_KEYS_TEXT, { 0: job.options.null ? 1 : 0 });
//       }));
//   }

import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import { Inspector, type KeyFilter } from '../../core/inspector.js';
import { isRespiteError, RespiteError } from '../../errors.js';
import { inspectModule } from '../../rdb/module.js';
import { type InspectOptions, inspectFlags, type ReadOptions } from '../../rdb/read-rdb.js';
import { type OnProgress, outputs } from '../../rdb/run.js';
import type { RdbSource } from '../../rdb/source.js';
import { letGo, orGivenUp } from '../../rdb/waiting.js';
import { describeRest } from './behind.js';
import { processIo, type RdbIo } from './io.js';
import { type Output, OutputClosed, openOutput } from './output.js';
import { Progress } from './progress.js';
import { databaseOf, isServer, type OpenSource, openSource } from './sources.js';
import {
  countValue,
  dbValues,
  globValues,
  regexValue,
  sizeValue,
  slotValue,
  timeValue,
  typeValues,
} from './values.js';

/** Exit codes are a contract: docs/rdb.md lists them. */
export const EXIT_RDB = {
  ok: 0,
  /** The file is damaged; what came before was delivered, the offset is on standard error. */
  damaged: 1,
  usage: 2,
  /** The source cannot be read, or the output not be written. */
  unreadable: 3,
  /** Told to be strict: something was left out. */
  strict: 4,
  interrupted: 130,
  /** Whoever read our output has gone, as a shell shows SIGPIPE. */
  closed: 141,
} as const;

/** An error of the command line: exit code 2. */
export function usage(reason: string): RespiteError {
  return new RespiteError('ERR_RESPITE_INVALID_CONFIG', reason, { details: { reason } });
}

export interface CommandSpec {
  name: string;
  summary: string;
  /** Command lines behind `respite rdb <name>`, each with what it does. */
  examples: readonly [args: string, what: string][];
  /** How many sources: one (default), or the usage of several, as `<a> <b>` or `<sources...>`. */
  sources?: string;
  /** False: it takes no filters. */
  filters?: boolean;
  /** False: it has no -o. */
  output?: boolean;
}

/** A new command with its sources and the options all have; add its own, then `.action`. */
export function sourceCommand(rdb: Command, spec: CommandSpec): Command {
  const { name, examples, sources = '<source>', filters = true, output = true } = spec;
  const command = rdb.command(`${name} ${sources}`).description(spec.summary);
  if (output) {
    command.option('-o, --output <file>', 'write there; it appears only when it is complete');
  }
  if (filters) addFilters(command);
  command
    .option('--no-checksum', 'do not compute the checksum')
    .option('--allow-future', 'read newer formats until something unknown occurs')
    .option('--salvage', 'leave damaged values out and go on where that is safe')
    .option('--strict', 'exit with 4 when something was left out')
    .option('--quiet', 'no progress, no notes: only errors')
    .option('--progress', 'show progress also where standard error is no terminal');
  addTls(command);
  const width = Math.max(...examples.map(([args]) => args.length)) + 2;
  const lines = examples.map(([args, what]) => `  respite rdb ${args.padEnd(width)}${what}`);
  const help = ['', 'Examples:', ...lines, '', SOURCE_HELP, EXIT_HELP];
  command.addHelpText('after', help.join('\n'));
  return command;
}

const SOURCE_HELP = `\
<source> is a file, - for standard input, or redis://[user:password@]host[:port]: a live server,
read by being its replica for one synchronisation; better than in the URL a password is given in
RESPITE_MASTERAUTH. Compressed files (gzip, zstd where Node.js has it) are unpacked.`;

const EXIT_HELP = `\
Exit codes: 0 done, 1 damaged (all before the damage was delivered), 2 usage, 3 cannot read or
write, 4 with --strict: something was left out.`;

function addTls(command: Command): void {
  command
    .optionsGroup('Servers with TLS (rediss://):')
    .option('--tls-ca-cert-file <file>', 'authorities to trust')
    .option('--tls-cert-file <file>', 'certificate to show')
    .option('--tls-key-file <file>', 'its key')
    .option('--tls-servername <name>', 'name to ask for and to verify')
    .option('--tls-insecure', 'do not verify the certificate')
    .optionsGroup('Options:');
}

function addFilters(command: Command): void {
  command
    .optionsGroup('Filters:')
    .option('--db <numbers>', 'only these databases: 0, or 0,2', dbValues)
    .option('--match <glob>', 'only names that match, as KEYS; may be repeated', globValues)
    .option('--not <glob>', 'no names that match; may be repeated', globValues)
    .option('--regex <regex>', 'only names that match: source, or /source/flags', regexValue)
    .option('--type <types>', 'only these: string,list,set,zset,hash,stream,other', typeValues)
    .option('--min-size <bytes>', 'only keys that take so much memory: 100, 10kb, 1mb', sizeValue)
    .option('--expires-before <time>', 'only keys that expire earlier: a date, +1d …', timeValue)
    .option('--expires-after <time>', 'only keys that expire then or later', timeValue)
    .option('--no-expiry', 'only keys that do not expire')
    .option('--slot <range>', 'only keys of these cluster slots: 5, or 0-5460', slotValue)
    .option('--limit <keys>', 'stop after so many keys', countValue)
    .optionsGroup('Options:');
}

function filterOf(options: Record<string, unknown>): KeyFilter {
  return {
    db: options.db as number[] | undefined,
    match: options.match as string[] | undefined,
    not: options.not as string[] | undefined,
    regex: options.regex as RegExp | undefined,
    type: options.type as KeyFilter['type'],
    minBytes: options.minSize as number | undefined,
    expiresBefore: options.expiresBefore as number | undefined,
    expiresAfter: options.expiresAfter as number | undefined,
    // commander: --no-expiry makes `expiry` false
    noExpiry: options.expiry === false,
    slots: options.slot as KeyFilter['slots'],
    limit: options.limit as number | undefined,
  };
}

// ---- how a command runs

/** What a command line runs in; kept at the `rdb` command. */
export interface RdbContext {
  io: RdbIo;
  code: number;
}
const contexts = new WeakMap<Command, RdbContext>();

export function setContext(rdb: Command, io: RdbIo = processIo()): RdbContext {
  const context: RdbContext = { io, code: EXIT_RDB.ok };
  contexts.set(rdb, context);
  return context;
}

function contextOf(command: Command): RdbContext {
  for (let at: Command | null = command; at !== null; at = at.parent) {
    const context = contexts.get(at);
    if (context !== undefined) return context;
  }
  throw new Error('the command is not below `respite rdb`');
}

export class Job {
  readonly io: RdbIo;
  /** As commander parsed them: `--min-size 10` is `minSize`. */
  readonly options: Record<string, unknown>;
  /** As named on the command line. */
  readonly sources: readonly string[];
  filter: KeyFilter;
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #progress: Progress | undefined;
  readonly #open: OpenSource[] = [];
  /** Sources of which was said what follows them. */
  readonly #ended = new Set<string>();
  #output: Output | undefined;
  /** Keys read so far by whoever reads now. */
  #keys: number | undefined;
  #skipped: string[] = [];
  #damaged = 0;

  constructor(io: RdbIo, sources: readonly string[], options: Record<string, unknown>) {
    this.io = io;
    this.sources = sources;
    this.options = options;
    this.filter = filterOf(options);
    this.signal = this.#abort.signal;
    const isShown = options.progress === true || io.errIsTerminal;
    if (isShown && !options.quiet) this.#progress = new Progress(io);
  }

  /** Checksum, future formats, salvage and abort, for functions of the library. */
  get inspectOptions(): InspectOptions {
    const { checksum, allowFuture, salvage } = this.options as Record<string, boolean>;
    const onProgress: OnProgress = (_bytes, _size, keys) => {
      this.#keys = keys;
    };
    return { checksum, allowFuture, salvage, signal: this.signal, onProgress };
  }

  /** The same with the filters. */
  get readOptions(): ReadOptions {
    return { ...this.inspectOptions, filter: this.filter };
  }

  /** Where output goes; opened (and so created) when first asked for. */
  get out(): Output {
    this.#output ??= openOutput(this.io, this.options.output as string | undefined);
    return this.#output;
  }

  write(data: Uint8Array | string): void | Promise<void> {
    return this.out.write(data);
  }

  /**
   * Opens a source, by default the first, for a function of the library; it shows progress, and
   * says what follows the RDB. `shown`: what the user calls it.
   */
  async open(name = this.sources[0]!, shown = name): Promise<RdbSource> {
    const opening = openSource(this.io, name, this.options, this.signal);
    const source = await orGivenUp(opening, this);
    this.#open.push(source);
    const { rdb } = source;
    const progress = this.#progress;
    return {
      size: rdb.size,
      pull: (into) => {
        progress?.step({ position: source.position(), size: source.size, keys: this.#keys });
        return rdb.pull(into);
      },
      ended: async (rdbBytes, behind) => {
        if (this.#ended.has(shown) || isServer(name)) return;
        this.#ended.add(shown);
        const lines = await describeRest(source, rdbBytes, behind, this.signal);
        const prefix = this.sources.length > 1 ? `${shown}: ` : '';
        for (const line of lines) this.note(`${prefix}${line}`);
      },
      close: () => rdb.close?.(),
    };
  }

  /**
   * The output of a mode over a source: views of linear memory, valid until the next is asked for.
   * `options`: what the mode takes, by place.
   */
  async *outputs(
    mode: number,
    options: Readonly<Record<number, number | string | Uint8Array>> = {},
    name = this.sources[0]!,
    onEnd?: (inspector: Inspector) => void,
  ): AsyncGenerator<Uint8Array> {
    const inspector = new Inspector(await inspectModule());
    const source = await this.open(name);
    inspector.filter(this.filter);
    inspector.options(options);
    inspector.open(mode, inspectFlags(this.inspectOptions));
    try {
      yield* outputs(inspector, source, this.inspectOptions);
    } finally {
      this.damaged(inspector.damaged);
      onEnd?.(inspector);
      inspector.close();
    }
  }

  /** Writes the output of a mode over the first source to `out`. */
  async pump(
    mode: number,
    options: Readonly<Record<number, number | string | Uint8Array>> = {},
    onEnd?: (inspector: Inspector) => void,
  ): Promise<void> {
    const { out } = this;
    for await (const output of this.outputs(mode, options, undefined, onEnd)) {
      const written = out.write(output);
      if (written !== undefined) await written;
    }
  }

  /** A line on standard error, unless --quiet. */
  note(text: string): void {
    if (this.options.quiet) return;
    this.#progress?.clear();
    this.io.writeErr(`respite: ${text}\n`);
  }

  /** Values were damaged and left out (--salvage): the exit code is 1. */
  damaged(values: number): void {
    this.#damaged += values;
  }

  /** Something could not be expressed and was left out: said, and exit code 4 with --strict. */
  skipped(count: number, what: string): void {
    if (count > 0) this.#skipped.push(`${count} ${what}`);
  }

  /** Runs `work` and ends in order; gives the exit code. */
  async run(work: (job: Job) => Promise<void>): Promise<number> {
    const offSignal = this.#onInterrupt();
    try {
      this.#takeDatabase();
      await work(this);
      await this.#output?.commit();
      return this.#verdict();
    } catch (error) {
      return await this.#failed(error);
    } finally {
      offSignal();
      this.#progress?.clear();
      for (const { rdb } of this.#open) await letGo(rdb);
    }
  }

  /** `redis://host/3` is the same as --db 3. */
  #takeDatabase(): void {
    for (const name of this.sources) {
      const db = databaseOf(name);
      if (db === undefined) continue;
      const asked = this.options.db as number[] | undefined;
      if (asked !== undefined && (asked.length !== 1 || asked[0] !== db)) {
        throw usage(`the URL is of database ${db}, but --db says otherwise`);
      }
      // --no-expiry is false or true where there are filters
      if (this.sources.length > 1 || this.options.expiry === undefined) {
        throw usage(`the URL is of database ${db}, but this command reads all of them`);
      }
      this.filter = { ...this.filter, db: [db] };
    }
  }

  /** The first signal ends reading in order, the second at once. */
  #onInterrupt(): () => void {
    const { process } = this.io.platform;
    const onSignal = (): void => {
      if (this.signal.aborted) process.exit(EXIT_RDB.interrupted);
      this.#abort.abort();
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const off = signals.map((signal) => process.onSignal(signal, onSignal));
    return () => {
      for (const one of off) one();
    };
  }

  #verdict(): number {
    this.#progress?.clear();
    for (const what of this.#skipped) this.note(`left out: ${what}`);
    if (this.#damaged > 0) {
      this.io.writeErr(`respite: ${this.#damaged} damaged values were left out\n`);
      return EXIT_RDB.damaged;
    }
    return this.#skipped.length > 0 && this.options.strict ? EXIT_RDB.strict : EXIT_RDB.ok;
  }

  async #failed(error: unknown): Promise<number> {
    this.#progress?.clear();
    if (error instanceof OutputClosed) {
      this.#output?.discard();
      return EXIT_RDB.closed;
    }
    // What came before the damage is there to be used.
    const isDamage = isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT');
    if (isDamage) {
      await this.#output?.commit();
      this.#verdict();
    } else {
      this.#output?.discard();
    }
    if (isRespiteError(error, 'ERR_RESPITE_ABORTED')) return EXIT_RDB.interrupted;
    if (!(error instanceof RespiteError)) throw error;
    this.io.writeErr(`respite: ${error.message}\n`);
    if (isDamage) return EXIT_RDB.damaged;
    if (isRespiteError(error, 'ERR_RESPITE_RDB_LOSS')) return EXIT_RDB.strict;
    const isUsage = isRespiteError(error, 'ERR_RESPITE_INVALID_CONFIG');
    return isUsage ? EXIT_RDB.usage : EXIT_RDB.unreadable;
  }
}

/** The action of a command: runs `work` and keeps the exit code. */
export function perform(work: (job: Job) => Promise<void>): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    // what the host makes is short-lived: a young generation that grows only holds garbage
    setFlagsFromString('--semi-space-growth-factor=1');
    const command = args.at(-1) as Command;
    const context = contextOf(command);
    const job = new Job(context.io, command.args, command.opts());
    context.code = await job.run(work);
  };
}
