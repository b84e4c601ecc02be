// The configuration in force: typed reads for the server, CONFIG GET and CONFIG SET for clients.
// A leaf: it knows no sockets and no core; who must act on a change registers with `onApply`.

import { RespiteError } from '../errors.js';
import type {
  ConfigValue,
  Directive,
  HostPort,
  OutputLimits,
  ParseContext,
  Parsed,
  SavePoint,
} from './directive.js';
import { DIRECTIVE_BY_NAME, DIRECTIVES } from './directives.js';
import { globMatches } from './glob.js';

/** Looks at the new values and acts; a text returned or thrown refuses the whole CONFIG SET. */
// biome-ignore lint/suspicious/noConfusingVoidType: a callback without result is the usual one
export type ApplyResult = string | void | undefined;
export type ApplyFn = (config: Config) => ApplyResult | Promise<ApplyResult>;

export interface ConfigHost {
  /** Absolute path of an existing directory, else undefined. */
  resolveDirectory(path: string): string | undefined;
}

export interface SetOptions {
  /** The client is on this machine (`enable-protected-configs local`). */
  isLocal?: boolean;
}

/** `error` is the reply without the leading minus, in Redis' words. */
export type SetResult = { ok: true } | { ok: false; error: string };

export interface UserDeclaration {
  name: string;
  rules: string[];
  /** Where it was declared, for messages; set by whoever reads lines. */
  file?: string;
  line?: number;
}

export interface CleanupConfig {
  sampleSize: number;
  maxRounds: number;
  batchSize: number;
  expiredThreshold: number;
}

export const CLEANUP_PRESETS: Readonly<Record<string, CleanupConfig>> = {
  default: { sampleSize: 20, maxRounds: 4, batchSize: 10, expiredThreshold: 0.25 },
  'small-dataset': { sampleSize: 10, maxRounds: 2, batchSize: 5, expiredThreshold: 0.5 },
  'medium-dataset': { sampleSize: 25, maxRounds: 5, batchSize: 12, expiredThreshold: 0.3 },
  'large-dataset': { sampleSize: 50, maxRounds: 8, batchSize: 25, expiredThreshold: 0.15 },
  'best-performance': { sampleSize: 100, maxRounds: 10, batchSize: 50, expiredThreshold: 0.1 },
  'low-latency': { sampleSize: 15, maxRounds: 3, batchSize: 8, expiredThreshold: 0.4 },
};

const NO_DIRECTORIES: ConfigHost = { resolveDirectory: (path) => path };

function setFailed(name: string, reason: string): SetResult {
  const where = `CONFIG SET failed (possibly related to argument '${name}')`;
  return { ok: false, error: `ERR ${where} - ${reason}` };
}

const USERS_TWICE =
  'Configuring Redis with users defined in redis.conf and at the same setting an ACL file path ' +
  'is invalid. This setup is very likely to lead to configuration errors and security holes, ' +
  'please define either an ACL file or declare users directly in your redis.conf, but not both.';
const IN_TRANSACTION = 'this cannot be changed inside a transaction';

/** A change in steps: each yields a function to call and gets back what it found wrong. */
type Steps<T> = Generator<() => ApplyResult | Promise<ApplyResult>, T, string | undefined>;

const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function runAsync<T>(steps: Steps<T>): Promise<T> {
  let at = steps.next();
  while (!at.done) {
    let wrong: string | undefined;
    try {
      wrong = (await at.value()) ?? undefined;
    } catch (error) {
      wrong = reasonOf(error);
    }
    at = steps.next(wrong);
  }
  return at.value;
}

function runAtOnce<T>(steps: Steps<T>): T {
  let at = steps.next();
  while (!at.done) {
    let wrong: string | undefined;
    try {
      const result = at.value();
      if (result instanceof Promise) throw new Error('a slow change was not declared as one');
      wrong = result ?? undefined;
    } catch (error) {
      wrong = reasonOf(error);
    }
    at = steps.next(wrong);
  }
  return at.value;
}

interface Listener {
  directives: readonly Directive[];
  fn: ApplyFn;
  isSlow: boolean;
}

export class Config {
  readonly #host: ConfigHost;
  readonly #values = new Map<Directive, Parsed>();
  readonly #initialTexts = new Map<Directive, string>();
  readonly #given = new Set<Directive>();
  readonly #listeners: Listener[] = [];
  #lastSet: Promise<unknown> = Promise.resolve();
  #setsRunning = 0;

  /** ACL users declared by `user` lines, in order. */
  readonly users: UserDeclaration[] = [];
  /** Path of the main configuration file, when one was read. */
  configFile: string | undefined;

  constructor(host: ConfigHost = NO_DIRECTORIES) {
    this.#host = host;
    for (const directive of DIRECTIVES) {
      const parsed = this.#parse(directive, [directive.initial], false);
      if ('error' in parsed) throw new Error(`bad default of ${directive.name}: ${parsed.error}`);
      this.#values.set(directive, parsed);
      this.#initialTexts.set(directive, parsed.text);
    }
  }

  // Typed reads. A name or type that does not fit is our bug, hence a plain Error. ------------

  value(name: string): ConfigValue {
    const directive = DIRECTIVE_BY_NAME.get(name);
    if (directive === undefined) throw new Error(`no directive '${name}'`);
    return this.#values.get(directive)!.value;
  }

  bool(name: string): boolean {
    return this.#typed<boolean>(name, 'boolean');
  }

  int(name: string): number {
    return this.#typed<number>(name, 'number');
  }

  str(name: string): string {
    return this.#typed<string>(name, 'string');
  }

  /** Numbers of a list directive: latency-tracking-info-percentiles. */
  numbers(name: string): readonly number[] {
    return this.value(name) as readonly number[];
  }

  /** Words of a list directive: bind, shutdown-on-sigterm. */
  list(name: string): readonly string[] {
    return this.value(name) as readonly string[];
  }

  get savePoints(): readonly SavePoint[] {
    return this.value('save') as readonly SavePoint[];
  }

  get outputLimits(): OutputLimits {
    return this.value('client-output-buffer-limit') as OutputLimits;
  }

  get replicaOf(): HostPort | undefined {
    return this.value('replicaof') as HostPort | undefined;
  }

  /** The preset with the single settings that override it. */
  get cleanup(): CleanupConfig {
    const preset = CLEANUP_PRESETS[this.str('cleanup-preset')]!;
    return {
      sampleSize: this.int('cleanup-sample-size') || preset.sampleSize,
      maxRounds: this.int('cleanup-max-rounds') || preset.maxRounds,
      batchSize: this.int('cleanup-batch-size') || preset.batchSize,
      expiredThreshold: this.int('cleanup-expired-threshold') || preset.expiredThreshold,
    };
  }

  /** The text CONFIG GET prints. */
  text(name: string): string {
    const directive = DIRECTIVE_BY_NAME.get(name);
    if (directive === undefined) throw new Error(`no directive '${name}'`);
    return this.#values.get(directive)!.text;
  }

  /** Directives that were given a value other than the default, yet do nothing here. */
  get withoutEffect(): string[] {
    return DIRECTIVES.filter(
      (directive) =>
        directive.effect === 'none' && this.#given.has(directive) && !this.#isInitial(directive),
    ).map((directive) => directive.name);
  }

  // CONFIG GET --------------------------------------------------------------------------------

  /**
   * Pairs of name and text. Redis: a name without wildcards finds hidden directives too and is
   * answered in the letters it was asked in.
   */
  get(patterns: readonly string[]): Array<[name: string, text: string]> {
    const found = new Map<string, [string, string]>();
    const add = (key: string, shown: string, directive: Directive): void => {
      if (!found.has(key)) found.set(key, [shown, this.#values.get(directive)!.text]);
    };
    for (const pattern of patterns) {
      if (!/[*?[]/.test(pattern)) {
        const name = pattern.toLowerCase();
        const directive = DIRECTIVE_BY_NAME.get(name);
        if (directive !== undefined) add(name, pattern, directive);
        continue;
      }
      for (const [name, directive] of DIRECTIVE_BY_NAME) {
        if (!directive.isHidden && globMatches(pattern, name)) add(name, name, directive);
      }
    }
    return [...found.values()];
  }

  /** Every directive with its text, for CONFIG REWRITE. */
  *states(): Generator<{ directive: Directive; text: string; isDefault: boolean }> {
    for (const [directive, { text }] of this.#values) {
      yield { directive, text, isDefault: text === this.#initialTexts.get(directive) };
    }
  }

  // CONFIG SET --------------------------------------------------------------------------------

  /**
   * Sets all pairs or none. Calls run one after the other, since a listener may need time (a port
   * is opened before the change counts).
   */
  set(pairs: ReadonlyArray<readonly [name: string, value: string]>, options: SetOptions = {}) {
    this.#setsRunning++;
    const result = this.#lastSet
      .then(() => runAsync(this.#steps(pairs, options, false)))
      .finally(() => this.#setsRunning--);
    this.#lastSet = result.catch(() => {});
    return result;
  }

  /** Whether `setAtOnce` will do: nothing named needs time, and no other set is under way. */
  canSetAtOnce(pairs: ReadonlyArray<readonly [name: string, value: string]>): boolean {
    return (
      this.#setsRunning === 0 &&
      pairs.every(([name]) => {
        const directive = DIRECTIVE_BY_NAME.get(name.toLowerCase());
        return directive === undefined || !this.#isSlow(directive);
      })
    );
  }

  /**
   * The same at once. What needs time (another port) is refused and nothing is changed: CONFIG SET
   * does so inside EXEC.
   */
  setAtOnce(
    pairs: ReadonlyArray<readonly [name: string, value: string]>,
    options: SetOptions = {},
  ): SetResult {
    return runAtOnce(this.#steps(pairs, options, true));
  }

  /**
   * `fn` runs when one of the directives was set; with several in one CONFIG SET, once. Only with
   * `isSlow` may it return a promise.
   */
  onApply(names: readonly string[], fn: ApplyFn, isSlow = false): void {
    const directives = names.map((name) => {
      const directive = DIRECTIVE_BY_NAME.get(name);
      if (directive === undefined) throw new Error(`no directive '${name}'`);
      return directive;
    });
    this.#listeners.push({ directives, fn, isSlow });
  }

  #isSlow(directive: Directive): boolean {
    return this.#listeners.some((one) => one.isSlow && one.directives.includes(directive));
  }

  *#steps(
    pairs: ReadonlyArray<readonly [string, string]>,
    options: SetOptions,
    atOnce: boolean,
  ): Steps<SetResult> {
    const directives: Directive[] = [];
    const names = new Set<string>();
    for (const [given] of pairs) {
      const name = given.toLowerCase();
      const directive = DIRECTIVE_BY_NAME.get(name);
      if (directive === undefined) {
        const error = `ERR Unknown option or number of arguments for CONFIG SET - '${given}'`;
        return { ok: false, error };
      }
      const refusal = names.has(name) ? 'duplicate parameter' : this.#refusal(directive, options);
      if (refusal !== undefined) return setFailed(given, refusal);
      names.add(name);
      directives.push(directive);
    }
    if (atOnce) {
      const slow = directives.findIndex((one) => this.#isSlow(one));
      if (slow >= 0) return setFailed(pairs[slow]![0], IN_TRANSACTION);
    }
    const backup = new Map(directives.map((one) => [one, this.#values.get(one)!]));
    const restore = (): void => {
      for (const [directive, parsed] of backup) this.#values.set(directive, parsed);
    };
    for (const [i, directive] of directives.entries()) {
      const text = pairs[i]![1];
      const words = directive.type.isMulti ? (text === '' ? [''] : text.split(' ')) : [text];
      const parsed = this.#parse(directive, words, false);
      if ('error' in parsed) {
        restore();
        return setFailed(pairs[i]![0].toLowerCase(), parsed.error);
      }
      this.#values.set(directive, parsed);
    }
    return yield* this.#apply(directives, [...names], restore);
  }

  #refusal(directive: Directive, options: SetOptions): string | undefined {
    if (directive.mutability === 'start' || directive.effect === 'refused') {
      return "can't set immutable config";
    }
    if (directive.mutability !== 'protected') return undefined;
    const allowed = this.str('enable-protected-configs');
    const isAllowed = allowed === 'yes' || (allowed === 'local' && options.isLocal === true);
    return isAllowed ? undefined : "can't set protected config";
  }

  *#apply(
    directives: readonly Directive[],
    names: readonly string[],
    restore: () => void,
  ): Steps<SetResult> {
    const done: ApplyFn[] = [];
    for (const [i, directive] of directives.entries()) {
      for (const { directives: wanted, fn } of this.#listeners) {
        if (!wanted.includes(directive) || done.includes(fn)) continue;
        done.push(fn);
        const error = yield () => fn(this);
        if (error === undefined) continue;
        restore();
        for (const undo of done.reverse()) yield () => undo(this);
        return setFailed(names[i]!, error);
      }
    }
    return { ok: true };
  }

  // Start -------------------------------------------------------------------------------------

  /**
   * One line of a file or option of the command line, already cut into words. Returns what is
   * wrong with it, in Redis' words. With `isDefault` it counts as if it had not been given.
   */
  load(given: readonly string[], isDefault = false): string | undefined {
    const name = given[0]!.toLowerCase();
    const directive = DIRECTIVE_BY_NAME.get(name);
    if (directive === undefined) return this.#loadOther(name, given.slice(1));
    let words = given.slice(1);
    if (directive.type.isMulti) {
      if (words.length === 0) return 'wrong number of arguments';
      // Redis: one quoted argument counts as if its words had been given one by one.
      if (words.length === 1 && words[0] !== '') words = words[0]!.split(' ');
    }
    const parsed = this.#parse(directive, words, true);
    if ('error' in parsed) return parsed.error;
    this.#values.set(directive, parsed);
    if (!isDefault) this.#given.add(directive);
    if (directive.effect === 'refused' && !this.#isInitial(directive)) {
      return `${directive.name} is not supported yet, and starting without it would not be safe`;
    }
    return undefined;
  }

  /** Checks that need the whole configuration. */
  check(): string | undefined {
    if (this.bool('cluster-enabled')) return 'cluster mode is not supported';
    if (this.users.length > 0 && this.str('aclfile') !== '') return USERS_TWICE;
    const auth = this.str('tls-auth-clients');
    if (this.int('tls-port') > 0 || this.bool('tls-replication')) {
      if (this.int('tls-port') > 0 && this.str('tls-cert-file') === '') {
        return 'No tls-cert-file configured!';
      }
      const hasCa = this.str('tls-ca-cert-file') !== '' || this.str('tls-ca-cert-dir') !== '';
      if (this.int('tls-port') > 0 && auth !== 'no' && !hasCa) {
        return (
          'Either tls-ca-cert-file or tls-ca-cert-dir must be specified ' +
          'when tls-auth-clients is enabled'
        );
      }
    }
    return undefined;
  }

  #loadOther(name: string, words: string[]): string | undefined {
    const tooRisky = 'is not supported yet, and starting without it would not be safe';
    if (name === 'user' && words.length > 0) {
      if (this.users.some((user) => user.name === words[0])) {
        const rule = 'A user can only be defined once in config files';
        return `Error in user declaration '${words[0]}': Duplicate user found. ${rule}`;
      }
      this.users.push({ name: words[0]!, rules: words.slice(1) });
      return undefined;
    }
    if (name === 'rename-command' && words.length === 2) return `rename-command ${tooRisky}`;
    if (name === 'loadmodule' && words.length > 0) return 'modules are not supported';
    if (name === 'sentinel') return 'sentinel directive while not in sentinel mode';
    return 'Bad directive or wrong number of arguments';
  }

  #parse(directive: Directive, words: readonly string[], isLoading: boolean) {
    const current = this.#values.get(directive);
    // Defaults are written as one text; lists take them word by word.
    const cut = current === undefined && directive.type.isMulti && words[0] !== '';
    const context: ParseContext = {
      current,
      isLoading,
      isRepeated: this.#given.has(directive),
      resolveDirectory: (path) => this.#host.resolveDirectory(path),
    };
    return directive.type.parse(cut ? words[0]!.split(' ') : words, context);
  }

  #isInitial(directive: Directive): boolean {
    return this.#values.get(directive)!.text === this.#initialTexts.get(directive);
  }

  #typed<T>(name: string, type: 'boolean' | 'number' | 'string'): T {
    const value = this.value(name);
    if (typeof value !== type) throw new Error(`directive '${name}' is not a ${type}`);
    return value as T;
  }
}

/** A wrong option or line: stops the start. */
export function invalidConfig(details: {
  reason: string;
  option?: string;
  file?: string;
  line?: number;
  lineText?: string;
}): RespiteError<'ERR_RESPITE_INVALID_CONFIG'> {
  const place = details.line === undefined ? '' : ` (line ${details.line}: ${details.lineText})`;
  return new RespiteError('ERR_RESPITE_INVALID_CONFIG', `${details.reason}${place}`, { details });
}
