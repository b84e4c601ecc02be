// The loop that runs instructions. What is common is done in place; all else (metatables, strings
// as numbers, errors) in operations.ts. One function, long on purpose: its variables are registers.
// Its cases are numbers, because only then does the JavaScript engine make a jump table of them.

import type { Frame } from './coroutine.js';
import { FRAME_LUA } from './coroutine.js';
import { MAKING, STACK_MAX } from './limits.js';
import type { Machine } from './machine.js';
import * as op from './opcodes.js';
import {
  arithmetic,
  concat,
  equals,
  forPrepare,
  index,
  lengthOf,
  lessEqual,
  lessThan,
  negate,
  setIndex,
} from './operations.js';
import { LuaFunction, LuaTable, type Upvalue } from './value.js';

/** Marks what `execute` answers when it was left in the middle. */
const SUSPENDED = -1;

/**
 * Runs the frame on top until an entry frame is reached: the number of its results, which lie where
 * it says; below 0: the machine was told to stop here, and goes on when called again.
 */
export function execute(m: Machine, maySuspend: boolean): number {
  for (;;) {
    const co = m.co;
    const depth = co.depth;
    const frame = co.frames[depth - 1] as Frame;
    if (frame.kind !== FRAME_LUA) return co.top - frame.ret;
    const stack = co.stack;
    const fn = frame.fn as LuaFunction;
    const proto = fn.proto;
    const code = proto.code;
    const k = proto.constants;
    const upvalues = fn.upvalues;
    const base = frame.base;
    let pc = frame.pc;
    running: for (;;) {
      const at = pc << 2;
      pc++;
      const b = code[at + 2] as number;
      const c = code[at + 3] as number;
      const a = base + (code[at + 1] as number);
      switch (code[at]) {
        case 0: // OP_MOVE
          stack[a] = stack[base + b];
          continue;
        case 1: // OP_LOADK
          stack[a] = k[b];
          continue;
        case 3: // OP_LOADBOOL
          stack[a] = b !== 0;
          if (c !== 0) pc++;
          continue;
        case 4: // OP_LOADNIL
          for (let i = 0; i <= b; i++) stack[a + i] = undefined;
          continue;
        case 5: {
          // OP_GETUPVAL
          const up = upvalues[b] as Upvalue;
          stack[a] = up.slots[up.index];
          continue;
        }
        case 6: {
          // OP_GETTABUP
          const up = upvalues[b] as Upvalue;
          const table = up.slots[up.index];
          const key = c < 0 ? k[~c] : stack[base + c];
          if (table instanceof LuaTable) {
            const value = table.get(key);
            if (value !== undefined || table.metatable === undefined) {
              stack[a] = value;
              continue;
            }
          }
          frame.pc = pc;
          co.top = base + proto.registers;
          stack[a] = index(m, table, key, b, true);
          continue;
        }
        case 7: {
          // OP_GETTABLE
          const table = stack[base + b];
          const key = c < 0 ? k[~c] : stack[base + c];
          if (table instanceof LuaTable) {
            const value = table.get(key);
            if (value !== undefined || table.metatable === undefined) {
              stack[a] = value;
              continue;
            }
          }
          frame.pc = pc;
          co.top = base + proto.registers;
          stack[a] = index(m, table, key, b, false);
          continue;
        }
        case 8: {
          // OP_SETTABUP
          const up = upvalues[a - base] as Upvalue;
          frame.pc = pc;
          co.top = base + proto.registers;
          const key = b < 0 ? k[~b] : stack[base + b];
          const value = c < 0 ? k[~c] : stack[base + c];
          setIndex(m, up.slots[up.index], key, value, a - base, true);
          continue;
        }
        case 9: {
          // OP_SETUPVAL
          const up = upvalues[b] as Upvalue;
          up.slots[up.index] = stack[a];
          continue;
        }
        case 10: {
          // OP_SETTABLE
          const table = stack[a];
          const key = b < 0 ? k[~b] : stack[base + b];
          const value = c < 0 ? k[~c] : stack[base + c];
          if (table instanceof LuaTable && table.metatable === undefined && !table.isReadOnly) {
            if (typeof key === 'string' || (typeof key === 'number' && !Number.isNaN(key))) {
              table.set(key, value);
              continue;
            }
          }
          frame.pc = pc;
          co.top = base + proto.registers;
          setIndex(m, table, key, value, a - base, false);
          continue;
        }
        case 11: // OP_NEWTABLE
          stack[a] = new LuaTable();
          m.fuel -= MAKING;
          continue;
        case 12: {
          // OP_SELF
          const object = stack[base + b];
          const key = c < 0 ? k[~c] : stack[base + c];
          stack[a + 1] = object;
          frame.pc = pc;
          co.top = base + proto.registers;
          stack[a] = index(m, object, key, b, false);
          continue;
        }
        case 13: {
          // OP_ADD
          const x = b < 0 ? k[~b] : stack[base + b];
          const y = c < 0 ? k[~c] : stack[base + c];
          if (typeof x === 'number' && typeof y === 'number') {
            stack[a] = x + y;
            continue;
          }
          frame.pc = pc;
          co.top = base + proto.registers;
          stack[a] = arithmetic(m, op.OP_ADD, x, y);
          continue;
        }
        case 14: {
          // OP_SUB
          const x = b < 0 ? k[~b] : stack[base + b];
          const y = c < 0 ? k[~c] : stack[base + c];
          if (typeof x === 'number' && typeof y === 'number') {
            stack[a] = x - y;
            continue;
          }
          frame.pc = pc;
          co.top = base + proto.registers;
          stack[a] = arithmetic(m, op.OP_SUB, x, y);
          continue;
        }
        case 15: {
          // OP_MUL
          const x = b < 0 ? k[~b] : stack[base + b];
          const y = c < 0 ? k[~c] : stack[base + c];
          if (typeof x === 'number' && typeof y === 'number') {
            stack[a] = x * y;
            continue;
          }
          frame.pc = pc;
          co.top = base + proto.registers;
          stack[a] = arithmetic(m, op.OP_MUL, x, y);
          continue;
        }
        case 18: {
          // OP_DIV
          const x = b < 0 ? k[~b] : stack[base + b];
          const y = c < 0 ? k[~c] : stack[base + c];
          if (typeof x === 'number' && typeof y === 'number') {
            stack[a] = x / y;
            continue;
          }
          frame.pc = pc;
          co.top = base + proto.registers;
          stack[a] = arithmetic(m, op.OP_DIV, x, y);
          continue;
        }
        case 16: // OP_MOD
        case 17: {
          // OP_POW
          frame.pc = pc;
          co.top = base + proto.registers;
          const x = b < 0 ? k[~b] : stack[base + b];
          const y = c < 0 ? k[~c] : stack[base + c];
          stack[a] = arithmetic(m, code[at] as number, x, y);
          continue;
        }
        case 25: {
          // OP_UNM
          const x = stack[base + b];
          if (typeof x === 'number') {
            stack[a] = -x;
            continue;
          }
          frame.pc = pc;
          co.top = base + proto.registers;
          stack[a] = negate(m, x);
          continue;
        }
        case 27: {
          // OP_NOT
          const x = stack[base + b];
          stack[a] = x === undefined || x === false;
          continue;
        }
        case 28: {
          // OP_LEN
          const x = stack[base + b];
          if (typeof x === 'string') stack[a] = x.length;
          else if (x instanceof LuaTable) stack[a] = x.length();
          else {
            frame.pc = pc;
            stack[a] = lengthOf(m, x, b);
          }
          continue;
        }
        case 29: // OP_CONCAT
          frame.pc = pc;
          co.top = base + proto.registers;
          stack[a] = concat(m, base + b, base + c);
          continue;
        case 30: // OP_JMP
          if (a !== base) m.closeUpvalues(co, a - 1);
          pc += b;
          if (b < 0 && --m.fuel < 0) {
            frame.pc = pc;
            co.top = base + proto.registers;
            if (m.refuel(maySuspend)) return SUSPENDED;
          }
          continue;
        case 31: {
          // OP_EQ
          const x = b < 0 ? k[~b] : stack[base + b];
          const y = c < 0 ? k[~c] : stack[base + c];
          let isEqual = x === y;
          if (!isEqual && x instanceof LuaTable && y instanceof LuaTable) {
            frame.pc = pc;
            co.top = base + proto.registers;
            isEqual = equals(m, x, y);
          }
          if (isEqual !== (a !== base)) pc++;
          continue;
        }
        case 32: {
          // OP_LT
          const x = b < 0 ? k[~b] : stack[base + b];
          const y = c < 0 ? k[~c] : stack[base + c];
          let isLess: boolean;
          if (typeof x === 'number' && typeof y === 'number') isLess = x < y;
          else {
            frame.pc = pc;
            co.top = base + proto.registers;
            isLess = lessThan(m, x, y);
          }
          if (isLess !== (a !== base)) pc++;
          continue;
        }
        case 33: {
          // OP_LE
          const x = b < 0 ? k[~b] : stack[base + b];
          const y = c < 0 ? k[~c] : stack[base + c];
          let isLess: boolean;
          if (typeof x === 'number' && typeof y === 'number') isLess = x <= y;
          else {
            frame.pc = pc;
            co.top = base + proto.registers;
            isLess = lessEqual(m, x, y);
          }
          if (isLess !== (a !== base)) pc++;
          continue;
        }
        case 34: {
          // OP_TEST
          const x = stack[a];
          if ((x === undefined || x === false) === (c !== 0)) pc++;
          continue;
        }
        case 35: {
          // OP_TESTSET
          const x = stack[base + b];
          if ((x === undefined || x === false) === (c !== 0)) pc++;
          else stack[a] = x;
          continue;
        }
        case 36: {
          // OP_CALL
          const count = b !== 0 ? b - 1 : co.top - a - 1;
          frame.pc = pc;
          if (--m.fuel < 0 && m.refuel(maySuspend)) {
            frame.pc = pc - 1;
            return SUSPENDED;
          }
          const callee = stack[a];
          if (callee instanceof LuaFunction) {
            m.pushFrame(callee, a, count, c - 1);
            break running;
          }
          m.enterCall(a, count, c - 1);
          if (maySuspend && m.isDue) m.fuel = 0;
          if (m.co !== co || co.depth !== depth) break running;
          continue;
        }
        case 37: {
          // OP_TAILCALL
          const count = b !== 0 ? b - 1 : co.top - a - 1;
          frame.pc = pc;
          if (--m.fuel < 0 && m.refuel(maySuspend)) {
            frame.pc = pc - 1;
            return SUSPENDED;
          }
          const callee = stack[a];
          if (!(callee instanceof LuaFunction)) {
            m.enterCall(a, count, -1);
            if (maySuspend && m.isDue) m.fuel = 0;
            if (m.co !== co || co.depth !== depth) break running;
            continue;
          }
          if (proto.inner.length > 0) m.closeUpvalues(co, base);
          const { ret, wanted, tailCalls } = frame;
          // The function and its arguments go where this one's were.
          for (let i = 0; i <= count; i++) stack[base - 1 + i] = stack[a + i];
          co.depth--;
          m.pushFrame(callee, base - 1, count, wanted);
          frame.ret = ret;
          frame.tailCalls = tailCalls + 1;
          break running;
        }
        case 38: {
          // OP_RETURN
          if (proto.inner.length > 0) m.closeUpvalues(co, base);
          const count = b !== 0 ? b - 1 : co.top - a;
          const { ret, wanted } = frame;
          co.depth--;
          if (depth === 1) {
            m.returned(a, count);
            break running;
          }
          const n = wanted < 0 || wanted > count ? count : wanted;
          for (let i = 0; i < n; i++) stack[ret + i] = stack[a + i];
          if (wanted < 0) co.top = ret + n;
          else for (let i = n; i < wanted; i++) stack[ret + i] = undefined;
          if ((co.frames[depth - 2] as Frame).kind !== FRAME_LUA) {
            if (m.returned(ret, wanted < 0 ? n : wanted)) return co.top - ret;
          }
          break running;
        }
        case 39: {
          // OP_FORLOOP
          const step = stack[a + 2] as number;
          const next = (stack[a] as number) + step;
          const limit = stack[a + 1] as number;
          if (step > 0 ? next <= limit : limit <= next) {
            stack[a] = next;
            stack[a + 3] = next;
            pc += b;
            if (--m.fuel < 0) {
              frame.pc = pc;
              co.top = base + proto.registers;
              if (m.refuel(maySuspend)) return SUSPENDED;
            }
          }
          continue;
        }
        case 40: // OP_FORPREP
          frame.pc = pc;
          forPrepare(m, a);
          pc += b;
          continue;
        case 41: {
          // OP_TFORCALL
          const iterate = stack[a];
          stack[a + 3] = iterate;
          stack[a + 4] = stack[a + 1];
          stack[a + 5] = stack[a + 2];
          frame.pc = pc;
          if (--m.fuel < 0 && m.refuel(maySuspend)) {
            frame.pc = pc - 1;
            return SUSPENDED;
          }
          if (iterate instanceof LuaFunction) {
            m.pushFrame(iterate, a + 3, 2, c);
            break running;
          }
          m.enterCall(a + 3, 2, c);
          if (maySuspend && m.isDue) m.fuel = 0;
          if (m.co !== co || co.depth !== depth) break running;
          continue;
        }
        case 42: {
          // OP_TFORLOOP
          const control = stack[a + 1];
          if (control !== undefined) {
            stack[a] = control;
            pc += b;
            if (--m.fuel < 0) {
              frame.pc = pc;
              co.top = base + proto.registers;
              if (m.refuel(maySuspend)) return SUSPENDED;
            }
          }
          continue;
        }
        case 43: {
          // OP_SETLIST
          const count = b !== 0 ? b : co.top - a - 1;
          let block = c;
          if (c < 0) {
            block = -c;
            pc++;
          }
          m.fuel -= count >> 2;
          (stack[a] as LuaTable).setList((block - 1) * 50 + 1, stack, a + 1, count);
          continue;
        }
        case 44: {
          // OP_CLOSURE
          const inner = proto.inner[b] as LuaFunction['proto'];
          const captured: Upvalue[] = [];
          for (const source of inner.upvalues) {
            captured.push(
              source.isLocal
                ? m.findUpvalue(co, base + source.index)
                : (upvalues[source.index] as Upvalue),
            );
          }
          stack[a] = new LuaFunction(inner, captured);
          m.fuel -= MAKING + captured.length;
          continue;
        }
        case 45: {
          // OP_VARARG
          const { varargs } = frame;
          const count = b !== 0 ? b - 1 : varargs.length;
          m.fuel -= count >> 2;
          if (a + count > STACK_MAX) {
            frame.pc = pc;
            throw m.error('stack overflow');
          }
          while (stack.length < a + count) stack.push(undefined);
          for (let i = 0; i < count; i++) stack[a + i] = varargs[i];
          if (b === 0) co.top = a + count;
          continue;
        }
        default:
          throw new Error(`operation ${code[at]} in a chunk of Lua 5.1`);
      }
    }
  }
}
