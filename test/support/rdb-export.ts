// Exports of RDB files as tests compare them: JSON records and readRdb's entries in one form, every
// string of the file as Latin-1 text.

import { expect } from 'vitest';
import {
  isRespiteError,
  type JsonEscape,
  type RdbElement,
  type RdbEntry,
  type RespiteError,
  unescapeText,
} from '../../host/rdb/index.js';

export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export interface Gathered {
  bytes: Buffer;
  error: RespiteError | undefined;
}

/** All blocks of an export (each is good until the next only), and the error that ended it. */
export async function gathered(blocks: AsyncIterable<Uint8Array>): Promise<Gathered> {
  const parts: Buffer[] = [];
  let error: RespiteError | undefined;
  try {
    for await (const block of blocks) parts.push(Buffer.from(block));
  } catch (thrown) {
    if (!isRespiteError(thrown)) throw thrown;
    error = thrown;
  }
  return { bytes: Buffer.concat(parts), error };
}

/** Text of an export that must end well; it has to be UTF-8. */
export async function textOf(blocks: AsyncIterable<Uint8Array>): Promise<string> {
  const { bytes, error } = await gathered(blocks);
  if (error) throw error;
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON of known schema
export type Json = any;

/** The records of the forms `array` and `lines`. */
export function recordsOf(text: string): Json[] {
  if (text.startsWith('[')) return JSON.parse(text) as Json[];
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

export interface PlainKey {
  db: number;
  key: string;
  type: string;
  encoding: string | undefined;
  expireAt: number | undefined;
  idle: number | undefined;
  freq: number | undefined;
  /** Members of sets are sorted; pairs of hashes and sorted sets are sorted texts of JSON. */
  value: unknown;
}

/** Pairs in an order of their own, each as a text. */
export const sortedTexts = (pairs: unknown[]): string[] =>
  pairs.map((one) => JSON.stringify(one)).sort();

/** A score as a text that tells -0 and what JSON cannot say. */
export const scoreText = (score: number | string): string =>
  Object.is(score, -0) ? '-0' : String(score).replace('Infinity', 'inf').replace('NaN', 'nan');

/** A record of a key in the common form. */
export function plainRecordOf(record: Json, how: JsonEscape = 'utf8'): PlainKey {
  const text = (value: string): string => latin1(unescapeText(value, how));
  const { db, type, encoding, expireAt, idle, freq } = record;
  return {
    ...{ db, key: text(record.key), type: record.skipped ? 'other' : type },
    ...{ encoding, expireAt, idle, freq },
    value: record.skipped ? undefined : plainJsonValue(record, text),
  };
}

function plainJsonValue({ type, value }: Json, text: (value: string) => string): unknown {
  switch (type) {
    case 'string':
      return text(value);
    case 'list':
      return value.map(text);
    case 'set':
      return value.map(text).sort();
    case 'hash':
      return sortedTexts(
        Object.entries(value as Record<string, Json>).map(([field, v]) =>
          typeof v === 'string' ? [text(field), text(v)] : [text(field), text(v.value), v.expireAt],
        ),
      );
    case 'zset':
      return sortedTexts(
        Object.entries(value as Record<string, number | string>).map(([member, score]) => [
          text(member),
          scoreText(score),
        ]),
      );
    default:
      return plainStream(value, text);
  }
}

function plainStream(value: Json, text: (value: string) => string): unknown {
  const { groups, entries, idempotence, ...meta } = value;
  return {
    ...meta,
    entries: entries.map(({ id, fields }: Json) => [id, fields.map(text)]),
    groups: groups.map(({ name, consumers, ...group }: Json) => ({
      name: text(name),
      ...group,
      consumers: consumers.map((one: Json) => ({ ...one, name: text(one.name) })),
    })),
    ...(idempotence && {
      idempotence: {
        ...idempotence,
        producers: idempotence.producers.map(({ id, entries: ids }: Json) => ({
          id: text(id),
          entries: ids.map((one: Json) => ({ ...one, id: text(one.id) })),
        })),
      },
    }),
  };
}

// ---- readRdb's entries

export function plainEntryOf(entry: RdbEntry): PlainKey {
  const { db, type, expireAtMs, idleSec, freq, elements } = entry;
  return {
    ...{ db, key: latin1(entry.key), type },
    encoding: type === 'other' ? undefined : entry.encoding,
    ...{ expireAt: expireAtMs, idle: idleSec, freq },
    value: plainValue(entry.type, entry.rdbType, elements),
  };
}

function plainValue(type: string, rdbType: number, elements: RdbElement[]): unknown {
  const texts = elements.map((element): unknown => {
    if (element.kind === 'field') {
      const pair = [latin1(element.field), latin1(element.value)];
      return element.expireAtMs === undefined ? pair : [...pair, element.expireAtMs];
    }
    if (element.kind === 'member') return [latin1(element.member), scoreText(element.score)];
    return 'value' in element ? latin1(element.value as Uint8Array) : undefined;
  });
  switch (type) {
    case 'string':
      return texts[0];
    case 'list':
      return texts;
    case 'set':
      return texts.sort();
    case 'hash':
    case 'zset':
      return sortedTexts(texts);
    case 'stream':
      return streamValue(rdbType, elements);
    default:
      return undefined;
  }
}

const STREAM_VERSIONS: Readonly<Record<number, number>> = { 15: 1, 19: 2, 21: 3, 26: 4, 27: 5 };
const NACK = 25;
const IDMP = 26;
const PRODUCER = 27;
const PRODUCED = 28;

function streamValue(rdbType: number, elements: RdbElement[]): Json {
  const version = STREAM_VERSIONS[rdbType]!;
  const out: Json = { entries: [], groups: [] };
  for (const element of elements) {
    const group = out.groups.at(-1);
    switch (element.kind) {
      case 'entry':
        out.entries.push([element.id, element.fields.flatMap((pair) => pair.map(latin1))]);
        break;
      case 'stream': {
        const { length, lastId, firstId, maxDeletedId, entriesAdded } = element.meta;
        Object.assign(out, { length, lastId });
        if (version >= 2) Object.assign(out, { firstId, maxDeletedId, entriesAdded });
        break;
      }
      case 'group': {
        const { name, lastDeliveredId, entriesRead = null } = element.group;
        const read = version >= 2 ? { entriesRead } : {};
        out.groups.push({ name: latin1(name), lastDeliveredId, ...read, pending: [] });
        out.groups.at(-1).consumers = [];
        break;
      }
      case 'pending': {
        const { id, deliveredAtMs, deliveries } = element;
        group.pending.push({ id, deliveredAt: deliveredAtMs, deliveries });
        break;
      }
      case 'consumer': {
        const { name, seenAtMs, activeAtMs = null } = element.consumer;
        const active = version >= 3 ? { activeAt: activeAtMs } : {};
        group.consumers.push({ name: latin1(name), seenAt: seenAtMs, ...active, pending: [] });
        break;
      }
      case 'consumerPending':
        group.consumers.at(-1).pending.push(element.id);
        break;
      case 'other':
        addRare(out, element.record);
        break;
    }
  }
  return out;
}

function addRare(out: Json, { rec, n, a }: { rec: number; n: bigint[]; a: Uint8Array }): void {
  const [first, second] = n.map(Number) as [number, number];
  const id = `${n[0]}-${n[1]}`;
  if (rec === NACK) {
    const group = out.groups.at(-1);
    group.nacked = [...(group.nacked ?? []), id];
  } else if (rec === IDMP) {
    out.idempotence = { durationSec: first, entriesMax: second, producers: [] };
  } else if (rec === PRODUCER) {
    out.idempotence.producers.push({ id: latin1(a), entries: [] });
  } else if (rec === PRODUCED) {
    out.idempotence.producers.at(-1).entries.push({ id: latin1(a), entry: id });
  } else {
    Object.assign(out.idempotence, { added: first, duplicates: second });
  }
}

/** Keys of JSON records, without those about the file. */
export const keysOf = (records: Json[]): Json[] => records.filter((one) => 'key' in one);

/** Expects two lists of keys to be equal, naming the first that is not. */
export function expectSameKeys(got: PlainKey[], want: PlainKey[]): void {
  expect(got.map(({ db, key }) => `${db} ${key}`)).toEqual(
    want.map(({ db, key }) => `${db} ${key}`),
  );
  for (const [i, one] of got.entries()) {
    // quick where they are equal, telling where they are not
    if (JSON.stringify(one) !== JSON.stringify(want[i])) expect(one).toEqual(want[i]);
  }
}

/** Expects a stream of an export to be what XINFO STREAM … FULL says. */
export function expectStream(stream: Json, info: Json): void {
  const map = (flat: unknown[]): Json =>
    Object.fromEntries(flat.flatMap((name, i) => (i % 2 ? [] : [[name, flat[i + 1]]])));
  const facts = map(info);
  expect(stream.length).toBe(facts.length);
  expect(stream.lastId).toBe(facts['last-generated-id']);
  if (facts['max-deleted-entry-id'] && stream.maxDeletedId) {
    expect(stream.maxDeletedId).toBe(facts['max-deleted-entry-id']);
    expect(stream.entriesAdded).toBe(facts['entries-added']);
    expect(stream.firstId).toBe(facts['recorded-first-entry-id']);
  }
  const groups = facts.groups.map(map);
  expect(stream.groups.map((one: Json) => one.name)).toEqual(groups.map((one: Json) => one.name));
  for (const [i, group] of stream.groups.entries()) {
    const want = groups[i];
    expect(group.lastDeliveredId).toBe(want['last-delivered-id']);
    if ('entriesRead' in group) expect(group.entriesRead).toBe(want['entries-read']);
    const owner = new Map(
      group.consumers.flatMap((one: Json) => one.pending.map((id: string) => [id, one.name])),
    );
    expect(
      group.pending.map((one: Json) => [
        one.id,
        owner.get(one.id),
        one.deliveredAt,
        one.deliveries,
      ]),
    ).toEqual(want.pending);
    const consumers = want.consumers.map(map);
    expect(group.consumers.map((one: Json) => [one.name, one.seenAt])).toEqual(
      consumers.map((one: Json) => [one.name, one['seen-time']]),
    );
    for (const [j, one] of group.consumers.entries()) {
      if ('activeAt' in one) expect(one.activeAt ?? -1).toBe(consumers[j]['active-time']);
    }
  }
}
