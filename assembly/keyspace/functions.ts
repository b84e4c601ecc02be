/**
 * Function libraries as the core keeps them: source texts by name, nothing more. Running them is
 * the host's business (host/lua); the core holds the sources because RDB files, DUMP payloads and
 * full syncs carry them.
 *
 *   Library   next u32 | nameAt u32 | nameLen u32 | codeLen u32 | code bytes
 *
 * `nameAt` is relative to the code: the name is a part of its first line, the shebang
 *
 *   #!lua name=mylib
 *
 * Libraries stand in the order in which they were added. There are two lists, the live one and one
 * that a load aside fills; they change places with `functionsSwap`.
 *
 * Redis: engine and options other than `name` are checked by whoever compiles the library.
 */
import { alloc, free } from '../base/alloc';
import { bytesEqual } from '../base/bytes';
import { equalsNoCase } from '../base/literal';

@unmanaged
class Library {
  next: u32;
  nameAt: u32;
  nameLen: u32;
  codeLen: u32;
}

/** What functionsAdd answers. */
export const FUNCTION_ADDED: i32 = 0;
export const FUNCTION_OOM: i32 = 1;
/** No shebang line, no name in it, or a name with other characters than letters, digits and _. */
export const FUNCTION_BAD: i32 = 2;
/** There is one of this name. */
export const FUNCTION_EXISTS: i32 = 3;

/** Heads of the two lists (u32 each), live first. */
const heads = memory.data(8, 8);
const counts = memory.data(8, 8);

/** Results of shebangName: place in the code and length. */
let nameAt: u32 = 0;
let nameLen: u32 = 0;

// @ts-ignore: decorator
@inline function slotOf(aside: bool): usize {
  return heads + (aside ? 4 : 0);
}

function isNameChar(c: u32): bool {
  return c - 48 < 10 || (c | 32) - 97 < 26 || c == 95;
}

/** Finds `name=` in the first line. False when there is no proper one. */
function shebangName(code: usize, len: u32): bool {
  if (len < 2 || load<u16>(code) != 0x2123) return false;
  let at: u32 = 2;
  let isEngine = true;
  nameLen = 0;
  while (at < len) {
    const c: u32 = load<u8>(code + at);
    if (c == 10) break;
    if (c == 32 || c == 13 || c == 9) {
      at++;
      continue;
    }
    const start = at;
    while (at < len && <u32>load<u8>(code + at) > 32) at++;
    if (!isEngine && at - start > 5 && equalsNoCase(code + start, 5, 'name=')) {
      if (nameLen) return false;
      nameAt = start + 5;
      nameLen = at - nameAt;
    }
    isEngine = false;
  }
  for (let i: u32 = 0; i < nameLen; i++) {
    if (!isNameChar(load<u8>(code + nameAt + i))) return false;
  }
  return nameLen != 0;
}

/** Number of libraries, in the live list or in the one being loaded. */
export function functionsCount(aside: bool): u32 {
  return load<u32>(counts + (aside ? 4 : 0));
}

/** The first library, 0 = none. */
export function functionsFirst(aside: bool): usize {
  return load<u32>(slotOf(aside));
}

/** The library behind this one, 0 = none. */
export function functionsNext(library: usize): usize {
  return changetype<Library>(library).next;
}

/** Name and source of a library; valid until it is deleted. */
export function libraryNamePtr(library: usize): usize {
  return libraryCodePtr(library) + changetype<Library>(library).nameAt;
}
export function libraryNameLen(library: usize): u32 {
  return changetype<Library>(library).nameLen;
}
export function libraryCodePtr(library: usize): usize {
  return library + offsetof<Library>();
}
export function libraryCodeLen(library: usize): u32 {
  return changetype<Library>(library).codeLen;
}

/** The library of this name, 0 = none. O(libraries). */
export function functionsFind(name: usize, len: u32, aside: bool): usize {
  let at = functionsFirst(aside);
  while (at) {
    if (bytesEqual(libraryNamePtr(at), libraryNameLen(at), name, len)) return at;
    at = functionsNext(at);
  }
  return 0;
}

/** Counts changes of the live list: whoever compiled it sees that he must look again. */
export let functionsVersion: u32 = 0;

/** Adds a copy of a library's source. FUNCTION_*; nothing changed unless added. May grow memory. */
export function functionsAdd(code: usize, len: u32, aside: bool): i32 {
  if (!shebangName(code, len)) return FUNCTION_BAD;
  if (functionsFind(code + nameAt, nameLen, aside)) return FUNCTION_EXISTS;
  return append(code, len, aside);
}

/** Adds a library to the live list in place of the one of its name. As functionsAdd. */
export function functionsPut(code: usize, len: u32): i32 {
  if (!shebangName(code, len)) return FUNCTION_BAD;
  const old = functionsFind(code + nameAt, nameLen, false);
  const result = append(code, len, false);
  if (old && result == FUNCTION_ADDED) unlink(old);
  return result;
}

function append(code: usize, len: u32, aside: bool): i32 {
  if (<u64>len + offsetof<Library>() > u32.MAX_VALUE) return FUNCTION_OOM;
  const block = alloc(offsetof<Library>() + len);
  if (!block) return FUNCTION_OOM;
  const library = changetype<Library>(block);
  library.next = 0;
  library.nameAt = nameAt;
  library.nameLen = nameLen;
  library.codeLen = len;
  memory.copy(libraryCodePtr(block), code, len);
  let slot = slotOf(aside);
  while (load<u32>(slot)) slot = load<u32>(slot);
  store<u32>(slot, <u32>block);
  const count = counts + (aside ? 4 : 0);
  store<u32>(count, load<u32>(count) + 1);
  if (!aside) functionsVersion++;
  return FUNCTION_ADDED;
}

/** Deletes a library of the live list by name. False when there is none. */
export function functionsDelete(name: usize, len: u32): bool {
  const library = functionsFind(name, len, false);
  if (!library) return false;
  unlink(library);
  return true;
}

function unlink(library: usize): void {
  let slot = slotOf(false);
  while (<usize>load<u32>(slot) != library) slot = load<u32>(slot);
  store<u32>(slot, changetype<Library>(library).next);
  store<u32>(counts, load<u32>(counts) - 1);
  free(library);
  functionsVersion++;
}

/** Deletes all libraries of a list. */
export function functionsClear(aside: bool): void {
  if (!aside) functionsVersion++;
  let at = functionsFirst(aside);
  while (at) {
    const next = functionsNext(at);
    free(at);
    at = next;
  }
  store<u32>(slotOf(aside), 0);
  store<u32>(counts + (aside ? 4 : 0), 0);
}

/** The list that was loaded aside becomes the live one, whose libraries are deleted. */
export function functionsSwap(): void {
  functionsClear(false);
  store<u32>(heads, load<u32>(heads, 4));
  store<u32>(counts, load<u32>(counts, 4));
  store<u32>(heads, 0, 4);
  store<u32>(counts, 0, 4);
}
