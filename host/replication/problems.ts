// Commands of the master's stream that could not be applied. Each means that this copy no longer
// equals the master: it is counted, logged and raised as an event, never dropped silently.
//
// The core reports them from inside a call (the arguments are valid only there), so they are noted
// here first and delivered when the call is over: a listener may use the core.

import type { Core } from '../core/core.js';

export interface ApplyProblem {
  /** Its name as it stood in the stream. */
  command: string;
  /** Arguments as text, cut to 128 bytes in all; none of commands that carry passwords. */
  args: string;
  /** The core does not know the command (else it answered with an error). */
  isUnknown: boolean;
  /** Applied offset of the stream when it happened. */
  offset: number;
}

const SHOWN_MAX = 128;
/** Problems kept between two deliveries; beyond, only counted. */
const PENDING_MAX = 64;
const SECRET = /^(auth|hello|acl|config|migrate|replicaof|slaveof)$/i;

export class Problems {
  readonly #core: Core;
  #pending: ApplyProblem[] = [];
  /** Ever. */
  count = 0;

  constructor(core: Core) {
    this.#core = core;
  }

  /** Notes the command whose arguments the core holds now; `id` -1: unknown. */
  note(id: number, offset: number): void {
    this.count++;
    if (this.#pending.length >= PENDING_MAX) return;
    const argc = this.#core.x.commandArgc();
    const argv = this.#core.x.commandArgv() >>> 0;
    const command = argc === 0 ? '' : this.#text(argv, 0, SHOWN_MAX);
    const args = SECRET.test(command) ? '[not shown]' : this.#args(argv, argc);
    this.#pending.push({ command, args, isUnknown: id < 0, offset });
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  take(): ApplyProblem[] {
    const all = this.#pending;
    this.#pending = [];
    return all;
  }

  #args(argv: number, argc: number): string {
    let out = '';
    for (let i = 1; i < argc && out.length < SHOWN_MAX; i++) {
      out += `${i > 1 ? ' ' : ''}${this.#text(argv, i, SHOWN_MAX - out.length)}`;
    }
    return out.length > SHOWN_MAX ? out.slice(0, SHOWN_MAX) : out;
  }

  /** An argument as Latin-1, its first `max` bytes; control bytes as dots. */
  #text(argv: number, index: number, max: number): string {
    const ptr = this.#core.word(argv + 8 * index);
    const len = Math.min(this.#core.word(argv + 8 * index + 4), max);
    let out = '';
    for (const byte of this.#core.view(ptr, len)) {
      out += byte < 32 || byte === 127 ? '.' : String.fromCharCode(byte);
    }
    return out;
  }
}
