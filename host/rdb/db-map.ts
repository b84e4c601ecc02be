// Databases renumbered, as users say it and as the core takes it.

import { type Check, databaseNumber, kindOf, wrongOption } from './check-options.js';

/** Database in the source → database in the output, a Map or an object; those not named stay. */
export type DbMap = ReadonlyMap<number, number> | Readonly<Record<number, number>>;

/** The pairs of a map that was checked. */
export function dbPairs(map: DbMap): (readonly [from: number, to: number])[] {
  const pairs: Iterable<readonly [number | string, number]> =
    kindOf(map) === 'Map' ? (map as ReadonlyMap<number, number>) : Object.entries(map);
  return [...pairs].map(([from, to]) => [Number(from), to]);
}

/** Pairs of numbers as the core takes them: u32 each. */
export function pairBytes(pairs: readonly (readonly [number, number])[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(pairs.length * 8));
  pairs.flat().forEach((number, i) => {
    view.setUint32(i * 4, number, true);
  });
  return new Uint8Array(view.buffer);
}

export const dbMapCheck: Check = (value, option) => {
  const kind = kindOf(value);
  if (kind !== 'Map' && kind !== 'Object') {
    throw wrongOption(option, 'must be a Map or an object, as { 0: 3 } for 0 becomes 3');
  }
  const entries: Iterable<readonly [unknown, unknown]> =
    kind === 'Map' ? (value as Map<unknown, unknown>) : Object.entries(value as object);
  for (const [from, to] of entries) {
    const isNumeral = kind === 'Object' && /^\d+$/.test(String(from));
    databaseNumber(isNumeral ? Number(from) : from, option);
    databaseNumber(to, option);
  }
};
