// Compares DUMP payloads of streams without what two servers cannot have in common: when an entry
// was delivered and a consumer seen follows the clock of each.

import { readBody, type StreamBody } from '../unit/stream/support/body.js';

/**
 * `timeless`: all but times. `followed`: nor how often an entry was delivered, because masters do
 * not tell their replicas when it was from the history. `followed-7.0`: nor what redis 7.0 does not
 * tell either: how many entries a group read, and consumers that have nothing pending.
 */
export type StreamView = 'timeless' | 'followed' | 'followed-7.0';

const TYPES = new Set([15, 19, 21, 26, 27]);
const FOOTER = 10;

export function isStream(dump: Buffer): boolean {
  return TYPES.has(dump[0]!);
}

function facts(body: StreamBody, view: StreamView): unknown {
  const isCounted = view === 'timeless';
  const isOld = view === 'followed-7.0';
  return {
    ...body,
    groups: body.groups.map((group) => ({
      ...group,
      name: group.name.toString('latin1'),
      read: isOld ? 0 : group.read,
      pending: group.pending.map(({ id, count }) => ({ id, count: isCounted ? count : 0 })),
      consumers: group.consumers
        .filter(({ pending }) => !isOld || pending.length > 0)
        .map(({ name, pending }) => ({ name: name.toString('latin1'), pending })),
    })),
    nodes: body.nodes.map(({ id, listpack }) => ({ id, listpack: listpack.toString('hex') })),
  };
}

/** '' when both payloads hold the same stream, else where they begin to differ. */
export function streamDifference(a: Buffer, b: Buffer, view: StreamView): string {
  const [left, right] = [a, b].map((dump) => {
    const text = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
    return JSON.stringify(facts(readBody(dump.subarray(0, -FOOTER)), view), text);
  }) as [string, string];
  if (left === right) return '';
  let at = 0;
  while (left[at] === right[at]) at++;
  const part = (whole: string) => whole.slice(Math.max(0, at - 80), at + 80);
  return `streams differ: ${part(left)} and ${part(right)}`;
}
