// How messages call things: the kind of a value, and the variable an instruction took it from, by
// looking at the code in front of it (Lua's symbolic execution, ldebug.c).

import { Coroutine } from './coroutine.js';
import * as op from './opcodes.js';
import { type Prototype, STEP } from './prototype.js';
import { LightUserdata, LuaTable, type LuaValue } from './value.js';

export function typeName(value: LuaValue): string {
  switch (typeof value) {
    case 'undefined':
      return 'nil';
    case 'boolean':
    case 'number':
    case 'string':
      return typeof value;
    default:
      if (value instanceof LuaTable) return 'table';
      if (value instanceof Coroutine) return 'thread';
      return value instanceof LightUserdata ? 'userdata' : 'function';
  }
}

export interface VariableName {
  readonly kind: 'global' | 'local' | 'method' | 'field' | 'upvalue';
  readonly name: string;
}

function localName(p: Prototype, register: number, at: number): string | undefined {
  let left = register + 1;
  for (const local of p.locals) {
    if (local.from > at) break;
    if (at < local.to && --left === 0) return local.name;
  }
  return undefined;
}

/** Operations that do not set register A. */
const NO_RESULT = new Set([
  ...[op.OP_SETTABUP, op.OP_SETUPVAL, op.OP_SETTABLE, op.OP_JMP, op.OP_EQ, op.OP_LT, op.OP_LE],
  ...[op.OP_TEST, op.OP_RETURN, op.OP_TFORCALL, op.OP_SETLIST],
]);

/** Whether an instruction that is no jump sets a register. */
function setsRegister(operation: number, a: number, b: number, register: number): boolean {
  if (operation === op.OP_LOADNIL) return a <= register && register <= a + b;
  if (operation === op.OP_TFORCALL) return register >= a + 2;
  if (operation === op.OP_CALL || operation === op.OP_TAILCALL) return register >= a;
  if (operation === op.OP_SELF) return register === a || register === a + 1;
  return register === a && !NO_RESULT.has(operation);
}

/** The last instruction in front of `last` that certainly set a register; -1: not known. */
function findSetter(p: Prototype, last: number, register: number): number {
  let setter = -1;
  let jumpTarget = 0;
  for (let pc = 0; pc < last; pc++) {
    const at = pc * STEP;
    const operation = p.code[at] as number;
    const b = p.code[at + 2] as number;
    if (operation === op.OP_JMP) {
      const to = pc + 1 + b;
      if (pc < to && to <= last && to > jumpTarget) jumpTarget = to;
    } else if (setsRegister(operation, p.code[at + 1] as number, b, register)) {
      setter = pc < jumpTarget ? -1 : pc;
    }
  }
  return setter;
}

function constantName(p: Prototype, c: number): string {
  const value = c < 0 ? p.constants[~c] : undefined;
  return typeof value === 'string' ? value : '?';
}

/** The variable in a register at an instruction, undefined when it has no name. */
export function registerName(p: Prototype, pc: number, register: number): VariableName | undefined {
  const local = localName(p, register, pc);
  if (local !== undefined) return { kind: 'local', name: local };
  const setter = findSetter(p, pc, register);
  if (setter < 0) return undefined;
  const at = setter * STEP;
  const b = p.code[at + 2] as number;
  const c = p.code[at + 3] as number;
  switch (p.code[at]) {
    case op.OP_MOVE:
      return b < (p.code[at + 1] as number) ? registerName(p, setter, b) : undefined;
    case op.OP_GETTABUP:
      return { kind: isGlobals(p, b) ? 'global' : 'field', name: constantName(p, c) };
    case op.OP_GETTABLE:
      return { kind: 'field', name: constantName(p, c) };
    case op.OP_GETUPVAL:
      return { kind: 'upvalue', name: p.upvalues[b]?.name ?? '?' };
    case op.OP_SELF:
      return { kind: 'method', name: constantName(p, c) };
    default:
      return undefined;
  }
}

function isGlobals(p: Prototype, upvalue: number): boolean {
  return p.upvalues[upvalue]?.name === '(env)';
}

/** What the function is called that the call instruction at `pc` calls. */
export function calledName(p: Prototype, pc: number): VariableName | undefined {
  const at = pc * STEP;
  const operation = p.code[at];
  if (operation !== op.OP_CALL && operation !== op.OP_TAILCALL) return undefined;
  return registerName(p, pc, p.code[at + 1] as number);
}

/** A part of a message: ` local 'x'`, or nothing. */
export function described(variable: VariableName | undefined): string {
  return variable === undefined ? '' : ` ${variable.kind} '${variable.name}'`;
}

/** The variable an operand (B or C of the instruction at `pc`) is. */
export function operandName(p: Prototype, pc: number, operand: number): VariableName | undefined {
  return operand < 0 ? undefined : registerName(p, pc, operand);
}

export function upvalueName(p: Prototype, upvalue: number): VariableName {
  return { kind: 'upvalue', name: p.upvalues[upvalue]?.name ?? '?' };
}
