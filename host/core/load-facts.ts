// What the RDB loader says about a load: the block of assembly/rdb/load-info.ts as an object.

import type { Core } from './core.js';

/** Flags of `loadBegin`. */
export const LOAD_ASIDE = 1;
/** The file is a master's, or the base of an AOF: keys that have expired stay. */
export const LOAD_KEEP_EXPIRED = 2;
export const LOAD_NO_CHECKSUM = 4;

/** The loader's error code for memory that ran out. */
export const LOAD_ERR_MEMORY = 11;
/** The file has a database whose number the core has not. */
export const LOAD_ERR_DB = 65;

const INFO_BYTES = 192;
const LINE_BYTES = 32;
const OFF_NAME = 16;

/** Values left out because this engine has no type for them. */
export interface SkippedValues {
  /** Name of the module's type, or `array`. */
  name: string;
  rdbType: number;
  count: number;
}

export interface LoadFacts {
  /** 0: none. The numbers are those of assembly/rdb/opcodes.ts and load-info.ts. */
  error: number;
  errorOffset: number;
  reason: string;
  /** Key at fault, as Latin-1, its first 512 bytes; empty when the error is about none. */
  key: string;
  db: number;
  rdbVersion: number;
  isValkey: boolean;
  /** What the checksum said, once the file was whole. */
  checksum: 'ok' | 'absent' | 'disabled' | 'unchecked' | undefined;
  /** Bytes of the RDB so far; of all of it once it was whole. */
  bytes: number;
  keys: number;
  keysWithExpiry: number;
  keysExpired: number;
  keysEmpty: number;
  valuesSkipped: number;
  skipped: SkippedValues[];
  functions: number;
  /** The file is the head or the base of an AOF. */
  isAofBase: boolean;
  replId: string | undefined;
  replOffset: number | undefined;
  streamDb: number | undefined;
  serverVersion: string | undefined;
  createdSec: number | undefined;
  /** How many keys the file announced so far. */
  keysAnnounced: number;
}

const CHECKSUMS = [undefined, 'ok', 'absent', 'disabled', 'unchecked'] as const;

/** The facts about the load under way or the last one. */
export function readLoadFacts(core: Core): LoadFacts {
  const block = core.copy(core.x.loadInfo() >>> 0, INFO_BYTES);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const u32 = (off: number): number => view.getUint32(off, true);
  const f64 = (off: number): number => view.getFloat64(off, true);
  const text = (off: number): string => latin1(core.copy(u32(off), u32(off + 4)));
  const maybe = (off: number): string | undefined => (u32(off) === 0 ? undefined : text(off));
  const atLeastZero = (off: number): number | undefined => (f64(off) < 0 ? undefined : f64(off));
  const streamDb = view.getInt32(136, true);
  return {
    error: view.getInt32(4, true),
    errorOffset: f64(8),
    reason: text(16),
    key: text(24),
    db: u32(32),
    rdbVersion: u32(36),
    isValkey: u32(40) !== 0,
    checksum: CHECKSUMS[u32(44)],
    bytes: f64(48),
    keys: f64(56),
    keysWithExpiry: f64(64),
    keysExpired: f64(72),
    keysEmpty: f64(80),
    valuesSkipped: f64(88),
    skipped: readSkipped(core, u32(96), u32(100)),
    functions: u32(112),
    isAofBase: u32(116) !== 0,
    replId: maybe(120),
    replOffset: atLeastZero(128),
    streamDb: streamDb < -1 ? undefined : streamDb,
    serverVersion: maybe(140),
    createdSec: atLeastZero(152),
    keysAnnounced: f64(168),
  };
}

function readSkipped(core: Core, count: number, ptr: number): SkippedValues[] {
  const out: SkippedValues[] = [];
  for (let i = 0; i < count; i++) {
    const line = core.copy(ptr + i * LINE_BYTES, LINE_BYTES);
    const view = new DataView(line.buffer, line.byteOffset, LINE_BYTES);
    const nameLen = view.getUint32(4, true);
    out.push({
      rdbType: view.getUint32(0, true),
      name: latin1(line.subarray(OFF_NAME, OFF_NAME + nameLen)),
      count: view.getFloat64(8, true),
    });
  }
  return out;
}

function latin1(bytes: Uint8Array): string {
  let out = '';
  for (const b of bytes) out += String.fromCharCode(b);
  return out;
}
