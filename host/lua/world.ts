// A machine with Redis' Lua in it: what a script finds, but for redis.* itself.

import { addBase } from './lib/base.js';
import { addBit } from './lib/bit.js';
import { addJson } from './lib/cjson.js';
import { addMessagePack } from './lib/cmsgpack.js';
import { addMath, type Random } from './lib/math.js';
import { addOs } from './lib/os.js';
import { addString } from './lib/string.js';
import { addStruct } from './lib/struct.js';
import { addTable } from './lib/table.js';
import { Machine } from './vm/machine.js';

export interface LuaWorld {
  readonly machine: Machine;
  readonly random: Random;
}

export function makeWorld(): LuaWorld {
  const machine = new Machine();
  addBase(machine);
  addString(machine);
  addTable(machine);
  const random = addMath(machine);
  addJson(machine);
  addMessagePack(machine);
  addStruct(machine);
  addBit(machine);
  addOs(machine, () => performance.now() / 1000);
  return { machine, random };
}
