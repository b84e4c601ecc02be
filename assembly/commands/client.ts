/** The CLIENT command. */
import { blobLen, blobPtr } from '../base/blob';
import { llValue, string2ll } from '../base/numbers/integers';
import { textBegin, textFailed, textLen, textPtr } from '../base/text';
import { allocUrgent, free } from '../base/alloc';
import { sort32 } from '../base/sort';
import { userFind, users } from '../clients/acl-user';
import {
  Client,
  client,
  CLIENT_BLOCKED,
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
import {
  usageArguments,
  usageQueued,
  usageReplies,
  usageReplyBlocks,
  usageTotal,
} from '../clients/usage';
import { clientSetLib, clientSetName } from '../clients/names';
import { nowMs, setNoTouch } from '../keyspace/state';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom } from '../resp/errors';
import { PUSH_PUBSUB, readyAdd } from '../resp/outbox';
import { equalsLiteral } from '../base/literal';
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
import { applyMute } from './turn';

const TYPE_ANY: i32 = -1;
const TYPE_NORMAL: i32 = 0;
const TYPE_REPLICA: i32 = 1;
const TYPE_PUBSUB: i32 = 2;
const TYPE_MASTER: i32 = 3;
const TYPE_BAD: i32 = -2;

function typeOf(c: Client): i32 {
  if (c.flags & CLIENT_MASTER) return TYPE_MASTER;
  return c.push & PUSH_PUBSUB ? TYPE_PUBSUB : TYPE_NORMAL;
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

/** Comparator: who came first goes first. */
function compareIds(a: u32, b: u32): i32 {
  return changetype<Client>(<usize>a).idLo < changetype<Client>(<usize>b).idLo ? -1 : 1;
}

/** Makes the text of all clients of a type, oldest first; false when memory ran out. */
function listClients(type: i32): bool {
  const list = allocUrgent(<usize>clientTop << 2);
  if (list == 0) return false;
  let count: u32 = 0;
  for (let h: u32 = 0; h < clientTop; h++) {
    const c = clientAt(h);
    // A client that was killed is gone, whenever the host closes it.
    if (changetype<usize>(c) == 0 || c.flags & (CLIENT_INTERNAL | CLIENT_CLOSE_NOW)) continue;
    if (type != TYPE_ANY && typeOf(c) != type) continue;
    store<u32>(list + (<usize>count << 2), <u32>changetype<usize>(c));
    count++;
  }
  const compare: (a: u32, b: u32) => i32 = compareIds;
  sort32(list, count, compare.index);
  textBegin();
  for (let i: u32 = 0; i < count; i++) {
    textAddClient(changetype<Client>(<usize>load<u32>(list + (<usize>i << 2))));
  }
  free(list);
  return !textFailed;
}

/** The connection with that id, address 0 = none. */
function clientById(id: i64): Client {
  for (let h: u32 = 0; h < clientTop; h++) {
    const c = clientAt(h);
    if (changetype<usize>(c) == 0 || c.flags & CLIENT_INTERNAL) continue;
    if (<u64>id == clientId(c)) return c;
  }
  return changetype<Client>(0);
}

/** The same of the clients with the ids in the arguments, in that order. */
function listIds(): bool {
  textBegin();
  for (let i: u32 = 3; i < argc; i++) {
    string2ll(argPtr(i), argLen(i));
    const c = clientById(llValue);
    if (changetype<usize>(c) != 0) textAddClient(c);
  }
  return !textFailed;
}

export function cmdClientList(): void {
  let type = TYPE_ANY;
  const hasIds = argc > 3 && argIs(2, 'id');
  if (argc == 4 && argIs(2, 'type')) {
    type = typeArg(3);
    if (type == TYPE_BAD) {
      replyUnknownType(3);
      return;
    }
  } else if (hasIds) {
    for (let i: u32 = 3; i < argc; i++) {
      if (string2ll(argPtr(i), argLen(i))) continue;
      replyError('ERR Invalid client ID');
      return;
    }
  } else if (argc != 2) {
    replyError('ERR syntax error');
    return;
  }
  if (hasIds ? listIds() : listClients(type)) replyVerbatim(textPtr, textLen, 'txt');
  else replyOom();
}

// ---- CLIENT KILL

let killId: i64 = 0;
let killAddr: u32 = 0;
let killLaddr: u32 = 0;
let killType: i32 = TYPE_ANY;
let killUser: usize = 0;
let killSkipMe: bool = true;
/** Seconds; younger clients are left alone. */
let killAge: i64 = 0;

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
  } else if (argIs(i, 'maxage')) {
    return killAgeFilter(i + 1);
  } else if (argIs(i, 'skipme') && (argIs(i + 1, 'yes') || argIs(i + 1, 'no'))) {
    killSkipMe = argIs(i + 1, 'yes');
  } else {
    replyError('ERR syntax error');
    return false;
  }
  return true;
}

/** Redis 7.4: MAXAGE seconds. */
function killAgeFilter(i: u32): bool {
  if (!string2ll(argPtr(i), argLen(i))) {
    replyError('ERR maxage is not an integer or out of range');
    return false;
  }
  killAge = llValue;
  if (killAge > 0) return true;
  replyError('ERR maxage should be greater than 0');
  return false;
}

function sameBlob(blob: usize, arg: u32): bool {
  if (blobLen(blob) != argLen(arg)) return false;
  return memory.compare(blobPtr(blob), argPtr(arg), argLen(arg)) == 0;
}

function isKillTarget(c: Client): bool {
  if (c.flags & (CLIENT_INTERNAL | CLIENT_CLOSE_NOW)) return false;
  if (killAddr != 0 && !sameBlob(c.addr, killAddr)) return false;
  if (killLaddr != 0 && !sameBlob(c.laddr, killLaddr)) return false;
  if (killType != TYPE_ANY && typeOf(c) != killType) return false;
  if (killUser != 0 && c.user != <u32>killUser) return false;
  if (killId != 0 && <u64>killId != clientId(c)) return false;
  if (killAge != 0 && (nowMs - c.createdMs) / 1000 < killAge) return false;
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
  killAge = 0;
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
CACHING (YES|NO)
    Enable/disable tracking of the keys for next command in OPTIN/OPTOUT modes.
GETREDIR
    Return the client ID we are redirecting to when tracking is enabled.
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
    * MAXAGE <maxage>
      Kill connections older than the specified age.
LIST [options ...]
    Return information about client connections. Options:
    * TYPE (NORMAL|MASTER|REPLICA|PUBSUB)
      Return clients of specified type.
UNPAUSE
    Stop the current client pause, resuming traffic.
PAUSE <timeout> [WRITE|ALL]
    Suspend all, or just write, clients for <timeout> milliseconds.
REPLY (ON|OFF|SKIP)
    Control the replies sent to the current connection.
SETINFO <option> <value>
    Set client meta attr. Options are:
    * LIB-NAME: the client lib name.
    * LIB-VER: the client lib version.
SETNAME <name>
    Assign the name <name> to the current connection.
UNBLOCK <clientid> [TIMEOUT|ERROR]
    Unblock the specified blocked client.
TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]]
         [OPTIN] [OPTOUT] [NOLOOP]
    Control server assisted client side caching.
TRACKINGINFO
    Report tracking status for the current connection.
NO-EVICT (ON|OFF)
    Protect current client connection from eviction.
NO-TOUCH (ON|OFF)
    Will not touch LRU/LFU stats when this mode is on.
HELP
    Prints this help.`;

export function cmdClientHelp(): void {
  replyLines(HELP);
}
