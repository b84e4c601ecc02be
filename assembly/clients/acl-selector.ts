/**
 * Selectors: one set of permissions each - commands, keys, channels. A user has a root selector
 * and any number of further ones; what any of them allows in full is allowed.
 *
 *   selector   next, flags, three lists (acl-list.ts), then ACL_BITS bits: allowed commands by id
 *
 * Ids are those of the generated command table, subcommands included; a container has a bit of its
 * own that nothing looks at but the description of the rules. Which bits a rule sets is known in
 * commands/acl-rules.ts: names and categories are the command table's.
 */
import { alloc, free } from '../base/alloc';
import { globMatch } from '../base/glob';
import { aclListClear, aclListCopy, nodeLen, nodeNext, nodePtr, nodeTag } from './acl-list';

/** Permissions of a key pattern. */
export const ACL_READ: u32 = 1;
export const ACL_WRITE: u32 = 2;

export const SELECTOR_ALL_KEYS: u32 = 1;
export const SELECTOR_ALL_CHANNELS: u32 = 2;
/** Every command, those of later versions too, and none was taken away since. */
export const SELECTOR_ALL_COMMANDS: u32 = 4;
/** Every command was allowed once: rules are described as what was taken away from all. */
export const SELECTOR_SUBTRACTIVE: u32 = 8;

const EVERYTHING: u32 = SELECTOR_ALL_KEYS | SELECTOR_ALL_CHANNELS | SELECTOR_ALL_COMMANDS;

/** Room for command ids; test/unit checks that the table fits. */
export const ACL_BITS: i32 = 1024;
export const ACL_BITMAP_BYTES: usize = 128;

@unmanaged
export class Selector {
  /** Next selector of the user, 0 = none. */
  next: u32;
  /** SELECTOR_*. */
  flags: u32;
  /** Key patterns, tags ACL_READ and ACL_WRITE. */
  keys: u32;
  /** Channel patterns. */
  channels: u32;
  /** First arguments that allow an otherwise forbidden command; tag: its id. */
  firstArgs: u32;
  unused: u32;
}

/** acl-pubsub-default allchannels. */
let channelsByDefault: bool = false;

export function selectorSetDefault(allChannels: bool): void {
  channelsByDefault = allChannels;
}

/** SELECTOR_ALL_CHANNELS or nothing, as acl-pubsub-default says. */
export function selectorDefault(): u32 {
  return channelsByDefault ? SELECTOR_ALL_CHANNELS : 0;
}

// @ts-ignore: decorator
@inline export function selectorBits(s: Selector): usize {
  return changetype<usize>(s) + offsetof<Selector>();
}

// @ts-ignore: decorator
@inline export function keysList(s: Selector): usize {
  return changetype<usize>(s) + offsetof<Selector>('keys');
}

// @ts-ignore: decorator
@inline export function channelsList(s: Selector): usize {
  return changetype<usize>(s) + offsetof<Selector>('channels');
}

// @ts-ignore: decorator
@inline export function firstArgsList(s: Selector): usize {
  return changetype<usize>(s) + offsetof<Selector>('firstArgs');
}

/** The selector at an address; address 0 is none. */
// @ts-ignore: decorator
@inline export function selectorAt(ptr: usize): Selector {
  return changetype<Selector>(ptr);
}

/** A selector that allows nothing but what acl-pubsub-default does; 0 when memory ran out. */
export function selectorNew(): usize {
  const size = offsetof<Selector>() + ACL_BITMAP_BYTES;
  const ptr = alloc(size);
  if (ptr == 0) return 0;
  memory.fill(ptr, 0, size);
  selectorAt(ptr).flags = selectorDefault();
  return ptr;
}

export function selectorFree(s: Selector): void {
  aclListClear(keysList(s));
  aclListClear(channelsList(s));
  aclListClear(firstArgsList(s));
  free(changetype<usize>(s));
}

/** A copy, in no list; 0 when memory ran out. May grow memory. */
export function selectorCopy(from: Selector): usize {
  const ptr = selectorNew();
  if (ptr == 0) return 0;
  const to = selectorAt(ptr);
  to.flags = from.flags;
  memory.copy(selectorBits(to), selectorBits(from), ACL_BITMAP_BYTES);
  const isWhole =
    aclListCopy(keysList(to), keysList(from)) &&
    aclListCopy(channelsList(to), channelsList(from)) &&
    aclListCopy(firstArgsList(to), firstArgsList(from));
  if (isWhole) return ptr;
  selectorFree(to);
  return 0;
}

// ---- commands

// @ts-ignore: decorator
@inline export function selectorHasBit(s: Selector, id: i32): bool {
  return (load<u8>(selectorBits(s) + (<usize>id >>> 3)) & (1 << (id & 7))) != 0;
}

/** Allows or forbids one command id. */
export function selectorSetBit(s: Selector, id: i32, allowed: bool): void {
  const at = selectorBits(s) + (<usize>id >>> 3);
  const bit: u32 = 1 << (id & 7);
  const byte: u32 = load<u8>(at);
  store<u8>(at, <u8>(allowed ? byte | bit : byte & ~bit));
  if (!allowed) s.flags &= ~SELECTOR_ALL_COMMANDS;
}

/** +@all or -@all. */
export function selectorSetAllCommands(s: Selector, allowed: bool): void {
  memory.fill(selectorBits(s), allowed ? 255 : 0, ACL_BITMAP_BYTES);
  if (allowed) s.flags |= SELECTOR_ALL_COMMANDS | SELECTOR_SUBTRACTIVE;
  else s.flags &= ~(SELECTOR_ALL_COMMANDS | SELECTOR_SUBTRACTIVE);
  aclListClear(firstArgsList(s));
}

/** Whether nothing at all is forbidden. */
export function selectorIsUnlimited(s: Selector): bool {
  return (s.flags & EVERYTHING) == EVERYTHING;
}

// ---- keys and channels

/** Whether some key pattern with (at least) the wanted permissions matches the key. */
export function selectorHasKey(s: Selector, ptr: usize, len: u32, wanted: u32): bool {
  if (s.flags & SELECTOR_ALL_KEYS) return true;
  for (let node: usize = s.keys; node != 0; node = nodeNext(node)) {
    if ((nodeTag(node) & wanted) != wanted) continue;
    if (globMatch(nodePtr(node), nodeLen(node), ptr, len, false)) return true;
  }
  return false;
}

/** Whether every key may be used with the wanted permissions. */
export function selectorHasEveryKey(s: Selector, wanted: u32): bool {
  if (s.flags & SELECTOR_ALL_KEYS) return true;
  for (let node: usize = s.keys; node != 0; node = nodeNext(node)) {
    const isStar = nodeLen(node) == 1 && load<u8>(nodePtr(node)) == 42;
    if (isStar && (nodeTag(node) & wanted) == wanted) return true;
  }
  return false;
}

/** Whether the channel matches a channel pattern, or (a pattern itself) is one of them. */
export function selectorHasChannel(s: Selector, ptr: usize, len: u32, isPattern: bool): bool {
  if (s.flags & SELECTOR_ALL_CHANNELS) return true;
  for (let node: usize = s.channels; node != 0; node = nodeNext(node)) {
    if (isPattern) {
      if (nodeLen(node) == len && memory.compare(nodePtr(node), ptr, len) == 0) return true;
    } else if (globMatch(nodePtr(node), nodeLen(node), ptr, len, false)) {
      return true;
    }
  }
  return false;
}
