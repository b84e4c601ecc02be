// What is in a server, read through ordinary commands, so that servers of different makes and
// versions can be compared: values by their elements, expiry to the millisecond, streams with
// their groups. Used to see what exported commands make of an empty server.

import { execFileSync } from 'node:child_process';
import type { Arg } from './bytes.js';
import type { Asked } from './keyspace.js';
import { type Plain, plain } from './resp.js';

export interface SnapshotOptions {
  databases?: number;
  /** DUMP of every key, too, and OBJECT ENCODING. */
  dumps?: boolean;
}

/** By database and name. */
export type Snapshot = Map<string, KeyView>;

export interface KeyView {
  type: string;
  /** Unix ms, -1: none. */
  expireAtMs: number;
  value: unknown;
  encoding: string | undefined;
  /** Latin-1, without version and checksum. */
  dump: string | undefined;
}

const CHUNK = 200;
const READS: Record<string, (key: string) => Arg[]> = {
  string: (key) => ['GET', key],
  list: (key) => ['LRANGE', key, 0, -1],
  set: (key) => ['SMEMBERS', key],
  hash: (key) => ['HGETALL', key],
  zset: (key) => ['ZRANGE', key, 0, -1, 'WITHSCORES'],
  stream: (key) => ['XRANGE', key, '-', '+'],
};

function pairsSorted(flat: Plain[]): string[] {
  const pairs: string[] = [];
  for (let i = 0; i < flat.length; i += 2) pairs.push(JSON.stringify([flat[i], flat[i + 1]]));
  return pairs.sort();
}

type Fields = Record<string, Plain>;
const fields = (flat: Plain): Fields => {
  const list = flat as Plain[];
  const out: Fields = {};
  for (let i = 0; i < list.length; i += 2) out[String(list[i])] = list[i + 1] as Plain;
  return out;
};

/** As 7.0 or as 7.2 and later name it. */
const pendingOf = (from: Fields) => (from.pending ?? from.pel) as Plain[];

/** XINFO STREAM FULL without what no command can set: times of consumers, the shape of the tree. */
export function streamView(entries: Plain, info: Plain): unknown {
  const stream = fields(info);
  const live = new Set((entries as Plain[][]).map(([id]) => id));
  const isLive = (pending: Plain) => live.has((pending as Plain[])[0] as string);
  const groups = (stream.groups as Plain[]).map((each) => {
    const group = fields(each);
    const consumers = (group.consumers as Plain[])
      .map((one) => fields(one))
      .map((one) => ({ name: one.name, pending: pendingOf(one).filter(isLive) }));
    return {
      name: group.name,
      last: group['last-delivered-id'],
      read: group['entries-read'],
      // XCLAIM passes over pending entries whose stream entry is gone, as Redis' own AOF does
      pending: pendingOf(group).filter(isLive),
      consumers,
    };
  });
  const [last, deleted] = [stream['last-generated-id'], stream['max-deleted-entry-id']];
  // Redis 5 counted wrong at times, and those that read its files believe it
  const isCounted = Number(stream.length) === (entries as Plain[]).length;
  const added = isCounted ? Number(stream['entries-added']) : (entries as Plain[]).length;
  return { entries, last, added, deleted, groups };
}

/** Redis 7.0: ZADD makes 0 of -0 where the listpack of an older server keeps it. */
const scores = (flat: Plain[]) => flat.map((each, i) => (i % 2 && each === '-0' ? '0' : each));

const hasNegativeZero = (type: string, reply: Plain) =>
  type === 'zset' && (reply as Plain[]).some((each, i) => i % 2 === 1 && each === '-0');

function valueView(type: string, reply: Plain, info: Plain): unknown {
  if (type === 'set') return (reply as string[]).sort();
  if (type === 'hash') return pairsSorted(reply as Plain[]);
  if (type === 'zset') return scores(reply as Plain[]);
  return type === 'stream' ? streamView(reply, info) : reply;
}

/** All that is in a server. */
export async function snapshot(server: Asked, options: SnapshotOptions = {}): Promise<Snapshot> {
  const all: Snapshot = new Map();
  for (let db = 0; db < (options.databases ?? 16); db++) {
    if ((await server.call('SELECT', db)) !== 'OK') break;
    const keys: string[] = [];
    let cursor = '0';
    do {
      const [next, page] = (await server.call('SCAN', cursor, 'COUNT', 1000)) as [string, string[]];
      cursor = next;
      keys.push(...page);
    } while (cursor !== '0');
    keys.sort();
    for (let at = 0; at < keys.length; at += CHUNK) {
      const part = keys.slice(at, at + CHUNK);
      const views = await viewsOf(server, part, options.dumps === true);
      part.forEach((key, i) => {
        all.set(`${db}:${key}`, views[i]!);
      });
    }
  }
  await server.call('SELECT', 0);
  return all;
}

async function viewsOf(server: Asked, keys: string[], dumps: boolean): Promise<KeyView[]> {
  const ask = async (commands: Arg[][]) => (await server.pipeline(commands)).map((r) => plain(r));
  const heads = await ask(
    keys.flatMap((key) => [
      ['TYPE', key],
      ['PEXPIRETIME', key],
    ]),
  );
  const types = keys.map((_, i) => String(heads[i * 2]));
  const values = await ask(keys.map((key, i) => READS[types[i]!]?.(key) ?? ['PING']));
  const infos = await ask(
    keys.map((key, i) =>
      types[i] === 'stream' ? ['XINFO', 'STREAM', key, 'FULL', 'COUNT', 0] : ['PING'],
    ),
  );
  const extra = dumps
    ? await ask(
        keys.flatMap((key) => [
          ['OBJECT', 'ENCODING', key],
          ['DUMP', key],
        ]),
      )
    : [];
  return keys.map((_, i) => ({
    type: types[i]!,
    expireAtMs: Number(heads[i * 2 + 1]),
    value: valueView(types[i]!, values[i]!, infos[i]!),
    encoding: dumps ? String(extra[i * 2]) : undefined,
    dump:
      dumps && !hasNegativeZero(types[i]!, values[i]!)
        ? String(extra[i * 2 + 1]).slice(0, -10)
        : undefined,
  }));
}

/** Differences as lines to print; empty when both hold the same. */
export function differences(
  a: Snapshot,
  b: Snapshot,
  same: (a: KeyView, b: KeyView) => string = sameValue,
): string[] {
  const out: string[] = [];
  for (const [name, view] of a) {
    const other = b.get(name);
    const why = other === undefined ? 'only in the first' : same(view, other);
    if (why) out.push(`${JSON.stringify(name.slice(0, 80))}: ${why}`);
    if (out.length > 20) return out;
  }
  for (const name of b.keys()) {
    if (!a.has(name)) out.push(`${JSON.stringify(name.slice(0, 80))}: only in the second`);
  }
  return out;
}

function shown(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const part = (whole: string) => whole.slice(Math.max(0, at - 100), at + 100);
  return `\n  ${part(a)}\n  ${part(b)}`;
}

/** Type, expiry and value. */
export function sameValue(a: KeyView, b: KeyView): string {
  if (a.type !== b.type) return `type ${a.type} and ${b.type}`;
  if (a.expireAtMs !== b.expireAtMs) return `expires ${a.expireAtMs} and ${b.expireAtMs}`;
  const [left, right] = [JSON.stringify(a.value), JSON.stringify(b.value)];
  return left === right ? '' : `values ${shown(left, right)}`;
}

/** RDB types of hash tables (order is not defined), of lists in several nodes, of streams. */
const LOOSE = new Set([2, 4, 5, 18, 19]);

/** The same, and encoding; bytes of DUMP too where they are determined. */
export function sameDump(a: KeyView, b: KeyView): string {
  const why = sameValue(a, b);
  if (why) return why;
  if (a.encoding !== b.encoding) return `encoding ${a.encoding} and ${b.encoding}`;
  if (a.dump === undefined || b.dump === undefined) return '';
  if (a.dump === b.dump || LOOSE.has(a.dump.charCodeAt(0))) return '';
  const hex = (dump: string) => Buffer.from(dump, 'latin1').toString('hex');
  return `dump ${shown(hex(a.dump), hex(b.dump))}`;
}

/** Feeds a protocol stream to `redis-cli --pipe`; what it says of errors and replies. */
export function pipe(port: number, commands: Uint8Array): { errors: number; replies: number } {
  const args = ['-p', String(port), '--pipe', '--pipe-timeout', '0'];
  const stdio = ['pipe', 'pipe', 'pipe'] as const;
  let text: string;
  try {
    text = execFileSync('redis-cli', args, { input: commands, stdio: [...stdio] }).toString();
  } catch (error) {
    // it ends with 1 when there were errors
    text = String((error as { stdout: Buffer }).stdout);
  }
  const found = /errors: (\d+), replies: (\d+)/.exec(text);
  if (found === null) throw new Error(`redis-cli --pipe: ${text}`);
  return { errors: Number(found[1]), replies: Number(found[2]) };
}
