/**
 * ACL rules: what one word of ACL SETUSER, of a `user` line or of the ACL file does to a user.
 *
 * A rule is a byte string that ends at a NUL for all that follows C's conventions in Redis (names,
 * words); patterns must not contain one. Rules of a selector in parentheses may be spread over
 * several words; `rulesCheck` and `rulesApply` join them.
 */
import { alloc, free } from '../base/alloc';
import { sha256 } from '../base/sha256';
import { equalsNoCase } from '../base/literal';
import { isSpace, splitWord, wordEnd, wordStart } from '../base/words';
import {
  aclListAdd,
  aclListClear,
  aclListDropTag,
  aclListFind,
  nodeNext,
  nodeSetTag,
  nodeTag,
  nodePtr,
  nodeLen,
} from '../clients/acl-list';
import {
  ACL_BITMAP_BYTES,
  ACL_READ,
  ACL_WRITE,
  channelsList,
  firstArgsList,
  keysList,
  Selector,
  SELECTOR_ALL_CHANNELS,
  SELECTOR_ALL_COMMANDS,
  SELECTOR_ALL_KEYS,
  selectorAt,
  selectorBits,
  selectorDefault,
  selectorFree,
  selectorNew,
  selectorSetAllCommands,
  selectorSetBit,
} from '../clients/acl-selector';
import {
  rootSelector,
  User,
  USER_NOPASS,
  USER_ON,
  USER_SANITIZE,
  USER_SKIP_SANITIZE,
  userAddPassword,
  userAddSelector,
  userClearPasswords,
  userClearSelectors,
  userDropPassword,
} from '../clients/acl-user';
import { argLen, argPtr } from '../resp/args';
import { categoryFind, categoryReach, isCommandOf } from './acl-categories';
import { CMD_COUNT } from './generated/ids';
import {
  cmdHasSubcommands,
  cmdParent,
  lookupCommand,
  lookupSubcommand,
} from './generated/table';

/** What became of a rule; the texts are `ruleProblem`'s. */
export const RULE_OK: i32 = 0;
export const RULE_UNKNOWN: i32 = 1;
export const RULE_SYNTAX: i32 = 2;
export const RULE_AFTER_ALL_KEYS: i32 = 3;
export const RULE_AFTER_ALL_CHANNELS: i32 = 4;
export const RULE_NO_PASSWORD: i32 = 5;
export const RULE_BAD_HASH: i32 = 6;
export const RULE_DEEP: i32 = 7;
export const RULE_OOM: i32 = 8;

/** In Redis' words. */
export function ruleProblem(result: i32): string {
  switch (result) {
    case RULE_UNKNOWN:
      return 'Unknown command or category name in ACL';
    case RULE_AFTER_ALL_KEYS:
      return AFTER_ALL_KEYS;
    case RULE_AFTER_ALL_CHANNELS:
      return AFTER_ALL_CHANNELS;
    case RULE_NO_PASSWORD:
      return 'The password you are trying to remove from the user does not exist';
    case RULE_BAD_HASH:
      return BAD_HASH;
    case RULE_DEEP:
      return 'Allowing first-arg of a subcommand is not supported';
    case RULE_OOM:
      return 'out of memory';
    default:
      return 'Syntax error';
  }
}

const AFTER_ALL_KEYS: string = `Adding a pattern after the * pattern (or the \
'allkeys' flag) is not valid and does not have any effect. \
Try 'resetkeys' to start with an empty list of patterns`;
const AFTER_ALL_CHANNELS: string = `Adding a pattern after the * pattern (or the \
'allchannels' flag) is not valid and does not have any effect. \
Try 'resetchannels' to start with an empty list of channels`;
const BAD_HASH: string = `The password hash must be exactly 64 characters and \
contain only lowercase hexadecimal characters`;

// ---- words

/** Bytes before the first NUL. */
export function textLength(ptr: usize, len: u32): u32 {
  for (let i: u32 = 0; i < len; i++) if (load<u8>(ptr + i) == 0) return i;
  return len;
}

/** Whether there are spaces or NULs: not in names, not in patterns. */
export function hasSpaces(ptr: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i++) {
    const c: u32 = load<u8>(ptr + i);
    if (c == 0 || isSpace(c)) return true;
  }
  return false;
}

/** Where the last `|` is, or `len`. */
function lastBar(ptr: usize, len: u32): u32 {
  let i = len;
  while (i > 0) if (load<u8>(ptr + --i) == 124) return i;
  return len;
}

/** Id of `get`, `config`, `config|get`; -1 = unknown. */
function findCommand(ptr: usize, len: u32): i32 {
  const bar = lastBar(ptr, len);
  if (bar == len) return lookupCommand(ptr, len);
  const parent = lookupCommand(ptr, bar);
  if (parent < 0 || !cmdHasSubcommands(parent)) return -1;
  return lookupSubcommand(parent, ptr + bar + 1, len - bar - 1);
}

// ---- rules of a selector

/** Allows or forbids a command with its subcommands; first arguments said before are void. */
export function setCommand(s: Selector, id: i32, allowed: bool): void {
  aclListDropTag(firstArgsList(s), id);
  if (!cmdHasSubcommands(id)) {
    selectorSetBit(s, id, allowed);
    return;
  }
  for (let other = 0; other < CMD_COUNT; other++) {
    if (isCommandOf(other, id)) selectorSetBit(s, other, allowed);
  }
}

/** Allows or forbids the commands of a category. */
function setCategory(s: Selector, n: i32, allowed: bool): void {
  const reach = categoryReach(n);
  const bits = selectorBits(s);
  for (let i: usize = 0; i < ACL_BITMAP_BYTES; i += 8) {
    const word = load<u64>(bits + i);
    const mask = load<u64>(reach + i);
    store<u64>(bits + i, allowed ? word | mask : word & ~mask);
  }
  if (!allowed) s.flags &= ~SELECTOR_ALL_COMMANDS;
  for (let id = 0; s.firstArgs != 0 && id < CMD_COUNT; id++) {
    const isIn = (<u32>load<u8>(reach + (<usize>id >>> 3)) & (1 << (id & 7))) != 0;
    if (isIn) aclListDropTag(firstArgsList(s), id);
  }
}

/** +command, +container|subcommand, +command|first-argument; `len` as far as the first NUL. */
function allowCommand(s: Selector, ptr: usize, len: u32): i32 {
  const bar = lastBar(ptr, len);
  if (bar == len) {
    const id = lookupCommand(ptr, len);
    if (id < 0) return RULE_UNKNOWN;
    setCommand(s, id, true);
    return RULE_OK;
  }
  const id = findCommand(ptr, bar);
  if (id < 0) return RULE_UNKNOWN;
  if (cmdParent(id) >= 0) return RULE_DEEP;
  if (bar + 1 == len) return RULE_SYNTAX;
  const sub = ptr + bar + 1;
  const subLen = len - bar - 1;
  if (cmdHasSubcommands(id)) {
    const known = lookupSubcommand(id, sub, subLen);
    if (known < 0) return RULE_UNKNOWN;
    setCommand(s, known, true);
    return RULE_OK;
  }
  if (hasFirstArg(s, id, sub, subLen)) return RULE_OK;
  return aclListAdd(firstArgsList(s), id, sub, subLen) ? RULE_OK : RULE_OOM;
}

/** Whether a first argument allows a command that is forbidden otherwise; in any case. */
export function hasFirstArg(s: Selector, id: i32, ptr: usize, len: u32): bool {
  len = textLength(ptr, len);
  for (let node: usize = s.firstArgs; node != 0; node = nodeNext(node)) {
    if (nodeTag(node) == <u32>id && sameNoCase(nodePtr(node), nodeLen(node), ptr, len)) return true;
  }
  return false;
}

function sameNoCase(a: usize, aLen: u32, b: usize, bLen: u32): bool {
  if (aLen != bLen) return false;
  for (let i: u32 = 0; i < aLen; i++) {
    let x: u32 = load<u8>(a + i);
    let y: u32 = load<u8>(b + i);
    if (x - 65 < 26) x |= 32;
    if (y - 65 < 26) y |= 32;
    if (x != y) return false;
  }
  return true;
}

function forbidCommand(s: Selector, ptr: usize, len: u32): i32 {
  const id = findCommand(ptr, len);
  if (id < 0) return RULE_UNKNOWN;
  setCommand(s, id, false);
  return RULE_OK;
}

/** ~pattern, %R~pattern, %W~pattern, %RW~pattern. */
function addKeys(s: Selector, ptr: usize, len: u32): i32 {
  if (s.flags & SELECTOR_ALL_KEYS) return RULE_AFTER_ALL_KEYS;
  let wanted = ACL_READ | ACL_WRITE;
  let from: u32 = 1;
  if (load<u8>(ptr) == 37) {
    wanted = 0;
    for (; from < len; from++) {
      const c: u32 = <u32>load<u8>(ptr + from) | 32;
      const more: u32 = c == 114 ? ACL_READ : c == 119 ? ACL_WRITE : 0;
      if (more == 0 || wanted & more) break;
      wanted |= more;
    }
    // Redis: the tilde may be missing when nothing follows.
    if (from < len) {
      if (load<u8>(ptr + from) != 126 || wanted == 0) return RULE_SYNTAX;
      from++;
    }
    if (wanted == 0) return RULE_SYNTAX;
  }
  ptr += from;
  len -= from;
  if (hasSpaces(ptr, len)) return RULE_SYNTAX;
  const known = aclListFind(keysList(s), ptr, len);
  if (known != 0) nodeSetTag(known, nodeTag(known) | wanted);
  else if (!aclListAdd(keysList(s), wanted, ptr, len)) return RULE_OOM;
  return RULE_OK;
}

function addChannel(s: Selector, ptr: usize, len: u32): i32 {
  if (s.flags & SELECTOR_ALL_CHANNELS) return RULE_AFTER_ALL_CHANNELS;
  if (hasSpaces(ptr, len)) return RULE_SYNTAX;
  if (aclListFind(channelsList(s), ptr, len) != 0) return RULE_OK;
  return aclListAdd(channelsList(s), 0, ptr, len) ? RULE_OK : RULE_OOM;
}

/** A rule that is one fixed word; false: it is none of them. */
function applyWord(s: Selector, ptr: usize, len: u32): bool {
  if (equalsNoCase(ptr, len, 'allkeys') || equalsNoCase(ptr, len, '~*')) {
    s.flags |= SELECTOR_ALL_KEYS;
    aclListClear(keysList(s));
  } else if (equalsNoCase(ptr, len, 'resetkeys')) {
    s.flags &= ~SELECTOR_ALL_KEYS;
    aclListClear(keysList(s));
  } else if (equalsNoCase(ptr, len, 'allchannels') || equalsNoCase(ptr, len, '&*')) {
    s.flags |= SELECTOR_ALL_CHANNELS;
    aclListClear(channelsList(s));
  } else if (equalsNoCase(ptr, len, 'resetchannels')) {
    s.flags &= ~SELECTOR_ALL_CHANNELS;
    aclListClear(channelsList(s));
  } else if (equalsNoCase(ptr, len, 'allcommands') || equalsNoCase(ptr, len, '+@all')) {
    selectorSetAllCommands(s, true);
  } else if (equalsNoCase(ptr, len, 'nocommands') || equalsNoCase(ptr, len, '-@all')) {
    selectorSetAllCommands(s, false);
  } else {
    return false;
  }
  return true;
}

/** Applies one rule to a selector. May grow memory. */
function applyToSelector(s: Selector, ptr: usize, len: u32): i32 {
  const words = textLength(ptr, len);
  if (applyWord(s, ptr, words)) return RULE_OK;
  const first: u32 = words == 0 ? 0 : load<u8>(ptr);
  if (first == 126 || first == 37) return addKeys(s, ptr, len);
  if (first == 38) return addChannel(s, ptr + 1, len - 1);
  if (first != 43 && first != 45) return RULE_SYNTAX;
  const allowed = first == 43;
  if (words > 1 && load<u8>(ptr + 1) == 64) {
    const n = categoryFind(ptr + 2, words - 2);
    if (n < 0) return RULE_UNKNOWN;
    setCategory(s, n, allowed);
    return RULE_OK;
  }
  return allowed
    ? allowCommand(s, ptr + 1, words - 1)
    : forbidCommand(s, ptr + 1, words - 1);
}

// ---- rules of a user

const digest = memory.data(32, 8);

/** 64 hex digits to `digest`. */
function readHash(ptr: usize, len: u32): bool {
  if (len != 64) return false;
  for (let i: u32 = 0; i < 64; i += 2) {
    const high = hexValue(load<u8>(ptr + i));
    const low = hexValue(load<u8>(ptr + i + 1));
    if (high > 15 || low > 15) return false;
    store<u8>(digest + (i >> 1), <u8>(high * 16 + low));
  }
  return true;
}

function hexValue(c: u32): u32 {
  if (c - 48 < 10) return c - 48;
  return c - 97 < 6 ? c - 87 : 16;
}

/** >password, <password, #hash, !hash. */
function applyPassword(u: User, ptr: usize, len: u32): i32 {
  const first: u32 = load<u8>(ptr);
  if (first == 62 || first == 60) sha256(ptr + 1, len - 1, digest);
  else if (!readHash(ptr + 1, len - 1)) return RULE_BAD_HASH;
  if (first == 62 || first == 35) return userAddPassword(u, digest) ? RULE_OK : RULE_OOM;
  return userDropPassword(u, digest) ? RULE_OK : RULE_NO_PASSWORD;
}

/** A selector in parentheses, given with them. Redis: unbalanced quotes make it an empty one. */
function addSelector(u: User, ptr: usize, len: u32): i32 {
  const fresh = selectorNew();
  const copy = alloc(len);
  let result = RULE_OOM;
  if (fresh != 0 && copy != 0) {
    // The words are unquoted in the copy: the rule itself may be shown in an error.
    memory.copy(copy, ptr, len);
    result = RULE_OK;
    if (isBalanced(copy + 1, copy + len - 1)) {
      memory.copy(copy, ptr, len);
      result = applyWords(selectorAt(fresh), copy + 1, copy + len - 1);
    }
  }
  free(copy);
  if (result == RULE_OK) userAddSelector(u, selectorAt(fresh));
  else if (fresh != 0) selectorFree(selectorAt(fresh));
  return result;
}

/** Whether a text can be cut into words; it is overwritten. */
function isBalanced(p: usize, end: usize): bool {
  while (true) {
    p = wordStart(p, end);
    if (p == 0) return true;
    p = splitWord(p, end, p);
    if (p == 0) return false;
  }
}

/** Applies the rules of a selector's text, which is overwritten. */
function applyWords(s: Selector, p: usize, end: usize): i32 {
  while (true) {
    const word = wordStart(p, end);
    if (word == 0) return RULE_OK;
    p = splitWord(word, end, word);
    const result = applyToSelector(s, word, <u32>(wordEnd - word));
    if (result != RULE_OK) return result;
  }
}

/** Back to nothing: off, no passwords, no permissions. */
export function userReset(u: User): void {
  u.flags = USER_SANITIZE;
  userClearPasswords(u);
  userClearSelectors(u);
  const s = rootSelector(u);
  aclListClear(keysList(s));
  aclListClear(channelsList(s));
  s.flags = selectorDefault();
  selectorSetAllCommands(s, false);
}

/** A rule about the user that is one fixed word; false: it is none of them. */
function applyUserWord(u: User, ptr: usize, len: u32): bool {
  if (equalsNoCase(ptr, len, 'on')) {
    u.flags |= USER_ON;
  } else if (equalsNoCase(ptr, len, 'off')) {
    u.flags &= ~USER_ON;
  } else if (equalsNoCase(ptr, len, 'nopass')) {
    u.flags |= USER_NOPASS;
    userClearPasswords(u);
  } else if (equalsNoCase(ptr, len, 'resetpass')) {
    u.flags &= ~USER_NOPASS;
    userClearPasswords(u);
  } else if (equalsNoCase(ptr, len, 'sanitize-payload')) {
    u.flags = (u.flags & ~USER_SKIP_SANITIZE) | USER_SANITIZE;
  } else if (equalsNoCase(ptr, len, 'skip-sanitize-payload')) {
    u.flags = (u.flags & ~USER_SANITIZE) | USER_SKIP_SANITIZE;
  } else if (equalsNoCase(ptr, len, 'clearselectors')) {
    userClearSelectors(u);
  } else if (equalsNoCase(ptr, len, 'reset')) {
    userReset(u);
  } else {
    return false;
  }
  return true;
}

/**
 * Applies one rule; a selector is given whole. RULE_OK or what is wrong with it; after a failure
 * the user may have been changed in part. May grow memory.
 */
export function ruleApply(u: User, ptr: usize, len: u32): i32 {
  if (len == 0) return RULE_OK;
  if (applyUserWord(u, ptr, textLength(ptr, len))) return RULE_OK;
  const first: u32 = load<u8>(ptr);
  if (first == 62 || first == 60 || first == 35 || first == 33) return applyPassword(u, ptr, len);
  if (first == 40 && load<u8>(ptr + len - 1) == 41) return addSelector(u, ptr, len);
  return applyToSelector(rootSelector(u), ptr, len);
}

// ---- rules in the arguments

/** The rule `ruleNext` came to. */
export let rulePtr: usize = 0;
export let ruleLen: u32 = 0;
let ruleAt: u32 = 0;
let ruleEnd: u32 = 0;
/** Block for a rule put together from several arguments. */
let joined: usize = 0;
/** There was no memory for it. */
let isShort: bool = false;

function opensSelector(i: u32): bool {
  const len = argLen(i);
  if (len == 0 || load<u8>(argPtr(i)) != 40) return false;
  return load<u8>(argPtr(i) + len - 1) != 41;
}

function closesSelector(i: u32): bool {
  const len = argLen(i);
  return len != 0 && load<u8>(argPtr(i) + len - 1) == 41;
}

/** Where the selector begins that the last `closing` looked at. */
let openedAt: u32 = 0;

/**
 * The argument that closes what argument `i` opens, 0 = none does. Redis: what opens one meanwhile
 * begins it anew, and all between is forgotten.
 */
function closing(i: u32): u32 {
  openedAt = i;
  for (let n = i + 1; n < ruleEnd; n++) {
    if (closesSelector(n)) return n;
    if (opensSelector(n)) openedAt = n;
  }
  return 0;
}

/**
 * Starts going through the rules in the arguments [from, to): 0, or the argument that opens a
 * selector which nothing closes.
 */
export function rulesBegin(from: u32, to: u32): u32 {
  ruleAt = from;
  ruleEnd = to;
  isShort = false;
  for (let i = from; i < to; i++) {
    if (!opensSelector(i)) continue;
    const end = closing(i);
    if (end == 0) return openedAt;
    i = end;
  }
  return 0;
}

/** Puts the next rule in `rulePtr` and `ruleLen`; false when there is none, or no memory. */
export function ruleNext(): bool {
  free(joined);
  joined = 0;
  if (ruleAt >= ruleEnd) return false;
  const first = ruleAt++;
  rulePtr = argPtr(first);
  ruleLen = argLen(first);
  if (!opensSelector(first)) return true;
  const last = closing(first);
  ruleAt = last + 1;
  return join(openedAt, last);
}

/** Puts arguments together, with a space between them. Redis: each but the first ends at a NUL. */
function join(first: u32, last: u32): bool {
  let size: u64 = 0;
  for (let i = first; i <= last; i++) size += <u64>argLen(i) + 1;
  joined = size > u32.MAX_VALUE ? 0 : alloc(<usize>size);
  if (joined == 0) {
    isShort = true;
    return false;
  }
  memory.copy(joined, argPtr(first), argLen(first));
  let to = joined + argLen(first);
  for (let i = first + 1; i <= last; i++) {
    store<u8>(to++, 32);
    const len = textLength(argPtr(i), argLen(i));
    memory.copy(to, argPtr(i), len);
    to += len;
  }
  rulePtr = joined;
  ruleLen = <u32>(to - joined);
  return true;
}

/** Applies the rules `rulesBegin` started on, up to the first that is wrong. */
export function rulesApply(u: User): i32 {
  while (ruleNext()) {
    const result = ruleApply(u, rulePtr, ruleLen);
    if (result != RULE_OK) return result;
  }
  return rulesEnd();
}

/** After `ruleNext` said false: RULE_OK, or RULE_OOM when that was for want of memory. */
export function rulesEnd(): i32 {
  return isShort ? RULE_OOM : RULE_OK;
}
