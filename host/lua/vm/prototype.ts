// Compiled functions in the form the machine runs: four numbers an instruction, constants as Lua
// values. Made from what the compiler (generated/compiler.ts) leaves.

import { parseChunk } from '../generated/compiler.js';
import { bytesToText, textToBytes } from './bytes.js';
import { LuaError, type LuaValue } from './value.js';

export interface UpvalueSource {
  /** A local of the enclosing function (its register), else one of its upvalues. */
  readonly isLocal: boolean;
  readonly index: number;
  readonly name: string;
}

export interface LocalName {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Numbers an instruction takes in `code`: operation, A, B, C. Constants in B and C are below 0. */
export const STEP = 4;

export class Prototype {
  code = new Int32Array(0);
  constants: LuaValue[] = [];
  inner: Prototype[] = [];
  upvalues: UpvalueSource[] = [];
  lines: number[] = [];
  locals: LocalName[] = [];
  parameters = 0;
  isVararg = false;
  /** Has a local `arg` behind the parameters; it is filled. */
  hasArg = false;
  needsArg = false;
  registers = 0;
  /** How positions in it begin: `user_script`. */
  source = '';
  /** The name its chunk was given: `@user_script`. */
  chunkName = '';
}

// The operations of Lua 5.3 by number that are used here under other conventions.
const OP_LOADK = 1;
const OP_LOADKX = 2;
const OP_JMP = 30;
const OP_FORLOOP = 39;
const OP_FORPREP = 40;
const OP_TFORLOOP = 42;
const OP_SETLIST = 43;
const OP_CLOSURE = 44;
const CONSTANT_BIT = 256;

/** Operations whose B, or C, may be a constant. */
const B_CONSTANT = new Set([8, 10, 13, 14, 15, 16, 17, 18, 31, 32, 33]);
const C_CONSTANT = new Set([6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 18, 31, 32, 33]);

// biome-ignore lint/suspicious/noExplicitAny: the compiler's own structures
type Raw = any;

function constant(value: Raw): LuaValue {
  const { value: v } = value;
  if (v === null) return undefined;
  return typeof v === 'object' ? bytesToText(v.getstr()) : v;
}

function operands(raw: Raw): [number, number] {
  const op: number = raw.opcode;
  if (op === OP_LOADK || op === OP_CLOSURE) return [raw.Bx, 0];
  if (op === OP_JMP || op === OP_FORLOOP || op === OP_FORPREP || op === OP_TFORLOOP) {
    return [raw.sBx, 0];
  }
  const b: number = raw.B;
  const c: number = raw.C;
  return [
    B_CONSTANT.has(op) && b >= CONSTANT_BIT ? ~(b - CONSTANT_BIT) : b,
    C_CONSTANT.has(op) && c >= CONSTANT_BIT ? ~(c - CONSTANT_BIT) : c,
  ];
}

/** 5.1's: MAXARG_Bx and LUAI_MAXUPVALUES. */
const CONSTANTS_MAX = 0x3ffff;

function convert(raw: Raw, source: string, chunkName: string): Prototype {
  if (raw.k.length > CONSTANTS_MAX) throw new LuaError('ERR constant table overflow');
  const proto = new Prototype();
  const count: number = raw.code.length;
  proto.code = new Int32Array(count * STEP);
  for (let i = 0; i < count; i++) {
    const at = i * STEP;
    const inst = raw.code[i];
    let [b, c] = operands(inst);
    let op: number = inst.opcode;
    // The number behind the instruction goes into it; what is left of it is never reached.
    if (op === OP_LOADKX) {
      op = OP_LOADK;
      b = raw.code[i + 1].Ax;
    } else if (op === OP_SETLIST && c === 0) {
      c = -raw.code[i + 1].Ax;
    }
    proto.code.set([op, inst.A, b, c], at);
  }
  proto.constants = raw.k.map(constant);
  proto.inner = raw.p.map((inner: Raw) => convert(inner, source, chunkName));
  proto.upvalues = raw.upvalues.map((up: Raw) => ({
    isLocal: Boolean(up.instack),
    index: up.idx,
    name: bytesToText(up.name.getstr()),
  }));
  proto.lines = raw.lineinfo;
  proto.locals = raw.locvars.map((local: Raw) => ({
    name: bytesToText(local.varname.getstr()),
    from: local.startpc,
    to: local.endpc,
  }));
  proto.parameters = raw.numparams;
  proto.isVararg = raw.is_vararg;
  proto.hasArg = raw.hasArg === true;
  proto.needsArg = raw.needsArg === true;
  proto.registers = raw.maxstacksize;
  proto.source = source;
  proto.chunkName = chunkName;
  return proto;
}

/** How messages name a chunk: `@name` and `=name` are the name, else it is the source itself. */
export function chunkId(name: string): string {
  const longest = 79;
  if (name.startsWith('=')) return name.slice(1, longest + 1);
  if (name.startsWith('@')) {
    const file = name.slice(1);
    const room = longest - 7;
    return file.length > room ? `...${file.slice(file.length - room)}` : file;
  }
  const line = /^[^\r\n]*/.exec(name)?.[0] ?? '';
  const room = 63;
  const cut = line.slice(0, room);
  return cut.length < name.length ? `[string "${cut}..."]` : `[string "${cut}"]`;
}

/** Compiles a chunk; a LuaError with the message is thrown when it cannot be. */
export function compile(source: string, chunkName: string): Prototype {
  const id = chunkId(chunkName);
  // A null byte in front of a chunk would make it bytecode in 5.1; the scanner refuses it.
  const { proto, error } = parseChunk(textToBytes(source), textToBytes(id));
  if (error !== undefined) throw new LuaError(bytesToText(error));
  return convert(proto, id, chunkName);
}
