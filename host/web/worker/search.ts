// Search over the keys: the file is read once more, the core tests the names, and what fits comes
// in batches while the reading goes on.

import { type KeyFilter, latin1 } from '../../core/inspector.js';
import { RespiteError } from '../../errors.js';
import { readRdb } from '../../rdb/read-rdb.js';
import type { KeyFacts } from '../../rdb/records.js';
import type { KeyQuery, SearchResult, Source } from '../protocol.js';
import type { Task } from './serve.js';
import { openSource } from './source.js';

const BATCH_MS = 100;
/** More at once would hold the page up. */
const BATCH_MAX = 500;

const GLOB_SPECIAL = /[\\*?[\]]/g;
/** A byte as tables show one that is no text. */
const HEX_BYTE = /\\x([0-9a-f]{2})/gi;

function regex(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RespiteError('ERR_RESPITE_INVALID_COMMAND', reason, { cause });
  }
}

const hasBytes = ({ text, how }: KeyQuery) => how === 'contains' && text.search(HEX_BYTE) >= 0;

/** The characters in UTF-8, where `\xNN` is a byte; a character of the result each. */
function bytesOf(text: string): string {
  const encoder = new TextEncoder();
  // split leaves the hexadecimal digits between the parts
  const parts = text.split(HEX_BYTE).map((part, i) => {
    return i % 2 === 0
      ? latin1(encoder.encode(part))
      : String.fromCharCode(Number.parseInt(part, 16));
  });
  return parts.join('');
}

/** What the core can test. */
function filterOf(query: KeyQuery): KeyFilter {
  const { text, how, types, db, expiry, minBytes, slots } = query;
  const filter: KeyFilter = {};
  if (text !== '') {
    if (how === 'glob') filter.match = text;
    else if (how === 'regex') filter.regex = regex(text);
    else if (!hasBytes(query)) filter.match = `*${text.replace(GLOB_SPECIAL, '\\$&')}*`;
  }
  if (types.length > 0) filter.type = types;
  if (db !== undefined) filter.db = db;
  if (expiry === 'none') filter.noExpiry = true;
  if (expiry === 'some') filter.expiresAfter = 0;
  if (minBytes !== undefined) filter.minBytes = minBytes;
  if (slots !== undefined) filter.slots = slots;
  return filter;
}

interface SearchArgs {
  source: Source;
  query: KeyQuery;
}

export async function search(
  { source, query }: SearchArgs,
  { signal, progress, part }: Task<KeyFacts[]>,
): Promise<SearchResult> {
  const file = await openSource(source);
  const { limit } = query;
  const onRead = (bytes: number, size: number | undefined) => progress({ bytes, size });
  // patterns of the core are text: bytes are looked for here
  const wanted = hasBytes(query) ? bytesOf(query.text) : undefined;
  // one more than is shown tells whether there are more
  const most = wanted === undefined ? { limit: limit + 1 } : {};
  const filter = { ...filterOf(query), ...most };
  const options = { signal, filter, checksum: false, salvage: source.salvage };
  const reading = readRdb(file.pieces({ signal, onRead }), options);
  let batch: KeyFacts[] = [];
  let last = performance.now();
  let found = 0;
  let isCut = false;
  const flush = () => {
    if (batch.length > 0) part(batch);
    batch = [];
    last = performance.now();
  };
  try {
    for await (const { elements: _, read: __, ...facts } of reading) {
      if (wanted !== undefined && !latin1(facts.key).includes(wanted)) continue;
      if (found === limit) {
        isCut = true;
        break;
      }
      found++;
      batch.push(facts);
      if (batch.length === BATCH_MAX || performance.now() - last > BATCH_MS) flush();
    }
  } finally {
    flush();
  }
  return { found, isCut, file: reading.file };
}
