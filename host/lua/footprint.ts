// How much memory Lua values take, as far as that can be known from outside JavaScript's heap: what
// each object needs at least. For INFO and MEMORY STATS.

import type { Prototype } from './vm/prototype.js';
import { LuaFunction, LuaTable, type LuaValue, NativeFunction } from './vm/value.js';

/** Bytes of an object's header and fields, of a slot of an array, of an entry of a Map. */
const OBJECT = 56;
const SLOT = 8;
const ENTRY = 24;
/** In front of a string's bytes. */
const STRING = 16;

function ofText(value: LuaValue): number {
  return typeof value === 'string' ? STRING + value.length : 0;
}

/** A compiled chunk and the functions in it. */
export function prototypeBytes(proto: Prototype): number {
  const { code, constants, inner, lines, locals, upvalues } = proto;
  let bytes = OBJECT + code.byteLength + SLOT * (constants.length + inner.length + lines.length);
  bytes += OBJECT * (locals.length + upvalues.length);
  for (const constant of constants) bytes += ofText(constant);
  for (const one of inner) bytes += prototypeBytes(one);
  return bytes;
}

/** Everything that can be reached from a value, each thing once. */
export function valueBytes(root: LuaValue): number {
  const seen = new Set<LuaValue>();
  const waiting: LuaValue[] = [root];
  let bytes = 0;
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (seen.has(value)) continue;
    seen.add(value);
    bytes += ofText(value);
    if (value instanceof NativeFunction) bytes += OBJECT;
    else if (value instanceof LuaFunction) {
      bytes += OBJECT + SLOT * value.upvalues.length + prototypeBytes(value.proto);
    } else if (value instanceof LuaTable) {
      bytes += OBJECT + SLOT * value.array.length + ENTRY * (value.map?.size ?? 0);
      waiting.push(...value.array, ...(value.map?.keys() ?? []), ...(value.map?.values() ?? []));
      if (value.metatable !== undefined) waiting.push(value.metatable);
    }
  }
  return bytes;
}
