// The machine that runs compiled Lua: all frames are objects, so Lua code may be left and entered
// again anywhere (coroutines; a script that has run for too long and lets the sockets in), and deep
// recursion is a number that is counted, not a stack that overflows.
//
// JavaScript is on the stack only where one of our functions calls Lua: metamethods, table.sort,
// string.gsub. Nothing can be suspended across those.

import {
  Coroutine,
  FRAME_ENTRY,
  FRAME_LUA,
  FRAME_PCALL,
  FRAME_XPCALL,
  type Frame,
  NO_VALUES,
  STATUS_DEAD,
  STATUS_NORMAL,
  STATUS_RUNNING,
  STATUS_SUSPENDED,
} from './coroutine.js';
import { execute } from './execute.js';
import {
  BYTES_SHIFT,
  FIRST_FUEL,
  FRAMES_MAX,
  FUEL,
  HANDLER_LEVELS,
  NATIVE_DEPTH_MAX,
  STACK_MAX,
  STRING_MAX,
} from './limits.js';
import { calledName, typeName } from './names.js';
import {
  LuaError,
  LuaFunction,
  LuaTable,
  type LuaValue,
  NativeFunction,
  NONE,
  Results,
  SPECIAL_NONE,
  SPECIAL_PCALL,
  SPECIAL_RESUME,
  SPECIAL_WRAPPED,
  SPECIAL_XPCALL,
  Upvalue,
} from './value.js';

/** Ends a script whatever it catches. */
export class ScriptStopped extends LuaError {}

/** What `tick` answers. */
export const GO_ON = 0;
export const SUSPEND = 1;

/**
 * What the machine's owner does now and then while Lua runs; may throw a ScriptStopped. SUSPEND: it
 * should be left as soon as that is possible; now, if it may be.
 */
export type Tick = (maySuspend: boolean) => number;

export class Machine {
  readonly globals = new LuaTable();
  /** The metatable of all strings. */
  stringMeta: LuaTable | undefined;
  co = new Coroutine();
  /** Entries of `run` on JavaScript's stack. */
  depth = 0;
  fuel = FUEL;
  tick: Tick = () => GO_ON;
  /** Results of the call that ended last. */
  out: LuaValue[] = NO_VALUES;
  /** It should be left at the next instruction that can be left at: fuel is to be looked at. */
  isDue = false;
  /** Fuel of our functions. */
  #steps = FUEL;
  #isSuspended = false;

  constructor() {
    this.co.status = STATUS_RUNNING;
  }

  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  // ---- calls from JavaScript

  /** Calls a function for one of ours: all its results. */
  callWith(fn: LuaValue, args: readonly LuaValue[]): LuaValue[] {
    return this.start(fn, args, false) as LuaValue[];
  }

  /** The first result of such a call. */
  call1(fn: LuaValue, ...args: LuaValue[]): LuaValue {
    return this.callWith(fn, args)[0];
  }

  /** Calls a metamethod for the instruction that runs: its first result. */
  callMeta(fn: LuaValue, ...args: LuaValue[]): LuaValue {
    return (this.start(fn, args, false, true) as LuaValue[])[0];
  }

  /**
   * Begins a call from outside; undefined: it was suspended, `goOn` continues it.
   */
  begin(fn: LuaValue, args: readonly LuaValue[]): LuaValue[] | undefined {
    this.reset();
    return this.start(fn, args, true);
  }

  goOn(): LuaValue[] | undefined {
    this.#isSuspended = false;
    return this.#run(this.co, this.co.depth, true);
  }

  /** Forgets what an ended, or stopped, script left. */
  reset(): void {
    this.#isSuspended = false;
    this.depth = 0;
    this.fuel = FIRST_FUEL;
    this.isDue = false;
    let main = this.co;
    while (main.resumer !== undefined) main = main.resumer;
    if (main.depth !== 0 || main.open.length !== 0 || main.stack.length > 4096) {
      main = new Coroutine();
    }
    main.status = STATUS_RUNNING;
    main.top = 0;
    main.entries = 0;
    main.protects = 0;
    this.co = main;
  }

  private start(
    fn: LuaValue,
    args: readonly LuaValue[],
    isOutermost: boolean,
    isMeta = false,
  ): LuaValue[] | undefined {
    const { co } = this;
    if (co.levels >= NATIVE_DEPTH_MAX) {
      throw isMeta ? this.error('C stack overflow') : new LuaError('C stack overflow');
    }
    this.work(1);
    const at = co.top;
    const entry = co.push();
    entry.kind = FRAME_ENTRY;
    entry.ret = at;
    entry.base = at;
    const { stack } = co;
    stack[at] = fn;
    for (let i = 0; i < args.length; i++) stack[at + 1 + i] = args[i];
    co.entries++;
    const { depth } = co;
    try {
      this.enterCall(at, args.length, -1);
    } catch (thrown) {
      const error = thrown instanceof RangeError ? this.#asLuaError(thrown) : thrown;
      if (error instanceof LuaError && error.source === undefined) this.#locate(error);
      this.#leaveEntry(co, depth);
      throw error;
    }
    if (this.co === co && co.depth === depth) {
      // A function of ours has run already.
      return this.#takeEntry(co, co.top - at);
    }
    return this.#run(co, depth, isOutermost);
  }

  #takeEntry(co: Coroutine, count: number): LuaValue[] {
    const entry = co.frames[co.depth - 1] as Frame;
    // One is the most frequent, and a literal the cheapest array.
    const values =
      count === 1 ? [co.stack[entry.ret]] : co.stack.slice(entry.ret, entry.ret + count);
    co.top = entry.ret;
    co.depth--;
    co.entries--;
    if (this.isDue && this.depth === 2) this.fuel = 0;
    return values;
  }

  #leaveEntry(co: Coroutine, depth: number): void {
    const entry = co.frames[depth - 1] as Frame;
    this.closeUpvalues(co, entry.base);
    co.top = entry.ret;
    co.drop(depth - 1);
    co.entries--;
  }

  /** Runs until the entry frame of `co` at `depth` is reached again. */
  #run(co: Coroutine, depth: number, isOutermost: boolean): LuaValue[] | undefined {
    const entryDepth = isOutermost ? 1 : depth;
    this.depth++;
    try {
      for (;;) {
        try {
          const count = execute(this, isOutermost && this.depth === 1);
          if (count < 0) {
            this.#isSuspended = true;
            return undefined;
          }
          return this.#takeEntry(this.co, count);
        } catch (thrown) {
          this.#unwind(thrown, isOutermost ? this.#mainOf() : co, entryDepth);
        }
      }
    } finally {
      this.depth--;
    }
  }

  #mainOf(): Coroutine {
    let main = this.co;
    while (main.resumer !== undefined) main = main.resumer;
    return main;
  }

  // ---- errors

  /** Makes whatever was thrown a Lua error; what Lua cannot catch is thrown on. */
  #asLuaError(thrown: unknown): LuaError {
    if (thrown instanceof ScriptStopped) {
      if (thrown.source === undefined) this.#locate(thrown);
      throw thrown;
    }
    if (thrown instanceof LuaError) return thrown;
    if (thrown instanceof RangeError) {
      // JavaScript's own stack, or a string or array beyond its limits.
      const isStack = /call stack/i.test(thrown.message);
      return this.error(isStack ? 'stack overflow' : 'not enough memory');
    }
    throw thrown;
  }

  /** Goes down to the pcall or the coroutine that catches it; throws when none does. */
  #unwind(thrown: unknown, entryCo: Coroutine, entryDepth: number): void {
    let error: LuaError;
    try {
      error = this.#asLuaError(thrown);
    } catch (other) {
      this.#abandon(entryCo, entryDepth);
      throw other;
    }
    if (error.source === undefined) this.#locate(error);
    for (;;) {
      const { co } = this;
      const floor = co === entryCo ? entryDepth : 0;
      let at = co.depth - 1;
      while (at >= floor) {
        const { kind } = co.frames[at] as Frame;
        if (kind === FRAME_PCALL || kind === FRAME_XPCALL) break;
        at--;
      }
      if (at >= floor) {
        this.#catch(co, at, error);
        return;
      }
      if (co === entryCo) {
        this.#leaveEntry(co, entryDepth);
        throw error;
      }
      this.#killCoroutine(co, error);
      if (!co.isWrapped) return;
      if (typeof error.value === 'string') error = new LuaError(this.where(1) + error.value);
      this.#locate(error);
    }
  }

  /** Notes the Lua code nearest to where an error came from. */
  #locate(error: LuaError): void {
    const { co } = this;
    error.source = '';
    for (let at = co.depth - 1; at >= 0; at--) {
      const frame = co.frames[at] as Frame;
      if (frame.kind !== FRAME_LUA) continue;
      const { proto } = frame.fn as LuaFunction;
      error.source = proto.chunkName;
      error.line = proto.lines[frame.pc - 1] ?? proto.lines[frame.pc] ?? 0;
      return;
    }
  }

  /** Something that cannot be caught: all is left as it is up to the entry. */
  #abandon(entryCo: Coroutine, entryDepth: number): void {
    while (this.co !== entryCo && this.co.resumer !== undefined) {
      const dead = this.co;
      dead.status = STATUS_DEAD;
      this.co = dead.resumer as Coroutine;
      dead.resumer = undefined;
      this.co.status = STATUS_RUNNING;
    }
    this.#leaveEntry(entryCo, entryDepth);
  }

  /** An error ended a coroutine: its resumer gets it, or (wrapped) has it. */
  #killCoroutine(co: Coroutine, error: LuaError): void {
    co.status = STATUS_DEAD;
    co.drop(0);
    this.closeUpvalues(co, 0);
    const { resumer } = co;
    if (resumer === undefined) throw error;
    co.resumer = undefined;
    resumer.status = STATUS_RUNNING;
    this.co = resumer;
    if (co.isWrapped) return;
    const { stack } = resumer;
    stack[co.ret] = false;
    stack[co.ret + 1] = error.value;
    this.deliver(co.ret, 2, co.ret, co.wanted);
    this.#landed(co.ret, co.wanted < 0 ? 2 : co.wanted);
  }

  /** Results are in place for the frame on top; if it is not Lua code they go on through it. */
  #landed(at: number, count: number): void {
    const frame = this.co.frames[this.co.depth - 1];
    if (frame === undefined || frame.kind !== FRAME_LUA) this.returned(at, count);
  }

  /** pcall's answer to an error: false and the value. */
  #catch(co: Coroutine, at: number, error: LuaError): void {
    const frame = co.frames[at] as Frame;
    let { value } = error;
    if (frame.kind === FRAME_XPCALL) value = this.#handled(co, frame, value);
    else if (value instanceof LuaTable) {
      // Redis: of an error table pcall gives the message.
      const message = value.getText('err');
      if (typeof message === 'string' || typeof message === 'number') value = message;
    }
    this.closeUpvalues(co, frame.base);
    co.drop(at);
    co.stack[frame.base] = false;
    co.stack[frame.base + 1] = value;
    this.deliver(frame.base, 2, frame.ret, frame.wanted);
    this.#landed(frame.ret, frame.wanted < 0 ? 2 : frame.wanted);
  }

  /** The message handler runs on top of what failed. */
  #handled(co: Coroutine, frame: Frame, value: LuaValue): LuaValue {
    const top = this.co.depth > 0 ? this.#topOf(co) : co.top;
    co.top = top;
    const { depth } = co;
    // Redis: it may go a little deeper than what failed, which may have been too deep.
    co.below -= HANDLER_LEVELS;
    try {
      return this.call1(frame.handler, value);
    } catch (second) {
      if (second instanceof ScriptStopped) throw second;
      co.drop(depth);
      return second instanceof LuaError ? 'error in error handling' : undefined;
    } finally {
      co.below += HANDLER_LEVELS;
    }
  }

  #topOf(co: Coroutine): number {
    const frame = co.frames[co.depth - 1] as Frame;
    const size = frame.kind === FRAME_LUA ? (frame.fn as LuaFunction).proto.registers : 2;
    return Math.max(co.top, frame.base + size);
  }

  /** A LuaError whose message begins with where Lua code is now. */
  error(message: string): LuaError {
    return new LuaError(this.where(1) + message);
  }

  /**
   * `chunk:line: ` of the function at a level (1: the Lua code that called us), or nothing when it
   * is not Lua code.
   */
  where(level: number): string {
    const { co } = this;
    let left = level - 1;
    for (let at = co.depth - 1; at >= 0; at--) {
      const frame = co.frames[at] as Frame;
      // No function: a call by a metamethod.
      if (frame.kind === FRAME_ENTRY) continue;
      if (left === 0) return frame.kind === FRAME_LUA ? position(frame) : '';
      if (frame.tailCalls >= left) return '';
      left -= 1 + frame.tailCalls;
    }
    return '';
  }

  /** The line of the Lua code that called us, 0 when there is none. */
  get line(): number {
    const frame = this.co.frames[this.co.depth - 1];
    if (frame === undefined || frame.kind !== FRAME_LUA) return 0;
    return (frame.fn as LuaFunction).proto.lines[frame.pc - 1] ?? 0;
  }

  /** The chunk of the Lua code that called us. */
  get source(): string {
    const frame = this.co.frames[this.co.depth - 1];
    if (frame === undefined || frame.kind !== FRAME_LUA) return '=[C]';
    return (frame.fn as LuaFunction).proto.source;
  }

  /** bad argument #n to 'name' (message), the name as the caller calls us. */
  badArgument(index: number, message: string): LuaError {
    const frame = this.co.frames[this.co.depth - 1];
    const isLua = frame !== undefined && frame.kind === FRAME_LUA;
    const called = isLua ? calledName((frame.fn as LuaFunction).proto, frame.pc - 1) : undefined;
    if (called?.kind !== 'method') {
      return this.error(`bad argument #${index} to '${called?.name ?? '?'}' (${message})`);
    }
    if (index === 1) return this.error(`calling '${called.name}' on bad self (${message})`);
    return this.error(`bad argument #${index - 1} to '${called.name}' (${message})`);
  }

  // ---- calls in Lua

  /**
   * Calls the value at `stack[at]` with `count` arguments behind it; results are wanted there.
   * Ours run at once and their results are in place, `co.top` behind them; Lua's get a frame.
   */
  enterCall(at: number, count: number, wanted: number): void {
    const { stack } = this.co;
    const fn = stack[at];
    if (fn instanceof LuaFunction) this.pushFrame(fn, at, count, wanted);
    else if (fn instanceof NativeFunction) {
      if (fn.special !== SPECIAL_NONE) this.#callSpecial(fn, at, count, wanted);
      else {
        this.co.top = at + 1 + count;
        const result = fn.call(stack, at + 1, count);
        if (result instanceof Results) this.place(result.values, at, wanted);
        else {
          const top = this.co.stack;
          top[at] = result;
          if (wanted === 1 || wanted === -1) this.co.top = at + 1;
          else this.pad(at, 1, wanted);
        }
      }
    } else this.#callByMeta(fn, at, count, wanted);
  }

  #callByMeta(fn: LuaValue, at: number, count: number, wanted: number): void {
    const handler = this.metamethod(fn, '__call');
    if (!(handler instanceof LuaFunction) && !(handler instanceof NativeFunction)) {
      throw this.callError(fn);
    }
    const { stack } = this.co;
    for (let i = at + count; i >= at; i--) stack[i + 1] = stack[i];
    stack[at] = handler;
    this.enterCall(at, count + 1, wanted);
  }

  /** attempt to call …, with the name the running instruction has for it. */
  callError(fn: LuaValue): LuaError {
    const frame = this.co.frames[this.co.depth - 1];
    const isLua = frame !== undefined && frame.kind === FRAME_LUA;
    const called = isLua ? calledName((frame.fn as LuaFunction).proto, frame.pc - 1) : undefined;
    const what = typeName(fn);
    if (called === undefined) return this.error(`attempt to call a ${what} value`);
    return this.error(`attempt to call ${called.kind} '${called.name}' (a ${what} value)`);
  }

  pushFrame(fn: LuaFunction, at: number, count: number, wanted: number): void {
    const { co } = this;
    if (co.depth >= FRAMES_MAX) throw this.error('stack overflow');
    const { proto } = fn;
    const { stack } = co;
    const base = at + 1;
    const { parameters } = proto;
    const frame = co.push();
    frame.kind = FRAME_LUA;
    frame.fn = fn;
    frame.base = base;
    frame.pc = 0;
    frame.ret = at;
    frame.wanted = wanted;
    frame.tailCalls = 0;
    if (proto.isVararg) {
      frame.varargs = count > parameters ? stack.slice(base + parameters, base + count) : NO_VALUES;
      if (proto.hasArg) {
        stack[base + parameters] = proto.needsArg ? argTable(frame.varargs) : undefined;
      }
    }
    for (let i = count; i < parameters; i++) stack[base + i] = undefined;
    const end = base + proto.registers;
    if (end > STACK_MAX) throw this.error('stack overflow');
    while (stack.length < end) stack.push(undefined);
    co.top = end;
  }

  #callSpecial(fn: NativeFunction, at: number, count: number, wanted: number): void {
    switch (fn.special) {
      case SPECIAL_PCALL:
      case SPECIAL_XPCALL:
        this.#protect(fn.special === SPECIAL_XPCALL, at, count, wanted);
        return;
      case SPECIAL_RESUME:
      case SPECIAL_WRAPPED:
        this.#resume(fn, at, count, wanted);
        return;
      default:
        this.#yield(at, count, wanted);
    }
  }

  #protect(hasHandler: boolean, at: number, count: number, wanted: number): void {
    const { co } = this;
    const { stack } = co;
    co.top = at + 1 + count;
    if (count === 0 || (hasHandler && count < 2)) {
      throw this.badArgument(hasHandler ? 2 : 1, 'value expected');
    }
    const handler = hasHandler ? stack[at + 2] : undefined;
    if (co.depth >= FRAMES_MAX) throw this.error('stack overflow');
    const frame = co.push();
    frame.kind = hasHandler ? FRAME_XPCALL : FRAME_PCALL;
    frame.handler = handler;
    frame.base = at;
    frame.ret = at;
    frame.wanted = wanted;
    frame.tailCalls = 0;
    co.protects++;
    const { depth } = co;
    // Redis: xpcall passes no arguments on.
    try {
      if (co.levels > NATIVE_DEPTH_MAX) throw new LuaError('C stack overflow');
      this.enterCall(at + 1, hasHandler ? 0 : count - 1, -1);
    } catch (thrown) {
      if (this.co !== co) throw thrown;
      this.#catch(co, depth - 1, this.#asLuaError(thrown));
      return;
    }
    // A function of ours has run: its results are there.
    if (this.co === co && co.depth === depth) this.returned(at + 1, co.top - at - 1);
  }

  /** Results lie at `from`; the frame on top, whatever it is, gets them. True: it is an entry. */
  returned(from: number, count: number): boolean {
    for (;;) {
      const { co } = this;
      if (co.depth === 0) {
        this.#finishCoroutine(co, from, count);
        return false;
      }
      const frame = co.frames[co.depth - 1] as Frame;
      if (frame.kind === FRAME_ENTRY) {
        co.top = from + count;
        return true;
      }
      if (frame.kind === FRAME_LUA) return false;
      co.depth--;
      co.protects--;
      co.stack[frame.base] = true;
      const first = frame.base;
      this.deliver(first, count + 1, frame.ret, frame.wanted);
      if (co.depth > 0 && (co.frames[co.depth - 1] as Frame).kind === FRAME_LUA) return false;
      from = frame.ret;
      count = frame.wanted < 0 ? count + 1 : frame.wanted;
    }
  }

  /** Moves `count` results at `from` to `to`, as many as wanted; `co.top` behind them. */
  deliver(from: number, count: number, to: number, wanted: number): void {
    const { co } = this;
    const { stack } = co;
    const n = wanted < 0 || wanted > count ? count : wanted;
    if (from !== to) for (let i = 0; i < n; i++) stack[to + i] = stack[from + i];
    this.pad(to, n, wanted);
  }

  /** nil for wanted results that there are not. */
  pad(at: number, count: number, wanted: number): void {
    const { co } = this;
    const { stack } = co;
    if (wanted < 0) {
      co.top = at + count;
      return;
    }
    for (let i = count; i < wanted; i++) stack[at + i] = undefined;
    co.top = at + wanted;
  }

  place(values: readonly LuaValue[], at: number, wanted: number): void {
    const { stack } = this.co;
    const n = values.length;
    for (let i = 0; i < n; i++) stack[at + i] = values[i];
    this.pad(at, n, wanted);
  }

  // ---- coroutines

  #resume(fn: NativeFunction, at: number, count: number, wanted: number): void {
    const { co } = this;
    const { stack } = co;
    const isWrapped = fn.special === SPECIAL_WRAPPED;
    co.top = at + 1 + count;
    const target = isWrapped ? fn.coroutine : stack[at + 1];
    if (!(target instanceof Coroutine)) throw this.badArgument(1, 'coroutine expected');
    const skip = isWrapped ? 0 : 1;
    const given = stack.slice(at + 1 + skip, at + 1 + count);
    if (target.status !== STATUS_SUSPENDED) {
      const message = `cannot resume ${target === co ? 'running' : target.statusName} coroutine`;
      const text = target.status === STATUS_DEAD ? 'cannot resume dead coroutine' : message;
      const refusal = text.replace(/resume (running|normal)/, 'resume non-suspended');
      if (isWrapped) throw this.error(refusal);
      this.place([false, refusal], at, wanted);
      return;
    }
    if (co.levels > NATIVE_DEPTH_MAX) {
      if (isWrapped) throw this.error('C stack overflow');
      this.place([false, 'C stack overflow'], at, wanted);
      return;
    }
    target.below = co.levels + 1;
    target.resumer = co;
    target.isWrapped = isWrapped;
    co.status = STATUS_NORMAL;
    target.status = STATUS_RUNNING;
    const { ret, wanted: yieldWanted } = target;
    target.ret = at;
    target.wanted = wanted;
    this.co = target;
    const { start } = target;
    if (start === undefined) {
      this.place(given, ret, yieldWanted);
      this.returned(ret, given.length);
      return;
    }
    target.start = undefined;
    target.stack[0] = start;
    given.forEach((value, i) => {
      target.stack[1 + i] = value;
    });
    this.enterCall(0, given.length, -1);
    // A function of ours has run, and with it the coroutine.
    if (this.co === target && target.depth === 0) {
      this.#finishCoroutine(target, 0, target.top);
    }
  }

  #finishCoroutine(co: Coroutine, from: number, count: number): void {
    co.status = STATUS_DEAD;
    this.#giveBack(co, co.stack.slice(from, from + count));
  }

  /** Results of a coroutine (its end, a yield) to its resumer, who runs on. */
  #giveBack(co: Coroutine, values: LuaValue[]): void {
    const resumer = co.resumer as Coroutine;
    co.resumer = undefined;
    resumer.status = STATUS_RUNNING;
    this.co = resumer;
    if (!co.isWrapped) values.unshift(true);
    this.place(values, co.ret, co.wanted);
    this.#landed(co.ret, co.wanted < 0 ? values.length : co.wanted);
  }

  #yield(at: number, count: number, wanted: number): void {
    const { co } = this;
    co.top = at + 1 + count;
    // Redis: a script itself is such a call.
    if (co.resumer === undefined || co.entries > 0 || this.#isProtected(co)) {
      throw new LuaError('attempt to yield across metamethod/C-call boundary');
    }
    const values = co.stack.slice(at + 1, at + 1 + count);
    const { ret, wanted: resumeWanted } = co;
    co.status = STATUS_SUSPENDED;
    this.#giveBackYield(co, values, ret, resumeWanted);
    // Where the next resume puts its arguments.
    co.ret = at;
    co.wanted = wanted;
  }

  /** Redis: pcall is written in C, and 5.1 cannot yield across it. */
  #isProtected(co: Coroutine): boolean {
    for (let at = 0; at < co.depth; at++) {
      if ((co.frames[at] as Frame).kind !== FRAME_LUA) return true;
    }
    return false;
  }

  #giveBackYield(co: Coroutine, values: LuaValue[], ret: number, wanted: number): void {
    co.ret = ret;
    co.wanted = wanted;
    this.#giveBack(co, values);
  }

  // ---- upvalues

  findUpvalue(co: Coroutine, index: number): Upvalue {
    const { open } = co;
    for (let i = open.length - 1; i >= 0; i--) {
      const upvalue = open[i] as Upvalue;
      if (upvalue.index === index) return upvalue;
      if (upvalue.index < index) {
        const made = new Upvalue(co.stack, index);
        open.splice(i + 1, 0, made);
        return made;
      }
    }
    const made = new Upvalue(co.stack, index);
    open.unshift(made);
    return made;
  }

  /** Variables in slots from `from` on leave the stack. */
  closeUpvalues(co: Coroutine, from: number): void {
    const { open } = co;
    while (open.length > 0) {
      const upvalue = open[open.length - 1] as Upvalue;
      if (upvalue.index < from) return;
      upvalue.slots = [upvalue.slots[upvalue.index]];
      upvalue.index = 0;
      open.pop();
    }
  }

  // ---- metatables

  metatableOf(value: LuaValue): LuaTable | undefined {
    if (value instanceof LuaTable) return value.metatable;
    return typeof value === 'string' ? this.stringMeta : undefined;
  }

  metamethod(value: LuaValue, event: string): LuaValue {
    return this.metatableOf(value)?.getText(event);
  }

  /** Functions of ours that take long pay for it: `n` steps, each as long as an instruction. */
  work(n: number): void {
    this.#steps -= n;
    if (this.#steps >= 0) return;
    this.#steps = FUEL;
    this.isDue = this.tick(false) === SUSPEND;
  }

  /** The same for so many bytes of a string; throws when it has become too long with them. */
  made(bytes: number, length = bytes): void {
    if (length > STRING_MAX) throw this.error('not enough memory');
    this.work(1 + (bytes >>> BYTES_SHIFT));
  }

  /** Fuel has run out. True: the machine is to be left here. */
  refuel(maySuspend: boolean): boolean {
    this.fuel = FUEL;
    const isTime = this.tick(maySuspend) === SUSPEND;
    this.isDue = isTime && !maySuspend;
    return isTime && maySuspend;
  }
}

function position(frame: Frame): string {
  const { proto } = frame.fn as LuaFunction;
  return `${proto.source}:${proto.lines[frame.pc - 1] ?? '?'}: `;
}

function argTable(values: readonly LuaValue[]): LuaTable {
  const table = new LuaTable();
  for (let i = 0; i < values.length; i++) table.set(i + 1, values[i]);
  table.setText('n', values.length);
  return table;
}

export { NONE };
