// From files, standard input, environment and command line to a Config. All of them become lines
// in Redis' format and go through one parser, so that a mistake is reported alike wherever it was
// made: line number, line, reason. Order of precedence: defaults, file, environment, arguments.

import { isRespiteError, type RespiteError } from '../errors.js';
import { Config, type ConfigHost, invalidConfig } from './config.js';
import { DIRECTIVE_BY_NAME } from './directives.js';
import { quoteArg, splitArgs } from './split-args.js';

const INCLUDE_DEPTH_MAX = 16;
const ENV_PREFIX = 'RESPITE_';
/** Variables of ours that are no directives. */
const ENV_OTHER = new Set(['RESPITE_CONFIG']);

/** What loading needs of the world. */
export interface ConfigSource extends ConfigHost {
  /** Throws with a `code` when the file cannot be read. */
  readText(path: string): string;
  readStdin(): string;
  env: Readonly<Record<string, string | undefined>>;
}

export interface LoadOptions {
  /** As on the command line, without program and subcommand: `['my.conf', '--port', '1']`. */
  args?: readonly string[];
  /** Typed options of the library: directive → value. Applied last. */
  options?: Readonly<Record<string, OptionValue>>;
  /** Other defaults than Redis', applied first. */
  defaults?: Readonly<Record<string, OptionValue>>;
  /** Without it neither files nor environment are read. */
  source?: ConfigSource;
}

export type OptionValue = string | number | boolean | readonly (string | number)[];

export interface LoadResult {
  config: Config;
  /** RESPITE_ variables that mean nothing; worth a line in the log. */
  unknownEnv: string[];
}

// ---------------------------------------------------------------------------------------------
// Lines

interface Place {
  file?: string;
  depth: number;
  source: ConfigSource | undefined;
}

/** Secrets do not belong into error messages: the words after a sensitive name are dropped. */
function safeLine(line: string): string {
  const name = /^\S*/.exec(line)![0].toLowerCase();
  const isSecret = DIRECTIVE_BY_NAME.get(name)?.isSensitive === true || name === 'user';
  return isSecret ? `${name} [redacted]` : line;
}

function include(config: Config, path: string, place: Place): void {
  const { source } = place;
  if (source === undefined) throw invalidConfig({ reason: 'include needs a file system' });
  if (place.depth >= INCLUDE_DEPTH_MAX) {
    throw invalidConfig({ reason: 'include files are nested too deeply', file: path });
  }
  loadText(config, readConfigFile(source, path), { file: path, depth: place.depth + 1, source });
}

function readConfigFile(source: ConfigSource, path: string): string {
  try {
    return source.readText(path);
  } catch (error) {
    const { code } = error as { code?: string };
    const why = code === 'ENOENT' ? 'No such file or directory' : String((error as Error).message);
    const reason = `Fatal error, can't open config file '${path}': ${why}`;
    throw invalidConfig({ reason, file: path });
  }
}

/** Every line of a text in the format of redis.conf. Throws ERR_RESPITE_INVALID_CONFIG. */
export function loadText(config: Config, text: string, place?: Partial<Place>): void {
  const where: Place = { depth: 0, source: undefined, ...place };
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
    if (line === '' || line.startsWith('#')) continue;
    const words = splitArgs(line);
    let reason: string | undefined;
    if (words === undefined) reason = 'Unbalanced quotes in configuration line';
    else if (words.length === 0) continue;
    else if (words[0]!.toLowerCase() === 'include' && words.length === 2) {
      include(config, words[1]!, where);
    } else {
      const known = config.users.length;
      reason = config.load(words);
      const declared = config.users[known];
      if (declared !== undefined) Object.assign(declared, { file: where.file, line: i + 1 });
    }
    if (reason !== undefined) {
      const { file } = where;
      throw invalidConfig({
        reason,
        file,
        line: i + 1,
        lineText: safeLine(line),
        option: words?.[0],
      });
    }
  }
}

/** The text redis-server would print for it; other errors give their message. */
export function formatConfigError(error: unknown, version: string): string {
  if (!isRespiteError(error, 'ERR_RESPITE_INVALID_CONFIG')) {
    return error instanceof Error ? error.message : String(error);
  }
  const { reason, line, lineText, file } = (error as RespiteError<'ERR_RESPITE_INVALID_CONFIG'>)
    .details;
  if (reason.startsWith('Fatal error')) return `${reason}\n`;
  const at =
    line === undefined
      ? ''
      : `Reading the configuration file, at line ${line}\n>>> '${lineText}'\n`;
  const from = file === undefined ? '' : `In ${file}\n`;
  return `\n*** FATAL CONFIG FILE ERROR (respite ${version}) ***\n${at}${reason}\n${from}`;
}

// ---------------------------------------------------------------------------------------------
// Command line

interface SplitCommandLine {
  file: string | undefined;
  isStdin: boolean;
  /** Option lines in the format of the file. */
  text: string;
}

/** `--port=1`, which Redis does not know, is taken as `--port 1` when the name is a directive. */
function splitEquals(arg: string): [name: string, value: string] | undefined {
  const match = /^--([a-z0-9_-]+)=(.*)$/is.exec(arg);
  if (match === null || !DIRECTIVE_BY_NAME.has(match[1]!.toLowerCase())) return undefined;
  return [match[1]!, match[2]!];
}

/**
 * Redis: a first argument without dashes is a file, a last one of `-` means standard input.
 * `--name` begins an option; the word after it is its value even if it begins with dashes (but
 * for `--save`), further words without dashes are values too.
 */
export function splitCommandLine(args: readonly string[]): SplitCommandLine {
  const rest = [...args];
  const hasFile = rest.length > 0 && !rest[0]!.startsWith('-');
  const file = hasFile ? rest.shift() : undefined;
  const isStdin = rest.at(-1) === '-';
  if (isStdin) rest.pop();
  const lines: string[] = [];
  let needsValue = false;
  for (const [i, arg] of rest.entries()) {
    if (needsValue || !arg.startsWith('--')) {
      if (lines.length === 0) lines.push('');
      lines[lines.length - 1] += ` ${quoteArg(arg)}`;
      needsValue = false;
      continue;
    }
    const pair = splitEquals(arg);
    if (pair !== undefined) {
      lines.push(`${pair[0]} ${quoteArg(pair[1])}`);
      continue;
    }
    const name = arg.slice(2);
    lines.push(name);
    if (/\s\S/.test(name)) continue; // name and value in one argument
    needsValue = true;
    const next = rest[i + 1];
    if (name.toLowerCase() === 'save' && (next === undefined || next.startsWith('--'))) {
      lines[lines.length - 1] += ' ""';
      needsValue = false;
    }
  }
  return { file, isStdin, text: lines.map((line) => line.trimStart()).join('\n') };
}

// ---------------------------------------------------------------------------------------------
// Environment and options

function envLines(source: ConfigSource): { lines: string[]; unknown: string[] } {
  const lines: string[] = [];
  const unknown: string[] = [];
  for (const [variable, value] of Object.entries(source.env)) {
    if (!variable.startsWith(ENV_PREFIX) || value === undefined) continue;
    if (ENV_OTHER.has(variable)) continue;
    const lower = variable.slice(ENV_PREFIX.length).toLowerCase();
    const name = [lower, lower.replaceAll('_', '-')].find((one) => DIRECTIVE_BY_NAME.has(one));
    if (name === undefined) {
      unknown.push(variable);
      continue;
    }
    const isMulti = DIRECTIVE_BY_NAME.get(name)!.type.isMulti;
    lines.push(`${name} ${isMulti && value !== '' ? value : quoteArg(value)}`);
  }
  return { lines: lines.sort(), unknown: unknown.sort() };
}

function optionWords(value: OptionValue): string[] {
  if (typeof value === 'boolean') return [value ? 'yes' : 'no'];
  if (typeof value === 'object') return value.length === 0 ? [''] : value.map(String);
  return [String(value)];
}

/** Redis' own names, as `replica-read-only` or `replicaReadOnly`. */
export function directiveName(option: string): string | undefined {
  const dashed = option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return [option.toLowerCase(), dashed].find((one) => DIRECTIVE_BY_NAME.has(one));
}

function loadOptions(
  config: Config,
  options: Readonly<Record<string, OptionValue>>,
  isDefault = false,
): void {
  for (const [option, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const name = directiveName(option);
    const reason =
      name === undefined
        ? 'there is no such option'
        : config.load([name, ...optionWords(value)], isDefault);
    if (reason !== undefined) throw invalidConfig({ reason: `${option}: ${reason}`, option });
  }
}

// ---------------------------------------------------------------------------------------------

/** Builds the configuration; throws ERR_RESPITE_INVALID_CONFIG for the first thing wrong. */
export function loadConfig(request: LoadOptions = {}): LoadResult {
  const { source, args = [], options = {} } = request;
  const config = new Config(source);
  loadOptions(config, request.defaults ?? {}, true);
  const { file, isStdin, text } = splitCommandLine(args);
  const path = file ?? source?.env.RESPITE_CONFIG;
  let unknownEnv: string[] = [];
  if (path !== undefined && path !== '') {
    include(config, path, { depth: 0, source });
    config.configFile = path;
  }
  if (isStdin && source !== undefined) loadText(config, source.readStdin(), { source });
  if (source !== undefined) {
    const { lines, unknown } = envLines(source);
    unknownEnv = unknown;
    loadText(config, lines.join('\n'), { file: 'the environment', source });
  }
  loadText(config, text, { file: 'the command line', source });
  loadOptions(config, options);
  const reason = config.check();
  if (reason !== undefined) throw invalidConfig({ reason });
  return { config, unknownEnv };
}
