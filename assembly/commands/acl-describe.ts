/**
 * A user's rules as text, in the form that ACL LIST and the ACL file have.
 *
 * Redis: the rules of commands are not remembered as they were said. What is shown is found anew
 * from the set of allowed commands: starting from none (or, if +@all was said, from all), the
 * category that brings the set nearest is taken, as long as one has more commands that are right
 * than wrong; then come single commands. Redis names those in the order of a hash table, we in
 * that of the command table.
 */
import { textAdd, textAddByte, textAddBytes } from '../base/text';
import { blobLen, blobPtr } from '../base/blob';
import { nodeLen, nodeNext, nodePtr, nodeTag } from '../clients/acl-list';
import {
  ACL_BITMAP_BYTES,
  ACL_READ,
  ACL_WRITE,
  Selector,
  SELECTOR_ALL_CHANNELS,
  SELECTOR_ALL_KEYS,
  SELECTOR_SUBTRACTIVE,
  selectorAt,
  selectorBits,
  selectorHasBit,
} from '../clients/acl-selector';
import {
  rootSelector,
  User,
  USER_NOPASS,
  USER_ON,
  USER_SANITIZE,
  USER_SKIP_SANITIZE,
  userPassword,
} from '../clients/acl-user';
import { SHA256_BYTES } from '../base/sha256';
import { categoryMembers, categoryName, categoryReach, isCommandOf } from './acl-categories';
import { CATEGORY_COUNT, CMD_COUNT } from './generated/ids';
import { cmdHasSubcommands, cmdNameLen, cmdNamePtr } from './generated/table';

// ---- passwords and patterns

/** The n-th password of a user as 64 hex digits. */
export function textAddPassword(u: User, n: u32): void {
  const at = userPassword(u, n);
  for (let i: u32 = 0; i < SHA256_BYTES; i++) {
    const byte: u32 = load<u8>(at + i);
    textAddByte(hexDigit(byte >> 4));
    textAddByte(hexDigit(byte & 15));
  }
}

function hexDigit(value: u32): u32 {
  return value < 10 ? 48 + value : 87 + value;
}

/** Key patterns as rules, each with a space behind it but the last. */
export function textAddKeys(s: Selector): void {
  if (s.flags & SELECTOR_ALL_KEYS) textAdd('~*');
  for (let node: usize = s.keys; node != 0; node = nodeNext(node)) {
    if (nodeTag(node) == ACL_READ) textAdd('%R');
    else if (nodeTag(node) == ACL_WRITE) textAdd('%W');
    textAddByte(126);
    textAddBytes(nodePtr(node), nodeLen(node));
    if (nodeNext(node) != 0) textAddByte(32);
  }
}

/** The same for channel patterns. */
export function textAddChannels(s: Selector): void {
  if (s.flags & SELECTOR_ALL_CHANNELS) textAdd('&*');
  for (let node: usize = s.channels; node != 0; node = nodeNext(node)) {
    textAddByte(38);
    textAddBytes(nodePtr(node), nodeLen(node));
    if (nodeNext(node) != 0) textAddByte(32);
  }
}

// ---- commands

/** What the rules written so far allow. */
const told = memory.data(128, 8);
/** What is left to be told: bits still to be allowed, or (subtractive) those not forbidden. */
const left = memory.data(128, 8);
/** Categories taken. */
let taken: u32 = 0;
const nameScratch = memory.data(32, 8);

// @ts-ignore: decorator
@inline function hasBit(bitmap: usize, id: i32): bool {
  return (load<u8>(bitmap + (<usize>id >>> 3)) & (1 << (id & 7))) != 0;
}

function setBit(bitmap: usize, id: i32, on: bool): void {
  const at = bitmap + (<usize>id >>> 3);
  const byte: u32 = load<u8>(at);
  const bit: u32 = 1 << (id & 7);
  store<u8>(at, <u8>(on ? byte | bit : byte & ~bit));
}

/** Sets or clears the bits of a mask. */
function setMask(bitmap: usize, mask: usize, on: bool): void {
  for (let i: usize = 0; i < ACL_BITMAP_BYTES; i += 8) {
    const word = load<u64>(bitmap + i);
    const bits = load<u64>(mask + i);
    store<u64>(bitmap + i, on ? word | bits : word & ~bits);
  }
}

/**
 * The category that is most worth being told next, -1 = none is: fewest commands it would get
 * wrong, then most it would get right.
 */
function bestCategory(additive: bool): i32 {
  let best = -1;
  let bestWrong: u32 = u32.MAX_VALUE;
  let bestRight: u32 = 0;
  for (let n = 0; n < CATEGORY_COUNT; n++) {
    if (taken & (1 << n)) continue;
    const members = categoryMembers(n);
    let on: u32 = 0;
    let off: u32 = 0;
    for (let i: usize = 0; i < ACL_BITMAP_BYTES; i += 8) {
      const mask = load<u64>(members + i);
      on += <u32>popcnt<u64>(mask & load<u64>(left + i));
      off += <u32>popcnt<u64>(mask & ~load<u64>(left + i));
    }
    const wrong = additive ? off : on;
    const right = additive ? on : off;
    if (right <= wrong || wrong > bestWrong) continue;
    if (wrong == bestWrong && right <= bestRight) continue;
    best = n;
    bestWrong = wrong;
    bestRight = right;
  }
  return best;
}

/** " +command|argument" for each first argument that allows a command forbidden otherwise. */
function addFirstArgs(s: Selector, id: i32): void {
  for (let node: usize = s.firstArgs; node != 0; node = nodeNext(node)) {
    if (nodeTag(node) != <u32>id) continue;
    textAdd(' +');
    textAddBytes(cmdNamePtr(id), cmdNameLen(id));
    textAddByte(124);
    textAddBytes(nodePtr(node), nodeLen(node));
  }
}

function tellSubcommands(container: i32, allowed: bool): void {
  for (let id = 0; id < CMD_COUNT; id++) {
    if (isCommandOf(id, container)) setBit(told, id, allowed);
  }
}

/** What categories did not get right, command by command; containers before their subcommands. */
function addCommand(s: Selector, id: i32): void {
  const allowed = selectorHasBit(s, id);
  if (allowed != hasBit(told, id)) {
    textAdd(allowed ? ' +' : ' -');
    textAddBytes(cmdNamePtr(id), cmdNameLen(id));
    if (cmdHasSubcommands(id)) tellSubcommands(id, allowed);
    else setBit(told, id, allowed);
  }
  if (!allowed && s.firstArgs != 0) addFirstArgs(s, id);
}

/** The rules of a selector's commands, without a space at either end. */
export function textAddCommands(s: Selector): void {
  const additive = (s.flags & SELECTOR_SUBTRACTIVE) == 0;
  textAdd(additive ? '-@all' : '+@all');
  memory.fill(told, additive ? 0 : 255, ACL_BITMAP_BYTES);
  memory.copy(left, selectorBits(s), ACL_BITMAP_BYTES);
  taken = 0;
  for (let best = bestCategory(additive); best >= 0; best = bestCategory(additive)) {
    taken |= 1 << best;
    textAdd(additive ? ' +@' : ' -@');
    textAddBytes(nameScratch, categoryName(best, nameScratch));
    setMask(told, categoryReach(best), additive);
    setMask(left, categoryReach(best), !additive);
  }
  // Ids are in the order of names, where a container comes before its subcommands.
  for (let id = 0; id < CMD_COUNT; id++) addCommand(s, id);
}

// ---- all of it

function addSelector(s: Selector): void {
  textAddKeys(s);
  if (s.flags & SELECTOR_ALL_KEYS || s.keys != 0) textAddByte(32);
  if ((s.flags & SELECTOR_ALL_CHANNELS) == 0) textAdd('resetchannels ');
  textAddChannels(s);
  if (s.flags & SELECTOR_ALL_CHANNELS || s.channels != 0) textAddByte(32);
  textAddCommands(s);
}

/** "user NAME RULES", as a line of the ACL file without its end. */
export function textAddUser(u: User): void {
  textAdd('user ');
  textAddBytes(blobPtr(u.name), blobLen(u.name));
  textAdd(u.flags & USER_ON ? ' on ' : ' off ');
  if (u.flags & USER_NOPASS) textAdd('nopass ');
  if (u.flags & USER_SKIP_SANITIZE) textAdd('skip-sanitize-payload ');
  if (u.flags & USER_SANITIZE) textAdd('sanitize-payload ');
  for (let n: u32 = 0; n < u.passwordCount; n++) {
    textAddByte(35);
    textAddPassword(u, n);
    textAddByte(32);
  }
  addSelector(rootSelector(u));
  for (let s: usize = rootSelector(u).next; s != 0; s = selectorAt(s).next) {
    textAdd(' (');
    addSelector(selectorAt(s));
    textAddByte(41);
  }
}
