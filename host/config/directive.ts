// What a row of the table of directives is made of (the table itself: directives.ts).

/** A typed value as the server uses it. */
export type ConfigValue =
  | boolean
  | number
  | string
  | readonly string[]
  | readonly number[]
  | readonly SavePoint[]
  | OutputLimits
  | HostPort
  | undefined;

/** `save 900 1`: snapshot when `changes` writes happened within `seconds`. */
export interface SavePoint {
  seconds: number;
  changes: number;
}

export interface OutputLimit {
  hardBytes: number;
  softBytes: number;
  softSec: number;
}

export interface OutputLimits {
  normal: OutputLimit;
  replica: OutputLimit;
  pubsub: OutputLimit;
}

export interface HostPort {
  host: string;
  port: number;
}

/** A parsed value together with the text CONFIG GET prints for it. */
export interface Parsed {
  value: ConfigValue;
  text: string;
}

export interface ParseContext {
  /** The value in force, for directives whose words change only a part of it. */
  current: Parsed | undefined;
  /** Reading files or arguments at start (Redis: `save` lines add up there), or CONFIG SET. */
  isLoading: boolean;
  /** The directive was met before in this start. */
  isRepeated: boolean;
  /** Absolute path of an existing directory, or undefined. */
  resolveDirectory(path: string): string | undefined;
}

/** Result of parsing: a value, or Redis' words for what is wrong. */
export type ParseResult = Parsed | { error: string };

/** A kind of value: from words to value and text. */
export interface ValueType {
  readonly name: string;
  /** True: takes any number of words; CONFIG SET cuts its one argument at single blanks. */
  readonly isMulti: boolean;
  parse(words: readonly string[], context: ParseContext): ParseResult;
}

/**
 * What happens when the directive is set here.
 * - works: it does what Redis says.
 * - none: accepted and shown by CONFIG GET; nothing reads it yet, which the log says at start.
 * - refused: ignoring it would give a false sense of safety, so setting it stops the start.
 */
export type Effect = 'works' | 'none' | 'refused';

/** When it may change: at any time, only at start, or as enable-protected-configs allows. */
export type Mutability = 'runtime' | 'start' | 'protected';

export interface Directive {
  readonly name: string;
  /** An older name that does the same and is listed by CONFIG GET as well. */
  readonly alias: string | undefined;
  readonly type: ValueType;
  /** Default, in words as a configuration line would give them. */
  readonly initial: string;
  readonly mutability: Mutability;
  /** Found by CONFIG GET only under its exact name. */
  readonly isHidden: boolean;
  /** Never written to logs or error messages. */
  readonly isSensitive: boolean;
  readonly effect: Effect;
  /** Version of Redis it appeared in after 7.0, or `respite` for our own. */
  readonly since: string | undefined;
}
