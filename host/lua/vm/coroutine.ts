// A thread of Lua: its stack, and the frames of the functions that run on it.

import type { LuaFunction, LuaValue, Upvalue } from './value.js';

/** What a frame is. */
export const FRAME_LUA = 0;
/** pcall: errors above it end here. */
export const FRAME_PCALL = 1;
export const FRAME_XPCALL = 2;
/** A call from JavaScript: results leave the machine here. */
export const FRAME_ENTRY = 3;

export class Frame {
  kind = FRAME_LUA;
  /** With FRAME_LUA; with FRAME_XPCALL `handler` is its message handler. */
  fn: LuaFunction | undefined;
  handler: LuaValue;
  base = 0;
  pc = 0;
  /** Where the results go on the stack, and how many are wanted; -1 = all. */
  ret = 0;
  wanted = 0;
  varargs: LuaValue[] = NO_VALUES;
  /** Functions that this one replaced by tail calls. */
  tailCalls = 0;
}

export const NO_VALUES: LuaValue[] = [];

export const STATUS_SUSPENDED = 0;
export const STATUS_RUNNING = 1;
/** Has resumed another one. */
export const STATUS_NORMAL = 2;
export const STATUS_DEAD = 3;

const STATUS_NAMES = ['suspended', 'running', 'normal', 'dead'];
const STACK_START = 64;

export class Coroutine {
  stack: LuaValue[] = new Array(STACK_START);
  frames: Frame[] = [];
  /** Frames in use. */
  depth = 0;
  /** First free slot while a function of ours runs. */
  top = 0;
  /** Open upvalues, those of higher slots behind. */
  open: Upvalue[] = [];
  status = STATUS_SUSPENDED;
  /** Who resumed it, and where its results go there. */
  resumer: Coroutine | undefined;
  ret = 0;
  wanted = 0;
  isWrapped = false;
  /** What it starts with; cleared then. */
  start: LuaValue;
  /** FRAME_ENTRY frames on it: it cannot yield across them. */
  entries = 0;
  /** Calls by pcall and xpcall on it. */
  protects = 0;
  /** What its resumer had of both. */
  below = 0;

  /** Calls of Lua from C, were this Redis, that it is in. */
  get levels(): number {
    return this.below + this.entries + this.protects;
  }

  get statusName(): string {
    return STATUS_NAMES[this.status] as string;
  }

  /** Leaves the frames from `depth` on. */
  drop(depth: number): void {
    for (let at = this.depth - 1; at >= depth; at--) {
      const { kind } = this.frames[at] as Frame;
      if (kind === FRAME_PCALL || kind === FRAME_XPCALL) this.protects--;
    }
    this.depth = depth;
  }

  push(): Frame {
    const at = this.depth++;
    let frame = this.frames[at];
    if (frame === undefined) {
      frame = new Frame();
      this.frames.push(frame);
    }
    return frame;
  }
}
