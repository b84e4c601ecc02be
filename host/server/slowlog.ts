// SLOWLOG's entries: the last commands that took long, newest first. What took long is the core's
// finding (assembly/commands/command-stats.ts); commands/slowlog.ts answers SLOWLOG.

import { COMMAND_NAMES } from '../commands/generated/table.js';
import { type Config, DIRECTIVE_BY_NAME } from '../config/index.js';
import type { Core } from '../core/core.js';

/** Redis: more arguments than this, and longer ones, are cut. */
const ARGUMENTS_MAX = 32;
const ARGUMENT_BYTES_MAX = 128;

export interface SlowEntry {
  readonly id: number;
  readonly timeSec: number;
  readonly us: number;
  readonly argv: readonly Uint8Array[];
  readonly address: Uint8Array;
  readonly name: Uint8Array;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('latin1');
const REDACTED = encoder.encode('(redacted)');

function cut(argument: Uint8Array): Uint8Array {
  const more = argument.length - ARGUMENT_BYTES_MAX;
  if (more <= 0) return argument;
  const note = encoder.encode(`... (${more} more bytes)`);
  const out = new Uint8Array(ARGUMENT_BYTES_MAX + note.length);
  out.set(argument.subarray(0, ARGUMENT_BYTES_MAX));
  out.set(note, ARGUMENT_BYTES_MAX);
  return out;
}

export class Slowlog {
  readonly #core: Core;
  readonly #config: Config;
  #entries: SlowEntry[] = [];
  #nextId = 0;

  constructor(core: Core, config: Config) {
    this.#core = core;
    this.#config = config;
  }

  /** Newest first. */
  get entries(): readonly SlowEntry[] {
    return this.#entries;
  }

  clear(): void {
    this.#entries = [];
  }

  /** The command in the core's arguments took `us`; from within its call. */
  note(handle: number, command: number, us: number, nowMs: number): void {
    const slowerThan = this.#config.int('slowlog-log-slower-than');
    if (slowerThan < 0 || us < slowerThan) return;
    const core = this.#core;
    this.#entries.unshift({
      id: this.#nextId++,
      timeSec: Math.floor(nowMs / 1000),
      us: Math.floor(us),
      argv: this.#arguments(command),
      address: core.blob(core.x.clientAddress(handle)),
      name: core.blob(core.x.clientName(handle)),
    });
    const { length } = this.#entries;
    this.#entries.length = Math.min(length, this.#config.int('slowlog-max-len'));
  }

  #arguments(command: number): Uint8Array[] {
    const count = this.#core.x.commandArgc();
    const shown = count > ARGUMENTS_MAX ? ARGUMENTS_MAX - 1 : count;
    // Secrets have their place among the first words; keys are looked for among all.
    const secret = secretArguments(COMMAND_NAMES[command] as string, () =>
      this.#core.commandArgs().map((bytes) => decoder.decode(bytes.subarray(0, 64)).toLowerCase()),
    );
    const out: Uint8Array[] = [];
    for (let i = 0; i < shown; i++) {
      out.push(secret.has(i) ? REDACTED : cut(this.#core.commandArg(i)));
    }
    if (shown < count) out.push(encoder.encode(`... (${count - shown} more arguments)`));
    return out;
  }
}

/** Words that an option takes as its value or values; all others take none. */
const TAKES: Readonly<Record<string, number>> = { auth: 1, auth2: 2, setname: 1 };

/** Places of the values behind AUTH and AUTH2, options being read from `from` on. */
function behindAuth(words: readonly string[], from: number, authTakes: number): Set<number> {
  const places = new Set<number>();
  for (let i = from; i < words.length; i++) {
    const word = words[i] as string;
    // Of MIGRATE: nothing but keys follows.
    if (word === 'keys') break;
    const takes = word === 'auth' ? authTakes : (TAKES[word] ?? 0);
    if (word.startsWith('auth')) for (let n = 1; n <= takes; n++) places.add(i + n);
    i += takes;
  }
  return places;
}

/** Places of passwords and the like in a command line; `words` gives it in lower case. */
export function secretArguments(name: string, words: () => string[]): ReadonlySet<number> {
  if (name === 'hello') return behindAuth(words(), 2, 2);
  if (name === 'migrate') return behindAuth(words(), 6, 1);
  if (name === 'auth') return new Set([...words().keys()].slice(1));
  if (name === 'acl|setuser') return new Set([...words().keys()].slice(2));
  if (name !== 'config|set') return NONE;
  const isSecret = (word: string): boolean => DIRECTIVE_BY_NAME.get(word)?.isSensitive === true;
  const places = words().map((word, i) => (i >= 2 && i % 2 === 0 && isSecret(word) ? i + 1 : 0));
  return new Set(places.filter((place) => place > 0));
}

const NONE: ReadonlySet<number> = new Set();
