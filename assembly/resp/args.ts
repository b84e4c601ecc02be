/**
 * The arguments of the command that runs now: an array of (address, length) pairs in linear memory.
 *
 *   argv + 8*i: u32 ptr, u32 len
 *
 * Commands read them through these functions and nothing else, so it does not matter whether they
 * lie in the shared read buffer, in a client's query buffer, in a MULTI queue or in a script's
 * arguments. The bytes are valid until the command returns.
 */
import { equalsNoCase } from '../base/literal';

/** Number of arguments, the command's name included. */
export let argc: u32 = 0;
/** Address of the pairs. */
export let argv: usize = 0;

/** Sets the arguments of the next command; the memory stays the caller's. */
// @ts-ignore: decorator
@inline export function setArgs(count: u32, pairs: usize): void {
  argc = count;
  argv = pairs;
}

// @ts-ignore: decorator
@inline export function argPtr(index: u32): usize {
  return load<u32>(argv + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline export function argLen(index: u32): u32 {
  return load<u32>(argv + (<usize>index << 3), 4);
}

/** Whether argument `index` is this word, in any case. */
// @ts-ignore: decorator
@inline export function argIs(index: u32, word: string): bool {
  return equalsNoCase(argPtr(index), argLen(index), word);
}
