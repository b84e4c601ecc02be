// What a running script has of the world: the machine, the core it calls, the settings it made. One
// script runs at a time, so there is one session for all of them.

import type { Core } from '../core/core.js';
import type { Arguments } from './lib/arguments.js';
import { lockGlobals } from './lock.js';
import { errorTable, makeRedisTable, raise } from './redis-api.js';
import { argumentText, ReplyReader } from './replies.js';
import { writeText } from './vm/bytes.js';
import { BYTES_SHIFT } from './vm/limits.js';
import type { Machine } from './vm/machine.js';
import { LuaError, LuaTable, type LuaValue } from './vm/value.js';
import { type LuaWorld, makeWorld } from './world.js';

const REPL_ALL = 3;
const RUN_SILENT = 4;
/** Pairs, then the words themselves. */
export const SCRATCH_BYTES = 64 * 1024;
const PAIR = 8;
/** All the words of one command. */
const CALL_MAX = 1 << 30;

/** Texts of what `scriptRun` refuses; its numbers are in assembly/commands/script.ts. */
const REFUSALS: Readonly<Record<number, string>> = {
  1: 'ERR Unknown Redis command called from script',
  2: 'ERR Wrong number of args calling Redis command from script',
  3: 'ERR This Redis command is not allowed from script',
  4: 'ERR Can not execute the command on a stale replica',
  6: "ERR The user executing the script can't run this command or subcommand",
  7:
    "ERR The user executing the script can't access at least one of the keys mentioned in the " +
    'command arguments',
  8: "ERR The user executing the script can't publish to the channel mentioned in the command",
  9: 'ERR Write commands are not allowed from read-only scripts.',
  10: "READONLY You can't write against a read only replica.",
  11: "OOM command not allowed when used memory > 'maxmemory'.",
  12: 'ERR not enough memory for the reply',
};

export type LogSink = (level: number, text: string) => void;

export class Session {
  readonly core: Core;
  readonly world: LuaWorld;
  readonly machine: Machine;
  readonly #reader = new ReplyReader();
  readonly #log: LogSink;
  #scratch = 0;
  /** Protocol of replies to redis.call. */
  resp = 2;
  /** RUN_* flags of scriptRun that the script's kind asks for. */
  how = 0;
  #isSilent = false;

  constructor(core: Core, log: LogSink, forFunctions = false) {
    this.core = core;
    this.#log = log;
    this.world = makeWorld();
    this.machine = this.world.machine;
    this.machine.globals.setText('redis', makeRedisTable(this, forFunctions));
    lockGlobals(this.machine, forFunctions);
  }

  /** Settings as a script finds them. */
  begin(how: number): void {
    this.resp = 2;
    this.how = how;
    this.#isSilent = false;
  }

  log(level: number, text: string): void {
    this.#log(level, text);
  }

  setRepl(flags: number): void {
    // One stream feeds replicas and the AOF alike: all that is not nothing goes into it.
    this.#isSilent = (flags & REPL_ALL) === 0;
  }

  close(): void {
    if (this.#scratch !== 0) this.core.x.hostFree(this.#scratch);
    this.#scratch = 0;
  }

  // ---- redis.call

  /** The arguments are `values[at]` … `values[at + count - 1]`. */
  call(values: LuaValue[], at: number, count: number, isRaising: boolean): LuaValue {
    if (count === 0) {
      return this.#refuse(
        'ERR Please specify at least one argument for this redis lib call',
        isRaising,
      );
    }
    const size = sizeOf(values, at, count);
    if (size < 0) {
      const text = 'ERR Lua redis lib command arguments must be strings or integers';
      return this.#refuse(text, isRaising);
    }
    const how = this.#isSilent ? this.how | RUN_SILENT : this.how;
    const block = this.#put(values, at, count, size);
    const { x } = this.core;
    const result = x.scriptRun(block, size, count, this.resp, how);
    if (block !== this.#scratch) x.hostFree(block);
    if (result !== 0) return this.#refuse(REFUSALS[result] ?? 'ERR unknown error', isRaising);
    const reader = this.#reader;
    const value = reader.read(this.core, x.scriptReply() >>> 0);
    if (reader.size > SCRATCH_BYTES) this.machine.work(reader.size >>> BYTES_SHIFT);
    if (isRaising && value instanceof LuaTable && value.getText('err') !== undefined) {
      throw new LuaError(value);
    }
    return value;
  }

  #refuse(text: string, isRaising: boolean): LuaValue {
    const table = errorTable(text);
    if (!text.startsWith('ERR Please') && !text.startsWith('ERR Lua redis')) {
      table.setText('ignore_error_stats_update', true);
    }
    if (isRaising) throw new LuaError(table);
    return table;
  }

  /** Puts the arguments into linear memory; the block is to be released. */
  #put(values: LuaValue[], at: number, count: number, size: number): number {
    if (size > CALL_MAX) raise('not enough memory');
    if (size > SCRATCH_BYTES) this.machine.work(size >>> BYTES_SHIFT);
    let block = size <= SCRATCH_BYTES ? this.scratch() : 0;
    if (block === 0) block = this.core.x.hostAlloc(size) >>> 0;
    if (block === 0) raise('not enough memory');
    const { core } = this;
    const { bytes } = core;
    let pair = block;
    let place = count * PAIR;
    for (let i = 0; i < count; i++) {
      const value = values[at + i];
      const word = typeof value === 'string' ? value : argumentText(value as number);
      core.setWord(pair, place);
      core.setWord(pair + 4, word.length);
      writeText(bytes, block + place, word);
      place += word.length;
      pair += PAIR;
    }
    return block;
  }

  /** A block of SCRATCH_BYTES in linear memory; 0: there is no memory for it. */
  scratch(): number {
    if (this.#scratch === 0) this.#scratch = this.core.x.hostAlloc(SCRATCH_BYTES) >>> 0;
    return this.#scratch;
  }

  mayRun({ values, at, count }: Arguments): LuaValue {
    if (count === 0) raise('Please specify at least one argument for this redis lib call');
    const size = sizeOf(values, at, count);
    if (size < 0) return raise('Lua redis lib command arguments must be strings or integers');
    const block = this.#put(values, at, count, size);
    const { x } = this.core;
    const result = x.scriptMayRun(block, size, count);
    if (block !== this.#scratch) x.hostFree(block);
    if (result < 0) raise('Invalid command passed to redis.acl_check_cmd()');
    return result === 1;
  }
}

/** Bytes that values take as words of a command, -1: one of them cannot be a word. */
function sizeOf(values: LuaValue[], at: number, count: number): number {
  let size = count * PAIR;
  for (let i = at; i < at + count; i++) {
    const value = values[i];
    if (typeof value === 'string') size += value.length;
    else if (typeof value === 'number') size += argumentText(value).length;
    else return -1;
  }
  return size;
}
