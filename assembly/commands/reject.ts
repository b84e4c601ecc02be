/** Commands that are refused before they run, in Redis' words. */
import {
  client,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_DIRTY_EXEC,
  CLIENT_MASTER,
  CLIENT_MULTI,
  clientDiscard,
} from '../clients/client';
import { countApplyError } from '../keyspace/state';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { errorBegin, errorBytes, errorEnd, errorText, replyError } from '../resp/reply';
import { errorDenied } from './acl-check';
import { OOM, replyOom } from '../resp/errors';
import { countRejected } from './command-stats';
import { CMD_EXEC } from './generated/ids';
import { cmdNameLen, cmdNamePtr } from './generated/table';
import { reportApplyProblem } from './host-call';

/** A command of the master's stream was not applied: this copy has diverged. */
export function applyProblem(id: i32): void {
  countApplyError();
  reportApplyProblem(id);
}

function flagTransaction(): void {
  if (client.flags & CLIENT_MULTI) client.flags |= CLIENT_DIRTY_EXEC;
}

/** Answers with an error instead of running the command. */
export function reject(id: i32, text: string): void {
  countRejected(id);
  flagTransaction();
  if (id == CMD_EXEC) {
    clientDiscard(client);
    errorBegin('EXECABORT Transaction discarded because of: ');
    errorText(text);
    errorEnd();
  } else {
    replyError(text);
  }
  if (client.flags & CLIENT_MASTER) applyProblem(id);
}

/** A client with subscriptions in RESP2 said what does not go with them. */
export function rejectSubscriber(id: i32): void {
  countRejected(id);
  flagTransaction();
  if (id == CMD_EXEC) {
    clientDiscard(client);
    errorBegin("EXECABORT Transaction discarded because of: Can't execute '");
  } else {
    errorBegin("ERR Can't execute '");
  }
  errorBytes(cmdNamePtr(id), cmdNameLen(id), 128);
  errorText("': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this ");
  errorText('context');
  errorEnd();
}

/** Answers that the client's user may not run the command: a result of acl-check.ts. */
export function rejectDenied(result: i32, id: i32): void {
  countRejected(id);
  flagTransaction();
  if (id == CMD_EXEC) {
    clientDiscard(client);
    errorBegin('EXECABORT Transaction discarded because of: ');
    errorText('NOPERM this user has no permissions to ');
  } else {
    errorBegin('NOPERM this user has no permissions to ');
  }
  errorDenied(result, id);
  errorEnd();
}

/** No memory for the command, as far as it is known (`id` below 0: not even its name). */
export function rejectOom(id: i32): void {
  if (id >= 0) {
    reject(id, OOM);
    return;
  }
  flagTransaction();
  replyOom();
}

export function rejectUnknown(): void {
  // Redis: what a browser was tricked into sending ends the connection without a word.
  if (argIs(0, 'post') || argIs(0, 'host:')) {
    client.flags |= CLIENT_CLOSE_AFTER_REPLY;
    return;
  }
  flagTransaction();
  errorBegin("ERR unknown command '");
  errorBytes(argPtr(0), argLen(0), 128);
  errorText("', with args beginning with: ");
  let left: u32 = 128;
  for (let i: u32 = 1; i < argc && left > 0; i++) {
    const shown = min(argLen(i), left);
    errorText("'");
    errorBytes(argPtr(i), shown, shown);
    errorText("' ");
    left -= min(left, shown + 3);
  }
  errorEnd();
  if (client.flags & CLIENT_MASTER) applyProblem(-1);
}

/** A subcommand that counts its arguments itself, in Redis' words for it. */
export function replySubcommandSyntax(id: i32): void {
  errorBegin("ERR unknown subcommand or wrong number of arguments for '");
  errorBytes(argPtr(1), argLen(1), 128);
  errorText("'. Try ");
  errorUpper(cmdNamePtr(id), cmdNameLen(id));
  errorText(' HELP.');
  errorEnd();
}

export function rejectSubcommand(parent: i32): void {
  flagTransaction();
  errorBegin("ERR unknown subcommand '");
  errorBytes(argPtr(1), argLen(1), 128);
  errorText("'. Try ");
  errorUpper(cmdNamePtr(parent), cmdNameLen(parent));
  errorText(' HELP.');
  errorEnd();
  if (client.flags & CLIENT_MASTER) applyProblem(-1);
}

const upperScratch = memory.data(64);
function errorUpper(ptr: usize, len: u32): void {
  for (let i: u32 = 0; i < len; i++) {
    const c: u32 = load<u8>(ptr + i);
    store<u8>(upperScratch + i, <u8>(c - 97 < 26 ? c - 32 : c));
  }
  errorBytes(upperScratch, len, len);
}

/** -ERR wrong number of arguments for 'name' command; also for commands that count themselves. */
export function replyWrongArity(id: i32): void {
  errorBegin("ERR wrong number of arguments for '");
  errorBytes(cmdNamePtr(id), cmdNameLen(id), 128);
  errorText("' command");
  errorEnd();
}

export function rejectArity(id: i32): void {
  countRejected(id);
  flagTransaction();
  if (id == CMD_EXEC) {
    clientDiscard(client);
    errorBegin("EXECABORT Transaction discarded because of: wrong number of arguments for 'exec'");
    errorText(' command');
    errorEnd();
  } else {
    replyWrongArity(id);
  }
  if (client.flags & CLIENT_MASTER) applyProblem(id);
}
