// rdb.wasm as an object: bytes in, output out, one inspection at a time. The only file that knows
// its exports and its memory (assembly/rdb-inspect.ts is the other side).

import { RespiteError } from '../errors.js';
import { type CoreModule, wrongWasm } from './load.js';
import { latin1, nameRegex, nameText } from './name-regex.js';

export { latin1 } from './name-regex.js';

interface InspectExports {
  init(): void;
  hostAlloc(size: number): number;
  hostFree(ptr: number): void;
  memoryUsed(): number;
  open(mode: number, flags: number): number;
  feed(ptr: number, len: number): void;
  step(): number;
  finish(): number;
  close(): void;
  output(): number;
  outputLength(): number;
  outputTaken(): void;
  keysRead(): number;
  damagedValues(): number;
  missingKeys(): number;
  sameKeys(): number;
  comparedTo(): number;
  convertedTo(): number;
  rdbBytes(): number;
  leftOutCount(reason: number): number;
  leftOutExamples(): number;
  leftOutExamplesLength(): number;
  errorCode(): number;
  errorOffset(): number;
  errorArgument(): number;
  errorText(to: number): number;
  inKey(): number;
  keyPtr(): number;
  keyLen(): number;
  keyDb(): number;
  fileVersion(): number;
  fileIsValkey(): number;
  optionsReset(): void;
  setOptionNumber(place: number, value: number): void;
  setOptionText(place: number, ptr: number, len: number): number;
  filterReset(): void;
  filterDb(db: number): void;
  filterShapes(bits: number): void;
  filterExpires(fromMs: number, toMs: number): void;
  filterNoExpiry(): void;
  filterSlots(from: number, to: number): void;
  filterMinBytes(bytes: number): void;
  filterKeysMax(keys: number): void;
  filterPattern(ptr: number, len: number, isNot: boolean): number;
  filterAskHost(): void;
}

/** What to read out of the file: numbers of assembly/inspect/mode.ts. */
export const MODE_CHECK = 0;
export const MODE_KEYS = 1;
export const MODE_VALUES = 2;
export const MODE_JSON = 3;
export const MODE_CSV = 4;
export const MODE_KEYS_TEXT = 5;
export const MODE_RESP = 6;
export const MODE_RESTORE = 7;
export const MODE_AOF = 8;
export const MODE_INFO = 9;
export const MODE_STATS = 10;
export const MODE_MEMORY = 11;
export const MODE_DIGEST = 14;
export const MODE_CONVERT = 20;

export const FLAG_NO_CHECKSUM = 1;
export const FLAG_ALLOW_FUTURE = 2;
export const FLAG_SALVAGE = 1 << 8;

/** Kinds of values, in the order of assembly/inspect/event.ts. */
export const VALUE_TYPES = ['string', 'list', 'set', 'zset', 'hash', 'stream', 'other'] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/** Which keys an inspection is about; every condition given must hold. */
export interface KeyFilter {
  /** Numbers up to 4095. */
  db?: number | readonly number[] | undefined;
  /** Globs as KEYS takes them: one must match … */
  match?: string | readonly string[] | undefined;
  /** … and none of these may. */
  not?: string | readonly string[] | undefined;
  /**
   * Tested on the name as text where it is UTF-8, otherwise on a character a byte; with the flag
   * `u` where the expression allows that.
   */
  regex?: RegExp | undefined;
  type?: ValueType | readonly ValueType[] | undefined;
  /** Estimated bytes in memory. */
  minBytes?: number | undefined;
  /** Unix ms; keys without expiry are left out. */
  expiresBefore?: number | undefined;
  expiresAfter?: number | undefined;
  noExpiry?: boolean | undefined;
  /** Cluster slots, both included. */
  slots?: readonly [from: number, to: number] | undefined;
  /** Stop after this many keys. */
  limit?: number | undefined;
}

/** Parts of the hashes of names: of assembly/inspect/digest-table.ts and convert-seen.ts. */
export const HASH_PARTS = 1024;

const INPUT_BYTES = 1 << 18;
const ERROR_TEXT_MAX = 80;
const INITIAL_PAGES = 32;
const MAX_PAGES = 65536;
const NOT_RDB_WASM = 'must be the rdb.wasm of this version';

/** What `errorCode` says where memory was short: the reader, and what stands above it. */
const ERR_MEMORY = 11;
const INSPECT_ERR_MEMORY = 101;

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];

/** What `step` answers. */
export const STEP_ERROR = -1;
export const STEP_MORE = 0;
export const STEP_END = 1;
export const STEP_OUTPUT = 2;

function makeMemory(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAX_PAGES });
  } catch (cause) {
    throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', undefined, { cause });
  }
}

function instantiate(module: CoreModule, imports: WebAssembly.Imports): InspectExports {
  let exports: Partial<InspectExports>;
  try {
    ({ exports } = new WebAssembly.Instance(module, imports));
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', undefined, { cause });
    }
    throw wrongWasm(NOT_RDB_WASM, cause);
  }
  const { init, step, setOptionText, filterReset } = exports;
  if (!init || !step || !setOptionText || !filterReset) throw wrongWasm(NOT_RDB_WASM);
  return exports as InspectExports;
}

export class Inspector {
  readonly #x: InspectExports;
  readonly #memory: WebAssembly.Memory;
  readonly #input: number;
  #regex: RegExp | undefined;
  #view = new Uint8Array(0);

  constructor(module: CoreModule) {
    this.#memory = makeMemory();
    const abort = (): never => {
      throw new RespiteError('ERR_RESPITE_CORE', 'the RDB reader met a broken invariant');
    };
    const inspectName = (ptr: number, len: number) =>
      this.#regex?.test(nameText(this.bytes(ptr, len))) ? 1 : 0;
    const env = { memory: this.#memory, abort, inspectName };
    this.#x = instantiate(module, { env });
    this.#x.init();
    this.#input = this.#x.hostAlloc(INPUT_BYTES) >>> 0;
    if (this.#input === 0) throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY');
  }

  /** A view of linear memory; good until the next call into it. */
  bytes(ptr: number, len: number): Uint8Array {
    if (this.#view.buffer !== this.#memory.buffer) this.#view = new Uint8Array(this.#memory.buffer);
    return this.#view.subarray(ptr >>> 0, (ptr >>> 0) + len);
  }

  /** Where the bytes of the file go before `fed`; ask for it anew for every piece. */
  get input(): Uint8Array {
    return this.bytes(this.#input, INPUT_BYTES);
  }

  /** Bytes of linear memory that are allocated now. */
  get memoryUsed(): number {
    return this.#x.memoryUsed() >>> 0;
  }

  /** Bytes linear memory has grown to. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Keys read so far, those that were filtered out too. */
  get keysRead(): number {
    return this.#x.keysRead();
  }

  /** Values that were damaged and left out (FLAG_SALVAGE). */
  get damaged(): number {
    return this.#x.damagedValues();
  }

  /** Bytes of the RDB once its end was reached, 0 before; a source may have more behind it. */
  get rdbBytes(): number {
    return this.#x.rdbBytes();
  }

  /** What a mode could not say (assembly/inspect/left-out.ts): how often, and the first keys. */
  leftOutCount(reason: number): number {
    return this.#x.leftOutCount(reason);
  }
  get leftOutExamples(): Uint8Array {
    return this.bytes(this.#x.leftOutExamples(), this.#x.leftOutExamplesLength());
  }

  /**
   * After MODE_DIGEST over two files: keys only the first has, and keys that are the same; and the
   * part up to which this pass was about them (assembly/inspect/digest-table.ts).
   */
  get compared(): { missing: number; same: number; to: number } {
    const x = this.#x;
    return { missing: x.missingKeys(), same: x.sameKeys(), to: x.comparedTo() };
  }

  /** MODE_CONVERT: as `compared.to`, for keys that must not come twice (convert-seen.ts there). */
  get convertedTo(): number {
    return this.#x.convertedTo();
  }

  /** The file's version once its head was read; Valkey's own numbering is told apart. */
  get version(): { version: number; isValkey: boolean } {
    return { version: this.#x.fileVersion(), isValkey: this.#x.fileIsValkey() !== 0 };
  }

  filter(filter: KeyFilter = {}): void {
    const x = this.#x;
    x.filterReset();
    for (const db of list(filter.db)) x.filterDb(db);
    const bits = list(filter.type).map((type) => 1 << VALUE_TYPES.indexOf(type));
    if (bits.length > 0) x.filterShapes(bits.reduce((a, b) => a | b));
    const { expiresBefore, expiresAfter } = filter;
    if (expiresBefore !== undefined || expiresAfter !== undefined) {
      x.filterExpires(expiresAfter ?? 0, expiresBefore ?? Number.MAX_SAFE_INTEGER);
    }
    if (filter.noExpiry) x.filterNoExpiry();
    if (filter.slots !== undefined) x.filterSlots(filter.slots[0], filter.slots[1]);
    if (filter.minBytes !== undefined) x.filterMinBytes(filter.minBytes);
    if (filter.limit !== undefined) x.filterKeysMax(filter.limit);
    for (const pattern of list(filter.match)) this.#pattern(pattern, false);
    for (const pattern of list(filter.not)) this.#pattern(pattern, true);
    const { regex } = filter;
    this.#regex = regex && nameRegex(regex);
    if (regex !== undefined) x.filterAskHost();
  }

  #pattern(pattern: string, isNot: boolean): void {
    this.#withBytes(new TextEncoder().encode(pattern), (ptr, len) =>
      this.#x.filterPattern(ptr, len, isNot),
    );
  }

  /** What is asked of the mode, by place (assembly/inspect/options.ts); all others are reset. */
  options(options: Readonly<Record<number, number | string | Uint8Array>> = {}): void {
    this.#x.optionsReset();
    for (const [place, value] of Object.entries(options)) {
      if (typeof value === 'number') {
        this.#x.setOptionNumber(Number(place), value);
        continue;
      }
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      this.#withBytes(bytes, (ptr, len) => this.#x.setOptionText(Number(place), ptr, len));
    }
  }

  /** Lends bytes to a call that copies them; 0 from it is lack of memory. */
  #withBytes(bytes: Uint8Array, call: (ptr: number, len: number) => number): void {
    const ptr = this.#x.hostAlloc(bytes.length + 1) >>> 0;
    if (ptr === 0) throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY');
    this.bytes(ptr, bytes.length).set(bytes);
    const isKept = call(ptr, bytes.length) !== 0;
    this.#x.hostFree(ptr);
    if (!isKept) throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY');
  }

  open(mode: number, flags = 0): void {
    if (this.#x.open(mode, flags) === 0) throw new RespiteError('ERR_RESPITE_OUT_OF_MEMORY');
  }

  /** The first `length` bytes of `input` are the next of the file. */
  fed(length: number): void {
    this.#x.feed(this.#input, length);
  }

  step(): number {
    return this.#x.step();
  }

  finish(): number {
    return this.#x.finish();
  }

  /** What was made so far; valid until `taken`. */
  get output(): Uint8Array {
    return this.bytes(this.#x.output(), this.#x.outputLength() >>> 0);
  }

  taken(): void {
    this.#x.outputTaken();
  }

  close(): void {
    this.#x.close();
  }

  /** Why `step` or `finish` said STEP_ERROR. */
  failure(): RespiteError {
    const x = this.#x;
    const offset = x.errorOffset();
    const where = x.inKey() !== 0 && x.keyLen() > 0;
    const name = where ? nameText(this.bytes(x.keyPtr(), Math.min(x.keyLen(), 512))) : undefined;
    const key = name === undefined ? {} : { key: name, db: x.keyDb() };
    const at = name === undefined ? '' : `, key ${JSON.stringify(name)} in database ${x.keyDb()}`;
    const reason = this.#reason();
    if (reason === undefined) {
      const text = `There was not enough memory to go on at offset ${offset}${at}`;
      return new RespiteError('ERR_RESPITE_OUT_OF_MEMORY', text, { details: { offset, ...key } });
    }
    const text = `The RDB is damaged at offset ${offset}${at}: ${reason}`;
    const details = { offset, reason, ...key };
    return new RespiteError('ERR_RESPITE_RDB_FORMAT', text, { details });
  }

  /** What is wrong with the file; undefined: memory was short. */
  #reason(): string | undefined {
    const x = this.#x;
    const code = x.errorCode();
    if (code === ERR_MEMORY || code === INSPECT_ERR_MEMORY) return undefined;
    const room = x.hostAlloc(ERROR_TEXT_MAX) >>> 0;
    if (room === 0) return 'the reason found no room in memory';
    const reason = latin1(this.bytes(room, x.errorText(room)));
    x.hostFree(room);
    return reason;
  }
}
