// RDB files as what they mean: every key with its value in a form that can be compared, whatever
// encoding the file has it in. And all files there are to try.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ConvertOptions,
  type ConvertSummary,
  convertRdb,
  type RdbElement,
  type RdbEntry,
  type RdbLoss,
  type RdbSource,
  type ReadOptions,
  readRdb,
} from '../../host/rdb/index.js';
import { rareFiles } from './rdb-build.js';
import { DATA, hasData, RdbHarness } from './rdb-harness.js';
import { ROOT } from './servers.js';

export const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** A key: `db name`, type, expiry, value (elements of sets, hashes and sorted sets in order). */
export interface Logical {
  at: string;
  type: string;
  rdbType: number;
  expireAtMs: number | undefined;
  value: string[];
}

function elementText(element: RdbElement): string[] {
  switch (element.kind) {
    case 'string':
    case 'element':
      return [JSON.stringify(text(element.value))];
    case 'field': {
      const pair = [text(element.field), text(element.value), element.expireAtMs ?? null];
      return [JSON.stringify(pair)];
    }
    case 'member': {
      const score = Object.is(element.score, -0) ? '-0' : String(element.score);
      return [JSON.stringify([text(element.member), score])];
    }
    case 'entry':
      return [JSON.stringify([element.id, element.fields.map((pair) => pair.map(text))])];
    case 'other':
      return [];
    // the first id can be told from the entries, and is not in older files
    case 'stream': {
      const { firstId: _, ...meta } = element.meta;
      return [`stream ${JSON.stringify(meta)}`];
    }
    case 'group': {
      const { name, ...group } = element.group;
      return [`group ${JSON.stringify([text(name), group])}`];
    }
    case 'consumer': {
      const { name, ...consumer } = element.consumer;
      return [`consumer ${JSON.stringify([text(name), consumer])}`];
    }
    default:
      return [`${element.kind} ${JSON.stringify(element)}`];
  }
}

function logical({ db, key, type, rdbType, expireAtMs, elements }: RdbEntry): Logical {
  const value = elements.flatMap(elementText);
  if (type === 'set' || type === 'hash' || type === 'zset') value.sort();
  return { at: `${db} ${text(key)}`, type, rdbType, expireAtMs, value };
}

export async function keysOf(source: RdbSource, options: ReadOptions = {}): Promise<Logical[]> {
  const keys: Logical[] = [];
  for await (const entry of readRdb(source, { values: 'all', ...options })) {
    keys.push(logical(entry));
  }
  return keys;
}

/** Without what depends on the encoding. */
export const plainKeys = (keys: Logical[]) => keys.map(({ rdbType: _, ...key }) => key);

export interface Converted {
  bytes: Buffer;
  summary: ConvertSummary;
  losses: RdbLoss[];
  error: unknown;
}

/** All blocks in one, and the error they ended with, if any. */
export async function collected(
  run: AsyncIterable<Uint8Array>,
): Promise<{ bytes: Buffer; error: unknown }> {
  const blocks: Buffer[] = [];
  let error: unknown;
  try {
    for await (const block of run) blocks.push(Buffer.from(block));
  } catch (thrown) {
    error = thrown;
  }
  return { bytes: Buffer.concat(blocks), error };
}

/** The whole output, and the error it ended with, if any. */
export async function convertAll(
  source: RdbSource,
  options: ConvertOptions = {},
): Promise<Converted> {
  const losses: RdbLoss[] = [];
  const conversion = convertRdb(source, { ...options, onLoss: (loss) => losses.push(loss) });
  const { bytes, error } = await collected(conversion);
  return { bytes, summary: conversion.summary, losses, error };
}

/** As `convertAll`; an error is thrown. */
export async function convertWhole(
  source: RdbSource,
  options: ConvertOptions = {},
): Promise<Converted> {
  const converted = await convertAll(source, options);
  if (converted.error !== undefined) throw converted.error;
  return converted;
}

/** Kinds of loss by key: `db name`. */
export function lossesByKey(losses: readonly RdbLoss[]): Map<string, Set<string>> {
  const byKey = new Map<string, Set<string>>();
  for (const { db, key, kind } of losses) {
    const at = `${db} ${text(key)}`;
    byKey.set(at, (byKey.get(at) ?? new Set()).add(kind));
  }
  return byKey;
}

/** What of a key the losses told leave, as the output should have it. */
export function withoutLosses(keys: Logical[], losses: readonly RdbLoss[]): Logical[] {
  const byKey = lossesByKey(losses);
  return keys.flatMap((key) => {
    const lost = byKey.get(key.at);
    if (lost === undefined) return [key];
    if (lost.has('key')) return [];
    const kept = lost.has('unownedPending') ? ownedOnly(key.value) : key.value;
    return [{ ...key, value: kept.flatMap((line) => lossLine(key, line, lost)) }];
  });
}

/** Without pending entries that no consumer has. */
function ownedOnly(lines: string[]): string[] {
  const idOf = (line: string) => /"id":"([^"]+)"/.exec(line)?.[1];
  const owned = new Set(lines.filter((line) => line.startsWith('consumerPending ')).map(idOf));
  return lines.filter((line) => !line.startsWith('pending ') || owned.has(idOf(line)));
}

function lossLine({ type }: Logical, line: string, lost: Set<string>): string[] {
  if (type === 'hash' && lost.has('fieldExpiry')) {
    const [field, value] = JSON.parse(line) as unknown[];
    return [JSON.stringify([field, value, null])];
  }
  if (lost.has('streamOffsets')) {
    if (line.startsWith('stream ')) {
      const meta = JSON.parse(line.slice(7)) as { length: number };
      const older = { ...meta, maxDeletedId: '0-0', entriesAdded: meta.length };
      return [`stream ${JSON.stringify(older)}`];
    }
    if (line.startsWith('group ')) {
      const [name, { lastDeliveredId }] = JSON.parse(line.slice(6)) as [string, Group];
      return [`group ${JSON.stringify([name, { lastDeliveredId }])}`];
    }
  }
  if (lost.has('activeTime') && line.startsWith('consumer ')) {
    const [name, { seenAtMs }] = JSON.parse(line.slice(9)) as [string, { seenAtMs: number }];
    // readers take the one for the other
    return [`consumer ${JSON.stringify([name, { seenAtMs, activeAtMs: seenAtMs }])}`];
  }
  return [line];
}
interface Group {
  lastDeliveredId: string;
}

const SERVERS = join(DATA, 'servers');
const FIXTURES = join(DATA, 'fixtures');
const OWN = join(ROOT, 'test/rdb/data');

function rdbFiles(folder: string): [string, string][] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names
    .filter((name) => name.endsWith('.rdb'))
    .sort()
    .map((name) => [name, join(folder, name)]);
}

/** Names and ways to read: dumps of servers, of other projects, those written by hand. */
export function allFiles(): [name: string, read: () => Buffer][] {
  const known = hasData ? [...rdbFiles(SERVERS), ...rdbFiles(FIXTURES)] : rdbFiles(OWN);
  const fromDisk = known.map(([name, path]): [string, () => Buffer] => [
    name,
    () => readFileSync(path),
  ]);
  const rare = rareFiles(new RdbHarness()).map(([name, bytes]): [string, () => Buffer] => [
    `rare/${name}`,
    () => bytes,
  ]);
  return [...fromDisk, ...rare];
}

/** What a file needs to be read at all. */
export function readingOf(name: string): { allowFuture?: boolean; checksum?: boolean } {
  return /future|invalid_chksum/.test(name) ? { allowFuture: true, checksum: false } : {};
}
