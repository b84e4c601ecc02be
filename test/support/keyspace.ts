// Compares the whole keyspaces of two servers: names, TYPE, OBJECT ENCODING, PTTL and the bytes of
// DUMP of every key of every database. Where the order of elements is not defined (sets and
// hashes in hashtable encoding) the payloads go to a judge, a real redis-server that restores
// both and compares DEBUG DIGEST-VALUE, so neither side needs more than DUMP.

import type { Arg } from './bytes.js';
import type { RawConnection } from './connection.js';
import { type Plain, plain } from './resp.js';
import { type Server, type ServerKind, startServer } from './servers.js';
import { isStream, type StreamView, streamDifference } from './stream-dump.js';

/** What a keyspace is read through; a RawConnection is one. */
export interface Asked {
  call(...args: Arg[]): Promise<Plain>;
  pipeline(commands: readonly (readonly Arg[])[]): Promise<Buffer[]>;
}

export interface CompareOptions {
  databases?: number;
  ttlToleranceMs?: number;
  /** Differences are cut off after this many. */
  max?: number;
  /** When false, encodings are not compared: only values where DUMPs are of different kinds. */
  encodings?: boolean;
  /** When true only values are compared (through the judge), never the bytes of DUMP. */
  valuesOnly?: boolean;
  /** What of the groups of streams has to be the same (stream-dump.ts). */
  streams?: StreamView;
}

interface KeyFacts {
  type: string;
  encoding: string;
  ttlMs: number;
  atMs: number;
  dump: Buffer;
}

const CHUNK = 400;
/** Judges by kind of server: payloads of newer formats need a newer one. */
const judges = new Map<ServerKind, { server: Server; connection: RawConnection }>();

/** All differences between the two keyspaces, as lines to print; empty when equal. */
export async function compareKeyspaces(
  a: Asked,
  b: Asked,
  options: CompareOptions = {},
): Promise<string[]> {
  const differences: string[] = [];
  for (let db = 0; db < (options.databases ?? 16); db++) {
    if ((await a.call('SELECT', db)) !== 'OK' || (await b.call('SELECT', db)) !== 'OK') break;
    const [keysA, keysB] = [await allKeys(a), await allKeys(b)];
    for (const key of keysA) {
      if (!keysB.has(key)) differences.push(`db${db} ${name(key)}: only in the first`);
    }
    for (const key of keysB) {
      if (!keysA.has(key)) differences.push(`db${db} ${name(key)}: only in the second`);
    }
    const both = [...keysA].filter((key) => keysB.has(key)).sort();
    for (let at = 0; at < both.length; at += CHUNK) {
      const keys = both.slice(at, at + CHUNK);
      const [factsA, factsB] = [await factsOf(a, keys), await factsOf(b, keys)];
      for (const [i, key] of keys.entries()) {
        const why = await difference(factsA[i]!, factsB[i]!, options);
        if (why) differences.push(`db${db} ${name(key)}: ${why}`);
        if (differences.length >= (options.max ?? 20)) return differences;
      }
    }
  }
  await a.call('SELECT', 0);
  await b.call('SELECT', 0);
  return differences;
}

function name(key: string): string {
  return JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key);
}

async function allKeys(connection: Asked): Promise<Set<string>> {
  const keys = new Set<string>();
  let cursor = '0';
  do {
    const page = (await connection.call('SCAN', cursor, 'COUNT', 1000)) as Plain[];
    if (!Array.isArray(page)) throw new Error(`SCAN answered ${String(page)}`);
    cursor = String(page[0]);
    for (const key of page[1] as string[]) keys.add(key);
  } while (cursor !== '0');
  return keys;
}

async function factsOf(connection: Asked, keys: string[]): Promise<KeyFacts[]> {
  const replies = await connection.pipeline(
    keys.flatMap((key) => [
      ['TYPE', key],
      ['OBJECT', 'ENCODING', key],
      ['PTTL', key],
      ['DUMP', key],
    ]),
  );
  const atMs = Date.now();
  return keys.map((_, i) => ({
    type: String(plain(replies[i * 4]!)),
    encoding: String(plain(replies[i * 4 + 1]!)),
    ttlMs: Number(plain(replies[i * 4 + 2]!)),
    atMs,
    dump: Buffer.from(String(plain(replies[i * 4 + 3]!)), 'latin1'),
  }));
}

async function difference(a: KeyFacts, b: KeyFacts, options: CompareOptions): Promise<string> {
  if (a.type !== b.type) return `type ${a.type} and ${b.type}`;
  if (options.encodings !== false && a.encoding !== b.encoding) {
    return `encoding ${a.encoding} and ${b.encoding}`;
  }
  const [endA, endB] = [
    a.ttlMs < 0 ? a.ttlMs : a.ttlMs + a.atMs,
    b.ttlMs < 0 ? b.ttlMs : b.ttlMs + b.atMs,
  ];
  if (endA < 0 !== endB < 0 || Math.abs(endA - endB) > (options.ttlToleranceMs ?? 1500)) {
    return `PTTL ${a.ttlMs} and ${b.ttlMs}`;
  }
  if (a.dump.equals(b.dump)) return '';
  if (isStream(a.dump)) return streamDifference(a.dump, b.dump, options.streams ?? 'timeless');
  const isOtherKind = options.encodings === false && a.dump[0] !== b.dump[0];
  if (options.valuesOnly || isOtherKind || isUnordered(a.dump)) return judged(a.dump, b.dump);
  return `DUMP ${a.dump.toString('hex').slice(0, 200)} and ${b.dump.toString('hex').slice(0, 200)}`;
}

/** RDB types 2 (set), 4 and 24 (hash): hash tables, whose element order is not defined. */
function isUnordered(dump: Buffer): boolean {
  return dump[0] === 2 || dump[0] === 4 || dump[0] === 24;
}

/** The newest RDB version that redis-server 7.0 restores. */
const OLD_VERSION = 10;

async function judged(a: Buffer, b: Buffer): Promise<string> {
  const version = (dump: Buffer) => dump.readUInt16LE(dump.length - 10);
  const kind = Math.max(version(a), version(b)) > OLD_VERSION ? 'redis80' : 'redis';
  let judge = judges.get(kind);
  if (judge === undefined) {
    const server = await startServer(kind);
    judge = { server, connection: await server.connect() };
    judges.set(kind, judge);
  }
  const { connection } = judge;
  for (const [key, dump] of [
    ['a', a],
    ['b', b],
  ] as const) {
    const answer = await connection.call('RESTORE', key, 0, dump, 'REPLACE');
    if (answer !== 'OK') return `a real server refuses the payload of ${key}: ${String(answer)}`;
  }
  const digests = (await connection.call('DEBUG', 'DIGEST-VALUE', 'a', 'b')) as string[];
  return digests[0] === digests[1] ? '' : 'the values differ';
}

/** Ends the judges, when some were needed. */
export async function stopJudge(): Promise<void> {
  for (const { server, connection } of judges.values()) {
    connection.close();
    await server.stop();
  }
  judges.clear();
}
