// How much a script may use. Redis has few of these limits, because its Lua has none but memory.

/** Frames of one coroutine: LUAI_MAXCALLS. */
export const FRAMES_MAX = 19_990;
/** Calls of Lua from C, were this Redis, one in the other, the script itself among them. */
export const NATIVE_DEPTH_MAX = 199;
/** More of them for the message handler of xpcall. */
export const HANDLER_LEVELS = 24;
/** Most slots of a stack. */
export const STACK_MAX = 1_000_000;
/** Most values that our functions put on the stack or go down at once: LUAI_MAXCSTACK. */
export const VALUES_MAX = 8000;
/** Longest string a script may make, bytes. */
export const STRING_MAX = 256 * 1024 * 1024;
/** Instructions (jumps back and calls) between two looks at the world. */
export const FUEL = 20_000;
/** The first look comes early: whoever measures time and memory begins then. */
export const FIRST_FUEL = 200;
/** So many bytes (a power of two) of a new string cost as much as an instruction. */
export const BYTES_SHIFT = 8;
/** What a table or a function costs besides the instruction: it takes memory. */
export const MAKING = 3;
