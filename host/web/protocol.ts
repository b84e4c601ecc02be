// What the page and its worker say to each other. Every call has a number; the worker answers with
// progress and parts under it, and at last with a result or an error.

import type { ValueType } from '../core/inspector.js';
import type { DiffEntry } from '../rdb/diff.js';
import type { RdbFile } from '../rdb/file-facts.js';
import type { KeyFacts } from '../rdb/records.js';
import type { RdbElement } from '../rdb/values.js';
import type { Comparison, Report } from './analysis.js';
import type { Hint } from './worker/command-hints.js';
import type { Reply } from './worker/reply.js';

/** A file the worker can read again and again, from any place. */
export type Source = (
  | { kind: 'blob'; name: string; blob: Blob }
  | { kind: 'url'; name: string; url: string }
) & {
  /** Values that are damaged inside are left out, whatever the file is read for. */
  salvage?: boolean | undefined;
};

export interface Progress {
  bytes: number;
  /** Of the file; undefined when nobody knows. */
  size: number | undefined;
}

export interface KeyQuery {
  /** Empty: every key. */
  text: string;
  how: 'contains' | 'glob' | 'regex';
  types: readonly ValueType[];
  db: number | undefined;
  expiry: 'any' | 'none' | 'some';
  minBytes: number | undefined;
  /** Cluster slots, both included. */
  slots: readonly [from: number, to: number] | undefined;
  limit: number;
}

export interface SearchResult {
  found: number;
  /** There are more than `limit`. */
  isCut: boolean;
  file: RdbFile;
}

export interface ValueRequest {
  db: number;
  key: Uint8Array;
  /** `key` is only how the name begins. */
  isCut?: boolean | undefined;
  /** Where the key is; undefined: it must be looked for. */
  offset: number | undefined;
  /** Elements in front of those wanted. */
  from: number;
  /** At most so many elements. */
  elements: number;
  /** Of a string: the first byte wanted. Short ones come whole all the same. */
  fromByte: number;
}

export interface ValueResult {
  facts: KeyFacts | undefined;
  elements: RdbElement[];
  /** There are more elements behind these. */
  isCut: boolean;
  /** Of a string: where the bytes of `elements` begin, and how many it has in all. */
  string: { from: number; length: number } | undefined;
}

export type ExportFormat = 'report' | 'html' | 'json' | 'ndjson' | 'csv';

export interface ExportResult {
  blob: Blob;
  /** The file is damaged: what came before it is there. */
  problem?: string;
}

export interface ConsoleStart {
  source: Source | undefined;
  /** Sources of the function libraries of the file, bytes as Latin-1 characters. */
  functions: readonly string[];
  /** Of the core. */
  databases: number;
}

export interface ConsoleFacts {
  keys: number;
  usedBytes: number;
  /** What was not loaded, in words. */
  notes: string[];
}

/** Operations: what goes in, what comes as parts, what comes out. */
export interface Operations {
  analyse: { in: { source: Source }; part: never; out: Report };
  search: { in: { source: Source; query: KeyQuery }; part: KeyFacts[]; out: SearchResult };
  value: { in: { source: Source; request: ValueRequest }; part: never; out: ValueResult };
  /** A string, whole. */
  saveString: { in: { source: Source; request: ValueRequest }; part: never; out: Blob | undefined };
  compare: { in: { a: Source; b: Source }; part: DiffEntry[]; out: Comparison };
  export: {
    in: { source: Source; report: Report; format: ExportFormat };
    part: never;
    out: ExportResult;
  };
  consoleStart: { in: ConsoleStart; part: never; out: ConsoleFacts };
  consoleHint: { in: { line: string }; part: never; out: Hint };
  consoleRun: { in: { line: string }; part: never; out: Reply[] };
}

export type Operation = keyof Operations;

/** A RespiteError, or any other, across the boundary. */
export interface WireError {
  code: string;
  message: string;
  offset?: number;
  reason?: string;
  key?: string;
  db?: number;
}

export type ToWorker =
  | { id: number; op: Operation; args: Operations[Operation]['in'] }
  | { id: number; cancel: true };

export type FromWorker =
  | { id: number; progress: Progress }
  | { id: number; part: unknown }
  | { id: number; result: unknown }
  | { id: number; error: WireError };
