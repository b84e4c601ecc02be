// The records of assembly/inspect/records.ts as objects. A record longer than one output (a large
// value) is put together here.

import { VALUE_TYPES, type ValueType } from '../core/inspector.js';

/** Kinds of records. */
export const R_KEY = 1;
export const R_END = 2;
export const R_STRING = 3;
export const R_ELEMENT = 4;
export const R_FIELD = 5;
export const R_SCORED = 6;
export const R_ENTRY = 7;
export const R_ENTRY_END = 8;
export const R_FILE = 9;
export const R_STREAM = 10;
export const R_DAMAGE = 11;
export const R_DATABASE = 12;

/** Names of keys and what the file says of itself are whole, whatever their length. */
const VALUE_PARTS: ReadonlySet<number> = new Set([
  ...[R_STRING, R_ELEMENT, R_FIELD, R_SCORED, R_ENTRY, R_ENTRY_END, R_STREAM],
]);

const KEY_HEAD = 112;
const FILE_HEAD = 96;

/** As OBJECT ENCODING would name them; the order is that of assembly/inspect/facts.ts. */
export const ENCODINGS = [
  ...['raw', 'int', 'embstr', 'listpack', 'quicklist', 'intset', 'hashtable', 'skiplist'],
  ...['stream', 'unknown'],
] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** One whole record. Its bytes are valid until the next is asked for, unless they were copied. */
export interface RawRecord {
  kind: number;
  bytes: Uint8Array;
  view: DataView;
}

/**
 * Hears the bytes of a string that is longer than what is kept of it: each piece (valid during the
 * call), its place in the string, and the length of the string.
 */
export type OnLongString = (piece: Uint8Array, at: number, length: number) => void;

/** What is in front of the bytes of R_STRING. */
const STRING_HEAD = 8;

/** Cuts output into records. */
export class RecordCutter {
  /** A record that began in an earlier output: its bytes, and how many are there. */
  #open: Uint8Array | undefined;
  #have = 0;
  /** Bytes of it that are still to come. */
  #left = 0;
  #size = 0;
  #isString = false;
  readonly #recordMax: number;
  readonly #onLongString: OnLongString | undefined;

  /** Of parts of values longer than `recordMax` bytes only those are kept. */
  constructor(recordMax = Number.POSITIVE_INFINITY, onLongString?: OnLongString) {
    this.#recordMax = recordMax;
    this.#onLongString = onLongString;
  }

  /** All records that are whole now. */
  *cut(output: Uint8Array): Generator<RawRecord> {
    let at = this.#goOn(output);
    if (this.#open !== undefined && this.#left === 0) {
      const whole = this.#open;
      this.#open = undefined;
      yield record(whole);
    }
    while (at < output.length) {
      const view = new DataView(output.buffer, output.byteOffset + at, 8);
      const size = view.getUint32(0, true);
      if (at + size > output.length) {
        const kind = view.getUint32(4, true);
        const isCut = size > this.#recordMax && VALUE_PARTS.has(kind);
        this.#open = new Uint8Array(isCut ? this.#recordMax : size);
        this.#have = 0;
        this.#left = size;
        this.#size = size;
        this.#isString = isCut && kind === R_STRING;
        this.#goOn(output.subarray(at));
        return;
      }
      yield record(output.subarray(at, at + size));
      at += size;
    }
  }

  #goOn(output: Uint8Array): number {
    if (this.#open === undefined) return 0;
    const take = Math.min(output.length, this.#left);
    const keep = Math.min(take, this.#open.length - this.#have);
    this.#open.set(output.subarray(0, keep), this.#have);
    this.#have += keep;
    if (this.#isString) this.#tell(output.subarray(0, take));
    this.#left -= take;
    return take;
  }

  #tell(piece: Uint8Array): void {
    const at = this.#size - this.#left - STRING_HEAD;
    const head = Math.max(0, -at);
    const length = this.#size - STRING_HEAD;
    if (head < piece.length) this.#onLongString?.(piece.subarray(head), at + head, length);
  }
}

function record(bytes: Uint8Array): RawRecord {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { kind: view.getUint32(4, true), bytes, view };
}

/** What is known of a key. Bytes and sizes are of the whole value; -1 while it was not read. */
export interface KeyFacts {
  db: number;
  key: Uint8Array;
  type: ValueType;
  /** How a Redis of today would hold it. */
  encoding: Encoding;
  /** The type byte of the file. */
  rdbType: number;
  /** Unix ms, undefined = the key does not expire. */
  expireAtMs: number | undefined;
  idleSec: number | undefined;
  freq: number | undefined;
  /** Elements, fields, members or entries; bytes of a string. */
  count: number;
  /** Bytes of the longest element (field and value together). */
  largest: number;
  /** Bytes of all elements together. */
  payloadBytes: number;
  fileBytes: number;
  /** Estimated, key included. */
  memoryBytes: number;
  /** Fields that expire on their own. */
  expiringFields: number;
  /** Place in the file. */
  offset: number;
}

/** Whether the filter wants the key, now that its value is known. */
export function isWanted({ view }: RawRecord): boolean {
  return view.getUint32(44, true) !== 0;
}

export function keyFacts({ bytes, view }: RawRecord): KeyFacts {
  const type = VALUE_TYPES[view.getUint32(16, true)] ?? 'other';
  const some = (value: number) => (value < 0 ? undefined : value);
  return {
    db: view.getUint32(8, true),
    key: bytes.slice(KEY_HEAD),
    type,
    encoding: ENCODINGS[view.getUint32(20, true)] ?? 'unknown',
    rdbType: view.getUint32(12, true),
    expireAtMs: some(view.getFloat64(24, true)),
    idleSec: some(view.getFloat64(32, true)),
    freq: some(view.getInt32(40, true)),
    count: view.getFloat64(56, true),
    largest: view.getFloat64(64, true),
    payloadBytes: view.getFloat64(72, true),
    fileBytes: view.getFloat64(80, true),
    memoryBytes: view.getFloat64(88, true),
    expiringFields: view.getFloat64(96, true),
    offset: view.getFloat64(48, true),
  };
}

/** The numbers and strings of a record about the file or a stream. */
export interface PlainRecord {
  /** REC_* of assembly/rdb/opcodes.ts. */
  rec: number;
  n: bigint[];
  count: bigint;
  db: number;
  verdict: number;
  a: Uint8Array;
  b: Uint8Array;
}

export function plainRecord({ bytes, view }: RawRecord): PlainRecord {
  const aLen = view.getUint32(12, true);
  return {
    rec: view.getUint32(8, true),
    n: Array.from({ length: 8 }, (_, i) => view.getBigUint64(16 + i * 8, true)),
    count: view.getBigUint64(80, true),
    db: view.getUint32(88, true),
    verdict: view.getUint32(92, true),
    a: bytes.slice(FILE_HEAD, FILE_HEAD + aLen),
    b: bytes.slice(FILE_HEAD + aLen),
  };
}
