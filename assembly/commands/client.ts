/** The CLIENT command. */
import { blobLen, blobPtr } from '../base/blob';
import { llValue, string2ll } from '../base/numbers/integers';
import { textBegin, textLen, textPtr } from '../base/text';
import { userFind, users } from '../clients/acl-user';
import {
  Client,
  client,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  CLIENT_NO_EVICT,
  CLIENT_NO_TOUCH,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP_NEXT,
  clientAt,
  clientId,
  clientTop,
} from '../clients/client';
import { clientSetLib, clientSetName } from '../clients/names';
import { setNoTouch } from '../keyspace/state';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { readyAdd } from '../resp/outbox';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyBulk,
  replyError,
  replyInt,
  replyLines,
  replyNull,
  replyOk,
  replyVerbatim,
} from '../resp/reply';
import { textAddClient } from './client-line';
import { applyMute } from './process';

const TYPE_ANY: i32 = -1;
const TYPE_NORMAL: i32 = 0;
const TYPE_REPLICA: i32 = 1;
const TYPE_PUBSUB: i32 = 2;
const TYPE_MASTER: i32 = 3;
const TYPE_BAD: i32 = -2;

function typeOf(c: Client): i32 {
  return c.flags & CLIENT_MASTER ? TYPE_MASTER : TYPE_NORMAL;
}

function typeArg(i: u32): i32 {
  if (argIs(i, 'normal')) return TYPE_NORMAL;
  if (argIs(i, 'slave') || argIs(i, 'replica')) return TYPE_REPLICA;
  if (argIs(i, 'pubsub')) return TYPE_PUBSUB;
  if (argIs(i, 'master')) return TYPE_MASTER;
  return TYPE_BAD;
}

function replyUnknownType(i: u32): void {
  errorBegin("ERR Unknown client type '");
  errorBytes(argPtr(i), argLen(i), 128);
  errorText("'");
  errorEnd();
}

// ---- CLIENT INFO, CLIENT LIST

export function cmdClientInfo(): void {
  textBegin();
  textAddClient(client);
  replyVerbatim(textPtr, textLen, 'txt');
}

/** Whether `c` is one of the ids in the arguments from `first` on. */
function isListed(c: Client, first: u32): bool {
  for (let i = first; i < argc; i++) {
    if (string2ll(argPtr(i), argLen(i)) && <u64>llValue == clientId(c)) return true;
  }
  return false;
}

/** Appends all clients of a type, or (`firstId` != 0) those with the ids from there on. */
function addClients(type: i32, firstId: u32): void {
  textBegin();
  for (let h: u32 = 0; h < clientTop; h++) {
    const c = clientAt(h);
    if (changetype<usize>(c) == 0 || c.flags & CLIENT_INTERNAL) continue;
    if (type != TYPE_ANY && typeOf(c) != type) continue;
    if (firstId == 0 || isListed(c, firstId)) textAddClient(c);
  }
}

export function cmdClientList(): void {
  let type = TYPE_ANY;
  let firstId: u32 = 0;
  if (argc == 4 && argIs(2, 'type')) {
    type = typeArg(3);
    if (type == TYPE_BAD) {
      replyUnknownType(3);
      return;
    }
  } else if (argc > 3 && argIs(2, 'id')) {
    firstId = 3;
    for (let i: u32 = 3; i < argc; i++) {
      if (string2ll(argPtr(i), argLen(i))) continue;
      replyError('ERR Invalid client ID');
      return;
    }
  } else if (argc != 2) {
    replyError('ERR syntax error');
    return;
  }
  addClients(type, firstId);
  replyVerbatim(textPtr, textLen, 'txt');
}

// ---- CLIENT KILL

let killId: i64 = 0;
let killAddr: u32 = 0;
let killLaddr: u32 = 0;
let killType: i32 = TYPE_ANY;
let killUser: usize = 0;
let killSkipMe: bool = true;

/** Reads one filter pair of the new form at `i`; false: answered with an error. */
function killFilter(i: u32): bool {
  if (argIs(i, 'id')) {
    if (!string2ll(argPtr(i + 1), argLen(i + 1)) || llValue < 1) {
      replyError('ERR client-id should be greater than 0');
      return false;
    }
    killId = llValue;
  } else if (argIs(i, 'type')) {
    killType = typeArg(i + 1);
    if (killType == TYPE_BAD) {
      replyUnknownType(i + 1);
      return false;
    }
  } else if (argIs(i, 'addr')) {
    killAddr = i + 1;
  } else if (argIs(i, 'laddr')) {
    killLaddr = i + 1;
  } else if (argIs(i, 'user')) {
    killUser = changetype<usize>(userFind(users, argPtr(i + 1), argLen(i + 1)));
    if (killUser == 0) {
      errorBegin("ERR No such user '");
      errorBytes(argPtr(i + 1), argLen(i + 1), 128);
      errorText("'");
      errorEnd();
      return false;
    }
  } else if (argIs(i, 'skipme') && (argIs(i + 1, 'yes') || argIs(i + 1, 'no'))) {
    killSkipMe = argIs(i + 1, 'yes');
  } else {
    replyError('ERR syntax error');
    return false;
  }
  return true;
}

function sameBlob(blob: usize, arg: u32): bool {
  if (blobLen(blob) != argLen(arg)) return false;
  return memory.compare(blobPtr(blob), argPtr(arg), argLen(arg)) == 0;
}

function isKillTarget(c: Client): bool {
  if (c.flags & CLIENT_INTERNAL) return false;
  if (killAddr != 0 && !sameBlob(c.addr, killAddr)) return false;
  if (killLaddr != 0 && !sameBlob(c.laddr, killLaddr)) return false;
  if (killType != TYPE_ANY && typeOf(c) != killType) return false;
  if (killUser != 0 && c.user != <u32>killUser) return false;
  if (killId != 0 && <u64>killId != clientId(c)) return false;
  return !(killSkipMe && changetype<usize>(c) == changetype<usize>(client));
}

/** Marks one client for closing; ourselves only after the reply. */
function kill(c: Client): void {
  if (changetype<usize>(c) == changetype<usize>(client)) {
    c.flags |= CLIENT_CLOSE_AFTER_REPLY;
    return;
  }
  c.flags |= CLIENT_CLOSE_NOW;
  readyAdd(c);
}

export function cmdClientKill(): void {
  killId = 0;
  killAddr = 0;
  killLaddr = 0;
  killUser = 0;
  killType = TYPE_ANY;
  killSkipMe = true;
  const oldForm = argc == 3;
  if (oldForm) {
    killAddr = 2;
    killSkipMe = false;
  } else {
    if (argc % 2 != 0) {
      replyError('ERR syntax error');
      return;
    }
    for (let i: u32 = 2; i < argc; i += 2) {
      if (!killFilter(i)) return;
    }
  }
  let killed: u32 = 0;
  for (let h: u32 = 0; h < clientTop; h++) {
    const c = clientAt(h);
    if (changetype<usize>(c) == 0 || !isKillTarget(c)) continue;
    kill(c);
    killed++;
  }
  if (!oldForm) replyInt(killed);
  else if (killed != 0) replyOk();
  else replyError('ERR No such client');
}

// ---- the rest

export function cmdClientId(): void {
  replyInt(<i64>clientId(client));
}

export function cmdClientGetname(): void {
  if (client.name == 0) replyNull();
  else replyBulk(blobPtr(client.name), blobLen(client.name));
}

export function cmdClientSetname(): void {
  if (clientSetName(client, argPtr(2), argLen(2))) {
    replyOk();
  } else {
    replyError('ERR Client names cannot contain spaces, newlines or special characters.');
  }
}

export function cmdClientSetinfo(): void {
  const version = argIs(2, 'lib-ver');
  if (!version && !argIs(2, 'lib-name')) {
    errorBegin("ERR Unrecognized option '");
    errorBytes(argPtr(2), argLen(2), 128);
    errorText("'");
    errorEnd();
    return;
  }
  if (clientSetLib(client, version, argPtr(3), argLen(3))) {
    replyOk();
    return;
  }
  errorBegin('ERR ');
  errorBytes(argPtr(2), argLen(2), 128);
  errorText(' cannot contain spaces, newlines or special characters.');
  errorEnd();
}

export function cmdClientReply(): void {
  if (argIs(2, 'on')) {
    client.flags &= ~(CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP_NEXT);
    applyMute();
    replyOk();
  } else if (argIs(2, 'off')) {
    client.flags |= CLIENT_REPLY_OFF;
    applyMute();
  } else if (argIs(2, 'skip')) {
    if ((client.flags & CLIENT_REPLY_OFF) == 0) client.flags |= CLIENT_REPLY_SKIP_NEXT;
  } else {
    replyError('ERR syntax error');
  }
}

/** ON or OFF in argument 2 decides about a flag of the client. */
function switchFlag(flag: u32): void {
  if (argIs(2, 'on')) client.flags |= flag;
  else if (argIs(2, 'off')) client.flags &= ~flag;
  else {
    replyError('ERR syntax error');
    return;
  }
  replyOk();
}

export function cmdClientNoEvict(): void {
  switchFlag(CLIENT_NO_EVICT);
}

export function cmdClientNoTouch(): void {
  switchFlag(CLIENT_NO_TOUCH);
  setNoTouch((client.flags & CLIENT_NO_TOUCH) != 0);
}

const HELP: string = `CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
GETNAME
    Return the name of the current connection.
ID
    Return the ID of the current connection.
INFO
    Return information about the current client connection.
KILL <ip:port>
    Kill connection made from <ip:port>.
KILL <option> <value> [<option> <value> [...]]
    Kill connections. Options are:
    * ADDR (<ip:port>|<unixsocket>:0)
      Kill connections made from the specified address
    * LADDR (<ip:port>|<unixsocket>:0)
      Kill connections made to specified local address
    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)
      Kill connections by type.
    * USER <username>
      Kill connections authenticated by <username>.
    * SKIPME (YES|NO)
      Skip killing current connection (default: yes).
LIST [options ...]
    Return information about client connections. Options:
    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)
      Return clients of specified type.
REPLY (ON|OFF|SKIP)
    Control the replies sent to the current connection.
SETINFO <LIB-NAME|LIB-VER> <value>
    Tell the server which library this is.
SETNAME <name>
    Assign the name <name> to the current connection.
NO-EVICT (ON|OFF)
    Protect current client connection from eviction.
NO-TOUCH (ON|OFF)
    Will not touch LRU/LFU stats when this mode is on.
HELP
    Prints this help.`;

export function cmdClientHelp(): void {
  replyLines(HELP);
}
