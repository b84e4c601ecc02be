// What of two replies is not compared. Without masks replies are compared byte by byte; with
// masks both are parsed, the masked parts are replaced by #, and the rest must be the same.

import { parseReply, type Reply } from '../support/resp.js';
import { missing, newer } from './waiting.js';

export type Mask =
  | { what: 'int' } // every integer
  | { what: 'approx'; by: bigint } // integers may differ by that much
  | { what: 'clock'; by: bigint } // the same, but only integers from 0 on: they follow a clock
  | { what: 'idle' } // times of consumers and pending entries may differ by a minute
  | { what: 'kv' } // values in name=value and name:value texts
  | { what: 'text' } // contents of strings
  | { what: 'shape' } // everything but types and counts
  | { what: 'type' } // everything but the first type
  | { what: 'code' } // of an error only the first word counts
  | { what: 'unordered' } // order of elements (of pairs in maps)
  | { what: 'rules' } // order of single commands in ACL rules, and those only one of them has
  | { what: 're'; re: RegExp } // matched text
  | { what: 'drop'; re: RegExp }; // text that only one of them has

/** Whether two raw replies are the same under the masks. */
export function sameReply(a: Buffer, b: Buffer, masks: readonly Mask[]): boolean {
  if (masks.length === 0 || a.equals(b)) return a.equals(b);
  if (masks.some(({ what }) => what === 'idle')) return sameTimes(parseReply(a), parseReply(b));
  const [left, right] = [masked(parseReply(a), masks), masked(parseReply(b), masks)];
  const near = masks.find((mask) => mask.what === 'approx' || mask.what === 'clock');
  return near && 'by' in near
    ? close(left, right, near.by, near.what)
    : JSON.stringify(left) === JSON.stringify(right);
}

/** Whether two replies are the same but for when something happened, within a minute. */
export function sameTimes(a: Reply, b: Reply): boolean {
  const idle: Mask[] = [{ what: 'idle' }];
  return close(masked(a, idle), masked(b, idle), IDLE_BY, 'idle');
}

/** The canonical form: nested arrays of [type, content]. */
type Masked = [type: string, content: string | Masked[]];

function masked(reply: Reply, masks: readonly Mask[]): Masked {
  const has = (what: Mask['what']) => masks.some((mask) => mask.what === what);
  if (has('type')) return [reply.type, '#'];
  if ('items' in reply) {
    const items = reply.items.map((item) => masked(item, masks));
    if (has('idle')) markTimes(items);
    return [reply.type, has('unordered') ? sorted(reply.type, items) : items];
  }
  if (reply.type === 'null') return ['null', reply.form];
  if (reply.type === 'int') return ['int', has('int') || has('shape') ? '#' : `${reply.value}`];
  if (reply.type === 'bool') return ['bool', has('shape') ? '#' : String(reply.value)];
  if (has('shape') || (has('text') && reply.type !== 'error')) return [reply.type, '#'];
  let { text } = reply;
  for (const mask of masks) if (mask.what === 'drop') text = text.replace(mask.re, '');
  if (has('rules')) text = text.replace(RULES, (rules) => sortedRules(rules));
  if (has('code') && reply.type === 'error') text = text.split(' ')[0]!;
  if (has('kv')) text = text.replace(/([\w.-]+)([=:])[^\s]*/g, '$1$2#');
  for (const mask of masks) if (mask.what === 're') text = text.replace(mask.re, '#');
  return [reply.type, text];
}

const RULES = /(?<=[+-]@\S+)( [+-][a-z][^ )]*)+/g;

/** Redis names single commands in the order of a hash table. */
function sortedRules(rules: string): string {
  const words = rules.trim().split(' ');
  const kept = words.filter((word) => !missing.has(word.slice(1)) && !newer.has(word.slice(1)));
  return kept
    .sort()
    .map((word) => ` ${word}`)
    .join('');
}

const IDLE_BY = 60_000n;
const TIME_NAMES = new Set(['idle', 'inactive', 'seen-time', 'active-time']);

/** Integers that are times get a type of their own: by name, or by place in a pending entry. */
function markTimes(items: Masked[]): void {
  const types = items.map(([type]) => type).join(' ');
  const place = /^(bulk )?bulk int int$/.test(types) ? items.length - 2 : -1;
  for (const [i, item] of items.entries()) {
    const name = items[i - 1]?.[1];
    const isTime = i === place || (typeof name === 'string' && TIME_NAMES.has(name));
    if (isTime && item[0] === 'int') item[0] = 'idle';
  }
}

function sorted(type: Reply['type'], items: Masked[]): Masked[] {
  const width = type === 'map' ? 2 : 1;
  const groups: Masked[][] = [];
  for (let i = 0; i < items.length; i += width) groups.push(items.slice(i, i + width));
  const keyed = groups.map((group) => [JSON.stringify(group), group] as const);
  return keyed.sort((x, y) => (x[0] < y[0] ? -1 : 1)).flatMap(([, group]) => group);
}

function close(a: Masked, b: Masked, by: bigint, what: 'approx' | 'clock' | 'idle'): boolean {
  if (a[0] !== b[0]) return false;
  if (Array.isArray(a[1]) && Array.isArray(b[1])) {
    const other = b[1];
    const same = (item: Masked, i: number) => close(item, other[i]!, by, what);
    return a[1].length === other.length && a[1].every(same);
  }
  const isMeant = a[0] === (what === 'idle' ? 'idle' : 'int');
  if (!isMeant || a[1] === '#') return a[1] === b[1];
  const [x, y] = [BigInt(a[1] as string), BigInt(b[1] as string)];
  if (what === 'clock' && (x < 0n || y < 0n)) return x === y;
  const gap = x - y;
  return gap <= by && gap >= -by;
}
