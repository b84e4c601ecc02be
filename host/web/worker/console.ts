// The console: core.wasm itself with the dump loaded, and one client. Lines go to the core as
// inline requests, so that quotes and escapes mean what they mean to a server; what the core leaves
// to its host is answered by host-commands.ts.

import { CORE_WASM } from 'virtual:core-wasm';
import { splitArgs } from '../../config/split-args.js';
import {
  CLIENT_AUTHENTICATED,
  CLIENT_INTERNAL,
  Core,
  STATUS_CLOSE_AFTER_REPLY,
  STATUS_CLOSE_NOW,
} from '../../core/core.js';
import { compileCore } from '../../core/load.js';
import {
  LOAD_ERR_DB,
  LOAD_ERR_MEMORY,
  LOAD_KEEP_EXPIRED,
  type LoadFacts,
  readLoadFacts,
} from '../../core/load-facts.js';
import { RespiteError } from '../../errors.js';
import type { ConsoleFacts, ConsoleStart, Source } from '../protocol.js';
import { HostCommands } from './host-commands.js';
import { type Reply, ReplyTree } from './reply.js';
import type { Task } from './serve.js';
import { openSource } from './source.js';

const PIECE_BYTES = 1 << 20;
const CRON_MS = 100;
const LOAD_FAILED = -1;

const encoder = new TextEncoder();

export class Console {
  readonly core: Core;
  readonly #commands: HostCommands;
  #handle: number;
  /** What is added to the clock: it goes on from where the dump was made, so nothing is lost. */
  #shiftMs = 0;

  private constructor(wasm: Uint8Array, databases: number) {
    this.core = new Core(
      compileCore(wasm),
      {
        hostCommand: (handle, id) => this.#commands.run(handle, id),
        applyProblem: () => undefined,
      },
      { seed: crypto.getRandomValues(new Uint8Array(16)), databases, reserve: false },
    );
    this.#commands = new HostCommands(this.core, databases, () => this.#nowMs());
    this.#handle = this.#open();
    setInterval(() => this.#tick(), CRON_MS);
  }

  /** A core with the file in it. A damaged file leaves the core with nothing and is an error. */
  static async start(
    { source, functions, databases }: ConsoleStart,
    task: Task<never>,
  ): Promise<{ console: Console; facts: ConsoleFacts }> {
    const wasm = Uint8Array.from(atob(CORE_WASM), (c) => c.charCodeAt(0));
    const made = new Console(wasm, databases);
    const notes: string[] = [];
    if (source !== undefined) notes.push(...(await made.#load(source, task)));
    for (const library of functions) notes.push(...made.#commands.loadFunctions(library));
    let keys = 0;
    for (let db = 0; db < databases; db++) keys += made.core.x.localDbSize(db);
    const usedBytes = made.core.x.replicaUsedBytes();
    return { console: made, facts: { keys, usedBytes, notes } };
  }

  #nowMs(): number {
    return Date.now() + this.#shiftMs;
  }

  #tick(): void {
    if (this.core.trap !== undefined) return;
    this.core.x.cron(this.#nowMs());
    this.core.x.lazyStep();
  }

  #open(): number {
    const flags = CLIENT_INTERNAL | CLIENT_AUTHENTICATED;
    const handle = this.core.openClient(flags, 'local:0', 'local:0');
    this.#handle = handle;
    this.#feed('HELLO 3');
    this.#take();
    return handle;
  }

  #feed(line: string): number {
    // a blank in front: no line is taken for the head of a RESP request
    const request = encoder.encode(` ${line}\r\n`);
    return this.core.withBytes(request, (ptr, len) =>
      this.core.x.feedAt(this.#handle, ptr, len, this.#nowMs()),
    );
  }

  #take(): Uint8Array {
    const { core } = this;
    const parts: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const block = core.x.takeReply(this.#handle) >>> 0;
      if (block === 0) break;
      const part = core.blockView(block).slice();
      core.x.recycleReply(block);
      parts.push(part);
      length += part.length;
    }
    const out = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  /** Runs one line and gives all that came back: the reply, and messages of its own channels. */
  run(line: string): Reply[] {
    if (splitArgs(line) === undefined) {
      return [{ kind: 'error', text: 'ERR unbalanced quotes in request' }];
    }
    const status = this.#feed(line);
    const replies = new ReplyTree(this.#take()).all();
    if (status & (STATUS_CLOSE_AFTER_REPLY | STATUS_CLOSE_NOW)) {
      this.core.x.clientClose(this.#handle);
      this.#open();
    }
    return replies;
  }

  async #load(source: Source, { signal, progress }: Task<never>): Promise<string[]> {
    const { core } = this;
    const file = await openSource(source);
    const onRead = (bytes: number, size: number | undefined) => progress({ bytes, size });
    const ptr = core.x.hostAlloc(PIECE_BYTES) >>> 0;
    if (ptr === 0 || core.x.loadBegin(LOAD_KEEP_EXPIRED) !== 0) throw outOfMemory();
    try {
      let state = 0;
      for await (const piece of file.pieces({ signal, onRead })) {
        for (let at = 0; at < piece.length && state === 0; at += PIECE_BYTES) {
          const part = piece.subarray(at, at + PIECE_BYTES);
          core.bytes.set(part, ptr);
          state = core.x.loadFeed(ptr, part.length, this.#nowMs());
        }
        if (state !== 0) break;
      }
      if (state === 0) state = core.x.loadFinish();
      if (state === LOAD_FAILED) throw failure(core, file.name);
      if (core.x.loadCommit() === 0) throw failure(core, file.name);
    } catch (error) {
      if (core.trap === undefined) core.x.loadAbort();
      throw error;
    } finally {
      if (core.trap === undefined) core.x.hostFree(ptr);
    }
    const facts = readLoadFacts(core);
    const made = timeMade(facts);
    if (made !== undefined) this.#shiftMs = made.getTime() - Date.now();
    return notesOf(facts);
  }
}

function outOfMemory(): RespiteError {
  return new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', 'the core is full');
}

function failure(core: Core, name: string): RespiteError {
  const { error, errorOffset: offset, reason, key, db } = readLoadFacts(core);
  if (error === LOAD_ERR_MEMORY) {
    return new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', `${name} does not fit into memory`);
  }
  if (error === LOAD_ERR_DB) {
    const text = `${name} has more databases than the console can have`;
    return new RespiteError('ERR_RESPITE_UNSUPPORTED', text, { details: { feature: 'databases' } });
  }
  const details = { offset, reason, ...(key === '' ? {} : { key, db }) };
  const text = `${name} is damaged at offset ${offset}: ${reason}`;
  return new RespiteError('ERR_RESPITE_RDB_FORMAT', text, { details });
}

/** When the file says it was made; undefined: it does not, or it says what is no time. */
function timeMade({ createdSec = Number.NaN }: LoadFacts): Date | undefined {
  const date = new Date(createdSec * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function notesOf(facts: LoadFacts): string[] {
  const made = timeMade(facts);
  const notes = facts.skipped.map(
    ({ name, count }) => `${count} values of type ${name} were left out: the core has no such type`,
  );
  if (made !== undefined) {
    const when = made.toISOString().replace(/\.\d+/, '');
    notes.push(`The clock goes on from when the dump was made, ${when}: nothing has expired since`);
  }
  return notes;
}
