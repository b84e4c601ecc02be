// Logging in Redis' four levels, written by pino or as Redis' own one-line text.
//
// Text, the default of the command line: `pid:role date level message`, with `.` `-` `*` `#` for
// debug, verbose, notice and warning, so that scripts made for redis-server find what they look
// for. JSON (`log-format json`): pino, one object a line. Both go to standard output, or to the
// file of the `logfile` directive. Secrets never pass: fields whose name speaks of one and the
// password of any URL are replaced before anything is written.

import { type DestinationStream, destination, type Logger as PinoLogger, pino } from 'pino';

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning' | 'nothing';
export type LogFields = Readonly<Record<string, unknown>>;

/** What the rest of respite logs to. Fields are data for machines; the message says it all. */
export interface Logger {
  level: LogLevel;
  debug(message: string, fields?: LogFields): void;
  verbose(message: string, fields?: LogFields): void;
  notice(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  /** The letter after the pid in text lines: M master, S replica, C not serving yet. */
  setRole(role: 'M' | 'S' | 'C'): void;
  /** Writes what is buffered, blocking. Call before the process ends. */
  flush(): void;
}

export interface LoggerOptions {
  level?: LogLevel;
  format?: 'text' | 'json';
  /** Path of the log file; empty or absent means standard output. */
  logfile?: string;
  /** Takes the lines instead of a file: for tests. */
  stream?: { write(line: string): void };
  pid?: number;
  nowMs?: () => number;
}

/** The part of pino (or of anything alike) that is needed to log through a user's instance. */
export interface PinoLike {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

const RANK: Record<LogLevel, number> = { debug: 0, verbose: 1, notice: 2, warning: 3, nothing: 4 };
const MARK = { debug: '.', verbose: '-', notice: '*', warning: '#' } as const;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const SECRET_NAME = /pass|auth|secret|token|credential|privatekey/i;
const URL_PASSWORD = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*):[^\s@/]*@/gi;
const REDACTED = '[redacted]';

export function redactText(text: string): string {
  return text.includes('://') ? text.replace(URL_PASSWORD, '$1:***@') : text;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value instanceof Error) {
    const { code } = value as { code?: unknown };
    return { message: redactText(value.message), ...(code === undefined ? {} : { code }) };
  }
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return value;
  if (depth > 3 || ArrayBuffer.isView(value)) return '[object]';
  if (Array.isArray(value)) return value.map((one) => redactValue(one, depth + 1));
  return redactFields(value as LogFields, depth + 1);
}

export function redactFields(fields: LogFields, depth = 0): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const isSecret = SECRET_NAME.test(name) && value !== undefined && typeof value !== 'boolean';
    result[name] = isSecret ? REDACTED : redactValue(value, depth);
  }
  return result;
}

function twoDigits(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

/** `21 Nov 2026 03:02:52.273`, local time, as Redis writes it. */
export function formatLogTime(ms: number): string {
  const at = new Date(ms);
  const day = `${twoDigits(at.getDate())} ${MONTHS[at.getMonth()]} ${at.getFullYear()}`;
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':');
  return `${day} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

type Emit = (level: keyof typeof MARK, message: string, fields: LogFields | undefined) => void;

class LevelLogger implements Logger {
  level: LogLevel;
  role: 'M' | 'S' | 'C' = 'C';
  readonly #emit: Emit;
  readonly #flush: () => void;

  constructor(level: LogLevel, emit: (logger: LevelLogger) => Emit, flush: () => void) {
    this.level = level;
    this.#emit = emit(this);
    this.#flush = flush;
  }

  debug(message: string, fields?: LogFields): void {
    if (RANK[this.level] <= RANK.debug) this.#emit('debug', message, fields);
  }

  verbose(message: string, fields?: LogFields): void {
    if (RANK[this.level] <= RANK.verbose) this.#emit('verbose', message, fields);
  }

  notice(message: string, fields?: LogFields): void {
    if (RANK[this.level] <= RANK.notice) this.#emit('notice', message, fields);
  }

  warning(message: string, fields?: LogFields): void {
    if (RANK[this.level] <= RANK.warning) this.#emit('warning', message, fields);
  }

  setRole(role: 'M' | 'S' | 'C'): void {
    this.role = role;
  }

  flush(): void {
    this.#flush();
  }
}

/** Line breaks and control bytes from outside must not forge lines. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  return redactText(text).replace(/[\u0000-\u001f\u007f]/g, ' ');
}

function textEmit(options: LoggerOptions, out: { write(line: string): unknown }) {
  const pid = options.pid ?? process.pid;
  const now = options.nowMs ?? Date.now;
  return (logger: LevelLogger): Emit =>
    (level, message, fields) => {
      const details =
        fields === undefined ? '' : ` ${oneLine(JSON.stringify(redactFields(fields)))}`;
      const head = `${pid}:${logger.role} ${formatLogTime(now())} ${MARK[level]}`;
      out.write(`${head} ${oneLine(message)}${details}\n`);
    };
}

function jsonEmit(out: DestinationStream) {
  const logger = pino(
    { level: 'debug', customLevels: { verbose: 25, notice: 35, warning: 45 } },
    out,
  );
  return (): Emit => (level, message, fields) => {
    logger[level](fields === undefined ? {} : redactFields(fields), redactText(message));
  };
}

export function createLogger(options: LoggerOptions = {}): Logger {
  const level = options.level ?? 'notice';
  const { stream } = options;
  const file = stream === undefined ? openDestination(options.logfile) : undefined;
  const out: DestinationStream = stream ?? file!;
  const emit = options.format === 'json' ? jsonEmit(out) : textEmit(options, out);
  return new LevelLogger(level, emit, () => {
    try {
      file?.flushSync();
    } catch {
      // not open yet or already gone: nothing can be done for these lines
    }
  });
}

function openDestination(logfile: string | undefined): ReturnType<typeof destination> {
  const isFile = logfile !== undefined && logfile !== '';
  const out = destination({ dest: isFile ? logfile : 1, append: true, sync: false });
  out.on('error', () => {}); // a closed pipe or full disk must not end the server
  return out;
}

/** Logs through a pino instance (or alike) that the embedding program owns. */
export function fromPino(target: PinoLike | PinoLogger, level: LogLevel = 'debug'): Logger {
  const sink = target as PinoLike;
  const emit = (): Emit => (kind, message, fields) => {
    const data = fields === undefined ? {} : redactFields(fields);
    const text = redactText(message);
    if (kind === 'warning') sink.warn(data, text);
    else if (kind === 'notice') sink.info(data, text);
    else sink.debug(data, text);
  };
  return new LevelLogger(level, emit, () => {});
}

/** Swallows everything: the default of the library. */
export function silentLogger(): Logger {
  return new LevelLogger(
    'nothing',
    () => () => {},
    () => {},
  );
}
