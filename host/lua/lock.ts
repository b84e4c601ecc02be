// Globals as scripts find them: nothing can be changed, and names that are not there are errors.

import type { Machine } from './vm/machine.js';
import { toText } from './vm/operations.js';
import { LuaTable, NativeFunction } from './vm/value.js';

/** A metatable whose tables have no unknown fields. */
export function strictMeta(machine: Machine): LuaTable {
  const meta = new LuaTable();
  meta.setText(
    '__index',
    new NativeFunction((args, at) => {
      const name = String(toText(machine, args[at + 1]));
      throw machine.error(`Script attempted to access nonexistent global variable '${name}'`);
    }),
  );
  return meta;
}

/** Makes a table, and all tables in it, read-only. */
export function lock(table: LuaTable, seen = new Set<LuaTable>()): void {
  if (seen.has(table)) return;
  seen.add(table);
  table.isReadOnly = true;
  if (table.metatable !== undefined) lock(table.metatable, seen);
  for (const value of table.map?.values() ?? []) if (value instanceof LuaTable) lock(value, seen);
}

export function lockGlobals(machine: Machine, forFunctions: boolean): void {
  const { globals, stringMeta } = machine;
  if (!forFunctions) {
    globals.setText('__redis__err__handler', new NativeFunction((args, at) => args[at]));
  }
  globals.metatable = strictMeta(machine);
  lock(globals);
  if (stringMeta !== undefined) lock(stringMeta);
}
