/**
 * Whether a user may run a command line: the command itself, the keys and the channels in it; and
 * what is said and noted when not. Where the keys are is keyspecs.ts' knowledge.
 *
 * Clients whose user may do everything never get here (CLIENT_LIMITED is not set), nor do those
 * that are nobody's (a master's stream, calls of the process itself).
 */
import { blobLen, blobPtr } from '../base/blob';
import {
  ACL_READ,
  ACL_WRITE,
  Selector,
  SELECTOR_ALL_CHANNELS,
  SELECTOR_ALL_COMMANDS,
  SELECTOR_ALL_KEYS,
  selectorAt,
  selectorHasBit,
  selectorHasChannel,
  selectorHasEveryKey,
  selectorHasKey,
} from '../clients/acl-selector';
import { User } from '../clients/acl-user';
import { client, CLIENT_MULTI } from '../clients/client';
import { argc, argv } from '../resp/args';
import { replyOom } from '../resp/errors';
import { errorBegin, errorBytes, errorEnd, errorText } from '../resp/reply';
import {
  aclLogAdd,
  aclLogUser,
  CONTEXT_MULTI,
  CONTEXT_TOPLEVEL,
  REASON_CHANNEL,
  REASON_COMMAND,
  REASON_KEY,
} from './acl-log';
import { hasFirstArg } from './acl-rules';
import {
  CMD_PSUBSCRIBE,
  CMD_PUBLISH,
  CMD_SPUBLISH,
  CMD_SSUBSCRIBE,
  CMD_SUBSCRIBE,
  CMDFLAG_NO_AUTH,
  KEYFLAG_ACCESS,
  KEYFLAG_DELETE,
  KEYFLAG_INSERT,
  KEYFLAG_UPDATE,
} from './generated/ids';
import { cmdFlags, cmdHasKeys, cmdNameLen, cmdNamePtr } from './generated/table';
import { KEYS_OOM, keysOf, keysOfPtr } from './keyspecs';

/** Results of a check; of several selectors' the greatest counts. */
export const ACL_OK: i32 = 0;
export const ACL_DENIED_COMMAND: i32 = 1;
export const ACL_DENIED_KEY: i32 = 2;
export const ACL_DENIED_CHANNEL: i32 = 3;
/** There was no memory to find out. */
export const ACL_OOM: i32 = 4;

/** Index of the argument (a key, a channel) the last check failed at. */
export let aclDeniedArg: u32 = 0;

/** Keys of the line being checked, found when the first selector asks; -1 = not yet. */
let keyCount: i32 = -1;
let failedAt: u32 = 0;

// @ts-ignore: decorator
@inline function wordPtr(pairs: usize, index: u32): usize {
  return load<u32>(pairs + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline function wordLen(pairs: usize, index: u32): u32 {
  return load<u32>(pairs + (<usize>index << 3), 4);
}

function mayRun(s: Selector, id: i32, count: u32, pairs: usize): bool {
  if (s.flags & SELECTOR_ALL_COMMANDS || selectorHasBit(s, id)) return true;
  if (cmdFlags(id) & CMDFLAG_NO_AUTH) return true;
  if (s.firstArgs == 0 || count < 2) return false;
  return hasFirstArg(s, id, wordPtr(pairs, 1), wordLen(pairs, 1));
}

function permissionsOf(flags: u32): u32 {
  const writes = KEYFLAG_INSERT | KEYFLAG_DELETE | KEYFLAG_UPDATE;
  return (flags & KEYFLAG_ACCESS ? ACL_READ : 0) | (flags & writes ? ACL_WRITE : 0);
}

function checkKeys(s: Selector, id: i32, count: u32, pairs: usize): i32 {
  if (keyCount < 0) keyCount = keysOf(id, <i32>count, pairs);
  if (keyCount == KEYS_OOM) return ACL_OOM;
  for (let i = 0; i < keyCount; i++) {
    const key = keysOfPtr + (<usize>i << 3);
    const index = load<u32>(key);
    const wanted = permissionsOf(load<u32>(key, 4));
    if (selectorHasKey(s, wordPtr(pairs, index), wordLen(pairs, index), wanted)) continue;
    failedAt = index;
    return ACL_DENIED_KEY;
  }
  return ACL_OK;
}

/** How many arguments from 1 on are channels: all of SUBSCRIBE's, one of PUBLISH's. */
function channelsIn(id: i32, count: u32): u32 {
  if (id == CMD_PUBLISH || id == CMD_SPUBLISH) return 1;
  return id == CMD_SUBSCRIBE || id == CMD_PSUBSCRIBE || id == CMD_SSUBSCRIBE ? count - 1 : 0;
}

function checkChannels(s: Selector, id: i32, count: u32, pairs: usize): i32 {
  const last = channelsIn(id, count);
  for (let i: u32 = 1; i <= last; i++) {
    const isPattern = id == CMD_PSUBSCRIBE;
    if (selectorHasChannel(s, wordPtr(pairs, i), wordLen(pairs, i), isPattern)) continue;
    failedAt = i;
    return ACL_DENIED_CHANNEL;
  }
  return ACL_OK;
}

function checkSelector(s: Selector, id: i32, count: u32, pairs: usize): i32 {
  if (!mayRun(s, id, count, pairs)) return ACL_DENIED_COMMAND;
  if ((s.flags & SELECTOR_ALL_KEYS) == 0 && cmdHasKeys(id)) {
    const result = checkKeys(s, id, count, pairs);
    if (result != ACL_OK) return result;
  }
  return s.flags & SELECTOR_ALL_CHANNELS ? ACL_OK : checkChannels(s, id, count, pairs);
}

/**
 * Whether a user may run a line of `count` words at `pairs`, which is command `id` with a right
 * number of arguments. ACL_*; if not ACL_OK, `aclDeniedArg` tells at which argument it failed.
 */
export function aclCheck(u: User, id: i32, count: u32, pairs: usize): i32 {
  let worst = ACL_DENIED_COMMAND;
  aclDeniedArg = 0;
  keyCount = -1;
  for (let s: usize = u.selectors; s != 0; s = selectorAt(s).next) {
    failedAt = 0;
    const result = checkSelector(selectorAt(s), id, count, pairs);
    if (result == ACL_OK) return ACL_OK;
    if (result > worst || (result == worst && failedAt > aclDeniedArg)) {
      worst = result;
      aclDeniedArg = failedAt;
    }
  }
  return worst;
}

/**
 * Whether the current client may run the command in the arguments although it reads keys that are
 * not among them: it must be allowed to read every key (SORT with BY or GET).
 */
export function aclMayReadAnyKey(id: i32): bool {
  if (client.user == 0) return true;
  const u = changetype<User>(<usize>client.user);
  keyCount = -1;
  for (let s: usize = u.selectors; s != 0; s = selectorAt(s).next) {
    if (checkSelector(selectorAt(s), id, argc, argv) != ACL_OK) continue;
    if (selectorHasEveryKey(selectorAt(s), ACL_READ)) return true;
  }
  return false;
}

/** Checks the command in the arguments for the current client, whose user is limited. */
export function aclCheckCurrent(id: i32): i32 {
  return aclCheck(changetype<User>(<usize>client.user), id, argc, argv);
}

/** Notes in the log that the current client was refused the command in the arguments. */
export function aclNote(result: i32, id: i32, context: u32): void {
  const name: usize = changetype<User>(<usize>client.user).name;
  aclLogUser(blobPtr(name), blobLen(name));
  if (result == ACL_DENIED_COMMAND) {
    aclLogAdd(REASON_COMMAND, context, cmdNamePtr(id), cmdNameLen(id));
    return;
  }
  const reason = result == ACL_DENIED_KEY ? REASON_KEY : REASON_CHANNEL;
  aclLogAdd(reason, context, wordPtr(argv, aclDeniedArg), wordLen(argv, aclDeniedArg));
}

/** Where the current client's commands stand. */
export function aclContext(): u32 {
  return client.flags & CLIENT_MULTI ? CONTEXT_MULTI : CONTEXT_TOPLEVEL;
}

/** Adds what a user has no permissions to do, in Redis' words, to an error that was begun. */
export function errorDenied(result: i32, id: i32): void {
  if (result == ACL_DENIED_COMMAND) {
    errorText("run the '");
    errorBytes(cmdNamePtr(id), cmdNameLen(id), 128);
    errorText("' command");
    return;
  }
  errorText('access one of the ');
  errorText(result == ACL_DENIED_KEY ? 'keys' : 'channels');
  errorText(' used as arguments');
}

/** Refuses a queued command at EXEC, for rules that changed since it was queued. */
export function replyDeniedInExec(result: i32): void {
  if (result == ACL_OOM) {
    replyOom();
    return;
  }
  errorBegin('NOPERM ACLs rules changed between the moment the transaction was accumulated ');
  errorText('and the EXEC call. This command is no longer allowed for the following reason: ');
  if (result == ACL_DENIED_COMMAND) errorText('no permission to execute the command or subcommand');
  else if (result == ACL_DENIED_KEY) errorText('no permission to touch the specified keys');
  else errorText('no permission to access one of the channels used as arguments');
  errorEnd();
}
