/**
 * Users and connections: who a client is, and what becomes of clients when users change. The rules
 * themselves are acl-user.ts and acl-selector.ts; what a command needs is commands/acl-check.ts.
 */
import { blobLen, blobPtr } from '../base/blob';
import { itemKeyLen, itemKeyPtr } from '../hashtable/item';
import {
  firstSubscription,
  KIND_CHANNEL,
  KIND_PATTERN,
  KIND_SHARD,
  nextSubscription,
  subscribedTo,
} from '../keyspace/pubsub';
import { PUSH_PUBSUB, readyAdd } from '../resp/outbox';
import { aclListFind, nodeLen, nodeNext, nodePtr } from './acl-list';
import {
  channelsList,
  SELECTOR_ALL_CHANNELS,
  selectorAt,
  selectorHasChannel,
} from './acl-selector';
import {
  accessIsOpen,
  defaultUser,
  User,
  USER_NOPASS,
  userAccepts,
  userAddPassword,
  userAssign,
  userAt,
  userClearPasswords,
  userCopy,
  userEnter,
  userFind,
  userFree,
  userIs,
  userIsUnlimited,
  userLeave,
  userNewDefault,
  UserTable,
  users,
  usersFree,
} from './acl-user';
import { sha256 } from '../base/sha256';
import {
  Client,
  client,
  CLIENT_AUTHENTICATED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_LIMITED,
  clientAt,
  clientTop,
} from './client';

// ---- who a client is

/** Makes a client a user's; whether it is authenticated is another matter. */
export function clientSetUser(c: Client, u: User): void {
  c.user = <u32>changetype<usize>(u);
  if (userIsUnlimited(u)) c.flags &= ~CLIENT_LIMITED;
  else c.flags |= CLIENT_LIMITED;
}

/** As after connecting: the default user's, and authenticated if that needs no password. */
export function clientSetDefaultUser(c: Client): void {
  clientSetUser(c, defaultUser);
  if (accessIsOpen()) c.flags |= CLIENT_AUTHENTICATED;
  else c.flags &= ~CLIENT_AUTHENTICATED;
}

/** Logs the current client in; false when the pair is wrong and nothing has changed. */
export function clientLogin(name: usize, len: u32, pass: usize, passLen: u32): bool {
  const u = userFind(users, name, len);
  if (changetype<usize>(u) == 0 || !userAccepts(u, pass, passLen)) return false;
  clientSetUser(client, u);
  client.flags |= CLIENT_AUTHENTICATED;
  return true;
}

// ---- changes of users

/** Closes a client; the current one only after its reply. */
function drop(c: Client): void {
  clientSetUser(c, defaultUser);
  c.flags &= ~CLIENT_AUTHENTICATED;
  if (changetype<usize>(c) == changetype<usize>(client)) {
    c.flags |= CLIENT_CLOSE_AFTER_REPLY;
    return;
  }
  c.flags |= CLIENT_CLOSE_NOW;
  readyAdd(c);
}

/** Whether the channels of `before` are not all among those of `after`. */
function losesChannels(after: User, before: User): bool {
  for (let s: usize = after.selectors; s != 0; s = selectorAt(s).next) {
    if (selectorAt(s).flags & SELECTOR_ALL_CHANNELS) return false;
  }
  for (let s: usize = before.selectors; s != 0; s = selectorAt(s).next) {
    if (selectorAt(s).flags & SELECTOR_ALL_CHANNELS) return true;
    for (let node: usize = selectorAt(s).channels; node != 0; node = nodeNext(node)) {
      if (!hasChannelRule(after, nodePtr(node), nodeLen(node))) return true;
    }
  }
  return false;
}

function hasChannelRule(u: User, ptr: usize, len: u32): bool {
  for (let s: usize = u.selectors; s != 0; s = selectorAt(s).next) {
    if (aclListFind(channelsList(selectorAt(s)), ptr, len) != 0) return true;
  }
  return false;
}

function mayHear(u: User, ptr: usize, len: u32, isPattern: bool): bool {
  for (let s: usize = u.selectors; s != 0; s = selectorAt(s).next) {
    if (selectorHasChannel(selectorAt(s), ptr, len, isPattern)) return true;
  }
  return false;
}

/** Whether a client listens to something of a kind that a user may not hear. */
function hearsForbidden(c: Client, u: User, kind: u32): bool {
  for (let link = firstSubscription(c, kind); link != 0; link = nextSubscription(link)) {
    const channel = subscribedTo(link);
    const isPattern = kind == KIND_PATTERN;
    if (!mayHear(u, itemKeyPtr(channel), itemKeyLen(channel), isPattern)) return true;
  }
  return false;
}

/** Closes the clients of `before` that listen to what `after`, its next state, may not hear. */
function dropListeners(after: User, before: User): void {
  if (!losesChannels(after, before)) return;
  for (let h: u32 = 0; h < clientTop; h++) {
    const c = clientAt(h);
    if (changetype<usize>(c) == 0 || c.user != <u32>changetype<usize>(before)) continue;
    if ((c.push & PUSH_PUBSUB) == 0) continue;
    const isForbidden =
      hearsForbidden(c, after, KIND_PATTERN) ||
      hearsForbidden(c, after, KIND_CHANNEL) ||
      hearsForbidden(c, after, KIND_SHARD);
    if (isForbidden) drop(c);
  }
}

/** What a user's clients may do has changed. */
function refresh(u: User): void {
  for (let h: u32 = 0; h < clientTop; h++) {
    const c = clientAt(h);
    if (changetype<usize>(c) == 0 || c.user != <u32>changetype<usize>(u)) continue;
    clientSetUser(c, u);
  }
}

/**
 * Puts a changed copy in force: as the user of that name, or as a new one. `fresh` belongs to the
 * table then. False: out of memory, nothing has changed, `fresh` is the caller's.
 */
export function userCommit(fresh: User): bool {
  const known = userFind(users, blobPtr(fresh.name), blobLen(fresh.name));
  if (changetype<usize>(known) == 0) return userEnter(users, fresh);
  dropListeners(fresh, known);
  userAssign(known, fresh);
  refresh(known);
  return true;
}

/** Closes all clients of a user. */
function dropClients(u: User): void {
  for (let h: u32 = 0; h < clientTop; h++) {
    const c = clientAt(h);
    if (changetype<usize>(c) != 0 && c.user == <u32>changetype<usize>(u)) drop(c);
  }
}

/** Deletes a user other than the default one, and closes its clients. */
export function userDelete(u: User): void {
  userLeave(users, u);
  dropClients(u);
  userFree(u);
}

/**
 * Replaces all users by those of a table, which is empty afterwards; a default user is added if it
 * has none. Redis: clients of the default user stay as they are, all others are closed. False: out
 * of memory, nothing has changed.
 */
export function usersReplace(table: UserTable): bool {
  let fresh = userFind(table, blobPtr(defaultUser.name), blobLen(defaultUser.name));
  if (changetype<usize>(fresh) == 0) {
    fresh = userNewDefault();
    if (changetype<usize>(fresh) == 0) return false;
    if (!userEnter(table, fresh)) {
      userFree(fresh);
      return false;
    }
  }
  for (let i: u32 = 0; i < users.count; i++) {
    if (!userIs(userAt(users, i), 'default')) dropClients(userAt(users, i));
  }
  // The default user keeps its address.
  userLeave(users, defaultUser);
  userLeave(table, fresh);
  userAssign(defaultUser, fresh);
  usersFree(users);
  users.list = table.list;
  users.count = table.count;
  users.cap = table.cap;
  table.list = 0;
  table.count = 0;
  table.cap = 0;
  // There is room: `fresh` has just left it.
  userEnter(users, defaultUser);
  refresh(defaultUser);
  return true;
}

const digest = memory.data(32, 8);

/** requirepass: the one password of the default user, none with length 0. False: no memory. */
export function setDefaultPassword(ptr: usize, len: u32): bool {
  const fresh = userCopy(defaultUser);
  if (changetype<usize>(fresh) == 0) return false;
  userClearPasswords(fresh);
  fresh.flags &= ~USER_NOPASS;
  let isDone = true;
  if (len == 0) {
    fresh.flags |= USER_NOPASS;
  } else {
    sha256(ptr, len, digest);
    isDone = userAddPassword(fresh, digest);
  }
  if (isDone && userCommit(fresh)) return true;
  userFree(fresh);
  return false;
}
