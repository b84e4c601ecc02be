// The RDB reader in a Wasm instance of its own, driven from tests: bytes in, plain events out.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compileWasm, FAULTS } from './compile.js';
import { ROOT } from './servers.js';

/** Real servers' dumps and public fixtures; tests that need them skip where they are missing. */
export const DATA = join(process.env.RESPITE_DATA ?? join(ROOT, '../shared/data'), 'rdb');
export const hasData = existsSync(join(DATA, 'servers'));

export const REC = {
  ERROR: -1,
  NEED_MORE: 0,
  EOF: 1,
  AUX: 2,
  SELECTDB: 3,
  RESIZEDB: 4,
  SLOT_INFO: 5,
  FUNCTION: 6,
  FUNCTION_PRE_GA: 7,
  MODULE_AUX: 8,
  SLOT_IMPORT: 9,
  HASH_TEMPLATE: 10,
  KEY: 11,
  STRING: 12,
  VALUE_SKIPPED: 13,
  VALUE_END: 14,
  BLOB: 15,
  ELEMENT: 16,
  FIELD: 17,
  SCORED: 18,
  STREAM_NODE: 19,
  STREAM_META: 20,
  STREAM_GROUP: 21,
  STREAM_PEL: 22,
  STREAM_CONSUMER: 23,
  STREAM_CONSUMER_PEL: 24,
  STREAM_NACK: 25,
  STREAM_IDMP: 26,
  STREAM_IDMP_PRODUCER: 27,
  STREAM_IDMP_ENTRY: 28,
  STREAM_IDMP_END: 29,
  RAW: 30,
  KEY_META: 31,
} as const;

export const ERR = {
  MAGIC: 1,
  VERSION: 2,
  OPCODE: 3,
  TYPE: 4,
  MODULE_PRE_GA: 5,
  LENGTH: 6,
  STRING: 7,
  STRING_TOO_LONG: 8,
  LZF: 9,
  LZF_RATIO: 10,
  MEMORY: 11,
  MODULE_OPCODE: 12,
  MODULE_AUX: 13,
  CHECKSUM: 14,
  TRUNCATED: 15,
  DB: 16,
  SCORE: 17,
  CONTAINER: 18,
  STREAM_ID: 19,
  TEMPLATE_UNKNOWN: 20,
  TEMPLATE_DUPLICATE: 21,
  TEMPLATE: 22,
  ARRAY: 23,
  PREFIX: 24,
  PAYLOAD_FOOTER: 25,
  PAYLOAD_VERSION: 26,
  PAYLOAD_TRAILING: 27,
  INTERNAL: 28,
} as const;

export const VERDICT = { OK: 1, ABSENT: 2, DISABLED: 3, UNCHECKED: 4 } as const;
export const FLAG = { NO_CHECKSUM: 1, ALLOW_FUTURE: 2 } as const;
const BLOB_NAMES = ['', 'listpack', 'ziplist', 'intset', 'zipmap'];

/** A record: its kind and its fields, bytes as Latin-1 text. */
export type Event = [kind: number, ...fields: (string | bigint | number | null)[]];

type Fn = (...args: (number | bigint)[]) => number;
type BigFn = (...args: (number | bigint)[]) => bigint;
export interface RdbExports {
  [name: string]: Fn;
}

/** The test entry. */
export function rdbModule(): WebAssembly.Module {
  return compileWasm('test/support/rdb-entry.ts', FAULTS);
}

export interface ReadOptions {
  flags?: number;
  /** Sizes of the chunks, cycling; default one chunk. */
  chunks?: Iterator<number>;
  /** Records after which to give up (a hang would be a bug). */
  recordsMax?: number;
  /** Pass over values whose key satisfies this. */
  skip?: (key: string) => boolean;
  holdMax?: bigint;
}

export interface ReadResult {
  events: Event[];
  /** REC.EOF, REC.ERROR, or REC.NEED_MORE where the input ended early. */
  last: number;
  err: number;
  errOffset: number;
  errArg: bigint;
  consumed: number;
  verdict: number;
}

/** Where `fields` of the entry puts things, in 64-bit words. */
const F = {
  aPtr: 0,
  aLen: 1,
  bPtr: 2,
  bLen: 3,
  keyPtr: 4,
  keyLen: 5,
  form: 6,
  container: 7,
  score: 8,
  fieldExpireMs: 9,
  minExpireMs: 10,
  n: 11,
  count: 19,
  db: 20,
  type: 21,
  expireMs: 22,
  idleSec: 23,
  freq: 24,
  keyOffset: 25,
  moduleId: 26,
  verdict: 27,
  err: 28,
  errOffset: 29,
  errArg: 30,
  version: 31,
  isValkey: 32,
  metaCount: 33,
  skippedLen: 34,
};

export class RdbHarness {
  readonly memory = new WebAssembly.Memory({ initial: 32, maximum: 65536 });
  readonly x: RdbExports;
  readonly #block: number;
  #window = 0;
  #windowCap = 0;
  #bytes = Buffer.alloc(0);
  #words = new BigInt64Array(0);

  constructor() {
    const instance = new WebAssembly.Instance(rdbModule(), {
      env: {
        memory: this.memory,
        abort: () => {
          throw new Error('abort');
        },
      },
    });
    this.x = instance.exports as unknown as RdbExports;
    this.x.init();
    this.#block = this.x.alloc(512) >>> 0;
  }

  big(name: string, ...args: (number | bigint)[]): bigint {
    return BigInt.asUintN(64, (this.x[name] as unknown as BigFn)(...args));
  }

  bytes(): Buffer {
    if (this.#bytes.buffer !== this.memory.buffer) {
      this.#bytes = Buffer.from(this.memory.buffer);
      this.#words = new BigInt64Array(this.memory.buffer, this.#block, 40);
    }
    return this.#bytes;
  }

  text(ptr: number | bigint, len: number | bigint): string {
    const p = Number(ptr) >>> 0;
    return this.bytes().toString('latin1', p, p + (Number(len) >>> 0));
  }

  /** Copy bytes to linear memory; the address is good until the next call. */
  put(bytes: Uint8Array): number {
    if (this.#windowCap < bytes.length || !this.#window) {
      if (this.#window) this.x.free(this.#window);
      this.#windowCap = Math.max(bytes.length, 65536);
      this.#window = this.x.alloc(this.#windowCap) >>> 0;
    }
    this.bytes().set(bytes, this.#window);
    return this.#window;
  }

  fields(r: number): BigInt64Array {
    this.x.fields(r, this.#block);
    this.bytes();
    return this.#words;
  }

  errorText(code: number): string {
    const at = this.#block;
    return this.text(at, this.x.errorText(code, at));
  }

  moduleName(id: bigint): string {
    this.x.moduleName(this.#block, id);
    return this.text(this.#block, 9);
  }

  /** Read a file, chunk by chunk, into events. */
  read(file: Uint8Array, options: ReadOptions = {}): ReadResult {
    const r = this.x.open(options.flags ?? 0);
    if (options.holdMax !== undefined) this.x.holdMax(r, options.holdMax);
    const events: Event[] = [];
    const recordsMax = options.recordsMax ?? file.length + 1000;
    let at = 0;
    let size = 0;
    let last: number = REC.NEED_MORE;
    const more = () => {
      const want = options.chunks ? (options.chunks.next().value as number) : file.length;
      size = Math.min(want, file.length - at);
      this.x.feed(r, this.put(file.subarray(at, at + size)), size);
      at += size;
    };
    more();
    for (;;) {
      last = this.x.next(r);
      if (last > 0) {
        if (events.length >= recordsMax) throw new Error('too many records');
        const event = this.event(last, this.fields(r));
        events.push(event);
        if (last === REC.EOF) break;
        if (last === REC.KEY && options.skip?.(event[1] as string)) this.x.skipValue(r);
      } else if (last === REC.NEED_MORE) {
        this.bytes().fill(0xdd, this.#window, this.#window + size);
        if (at === file.length) {
          last = this.x.finish(r);
          break;
        }
        more();
      } else {
        break;
      }
    }
    const result = this.#result(r, events, last);
    result.consumed = last === REC.EOF ? at - size + this.x.consumed(r) : at;
    this.x.close(r);
    return result;
  }

  /** Read a DUMP payload. */
  readPayload(payload: Uint8Array, flags = 0): ReadResult {
    const r = this.x.openPayload(this.put(payload), payload.length, flags);
    const events: Event[] = [];
    let last = this.x.next(r);
    while (last > 0) {
      events.push(this.event(last, this.fields(r)));
      if (last === REC.EOF) break;
      last = this.x.next(r);
    }
    const result = this.#result(r, events, last);
    this.x.close(r);
    return result;
  }

  #result(r: number, events: Event[], last: number): ReadResult {
    const f = this.fields(r);
    return {
      events,
      last,
      err: Number(f[F.err]),
      errOffset: Number(f[F.errOffset]),
      errArg: f[F.errArg] as bigint,
      consumed: 0,
      verdict: Number(f[F.verdict]),
    };
  }

  event(kind: number, f: BigInt64Array): Event {
    const n = (i: number) => BigInt.asUintN(64, f[F.n + i] as bigint);
    const u = (i: number) => BigInt.asUintN(64, f[i] as bigint);
    const s = (i: number) =>
      f[i] === 0n && f[i + 1] !== 0n ? null : this.text(f[i] as bigint, f[i + 1] as bigint);
    const a = () => s(F.aPtr);
    const b = () => s(F.bPtr);
    switch (kind) {
      case REC.EOF:
        return [kind, Number(f[F.verdict])];
      case REC.AUX:
      case REC.FUNCTION_PRE_GA:
        return [kind, a(), b()];
      case REC.SELECTDB:
        return [kind, Number(f[F.db])];
      case REC.RESIZEDB:
        return [kind, n(0), n(1)];
      case REC.SLOT_INFO:
        return [kind, n(0), n(1), n(2)];
      case REC.FUNCTION:
      case REC.ELEMENT:
        return [kind, a()];
      case REC.MODULE_AUX:
        return [kind, this.moduleName(u(F.moduleId)), n(0)];
      case REC.SLOT_IMPORT:
        return [kind, a(), u(F.count)];
      case REC.HASH_TEMPLATE:
        return [kind, n(0), u(F.count)];
      case REC.KEY:
        return [
          kind,
          s(F.keyPtr),
          Number(f[F.db]),
          Number(f[F.type]),
          f[F.expireMs] as bigint,
          f[F.idleSec] as bigint,
          f[F.freq] as bigint,
          f[F.keyOffset] as bigint,
          f[F.count] as bigint,
          f[F.metaCount] as bigint,
        ];
      case REC.STRING:
        return [kind, a(), Number(f[F.form]), s(F.keyPtr)];
      case REC.VALUE_SKIPPED:
        return [kind, Number(f[F.type]), this.moduleName(u(F.moduleId))];
      case REC.VALUE_END:
        return [kind, s(F.keyPtr)];
      case REC.BLOB:
        return [
          kind,
          BLOB_NAMES[Number(f[F.container])] as string,
          a(),
          f[F.minExpireMs] as bigint,
        ];
      case REC.FIELD:
        return [kind, a(), b(), f[F.fieldExpireMs] as bigint];
      case REC.SCORED:
        return [kind, a(), new Float64Array(f.buffer, f.byteOffset, 40)[F.score] as number];
      default:
        return this.#streamEvent(kind, f);
    }
  }

  #streamEvent(kind: number, f: BigInt64Array): Event {
    const n = (i: number) => BigInt.asUintN(64, f[F.n + i] as bigint);
    const count = () => BigInt.asUintN(64, f[F.count] as bigint);
    const a = () => this.text(f[F.aPtr] as bigint, f[F.aLen] as bigint);
    const b = () => this.text(f[F.bPtr] as bigint, f[F.bLen] as bigint);
    switch (kind) {
      case REC.STREAM_NODE:
        return [kind, n(0), n(1), b()];
      case REC.STREAM_META:
        return [kind, n(0), n(1), n(2), n(3), n(4), n(5), n(6), n(7), count()];
      case REC.STREAM_GROUP:
        return [kind, a(), n(0), n(1), BigInt.asIntN(64, n(2)), count()];
      case REC.STREAM_PEL:
        return [kind, n(0), n(1), n(2), n(3)];
      case REC.STREAM_CONSUMER:
        return [kind, a(), n(0), BigInt.asIntN(64, n(1)), count()];
      case REC.STREAM_CONSUMER_PEL:
      case REC.STREAM_NACK:
      case REC.STREAM_IDMP_END:
        return [kind, n(0), n(1)];
      case REC.STREAM_IDMP:
        return [kind, n(0), n(1), count()];
      case REC.STREAM_IDMP_PRODUCER:
        return [kind, a(), count()];
      case REC.STREAM_IDMP_ENTRY:
        return [kind, a(), n(0), n(1)];
      default:
        throw new Error(`record kind ${kind}`);
    }
  }

  /** The elements of a container; undefined when it is damaged. */
  elements(container: string, blob: string): string[] | undefined {
    const bytes = Buffer.from(blob, 'latin1');
    const w = this.x.walkNew();
    const ptr = this.put(bytes);
    const out: string[] = [];
    let step = this.x.wOpen(w, BLOB_NAMES.indexOf(container), ptr, bytes.length) ? 1 : -1;
    while (step > 0) {
      step = this.x.wNext(w);
      if (step > 0) out.push(this.text(this.x.wPtr(w), this.x.wLen(w)));
    }
    this.x.free(w);
    return step < 0 ? undefined : out;
  }

  /** The live entries of a stream node; undefined when it is damaged. */
  entries(ms: bigint, seq: bigint, blob: string): [string, string[]][] | undefined {
    const bytes = Buffer.from(blob, 'latin1');
    const s = this.x.streamNew();
    const ptr = this.put(bytes);
    const out: [string, string[]][] = [];
    let step = this.x.sOpen(s, ms, seq, ptr, bytes.length) ? 1 : -1;
    while (step > 0) {
      step = this.x.sNext(s);
      if (step <= 0) break;
      const id = `${this.big('sMs', s)}-${this.big('sSeq', s)}`;
      const fields: string[] = [];
      for (step = this.x.sField(s); step > 0; step = this.x.sField(s)) {
        fields.push(this.text(this.x.sPart(s, 0), this.x.sPart(s, 1)));
        fields.push(this.text(this.x.sPart(s, 2), this.x.sPart(s, 3)));
      }
      if (step < 0) break;
      if (!(this.x.sFlags(s) & 1)) out.push([id, fields]);
      step = 1;
    }
    this.x.free(s);
    return step < 0 ? undefined : out;
  }
}
