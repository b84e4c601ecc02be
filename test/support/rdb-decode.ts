// Events of the RDB reader made into plain values, key by key.
import { type Event, type RdbHarness, REC } from './rdb-harness.js';

export interface Consumer {
  name: string;
  seen: bigint;
  active: bigint;
  pel: string[];
}
export interface Group {
  name: string;
  last: string;
  read: bigint;
  pel: { id: string; at: bigint; count: bigint }[];
  consumers: Consumer[];
  nacks: string[];
}
export interface Stream {
  length: bigint;
  last: string;
  first: string;
  maxDeleted: string;
  added: bigint;
  entries: [string, string[]][];
  nodes: number;
  groups: Group[];
  idmp?: unknown[];
}
export interface Key {
  db: number;
  key: string;
  rdbType: number;
  type: string;
  expireAt: number;
  idle: number;
  freq: number;
  offset: number;
  /** string; list: items; set: members; zset: [member, score]; hash: [field, value, expireAt]. */
  value: unknown;
  stream?: Stream;
  isDamaged: boolean;
}
export interface Decoded {
  aux: [string, string][];
  functions: string[];
  keys: Key[];
  others: Event[];
}

const KINDS: Record<number, string> = {
  0: 'string',
  1: 'list',
  2: 'set',
  3: 'zset',
  4: 'hash',
  5: 'zset',
  7: 'module',
  9: 'hash',
  10: 'list',
  11: 'set',
  12: 'zset',
  13: 'hash',
  14: 'list',
  15: 'stream',
  16: 'hash',
  17: 'zset',
  18: 'list',
  19: 'stream',
  20: 'set',
  21: 'stream',
  22: 'hash',
  23: 'hash',
  24: 'hash',
  25: 'hash',
  26: 'stream',
  27: 'stream',
  28: 'array',
  29: 'hash',
  30: 'hash',
  31: 'hash',
  32: 'hash',
};

function pairs(items: string[]): [string, string][] {
  const out: [string, string][] = [];
  for (let i = 0; i + 1 < items.length; i += 2) {
    out.push([items[i] as string, items[i + 1] as string]);
  }
  return out;
}

/** A score as Redis writes it. */
export function toScore(text: string): number {
  if (text === 'inf' || text === '+inf') return Infinity;
  return text === '-inf' ? -Infinity : Number(text);
}

export function decode(h: RdbHarness, events: Event[]): Decoded {
  const out: Decoded = { aux: [], functions: [], keys: [], others: [] };
  let key: Key | undefined;
  let list: unknown[] = [];
  for (const e of events) {
    switch (e[0]) {
      case REC.AUX:
        out.aux.push([e[1] as string, e[2] as string]);
        break;
      case REC.FUNCTION:
        out.functions.push(e[1] as string);
        break;
      case REC.KEY:
        list = [];
        key = {
          db: e[2] as number,
          key: e[1] as string,
          rdbType: e[3] as number,
          type: KINDS[e[3] as number] as string,
          expireAt: Number(e[4]),
          idle: Number(e[5]),
          freq: Number(e[6]),
          offset: Number(e[7]),
          value: list,
          isDamaged: false,
        };
        if (key.type === 'stream') {
          key.stream = {
            length: 0n,
            last: '',
            first: '',
            maxDeleted: '',
            added: 0n,
            entries: [],
            nodes: 0,
            groups: [],
          };
        }
        out.keys.push(key);
        break;
      case REC.STRING:
        (key as Key).value = e[1];
        break;
      case REC.VALUE_SKIPPED:
        (key as Key).value = e[2];
        break;
      case REC.ELEMENT:
        list.push(e[1]);
        break;
      case REC.FIELD:
        list.push([e[1], e[2], Number(e[3])]);
        break;
      case REC.SCORED:
        list.push([e[1], e[2]]);
        break;
      case REC.BLOB:
        blob(h, key as Key, list, e);
        break;
      case REC.VALUE_END:
        break;
      default:
        if (e[0] >= REC.STREAM_NODE) stream(h, key as Key, e);
        else out.others.push(e);
    }
  }
  return out;
}

function blob(h: RdbHarness, key: Key, list: unknown[], e: Event): void {
  const items = h.elements(e[1] as string, e[2] as string);
  if (!items) {
    key.isDamaged = true;
    return;
  }
  if (key.rdbType === 23 || key.rdbType === 25) {
    for (let i = 0; i + 2 < items.length; i += 3) {
      const at = Number(items[i + 2]);
      list.push([items[i], items[i + 1], at === 0 ? -1 : at]);
    }
  } else if (key.type === 'hash') {
    for (const [f, v] of pairs(items)) list.push([f, v, -1]);
  } else if (key.type === 'zset') {
    for (const [m, s] of pairs(items)) list.push([m, toScore(s)]);
  } else {
    list.push(...items);
  }
}

function stream(h: RdbHarness, key: Key, e: Event): void {
  const s = key.stream as Stream;
  const group = s.groups.at(-1) as Group;
  const id = (i: number) => `${e[i]}-${e[i + 1]}`;
  switch (e[0]) {
    case REC.STREAM_NODE: {
      const found = h.entries(e[1] as bigint, e[2] as bigint, e[3] as string);
      if (!found) key.isDamaged = true;
      else s.entries.push(...found);
      s.nodes++;
      break;
    }
    case REC.STREAM_META:
      s.length = e[1] as bigint;
      s.last = id(2);
      s.first = id(4);
      s.maxDeleted = id(6);
      s.added = e[8] as bigint;
      break;
    case REC.STREAM_GROUP:
      s.groups.push({
        name: e[1] as string,
        last: id(2),
        read: e[4] as bigint,
        pel: [],
        consumers: [],
        nacks: [],
      });
      break;
    case REC.STREAM_PEL:
      group.pel.push({ id: id(1), at: e[3] as bigint, count: e[4] as bigint });
      break;
    case REC.STREAM_CONSUMER:
      group.consumers.push({
        name: e[1] as string,
        seen: e[2] as bigint,
        active: e[3] as bigint,
        pel: [],
      });
      break;
    case REC.STREAM_CONSUMER_PEL:
      (group.consumers.at(-1) as Consumer).pel.push(id(1));
      break;
    case REC.STREAM_NACK:
      group.nacks.push(id(1));
      break;
    default:
      s.idmp = [...(s.idmp ?? []), e.slice(1)];
  }
}
