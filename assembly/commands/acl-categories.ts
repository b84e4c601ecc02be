/** ACL categories as sets of command ids, and their names. */
import { ACL_BITMAP_BYTES, ACL_BITS } from '../clients/acl-selector';
import { CATEGORY_COUNT, CATEGORY_NAMES, CMD_COUNT } from './generated/ids';
import { cmdCategories, cmdHasSubcommands, cmdParent } from './generated/table';

if (CMD_COUNT > ACL_BITS) ERROR('more commands than a selector has bits for');

/** Per category: the commands in it. */
const members = memory.data(CATEGORY_COUNT * 128, 8);
/** Per category: what a rule about it changes, all subcommands of its containers included. */
const reaches = memory.data(CATEGORY_COUNT * 128, 8);
let areKnown = false;

// @ts-ignore: decorator
@inline function setBit(bitmap: usize, id: i32): void {
  const at = bitmap + (<usize>id >>> 3);
  store<u8>(at, <u8>(<u32>load<u8>(at) | (1 << (id & 7))));
}

function learn(): void {
  areKnown = true;
  for (let id = 0; id < CMD_COUNT; id++) {
    const parent = cmdParent(id);
    const direct = cmdCategories(id);
    const reached = direct | (parent < 0 ? 0 : cmdCategories(parent));
    for (let n = 0; n < CATEGORY_COUNT; n++) {
      const off = <usize>n * ACL_BITMAP_BYTES;
      if (direct & (1 << n)) setBit(members + off, id);
      if (reached & (1 << n)) setBit(reaches + off, id);
    }
  }
}

/** Bitmap of the commands in category number `n`. */
export function categoryMembers(n: i32): usize {
  if (!areKnown) learn();
  return members + <usize>n * ACL_BITMAP_BYTES;
}

/** Bitmap of the commands a rule about category number `n` allows or forbids. */
export function categoryReach(n: i32): usize {
  if (!areKnown) learn();
  return reaches + <usize>n * ACL_BITMAP_BYTES;
}

/** Where the last name looked at begins in CATEGORY_NAMES, and its length. */
let nameOff: u32 = 0;
let nameLen: u32 = 0;

// @ts-ignore: decorator
@inline function charAt(i: u32): u32 {
  return load<u8>(changetype<usize>(CATEGORY_NAMES) + (<usize>i << 1));
}

/** Moves on to the name that begins at `from`. */
function nameAt(from: u32): void {
  const end = <u32>CATEGORY_NAMES.length;
  let to = from;
  while (to < end && charAt(to) != 32) to++;
  nameOff = from;
  nameLen = to - from;
}

function isName(ptr: usize, len: u32): bool {
  if (len != nameLen) return false;
  for (let i: u32 = 0; i < len; i++) {
    let c: u32 = load<u8>(ptr + i);
    if (c - 65 < 26) c |= 32;
    if (c != charAt(nameOff + i)) return false;
  }
  return true;
}

/** Number of the category with this name in any case, -1 = none. */
export function categoryFind(ptr: usize, len: u32): i32 {
  nameAt(0);
  for (let n = 0; n < CATEGORY_COUNT; n++) {
    if (isName(ptr, len)) return n;
    nameAt(nameOff + nameLen + 1);
  }
  return -1;
}

/** Writes the name of category `n` to `to` (no more than 24 bytes) and returns its length. */
export function categoryName(n: i32, to: usize): u32 {
  nameAt(0);
  while (n-- > 0) nameAt(nameOff + nameLen + 1);
  for (let i: u32 = 0; i < nameLen; i++) store<u8>(to + i, <u8>charAt(nameOff + i));
  return nameLen;
}

/** Whether a rule about a command changes this one too: itself, or a subcommand of it. */
export function isCommandOf(id: i32, command: i32): bool {
  return id == command || (cmdHasSubcommands(command) && cmdParent(id) == command);
}
