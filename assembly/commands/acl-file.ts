/**
 * Users in files: the ACL file as ACL LOAD reads and ACL SAVE writes it, and `user` lines of the
 * configuration. The host reads and writes the files; texts for it are left in base/text.ts.
 *
 *   user NAME RULE RULE …      one line a user, words separated by one space each
 */
import { alloc, free } from '../base/alloc';
import { equalsLiteral } from '../base/literal';
import {
  textAdd,
  textAddByte,
  textAddBytes,
  textAddInt,
  textBegin,
  textFailed,
} from '../base/text';
import { userCommit, usersReplace } from '../clients/acl';
import {
  defaultUser,
  User,
  USER_ON,
  userAt,
  userCopy,
  userEnter,
  userFind,
  userFree,
  userNew,
  users,
  usersFree,
  UserTable,
} from '../clients/acl-user';
import { argLen, argPtr, setArgs } from '../resp/args';
import { textAddUser } from './acl-describe';
import {
  hasSpaces,
  RULE_OK,
  RULE_OOM,
  RULE_UNKNOWN,
  ruleApply,
  ruleLen,
  ruleNext,
  ruleProblem,
  rulePtr,
  rulesApply,
  rulesBegin,
  rulesEnd,
  textLength,
  userReset,
} from './acl-rules';

/** Done; a user that was declared is on. */
export const FILE_OK: i32 = 0;
/** Done; the user that was declared is off. */
export const FILE_OFF: i32 = 1;
/** Nothing was done; the scratch text says why. */
export const FILE_WRONG: i32 = -1;
export const FILE_OOM: i32 = -2;

/** Writes all users to the scratch text as lines of the ACL file; false when memory ran out. */
export function aclWrite(): bool {
  textBegin();
  for (let i: u32 = 0; i < users.count; i++) {
    textAddUser(userAt(users, i));
    textAddByte(10);
  }
  return !textFailed;
}

// ---- reading the ACL file

/** Users read so far. */
const fresh = changetype<UserTable>(memory.data(16, 8));
let fileName: usize = 0;
let fileNameLen: u32 = 0;
let lineNumber: u32 = 0;
let isOom: bool = false;
let hasErrors: bool = false;

// @ts-ignore: decorator
@inline function isBlank(c: u32): bool {
  return c == 32 || c == 9 || c == 10 || c == 13;
}

/** Begins a message about the current line: "FILE:LINE" and a text. */
function lineError(text: string): void {
  hasErrors = true;
  textAddBytes(fileName, fileNameLen);
  textAddByte(58);
  textAddInt(lineNumber);
  textAdd(text);
}

/**
 * Replaces all users by those of an ACL file's text; `name` is what messages call the file. Nothing
 * changes unless every line is right. FILE_*. The arguments are gone afterwards. May grow memory.
 */
export function aclRead(ptr: usize, len: u32, name: usize, nameLen: u32): i32 {
  textBegin();
  fileName = name;
  fileNameLen = nameLen;
  lineNumber = 0;
  isOom = false;
  hasErrors = false;
  const end = ptr + len;
  while (!isOom && ptr <= end) {
    let to = ptr;
    while (to < end && load<u8>(to) != 10) to++;
    lineNumber++;
    readLine(ptr, to);
    ptr = to + 1;
  }
  if (hasErrors) {
    textAdd('WARNING: ACL errors detected, no change to the previously active ACL rules ');
    textAdd('was performed');
  }
  const isDone = !isOom && !hasErrors && usersReplace(fresh);
  if (!isDone) usersFree(fresh);
  if (isDone) return FILE_OK;
  return hasErrors && !isOom && !textFailed ? FILE_WRONG : FILE_OOM;
}

function readLine(p: usize, end: usize): void {
  while (p < end && isBlank(load<u8>(p))) p++;
  while (p < end && isBlank(load<u8>(end - 1))) end--;
  if (p == end) return;
  let count: u32 = 1;
  for (let at = p; at < end; at++) if (load<u8>(at) == 32) count++;
  const pairs = alloc(<usize>count << 3);
  if (pairs == 0) {
    isOom = true;
    return;
  }
  let pair = pairs;
  for (let at = p; ; at++) {
    if (at < end && load<u8>(at) != 32) continue;
    store<u32>(pair, <u32>p);
    store<u32>(pair, <u32>(at - p), 4);
    pair += 8;
    p = at + 1;
    if (at == end) break;
  }
  setArgs(count, pairs);
  readUser(count);
  setArgs(0, 0);
  free(pairs);
}

/** The user of the line in the arguments. */
function readUser(count: u32): void {
  if (count < 2 || !equalsLiteral(argPtr(0), argLen(0), 'user')) {
    lineError(' should start with user keyword followed by the username. ');
    return;
  }
  if (hasSpaces(argPtr(1), argLen(1))) {
    // Redis: with a quote in front that nothing closes.
    textAddByte(39);
    lineError(": username '");
    textAddBytes(argPtr(1), argLen(1));
    textAdd("' contains invalid characters. ");
    return;
  }
  if (changetype<usize>(userFind(fresh, argPtr(1), argLen(1))) != 0) {
    hasErrors = true;
    textAdd("WARNING: Duplicate user '");
    textAddBytes(argPtr(1), argLen(1));
    textAdd("' found on line ");
    textAddInt(lineNumber);
    textAdd('. ');
    return;
  }
  const u = userNew(argPtr(1), argLen(1));
  if (changetype<usize>(u) == 0) {
    isOom = true;
  } else if (!userEnter(fresh, u)) {
    userFree(u);
    isOom = true;
  } else {
    readRules(u, count);
  }
}

/**
 * The rules of the line in the arguments. Of those that are wrong Redis names every unknown
 * command, but of other mistakes only the first.
 */
function readRules(u: User, count: u32): void {
  if (rulesBegin(2, count) != 0) {
    lineError(': Unmatched parenthesis in selector definition. ');
    return;
  }
  let isFirst = true;
  while (ruleNext()) {
    let ptr = rulePtr;
    let len = ruleLen;
    for (; len > 0 && isLineBlank(load<u8>(ptr)); len--) ptr++;
    while (len > 0 && isLineBlank(load<u8>(ptr + len - 1))) len--;
    const result = ruleApply(u, ptr, len);
    if (result == RULE_OOM) isOom = true;
    if (result == RULE_UNKNOWN) {
      lineError(": Error in applying operation '");
      textAddBytes(ptr, textLength(ptr, len));
      textAdd("': ");
    } else if (result != RULE_OK && isFirst) {
      isFirst = false;
      lineError(': ');
    } else {
      continue;
    }
    textAdd(ruleProblem(result));
    textAdd('. ');
  }
  if (rulesEnd() != RULE_OK) isOom = true;
}

// @ts-ignore: decorator
@inline function isLineBlank(c: u32): bool {
  return c == 9 || c == 10 || c == 13;
}

// ---- `user` lines of the configuration

/**
 * A `user` line: its words from the name on, each as u32 length and bytes. The default user is set
 * back first. FILE_*. The arguments are gone afterwards. May grow memory.
 */
export function aclDeclare(ptr: usize, len: u32): i32 {
  const end = ptr + len;
  let count: u32 = 0;
  for (let p = ptr; p < end; p += 4 + load<u32>(p)) count++;
  const pairs = alloc(<usize>count << 3);
  if (pairs == 0) return FILE_OOM;
  for (let i: u32 = 0; i < count; i++) {
    const pair = pairs + (<usize>i << 3);
    const size = load<u32>(ptr);
    store<u32>(pair, <u32>ptr + 4);
    store<u32>(pair, size, 4);
    ptr += 4 + size;
  }
  setArgs(count, pairs);
  const result = declareUser(count);
  setArgs(0, 0);
  free(pairs);
  return result;
}

/** The same with the words in the arguments. */
function declareUser(count: u32): i32 {
  textBegin();
  if (count == 0 || hasSpaces(argPtr(0), argLen(0))) {
    textAdd('Spaces not allowed in ACL usernames');
    return FILE_WRONG;
  }
  const open = rulesBegin(1, count);
  if (open != 0) {
    textAdd("Error in user declaration '");
    textAddBytes(argPtr(0), argLen(0));
    textAdd("': Unmatched parenthesis in acl selector starting at '");
    textAddBytes(argPtr(open), argLen(open));
    textAddByte(39);
    return FILE_WRONG;
  }
  const isDefault = equalsLiteral(argPtr(0), argLen(0), 'default');
  const u = isDefault ? userCopy(defaultUser) : userNew(argPtr(0), argLen(0));
  if (changetype<usize>(u) == 0) return FILE_OOM;
  if (isDefault) userReset(u);
  let result = rulesApply(u);
  const isOn = (u.flags & USER_ON) != 0;
  if (result == RULE_OK && !userCommit(u)) result = RULE_OOM;
  if (result == RULE_OK) return isOn ? FILE_OK : FILE_OFF;
  userFree(u);
  if (result == RULE_OOM) return FILE_OOM;
  // Rules may hold passwords: only what cannot be one is shown.
  textAdd("Error in user declaration '");
  if (result == RULE_UNKNOWN) textAddBytes(rulePtr, ruleLen);
  else textAddBytes(argPtr(0), argLen(0));
  textAdd("': ");
  textAdd(ruleProblem(result));
  return FILE_WRONG;
}
