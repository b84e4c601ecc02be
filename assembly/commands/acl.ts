/**
 * ACL SETUSER GETUSER DELUSER LIST USERS WHOAMI CAT LOG DRYRUN HELP. GENPASS, LOAD and SAVE are the
 * host's (randomness, files); what LOAD and SAVE need of the core is acl-file.ts.
 */
import { blobLen, blobPtr } from '../base/blob';
import { equalsLiteral } from '../base/literal';
import { llValue, string2ll } from '../base/numbers/integers';
import {
  textAdd,
  textAddBytes,
  textBegin,
  textFailed,
  textLen,
  textPtr,
} from '../base/text';
import { userCommit, userDelete } from '../clients/acl';
import { Selector, selectorAt } from '../clients/acl-selector';
import {
  rootSelector,
  User,
  USER_NOPASS,
  USER_ON,
  USER_SANITIZE,
  USER_SKIP_SANITIZE,
  userAt,
  userCopy,
  userFind,
  userFree,
  userNew,
  users,
} from '../clients/acl-user';
import { client } from '../clients/client';
import { nowMs } from '../keyspace/state';
import { argc, argIs, argLen, argPtr, argv } from '../resp/args';
import { replyNotInteger, replyOom } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyBulkLiteral,
  replyDeferred,
  replyDeferredArrayEnd,
  replyDouble,
  replyError,
  replyInt,
  replyLines,
  replyMap,
  replyNull,
  replyOk,
  replySet,
} from '../resp/reply';
import { categoryFind, categoryMembers, categoryName } from './acl-categories';
import {
  ACL_DENIED_COMMAND,
  ACL_DENIED_KEY,
  ACL_OK,
  ACL_OOM,
  aclCheck,
  aclDeniedArg,
} from './acl-check';
import {
  textAddChannels,
  textAddCommands,
  textAddKeys,
  textAddPassword,
  textAddUser,
} from './acl-describe';
import {
  aclLogClear,
  aclLogFirst,
  aclLogLength,
  CONTEXT_MULTI,
  CONTEXT_TOPLEVEL,
  LogEntry,
  REASON_CHANNEL,
  REASON_COMMAND,
  REASON_KEY,
} from './acl-log';
import {
  hasSpaces,
  RULE_OK,
  RULE_OOM,
  ruleLen,
  ruleProblem,
  rulePtr,
  rulesApply,
  rulesBegin,
  textLength,
} from './acl-rules';
import { CATEGORY_COUNT, CMD_COUNT } from './generated/ids';
import {
  cmdArityOk,
  cmdHasSubcommands,
  cmdNameLen,
  cmdNamePtr,
  lookupCommand,
  lookupSubcommand,
} from './generated/table';
import { replyWrongArity } from './reject';

/** Error texts show whole arguments. */
const WHOLE: u32 = u32.MAX_VALUE;

// ---- SETUSER, DELUSER

export function cmdAclSetuser(): void {
  if (hasSpaces(argPtr(2), argLen(2))) {
    replyError("ERR Usernames can't contain spaces or null characters");
    return;
  }
  const open = rulesBegin(3, argc);
  if (open != 0) {
    errorBegin("ERR Unmatched parenthesis in acl selector starting at '");
    errorBytes(argPtr(open), argLen(open), WHOLE);
    errorText("'.");
    errorEnd();
    return;
  }
  const known = userFind(users, argPtr(2), argLen(2));
  const isNew = changetype<usize>(known) == 0;
  const fresh = isNew ? userNew(argPtr(2), argLen(2)) : userCopy(known);
  if (changetype<usize>(fresh) == 0) {
    replyOom();
    return;
  }
  let result = rulesApply(fresh);
  if (result == RULE_OK && !userCommit(fresh)) result = RULE_OOM;
  if (result == RULE_OK) {
    replyOk();
    return;
  }
  userFree(fresh);
  replyRuleProblem(result);
}

function replyRuleProblem(result: i32): void {
  if (result == RULE_OOM) {
    replyOom();
    return;
  }
  errorBegin("ERR Error in ACL SETUSER modifier '");
  errorBytes(rulePtr, ruleLen, WHOLE);
  errorText("': ");
  errorText(ruleProblem(result));
  errorEnd();
}

export function cmdAclDeluser(): void {
  for (let i: u32 = 2; i < argc; i++) {
    if (!equalsLiteral(argPtr(i), argLen(i), 'default')) continue;
    replyError("ERR The 'default' user cannot be removed");
    return;
  }
  let deleted: i64 = 0;
  for (let i: u32 = 2; i < argc; i++) {
    const u = userFind(users, argPtr(i), argLen(i));
    if (changetype<usize>(u) == 0) continue;
    userDelete(u);
    deleted++;
  }
  replyInt(deleted);
}

// ---- GETUSER, LIST, USERS, WHOAMI

/** The scratch text as a bulk string. */
function replyText(): void {
  if (textFailed) replyOom();
  else replyBulk(textPtr, textLen);
}

function replyFlags(u: User): void {
  replySet(1 + popcnt(u.flags & (USER_NOPASS | USER_SANITIZE | USER_SKIP_SANITIZE)));
  replyBulkLiteral(u.flags & USER_ON ? 'on' : 'off');
  if (u.flags & USER_NOPASS) replyBulkLiteral('nopass');
  if (u.flags & USER_SKIP_SANITIZE) replyBulkLiteral('skip-sanitize-payload');
  if (u.flags & USER_SANITIZE) replyBulkLiteral('sanitize-payload');
}

/** The three members every selector has. */
function replySelector(s: Selector): void {
  replyBulkLiteral('commands');
  textBegin();
  textAddCommands(s);
  replyText();
  replyBulkLiteral('keys');
  textBegin();
  textAddKeys(s);
  replyText();
  replyBulkLiteral('channels');
  textBegin();
  textAddChannels(s);
  replyText();
}

export function cmdAclGetuser(): void {
  const u = userFind(users, argPtr(2), argLen(2));
  if (changetype<usize>(u) == 0) {
    replyNull();
    return;
  }
  replyMap(6);
  replyBulkLiteral('flags');
  replyFlags(u);
  replyBulkLiteral('passwords');
  replyArray(u.passwordCount);
  for (let n: u32 = 0; n < u.passwordCount; n++) {
    textBegin();
    textAddPassword(u, n);
    replyText();
  }
  const root = rootSelector(u);
  replySelector(root);
  replyBulkLiteral('selectors');
  let more: u32 = 0;
  for (let s: usize = root.next; s != 0; s = selectorAt(s).next) more++;
  replyArray(more);
  for (let s: usize = root.next; s != 0; s = selectorAt(s).next) {
    replyMap(3);
    replySelector(selectorAt(s));
  }
}

export function cmdAclList(): void {
  replyArray(users.count);
  for (let i: u32 = 0; i < users.count; i++) {
    textBegin();
    textAddUser(userAt(users, i));
    replyText();
  }
}

export function cmdAclUsers(): void {
  replyArray(users.count);
  for (let i: u32 = 0; i < users.count; i++) {
    const name: usize = userAt(users, i).name;
    replyBulk(blobPtr(name), blobLen(name));
  }
}

export function cmdAclWhoami(): void {
  if (client.user == 0) {
    replyNull();
    return;
  }
  const name: usize = changetype<User>(<usize>client.user).name;
  replyBulk(blobPtr(name), blobLen(name));
}

// ---- CAT

const nameScratch = memory.data(32, 8);

function replyCategories(): void {
  replyArray(CATEGORY_COUNT);
  for (let n = 0; n < CATEGORY_COUNT; n++) replyBulk(nameScratch, categoryName(n, nameScratch));
}

export function cmdAclCat(): void {
  if (argc > 3) {
    replyWrongSubcommand();
    return;
  }
  if (argc == 2) {
    replyCategories();
    return;
  }
  const n = categoryFind(argPtr(2), argLen(2));
  if (n < 0) {
    errorBegin("ERR Unknown category '");
    errorBytes(argPtr(2), argLen(2), WHOLE);
    errorText("'");
    errorEnd();
    return;
  }
  const members = categoryMembers(n);
  const holder = replyDeferred();
  let count: u32 = 0;
  for (let id = 0; id < CMD_COUNT; id++) {
    if ((<u32>load<u8>(members + (<usize>id >>> 3)) & (1 << (id & 7))) == 0) continue;
    replyBulk(cmdNamePtr(id), cmdNameLen(id));
    count++;
  }
  replyDeferredArrayEnd(holder, count);
}

function replyWrongSubcommand(): void {
  errorBegin("ERR unknown subcommand or wrong number of arguments for '");
  errorBytes(argPtr(1), argLen(1), 128);
  errorText("'. Try ACL HELP.");
  errorEnd();
}

// ---- LOG

const LOG_COUNT_DEFAULT: u32 = 10;

export function cmdAclLog(): void {
  if (argc > 3) {
    replyWrongSubcommand();
    return;
  }
  let count: i64 = LOG_COUNT_DEFAULT;
  if (argc == 3) {
    if (argIs(2, 'reset')) {
      aclLogClear();
      replyOk();
      return;
    }
    if (!string2ll(argPtr(2), argLen(2))) {
      replyNotInteger();
      return;
    }
    count = max<i64>(llValue, 0);
  }
  count = min<i64>(count, aclLogLength());
  replyArray(count);
  for (let e = aclLogFirst(); count > 0; count--) {
    replyEntry(e);
    e = changetype<LogEntry>(<usize>e.next);
  }
}

function replyReason(reason: u32): void {
  if (reason == REASON_COMMAND) replyBulkLiteral('command');
  else if (reason == REASON_KEY) replyBulkLiteral('key');
  else replyBulkLiteral(reason == REASON_CHANNEL ? 'channel' : 'auth');
}

function replyContext(context: u32): void {
  if (context == CONTEXT_TOPLEVEL) replyBulkLiteral('toplevel');
  else replyBulkLiteral(context == CONTEXT_MULTI ? 'multi' : 'lua');
}

function replyBlob(label: string, blob: usize): void {
  replyBulkLiteral(label);
  replyBulk(blobPtr(blob), blobLen(blob));
}

/** The members of 7.2: 7.0 has all but the last three. */
function replyEntry(e: LogEntry): void {
  replyMap(10);
  replyBulkLiteral('count');
  replyInt(<i64>e.count);
  replyBulkLiteral('reason');
  replyReason(e.reason);
  replyBulkLiteral('context');
  replyContext(e.context);
  replyBlob('object', e.object);
  replyBlob('username', e.username);
  replyBulkLiteral('age-seconds');
  replyDouble(<f64>(nowMs - e.updatedMs) / 1000);
  replyBlob('client-info', e.info);
  replyBulkLiteral('entry-id');
  replyInt(<i64>e.id);
  replyBulkLiteral('timestamp-created');
  replyInt(e.createdMs);
  replyBulkLiteral('timestamp-last-updated');
  replyInt(e.updatedMs);
}

// ---- DRYRUN

/** Words of ACL DRYRUN before the command line in question. */
const SKIP: u32 = 3;

/** Id of the command line in question, below 0: answered with an error. */
function dryCommandOrReply(): i32 {
  let id = lookupCommand(argPtr(SKIP), argLen(SKIP));
  if (id >= 0 && cmdHasSubcommands(id) && argc > SKIP + 1) {
    id = lookupSubcommand(id, argPtr(SKIP + 1), argLen(SKIP + 1));
  }
  if (id < 0) {
    errorBegin("ERR Command '");
    errorBytes(argPtr(SKIP), argLen(SKIP), WHOLE);
    errorText("' not found");
    errorEnd();
    return -1;
  }
  if (cmdArityOk(id, <i32>(argc - SKIP))) return id;
  replyWrongArity(id);
  return -1;
}

export function cmdAclDryrun(): void {
  const u = userFind(users, argPtr(2), argLen(2));
  if (changetype<usize>(u) == 0) {
    errorBegin("ERR User '");
    errorBytes(argPtr(2), argLen(2), WHOLE);
    errorText("' not found");
    errorEnd();
    return;
  }
  const id = dryCommandOrReply();
  if (id < 0) return;
  const result = aclCheck(u, id, argc - SKIP, argv + (<usize>SKIP << 3));
  if (result == ACL_OK) replyOk();
  else if (result == ACL_OOM) replyOom();
  else replyDryDenied(result, id);
}

function replyDryDenied(result: i32, id: i32): void {
  textBegin();
  if (result == ACL_DENIED_COMMAND) {
    textAdd("This user has no permissions to run the '");
    textAddBytes(cmdNamePtr(id), cmdNameLen(id));
    textAdd("' command");
  } else {
    const at = SKIP + aclDeniedArg;
    textAdd("This user has no permissions to access the '");
    textAddBytes(argPtr(at), textLength(argPtr(at), argLen(at)));
    textAdd(result == ACL_DENIED_KEY ? "' key" : "' channel");
  }
  replyText();
}

const HELP: string = `ACL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CAT [<category>]
    List all commands that belong to <category>, or all command categories
    when no category is specified.
DELUSER <username> [<username> ...]
    Delete a list of users.
DRYRUN <username> <command> [<arg> ...]
    Returns whether the user can execute the given command without executing the command.
GETUSER <username>
    Get the user's details.
GENPASS [<bits>]
    Generate a secure 256-bit user password. The optional \`bits\` argument can
    be used to specify a different size.
LIST
    Show users details in config file format.
LOAD
    Reload users from the ACL file.
LOG [<count> | RESET]
    Show the ACL log entries.
SAVE
    Save the current config to the ACL file.
SETUSER <username> <attribute> [<attribute> ...]
    Create or modify a user with the specified attributes.
USERS
    List all the registered usernames.
WHOAMI
    Return the current connection username.
HELP
    Prints this help.`;

export function cmdAclHelp(): void {
  replyLines(HELP);
}
