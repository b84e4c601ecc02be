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
    const core = this.#core;
    const count = core.x.commandArgc();
    const shown = count > ARGUMENTS_MAX ? ARGUMENTS_MAX - 1 : count;
    const secrets = core.x.commandSecrets();
    const isSecret = (i: number): boolean => i >= (secrets & 0xffff) && i < secrets >>> 16;
    const isConfigSet = COMMAND_NAMES[command] === 'config|set';
    const out: Uint8Array[] = [];
    for (let i = 0; i < shown; i++) {
      const isHidden = isSecret(i) || (isConfigSet && i % 2 === 1 && this.#isSecretName(i - 1));
      out.push(isHidden ? REDACTED : cut(core.commandArg(i)));
    }
    if (shown < count) out.push(encoder.encode(`... (${count - shown} more arguments)`));
    return out;
  }

  /** Whether an argument names a directive whose value is nobody's business. */
  #isSecretName(index: number): boolean {
    const name = decoder.decode(this.#core.commandArg(index)).toLowerCase();
    return DIRECTIVE_BY_NAME.get(name)?.isSensitive === true;
  }
}
