// The input log of a core: everything that ever went in, in order, so that a run can be replayed
// to the same bytes. The core has no clock, no randomness and no I/O of its own, so the calls of
// its exports, with the bytes they point at, are the whole of its past.
//
// What is here: `RecordedCore`, a Core that writes the log, and `replayLog`, which feeds a log to a
// fresh core and stops at the first difference. What is not here: files; the log is bytes.
//
// Layout. Numbers are varints (7 bits a byte, low first): an integer n ≥ 0 as 2n, everything else
// as the byte 1 with 8 bytes of IEEE double behind it.
//
//   log     "RSPLOG1\n" databases seed:16 read-buffer-address entry*
//   entry   CALL   name-index nargs arg* (len byte{len})*
//           RETURN result [digest]    the end of the call; entries between are nested in it
//           ENTER  handle id          the core called hostCommand; entries of the host follow
//           LEAVE  result             and end here
//           NAME   len byte{len}      gives the next name-index
//           CLOCK  ns                 the core read the stopwatch
//
// Nested in a call is what the host did for a host command. `digest` (FNV-1a of the reply's bytes)
// follows takeReply only. Addresses of blocks the host holds are translated on replay: another
// build of the same core may lay out its memory otherwise and must still give the same bytes.

import { RespiteError } from '../errors.js';
import { Core, type CoreOptions } from './core.js';
import type { CoreExports } from './exports.js';
import { type CoreImports, engineClockNs } from './load.js';

type Call = (...args: number[]) => number | undefined;
type RawExports = Record<string, Call>;

const MAGIC = 'RSPLOG1\n';
const CALL = 1;
const ENTER = 2;
const LEAVE = 3;
const NAME = 4;
const RETURN = 5;
const CLOCK = 6;

/** Exports that only look: never in the log. (`statistics` also notes the peak of memory.) */
const PURE: ReadonlySet<string> = new Set([
  ...['init', 'readBuffer', 'readBufferSize', 'clientStatus', 'clientProtocol', 'clientInExec'],
  ...['clientOutputBytes', 'readyClients', 'queryBytes', 'commandArgc', 'commandArgv'],
  ...['commandSecrets'],
  ...['effectsAddress', 'effectsLength', 'statisticsCount', 'databaseStatistics', 'headroom'],
  ...['commandCount', 'commandStatistics', 'errorStatistics', 'errorStatisticsCount'],
  ...['clientAddress', 'clientName', 'trafficStatistics'],
  ...['loadInfo', 'loadConsumed', 'functionFirst', 'functionNext', 'masterOffset'],
  ...['masterReadOffset', 'masterDb', 'replicaApplied', 'replicaUsedBytes', 'replicaKeyCount'],
  ...['localValue', 'localDbSize', 'localDb', 'waitingForAcks'],
  ...['usersOpen', 'textAddress', 'textLength', 'functionVersion'],
  ...['scriptReply', 'scriptHasWritten', 'scriptFacts', 'scriptWorld'],
]);

/** Positions of (address, length) argument pairs whose bytes go into the log. */
export const INPUT_REGIONS: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  clientOpen: [
    [1, 2],
    [3, 4],
  ],
  configurePassword: [[0, 1]],
  usersDeclare: [[0, 1]],
  usersLoad: [
    [0, 1],
    [2, 3],
  ],
  replyBytes: [[0, 1]],
  replyBytesLate: [[1, 2]],
  loadFeed: [[0, 1]],
  feedAt: [[1, 2]],
  localGet: [[1, 2]],
  functionPut: [[0, 1]],
  functionDelete: [[0, 1]],
  functionPayloadOk: [[0, 1]],
  scriptRun: [[0, 1]],
  scriptReturn: [[0, 1]],
  scriptMayRun: [[0, 1]],
};

/** Exports whose result is the address of a block that the host holds from then on. */
const GIVES_BLOCK: ReadonlySet<string> = new Set(['hostAlloc', 'takeReply']);
/** Exports whose first argument is such an address. */
const TAKES_BLOCK: ReadonlySet<string> = new Set(['hostFree', 'recycleReply']);

function fnv(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash >>> 0;
}

/** Growing bytes with numbers in them. */
class LogWriter {
  #bytes = new Uint8Array(4096);
  #len = 0;

  #room(more: number): void {
    if (this.#len + more <= this.#bytes.length) return;
    const bigger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#len + more));
    bigger.set(this.#bytes.subarray(0, this.#len));
    this.#bytes = bigger;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#len);
    this.#len += bytes.length;
  }

  blob(bytes: Uint8Array): void {
    this.number(bytes.length);
    this.raw(bytes);
  }

  number(value: number): void {
    this.#room(10);
    if (!Number.isSafeInteger(value) || value < 0 || value > Number.MAX_SAFE_INTEGER / 2) {
      this.#bytes[this.#len] = 1;
      new DataView(this.#bytes.buffer).setFloat64(this.#len + 1, value, true);
      this.#len += 9;
      return;
    }
    let rest = value * 2;
    while (rest >= 128) {
      this.#bytes[this.#len++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#len++] = rest;
  }

  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#len);
  }
}

class LogReader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isDone(): boolean {
    return this.at >= this.#bytes.length;
  }

  raw(len: number): Uint8Array {
    if (len > this.#bytes.length - this.at) throw broken(this.at, 'the log ends early');
    this.at += len;
    return this.#bytes.subarray(this.at - len, this.at);
  }

  blob(): Uint8Array {
    return this.raw(this.number());
  }

  number(): number {
    const first = this.raw(1)[0] as number;
    if (first === 1) {
      const bytes = this.raw(8);
      return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
    }
    let value = first & 127;
    let scale = 128;
    for (let byte = first; byte >= 128; scale *= 128) {
      byte = this.raw(1)[0] as number;
      value += (byte & 127) * scale;
      if (scale > 2 ** 56) throw broken(this.at, 'a number is too long');
    }
    return value / 2;
  }
}

function broken(at: number, what: string): RespiteError {
  return new RespiteError('ERR_RESPITE_CORE', `replay stopped at byte ${at} of the log: ${what}`);
}

/** Lets imports be written before the object they talk about exists. */
interface ImportHooks {
  hostCommand(handle: number, id: number): number;
  clockNs(): number;
}

/** A core that remembers its inputs. Slower than a plain one: for tests and for hunting a bug. */
export class RecordedCore extends Core {
  readonly #log = new LogWriter();
  readonly #names = new Map<string, number>();

  constructor(module: WebAssembly.Module, imports: CoreImports, options: CoreOptions) {
    const hooks: ImportHooks = { hostCommand: () => 0, clockNs: () => 0 };
    super(
      module,
      {
        hostCommand: (handle, id) => hooks.hostCommand(handle, id),
        applyProblem: (id) => imports.applyProblem(id),
        slowCommand: (handle, id, us, flags) => imports.slowCommand?.(handle, id, us, flags),
        clockNs: () => hooks.clockNs(),
      },
      options,
    );
    const log = this.#log;
    log.raw(new TextEncoder().encode(MAGIC));
    log.number(options.databases ?? 16);
    log.raw(options.seed.subarray(0, 16));
    log.number(this.x.readBuffer() >>> 0);
    hooks.hostCommand = (handle, id) => {
      for (const n of [ENTER, handle, id]) log.number(n);
      const result = imports.hostCommand(handle, id);
      for (const n of [LEAVE, result]) log.number(n);
      return result;
    };
    const clockNs = imports.clockNs ?? engineClockNs;
    hooks.clockNs = () => {
      const ns = clockNs();
      for (const n of [CLOCK, ns]) log.number(n);
      return ns;
    };
    (this as { x: CoreExports }).x = this.#wrap(this.x as unknown as RawExports);
  }

  /** The log so far. */
  get log(): Uint8Array {
    return this.#log.copy();
  }

  #wrap(raw: RawExports): CoreExports {
    const out: RawExports = {};
    for (const name of Object.keys(raw)) {
      const call = raw[name];
      if (typeof call !== 'function') continue;
      out[name] = PURE.has(name) ? call : this.#recorded(name, call);
    }
    return out as unknown as CoreExports;
  }

  #recorded(name: string, call: Call): Call {
    const log = this.#log;
    return (...args) => {
      const index = this.#name(name);
      log.number(CALL);
      log.number(index);
      log.number(args.length);
      for (const arg of args) log.number(Number(arg));
      if (name === 'feed') log.blob(this.readBuffer.subarray(0, args[1] as number));
      for (const [ptr, len] of INPUT_REGIONS[name] ?? []) {
        log.blob(this.view((args[ptr] as number) >>> 0, args[len] as number));
      }
      const result = call(...args);
      log.number(RETURN);
      log.number(Number(result ?? 0));
      if (name === 'takeReply') log.number(digest(this, Number(result) >>> 0));
      return result;
    };
  }

  #name(name: string): number {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const index = this.#names.size;
    this.#names.set(name, index);
    this.#log.number(NAME);
    this.#log.blob(new TextEncoder().encode(name));
    return index;
  }
}

function digest(core: Core, block: number): number {
  return block === 0 ? 0 : fnv(core.blockView(block));
}

export interface ReplayOptions {
  /** Most bytes the core may use, and how; what the recorded core had is not in the log. */
  memory?: Pick<CoreOptions, 'memoryBytesMax' | 'reserve'>;
  /** Sees each reply block as it is taken. The view is gone afterwards. */
  onReply?: (handle: number, bytes: Uint8Array) => void;
}

/** A log being fed to a core. */
class Replay {
  readonly core: Core;
  readonly #in: LogReader;
  readonly #options: ReplayOptions;
  readonly #names: string[] = [];
  /** Blocks that the host holds, by their address in the log: address here, size. */
  readonly #blocks = new Map<number, { here: number; size: number }>();

  constructor(module: WebAssembly.Module, log: Uint8Array, options: ReplayOptions) {
    this.#in = new LogReader(log);
    this.#options = options;
    const magic = new TextDecoder().decode(this.#in.raw(MAGIC.length));
    if (magic !== MAGIC) throw broken(0, 'this is no input log');
    const databases = this.#in.number();
    const seed = this.#in.raw(16).slice();
    const imports: CoreImports = {
      hostCommand: (handle, id) => this.#hostCommand(handle, id),
      applyProblem: () => undefined,
      clockNs: () => this.#clockNs(),
    };
    const readBuffer = this.#in.number();
    this.core = new Core(module, imports, { ...options.memory, databases, seed });
    // Bytes may lie in front of the read buffer as well as in it: see `feed` in assembly/index.ts.
    const size = this.core.x.readBufferSize();
    const here = this.core.x.readBuffer() >>> 0;
    this.#blocks.set(readBuffer - size, { here: here - size, size: 2 * size });
  }

  run(): void {
    while (!this.#in.isDone) {
      const kind = this.#in.number();
      if (kind === CALL) this.#call();
      else if (kind === NAME) this.#names.push(new TextDecoder().decode(this.#in.blob()));
      else throw broken(this.#in.at, `entry ${kind} is not expected here`);
    }
  }

  #clockNs(): number {
    if (this.#in.number() === CLOCK) return this.#in.number();
    throw broken(this.#in.at, 'the core read the clock, the log does not');
  }

  /** The core asks for a host command: the host's calls come from the log. */
  #hostCommand(handle: number, id: number): number {
    const kind = this.#in.number();
    if (kind !== ENTER) throw broken(this.#in.at, 'the core called the host, the log does not');
    this.#expect('client of a host command', handle, this.#in.number());
    this.#expect('host command', id, this.#in.number());
    for (;;) {
      const next = this.#in.number();
      if (next === CALL) this.#call();
      else if (next === NAME) this.#names.push(new TextDecoder().decode(this.#in.blob()));
      else if (next === LEAVE) return this.#in.number();
      else throw broken(this.#in.at, `entry ${next} is not expected in a host command`);
    }
  }

  #expect(what: string, here: number, logged: number): void {
    if (here === logged) return;
    throw broken(this.#in.at, `${what} is ${here}, was ${logged}`);
  }

  #call(): void {
    const name = this.#names[this.#in.number()] ?? '';
    const call = (this.core.x as unknown as RawExports)[name];
    if (call === undefined) throw broken(this.#in.at, `this core has no export ${name}`);
    const args: number[] = [];
    for (let left = this.#in.number(); left > 0; left--) args.push(this.#in.number());
    if (name === 'feed') this.core.readBuffer.set(this.#in.blob());
    for (const [ptr] of INPUT_REGIONS[name] ?? []) {
      const bytes = this.#in.blob();
      args[ptr] = this.#translate(args[ptr] as number);
      this.core.bytes.set(bytes, args[ptr]);
    }
    if (TAKES_BLOCK.has(name)) {
      const logged = (args[0] as number) >>> 0;
      args[0] = this.#translate(logged);
      this.#blocks.delete(logged);
    }
    const result = Number(call(...args) ?? 0);
    if (this.#in.number() !== RETURN) throw broken(this.#in.at, `${name} did not call the host`);
    this.#compare(name, args, result);
  }

  #compare(name: string, args: readonly number[], result: number): void {
    const logged = this.#in.number();
    if (GIVES_BLOCK.has(name)) {
      this.#expect(`whether ${name} gave a block`, Number(result !== 0), Number(logged !== 0));
      const size = name === 'hostAlloc' ? (args[0] as number) : 1;
      if (result !== 0) this.#blocks.set(logged >>> 0, { here: result >>> 0, size });
    } else {
      this.#expect(`result of ${name}`, result, logged);
    }
    if (name !== 'takeReply') return;
    const block = result >>> 0;
    if (block !== 0) this.#options.onReply?.(args[0] as number, this.core.blockView(block));
    this.#expect('digest of a reply', digest(this.core, block), this.#in.number());
  }

  /** An address of the log as one here: inside a block that the host holds, or as it is. */
  #translate(ptr: number): number {
    const at = ptr >>> 0;
    const known = this.#blocks.get(at);
    if (known !== undefined) return known.here;
    for (const [from, { here, size }] of this.#blocks) {
      if (at > from && at < from + size) return here + (at - from);
    }
    return at;
  }
}

/**
 * Feeds a log to a fresh core and returns that core in its final state. Throws ERR_RESPITE_CORE
 * with the position in the log at the first result or reply that differs.
 */
export function replayLog(
  module: WebAssembly.Module,
  log: Uint8Array,
  options: ReplayOptions = {},
): Core {
  const replay = new Replay(module, log, options);
  replay.run();
  return replay.core;
}
