// The value of one key, from where it lies in the file: a file of that key alone is put together
// from the head, its database and the bytes at its offset. Where that is not possible (packed file,
// unknown offset, a record that needs an earlier one) the file is read with a filter.

import { isRespiteError } from '../../errors.js';
import { type RdbEntry, type ReadOptions, readRdb } from '../../rdb/read-rdb.js';
import type { KeyFacts } from '../../rdb/records.js';
import type { RdbElement } from '../../rdb/values.js';
import type { Source, ValueRequest, ValueResult } from '../protocol.js';
import { BlobWriter } from './blob-writer.js';
import { partOf, rawString } from './raw-string.js';
import type { Task } from './serve.js';
import { type OpenSource, openSource } from './source.js';

const HEAD_BYTES = 9;
const OP_SELECTDB = 0xfe;
/** Length follows as four bytes, most significant first. */
const LENGTH_32 = 0x80;

interface ValueArgs {
  source: Source;
  request: ValueRequest;
}

async function* fromOffset(
  file: OpenSource,
  { db, offset = 0 }: ValueRequest,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  yield* file.pieces({ from: 0, to: HEAD_BYTES, signal });
  const select = new Uint8Array(6);
  select.set([OP_SELECTDB, LENGTH_32]);
  new DataView(select.buffer).setUint32(2, db);
  yield select;
  yield* file.pieces({ from: offset, signal });
}

const beginsWith = (name: Uint8Array, part: Uint8Array) =>
  part.every((byte, i) => byte === name[i]);

/** A glob that matches this name only, in text; undefined: it is not UTF-8, or only a part. */
function globOf({ key, isCut }: ValueRequest): string | undefined {
  if (isCut) return undefined;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(key);
    return text.replace(/[\\*?[\]]/g, '\\$&');
  } catch {
    return undefined;
  }
}

/** Strings up to this come whole, of others parts. */
const STRING_WHOLE_MAX = 256 * 1024;
const STRING_PART = 64 * 1024;

/** Part of a long string; tells when it has all of it. */
class StringPart {
  readonly from: number;
  length = 0;
  #bytes = new Uint8Array(0);
  #have = 0;
  readonly #onWhole: () => void;

  constructor(from: number, onWhole: () => void) {
    this.from = from;
    this.#onWhole = onWhole;
  }

  add(piece: Uint8Array, at: number, length: number): void {
    if (this.#bytes.length === 0) {
      this.length = length;
      this.#bytes = new Uint8Array(Math.max(0, Math.min(STRING_PART, length - this.from)));
    }
    const start = Math.max(this.from + this.#have, at);
    const part = piece.subarray(start - at, start - at + this.#bytes.length - this.#have);
    this.#bytes.set(part, this.#have);
    this.#have += part.length;
    if (this.isWhole) this.#onWhole();
  }

  get isWhole(): boolean {
    return this.length > 0 && this.#have === this.#bytes.length;
  }

  result(facts: KeyFacts): ValueResult {
    const elements: RdbElement[] = [{ kind: 'string', value: this.#bytes }];
    const string = { from: this.from, length: this.length };
    return { facts, elements, isCut: false, string };
  }
}

type OptionsOf = Pick<ReadOptions, 'signal' | 'salvage' | 'onLongString' | 'elementBytesMax'>;

/** The key that is asked for, at its value. */
async function* found(
  pieces: AsyncIterable<Uint8Array>,
  request: ValueRequest,
  options: OptionsOf,
): AsyncGenerator<RdbEntry> {
  const { key, isCut: isPart, db } = request;
  const match = globOf(request);
  const filter = { db, limit: 1, ...(match === undefined ? {} : { match }) };
  if (match === undefined) filter.limit = Number.MAX_SAFE_INTEGER;
  const how = { filter, values: 'stream', checksum: false, allowFuture: true } as const;
  for await (const entry of readRdb(pieces, { ...options, ...how })) {
    if (!beginsWith(entry.key, key)) continue;
    if (!isPart && entry.key.length !== key.length) continue;
    yield entry;
    return;
  }
}

const factsOf = ({ elements: _, read: __, ...facts }: RdbEntry): KeyFacts => facts;

/** Reads what is asked for of the first key that is it. */
async function take(
  pieces: AsyncIterable<Uint8Array>,
  { request, source }: ValueArgs,
  signal: AbortSignal,
): Promise<ValueResult | undefined> {
  // ends reading when a part of a long string is there
  const enough = new AbortController();
  const part = new StringPart(request.fromByte, () => enough.abort());
  const options = {
    signal: AbortSignal.any([signal, enough.signal]),
    salvage: source.salvage,
    elementBytesMax: STRING_PART,
    onLongString: (piece: Uint8Array, at: number, length: number) => {
      // another key's, on the way to this one
      if (facts !== undefined) part.add(piece, at, length);
    },
  };
  let facts: KeyFacts | undefined;
  try {
    for await (const entry of found(pieces, request, options)) {
      facts = factsOf(entry);
      const taken = await elementsOf(entry, request);
      facts = factsOf(entry);
      return part.isWhole ? part.result(facts) : { ...taken, facts };
    }
    return undefined;
  } catch (error) {
    if (!part.isWhole || signal.aborted || facts === undefined) throw error;
    return part.result(facts);
  }
}

async function elementsOf(
  entry: RdbEntry,
  { from, elements: most, fromByte }: ValueRequest,
): Promise<Omit<ValueResult, 'facts'>> {
  const elements: RdbElement[] = [];
  let string: ValueResult['string'];
  let at = 0;
  for await (const element of entry.read()) {
    if (element.kind === 'string') {
      const { length } = element.value;
      const start = length <= STRING_WHOLE_MAX ? 0 : Math.min(fromByte, length);
      const end = length <= STRING_WHOLE_MAX ? length : start + STRING_PART;
      elements.push({ ...element, value: element.value.subarray(start, end) });
      string = { from: start, length };
    } else if (elements.length === most) return { elements, isCut: true, string };
    else if (at++ >= from) elements.push(element);
  }
  return { elements, isCut: false, string };
}

/** Runs `read` on the key's own bytes; where that does not find it, on the whole file. */
async function fromItsPlace<T>(
  { source, request }: ValueArgs,
  { signal, progress }: Task<never>,
  read: (pieces: AsyncIterable<Uint8Array>) => Promise<T | undefined>,
): Promise<T | undefined> {
  const file = await openSource(source);
  if (request.offset !== undefined && !file.isPacked) {
    try {
      const value = await read(fromOffset(file, request, signal));
      if (value !== undefined) return value;
    } catch (error) {
      if (!isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
    }
  }
  const onRead = (bytes: number, size: number | undefined) => progress({ bytes, size });
  return read(file.pieces({ signal, onRead }));
}

export async function readValue(args: ValueArgs, task: Task<never>): Promise<ValueResult> {
  const { source, request } = args;
  const file = await openSource(source);
  const raw = await rawString(file, request);
  if (raw !== undefined && raw.length > STRING_WHOLE_MAX) {
    const from = Math.min(request.fromByte, raw.length);
    const value = await partOf(file, raw, from, STRING_PART);
    const string = { from, length: raw.length };
    return { facts: raw.facts, elements: [{ kind: 'string', value }], isCut: false, string };
  }
  const read = (pieces: AsyncIterable<Uint8Array>) => take(pieces, args, task.signal);
  const value = await fromItsPlace(args, task, read);
  return value ?? { facts: undefined, elements: [], isCut: false, string: undefined };
}

export async function saveString(args: ValueArgs, task: Task<never>): Promise<Blob | undefined> {
  const raw = await rawString(await openSource(args.source), args.request);
  if (raw !== undefined && args.source.kind === 'blob') {
    return args.source.blob.slice(raw.start, raw.start + raw.length, 'application/octet-stream');
  }
  return fromItsPlace(args, task, async (pieces) => {
    const out = new BlobWriter();
    let isFound = false;
    let isLong = false;
    const onLongString = (piece: Uint8Array) => {
      if (!isFound) return;
      isLong = true;
      out.write(piece);
    };
    const { salvage } = args.source;
    const options = { signal: task.signal, salvage, elementBytesMax: 0, onLongString };
    for await (const entry of found(pieces, args.request, options)) {
      isFound = true;
      for await (const element of entry.read()) {
        if (element.kind === 'string' && !isLong) out.write(element.value);
      }
      return out.end('application/octet-stream');
    }
    return undefined;
  });
}
