/**
 * Users: a name, passwords, selectors; and the table of all users, in the order of their names.
 *
 *   passwords   SHA-256 digests, 32 bytes each, in the order they were added
 *   table       u32 addresses of users, sorted by name (bytes, shorter first)
 *
 * A user's address stays the same as long as it exists: clients point to it. Changes are made to a
 * copy and moved in when all of it worked (`userAssign`).
 */
import { alloc, free, realloc } from '../base/alloc';
import { blobLen, blobNew, blobPtr } from '../base/blob';
import { equalsLiteral, writeLiteral } from '../base/literal';
import { sha256, SHA256_BYTES } from '../base/sha256';
import {
  Selector,
  selectorAt,
  selectorCopy,
  selectorFree,
  selectorIsUnlimited,
  selectorNew,
  selectorSetAllCommands,
  SELECTOR_ALL_CHANNELS,
  SELECTOR_ALL_KEYS,
} from './acl-selector';

export const USER_ON: u32 = 1;
/** Any password will do. */
export const USER_NOPASS: u32 = 2;
/** Payloads of RESTORE are checked in full; said either way, or not at all. */
export const USER_SANITIZE: u32 = 4;
export const USER_SKIP_SANITIZE: u32 = 8;

@unmanaged
export class User {
  /** Blob. */
  name: u32;
  /** USER_*. */
  flags: u32;
  /** Block of digests, 0 = none. */
  passwords: u32;
  passwordCount: u32;
  /** The root selector, which has the others behind it. */
  selectors: u32;
}

@unmanaged
export class UserTable {
  list: u32;
  count: u32;
  cap: u32;
}

/** All users. */
export const users = changetype<UserTable>(memory.data(16, 8));
/** The user of clients that did not say who they are. */
export let defaultUser: User = changetype<User>(0);

// ---- one user

export function rootSelector(u: User): Selector {
  return selectorAt(u.selectors);
}

/** A user in no table that may do nothing, off; address 0 when memory ran out. */
export function userNew(name: usize, len: u32): User {
  const ptr = alloc(offsetof<User>());
  const none = changetype<User>(0);
  if (ptr == 0) return none;
  memory.fill(ptr, 0, offsetof<User>());
  const u = changetype<User>(ptr);
  u.name = <u32>blobNew(name, len);
  u.selectors = <u32>selectorNew();
  if (u.name != 0 && u.selectors != 0) return u;
  userFree(u);
  return none;
}

/** Frees what is behind a user's fields, but for the name. */
function empty(u: User): void {
  let s: usize = u.selectors;
  while (s != 0) {
    const next: usize = selectorAt(s).next;
    selectorFree(selectorAt(s));
    s = next;
  }
  free(u.passwords);
}

export function userFree(u: User): void {
  empty(u);
  free(u.name);
  free(changetype<usize>(u));
}

/** A copy in no table; address 0 when memory ran out. May grow memory. */
export function userCopy(from: User): User {
  const u = userNew(blobPtr(from.name), blobLen(from.name));
  if (changetype<usize>(u) == 0) return u;
  u.flags = from.flags;
  if (copyPasswords(u, from) && copySelectors(u, from)) return u;
  userFree(u);
  return changetype<User>(0);
}

function copyPasswords(to: User, from: User): bool {
  if (from.passwordCount == 0) return true;
  const bytes = <usize>from.passwordCount * SHA256_BYTES;
  const block = alloc(bytes);
  if (block == 0) return false;
  memory.copy(block, from.passwords, bytes);
  to.passwords = <u32>block;
  to.passwordCount = from.passwordCount;
  return true;
}

function copySelectors(to: User, from: User): bool {
  const root = selectorCopy(rootSelector(from));
  if (root == 0) return false;
  selectorFree(rootSelector(to));
  to.selectors = <u32>root;
  let last = root;
  for (let s: usize = rootSelector(from).next; s != 0; s = selectorAt(s).next) {
    const copy = selectorCopy(selectorAt(s));
    if (copy == 0) return false;
    selectorAt(last).next = <u32>copy;
    last = copy;
  }
  return true;
}

/** Gives `to` everything of `from` but the name, and frees `from`, which is in no table. */
export function userAssign(to: User, from: User): void {
  empty(to);
  to.flags = from.flags;
  to.passwords = from.passwords;
  to.passwordCount = from.passwordCount;
  to.selectors = from.selectors;
  free(from.name);
  free(changetype<usize>(from));
}

/** Adds a selector that allows nothing behind the others: its address, 0 without memory. */
export function userAddSelector(u: User, s: Selector): void {
  let last = rootSelector(u);
  while (last.next != 0) last = selectorAt(last.next);
  last.next = <u32>changetype<usize>(s);
}

/** Drops all selectors but the root. */
export function userClearSelectors(u: User): void {
  let s: usize = rootSelector(u).next;
  rootSelector(u).next = 0;
  while (s != 0) {
    const next: usize = selectorAt(s).next;
    selectorFree(selectorAt(s));
    s = next;
  }
}

/** Whether some selector allows everything there is, so that no command needs a check. */
export function userIsUnlimited(u: User): bool {
  for (let s: usize = u.selectors; s != 0; s = selectorAt(s).next) {
    if (selectorIsUnlimited(selectorAt(s))) return true;
  }
  return false;
}

export function userIs(u: User, name: string): bool {
  return equalsLiteral(blobPtr(u.name), blobLen(u.name), name);
}

// ---- passwords

const digest = memory.data(32, 8);

/** The n-th digest. */
export function userPassword(u: User, n: u32): usize {
  return <usize>u.passwords + <usize>n * SHA256_BYTES;
}

function findPassword(u: User, digest: usize): i32 {
  for (let n: u32 = 0; n < u.passwordCount; n++) {
    if (memory.compare(userPassword(u, n), digest, SHA256_BYTES) == 0) return <i32>n;
  }
  return -1;
}

/** Adds a digest once; the user needs a password from now on. False: out of memory. */
export function userAddPassword(u: User, digest: usize): bool {
  if (findPassword(u, digest) < 0) {
    const moved = realloc(u.passwords, (<usize>u.passwordCount + 1) * SHA256_BYTES);
    if (moved == 0) return false;
    u.passwords = <u32>moved;
    memory.copy(userPassword(u, u.passwordCount), digest, SHA256_BYTES);
    u.passwordCount++;
  }
  u.flags &= ~USER_NOPASS;
  return true;
}

/** False: there is no such password. */
export function userDropPassword(u: User, digest: usize): bool {
  const n = findPassword(u, digest);
  if (n < 0) return false;
  const at = userPassword(u, n);
  u.passwordCount--;
  memory.copy(at, at + SHA256_BYTES, <usize>(u.passwordCount - n) * SHA256_BYTES);
  return true;
}

export function userClearPasswords(u: User): void {
  free(u.passwords);
  u.passwords = 0;
  u.passwordCount = 0;
}

/**
 * Whether a user may log in with this password. The time it takes does not tell how much of a
 * password is right, nor which of several it is.
 */
export function userAccepts(u: User, ptr: usize, len: u32): bool {
  if ((u.flags & USER_ON) == 0) return false;
  if (u.flags & USER_NOPASS) return true;
  sha256(ptr, len, digest);
  let isKnown: u32 = 0;
  for (let n: u32 = 0; n < u.passwordCount; n++) {
    const at = userPassword(u, n);
    let diff: u64 = 0;
    for (let i: usize = 0; i < <usize>SHA256_BYTES; i += 8) {
      diff |= load<u64>(at + i) ^ load<u64>(digest + i);
    }
    isKnown |= diff == 0 ? 1 : 0;
  }
  return isKnown != 0;
}

// ---- the table

// @ts-ignore: decorator
@inline export function userAt(table: UserTable, index: u32): User {
  return changetype<User>(<usize>load<u32>(<usize>table.list + (<usize>index << 2)));
}

function compareName(u: User, ptr: usize, len: u32): i32 {
  const own = blobLen(u.name);
  const order = memory.compare(blobPtr(u.name), ptr, min(own, len));
  if (order != 0) return order;
  return own < len ? -1 : own > len ? 1 : 0;
}

let foundAt: u32 = 0;

/** Binary search: whether there is such a user; `foundAt` is where it is or would be. */
function search(table: UserTable, ptr: usize, len: u32): bool {
  let low: u32 = 0;
  let high = table.count;
  while (low < high) {
    const mid = (low + high) >>> 1;
    const order = compareName(userAt(table, mid), ptr, len);
    if (order == 0) {
      foundAt = mid;
      return true;
    }
    if (order < 0) low = mid + 1;
    else high = mid;
  }
  foundAt = low;
  return false;
}

/** The user of that name, address 0 = none. */
export function userFind(table: UserTable, ptr: usize, len: u32): User {
  return changetype<User>(search(table, ptr, len) ? changetype<usize>(userAt(table, foundAt)) : 0);
}

/** Enters a user whose name is not in the table. False: out of memory. */
export function userEnter(table: UserTable, u: User): bool {
  if (table.count == table.cap) {
    const cap = max<u32>(table.cap * 2, 8);
    const moved = realloc(table.list, <usize>cap << 2);
    if (moved == 0) return false;
    table.list = <u32>moved;
    table.cap = cap;
  }
  search(table, blobPtr(u.name), blobLen(u.name));
  const at = <usize>table.list + (<usize>foundAt << 2);
  memory.copy(at + 4, at, <usize>(table.count - foundAt) << 2);
  store<u32>(at, <u32>changetype<usize>(u));
  table.count++;
  return true;
}

/** Takes a user out of the table; it is not freed. */
export function userLeave(table: UserTable, u: User): void {
  if (!search(table, blobPtr(u.name), blobLen(u.name))) return;
  table.count--;
  const at = <usize>table.list + (<usize>foundAt << 2);
  memory.copy(at, at + 4, <usize>(table.count - foundAt) << 2);
}

/** Frees the users of a table and the table. */
export function usersFree(table: UserTable): void {
  for (let i: u32 = 0; i < table.count; i++) userFree(userAt(table, i));
  free(table.list);
  table.list = 0;
  table.count = 0;
  table.cap = 0;
}

/** A default user as a fresh server has it: on, without a password, may do everything. */
export function userNewDefault(): User {
  writeLiteral(digest, 'default');
  const u = userNew(digest, 7);
  if (changetype<usize>(u) == 0) return u;
  u.flags = USER_ON | USER_NOPASS;
  rootSelector(u).flags |= SELECTOR_ALL_KEYS | SELECTOR_ALL_CHANNELS;
  selectorSetAllCommands(rootSelector(u), true);
  return u;
}

/** Must be called first. False: no memory for the default user. */
export function usersInit(): bool {
  if (changetype<usize>(defaultUser) != 0) return true;
  const u = userNewDefault();
  if (changetype<usize>(u) == 0) return false;
  defaultUser = u;
  return userEnter(users, u);
}

/** Whether clients need not say who they are. */
export function accessIsOpen(): bool {
  const open = USER_ON | USER_NOPASS;
  return (defaultUser.flags & open) == open;
}
