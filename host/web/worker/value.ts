// The value of one key, from where it lies in the file: a file of that key alone is put together
// from the head, its database and the bytes at its offset. Where that is not possible (packed file,
// unknown offset, a record that needs an earlier one) the file is read with a filter.

import { isRespiteError } from '../../errors.js';
import { readRdb } from '../../rdb/read-rdb.js';
import type { KeyFacts } from '../../rdb/records.js';
import type { RdbElement } from '../../rdb/values.js';
import type { Source, ValueRequest, ValueResult } from '../protocol.js';
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

/** Reads what is asked for of the first key that `isIt`. */
async function take(
  pieces: AsyncIterable<Uint8Array>,
  request: ValueRequest,
  signal: AbortSignal,
): Promise<ValueResult | undefined> {
  const { key, isCut: isPart, db, elements: elementsMax, bytes: elementBytesMax } = request;
  const match = globOf(request);
  const filter = { db, limit: 1, ...(match === undefined ? {} : { match }) };
  if (match === undefined) filter.limit = Number.MAX_SAFE_INTEGER;
  const options = { signal, filter, values: 'stream', checksum: false, elementBytesMax } as const;
  for await (const entry of readRdb(pieces, { ...options, allowFuture: true })) {
    if (!beginsWith(entry.key, key)) continue;
    if (!isPart && entry.key.length !== key.length) continue;
    const elements: RdbElement[] = [];
    let isCut = false;
    for await (const element of entry.read()) {
      if (elements.length === elementsMax) {
        isCut = true;
        break;
      }
      elements.push(element);
    }
    const { elements: _, read: __, ...facts } = entry;
    return { facts: facts as KeyFacts, elements, isCut };
  }
  return undefined;
}

export async function readValue(
  { source, request }: ValueArgs,
  { signal, progress }: Task<never>,
): Promise<ValueResult> {
  const file = await openSource(source);
  if (request.offset !== undefined && !file.isPacked) {
    try {
      const value = await take(fromOffset(file, request, signal), request, signal);
      if (value !== undefined) return value;
    } catch (error) {
      if (!isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
    }
  }
  const onRead = (bytes: number, size: number | undefined) => progress({ bytes, size });
  const value = await take(file.pieces({ signal, onRead }), request, signal);
  return value ?? { facts: undefined, elements: [], isCut: false };
}
