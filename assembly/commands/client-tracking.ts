/**
 * Client-side caching as clients ask for it: CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO; and
 * which keys a command has read. What is remembered of it: keyspace/tracking.ts.
 */
import { blobLen, blobPtr } from '../base/blob';
import { llValue, string2ll } from '../base/numbers/integers';
import {
  Client,
  client,
  CLIENT_INTERNAL,
  CLIENT_MULTI,
  clientAt,
  clientId,
  clientTop,
} from '../clients/client';
import { redirectId } from '../keyspace/invalidation';
import {
  prefixesJoin,
  prefixesOverlap,
  prefixOfFirst,
  prefixOfNext,
  prefixText,
} from '../keyspace/prefixes';
import { pushFlags } from '../keyspace/push';
import {
  trackingNoteInterest,
  trackingRemember,
  trackingStart,
  trackingStop,
} from '../keyspace/tracking';
import { argc, argIs, argLen, argPtr, argv } from '../resp/args';
import { replyNotInteger, replyOom, replySyntaxError } from '../resp/errors';
import {
  PUSH_BCAST,
  PUSH_BROKEN_REDIRECT,
  PUSH_CACHING,
  PUSH_NOLOOP,
  PUSH_OPTIN,
  PUSH_OPTOUT,
  PUSH_TRACKING,
} from '../resp/outbox';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyBulkLiteral,
  replyError,
  replyInt,
  replyMap,
  replyOk,
  replySet,
} from '../resp/reply';
import {
  CMD_CLIENT,
  CMDFLAG_PUBSUB,
  CMDFLAG_READONLY,
  CMDFLAG_SKIP_MONITOR,
} from './generated/ids';
import { cmdFlags, cmdParent } from './generated/table';
import { keysOf, keysOfPtr } from './keyspecs';

// ---- what commands read

/** Remembers the keys that the command in the arguments has read, if its client tracks. */
export function trackReads(id: i32): void {
  const push = client.push;
  if ((push & (PUSH_TRACKING | PUSH_BCAST)) != PUSH_TRACKING) return;
  const caching = (push & PUSH_CACHING) != 0;
  if ((push & PUSH_OPTIN && !caching) || (push & PUSH_OPTOUT && caching)) return;
  // Of a script the commands it runs count, not the keys it was called with.
  const kind = cmdFlags(id) & (CMDFLAG_READONLY | CMDFLAG_PUBSUB | CMDFLAG_SKIP_MONITOR);
  if (kind != CMDFLAG_READONLY) return;
  const count = keysOf(id, <i32>argc, argv);
  for (let i = 0; i < count; i++) {
    const at = load<u32>(keysOfPtr + (<usize>i << 3));
    trackingRemember(client, argPtr(at), argLen(at));
  }
}

/** A command has run: CLIENT CACHING was about it, unless it is that itself, or MULTI's queue. */
export function endCaching(id: i32): void {
  if (client.flags & CLIENT_MULTI || (id >= 0 && cmdParent(id) == CMD_CLIENT)) return;
  pushFlags(client, 0, PUSH_CACHING);
}

// ---- CLIENT TRACKING

let modes: u32 = 0;
let target: Client = changetype<Client>(0);
let targetId: u64 = 0;
let prefixCount: u32 = 0;

/** The client with an id; address 0: there is none. */
function clientWithId(id: u64): Client {
  for (let h: u32 = 0; h < clientTop; h++) {
    const c = clientAt(h);
    if (changetype<usize>(c) == 0 || c.flags & CLIENT_INTERNAL) continue;
    if (clientId(c) == id) return c;
  }
  return changetype<Client>(0);
}

/** REDIRECT's client in argument `i`; false = answered with an error. */
function targetOrReply(i: u32): bool {
  if (targetId != 0) {
    replyError('ERR A client can only redirect to a single other client');
    return false;
  }
  if (!string2ll(argPtr(i), argLen(i))) {
    replyNotInteger();
    return false;
  }
  targetId = <u64>llValue;
  target = clientWithId(targetId);
  if (changetype<usize>(target) != 0) return true;
  replyError('ERR The client ID you want redirect to does not exist');
  return false;
}

/** PUSH_* of a word without an argument; 0 = it is none. */
function modeOf(i: u32): u32 {
  if (argIs(i, 'bcast')) return PUSH_BCAST;
  if (argIs(i, 'optin')) return PUSH_OPTIN;
  if (argIs(i, 'optout')) return PUSH_OPTOUT;
  return argIs(i, 'noloop') ? PUSH_NOLOOP : 0;
}

/** Reads the options from argument 3 on; false = answered with an error. */
function optionsOrReply(): bool {
  modes = 0;
  prefixCount = 0;
  target = changetype<Client>(0);
  targetId = 0;
  for (let i: u32 = 3; i < argc; i++) {
    const mode = modeOf(i);
    if (mode != 0) {
      modes |= mode;
    } else if (i + 1 < argc && argIs(i, 'redirect')) {
      if (!targetOrReply(++i)) return false;
    } else if (i + 1 < argc && argIs(i, 'prefix')) {
      prefixCount++;
      i++;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return true;
}

/** The argument with the next prefix at or behind argument `i`; `argc` when there is none. */
function nextPrefix(i: u32): u32 {
  while (i < argc && !argIs(i, 'prefix')) i += argIs(i, 'redirect') ? 2 : 1;
  return min(i + 1, argc);
}

function replyOverlap(i: u32, how: string, ptr: usize, len: u32): void {
  errorBegin("ERR Prefix '");
  errorBytes(argPtr(i), argLen(i), argLen(i));
  errorText(how);
  errorBytes(ptr, len, len);
  errorText("'. Prefixes for a single client must not overlap.");
  errorEnd();
}

/** Whether the prefixes given go with each other and the client's; else answered. */
function prefixesOrReply(): bool {
  for (let i = nextPrefix(3); i < argc; i = nextPrefix(i + 1)) {
    for (let m = prefixOfFirst(client); m != 0; m = prefixOfNext(m)) {
      const ptr = blobPtr(prefixText(m));
      const len = blobLen(prefixText(m));
      if (!prefixesOverlap(argPtr(i), argLen(i), ptr, len)) continue;
      replyOverlap(i, "' overlaps with an existing prefix '", ptr, len);
      return false;
    }
    for (let k = nextPrefix(i + 1); k < argc; k = nextPrefix(k + 1)) {
      if (!prefixesOverlap(argPtr(i), argLen(i), argPtr(k), argLen(k))) continue;
      replyOverlap(i, "' overlaps with another provided prefix '", argPtr(k), argLen(k));
      return false;
    }
  }
  return true;
}

function replySwitch(text: string): void {
  errorBegin(text);
  errorText(' before disabling tracking for this client, and then re-enabling it with a ');
  errorText('different mode.');
  errorEnd();
}

/** Whether the options go with each other and with what the client has; else answered. */
function modesOrReply(): bool {
  const has = client.push;
  const opts = modes & (PUSH_OPTIN | PUSH_OPTOUT);
  const hasOpts = has & (PUSH_OPTIN | PUSH_OPTOUT);
  const isBroadcast = (modes & PUSH_BCAST) != 0;
  if (!isBroadcast && prefixCount != 0) {
    replyError('ERR PREFIX option requires BCAST mode to be enabled');
  } else if (has & PUSH_TRACKING && ((has ^ modes) & PUSH_BCAST) != 0) {
    replySwitch("ERR You can't switch BCAST mode on/off");
  } else if (isBroadcast && opts != 0) {
    replyError('ERR OPTIN and OPTOUT are not compatible with BCAST');
  } else if (opts == (PUSH_OPTIN | PUSH_OPTOUT)) {
    replyError("ERR You can't specify both OPTIN mode and OPTOUT mode");
  } else if (opts != 0 && hasOpts != 0 && opts != hasOpts) {
    replySwitch("ERR You can't switch OPTIN/OPTOUT mode");
  } else {
    return !isBroadcast || prefixesOrReply();
  }
  return false;
}

/** Joins all prefixes given, or the empty one; false = no memory. */
function join(): bool {
  if ((modes & PUSH_BCAST) == 0) return true;
  if (prefixCount == 0) return prefixesJoin(client, 0, 0);
  for (let i = nextPrefix(3); i < argc; i = nextPrefix(i + 1)) {
    if (!prefixesJoin(client, argPtr(i), argLen(i))) return false;
  }
  return true;
}

export function cmdClientTracking(): void {
  if (!optionsOrReply()) return;
  if (argIs(2, 'off')) {
    trackingStop(client);
  } else if (!argIs(2, 'on')) {
    replySyntaxError();
    return;
  } else {
    if (!modesOrReply()) return;
    const wasOn = (client.push & PUSH_TRACKING) != 0;
    const isDone = trackingStart(client, modes, target, targetId) && join();
    // A prefix too many does no harm to who tracks already: it will hear of more than it asked for.
    if (!isDone && !wasOn) trackingStop(client);
    trackingNoteInterest();
    if (!isDone) {
      replyOom();
      return;
    }
  }
  replyOk();
}

export function cmdClientCaching(): void {
  if ((client.push & PUSH_TRACKING) == 0) {
    errorBegin('ERR CLIENT CACHING can be called only when the client is in tracking mode with ');
    errorText('OPTIN or OPTOUT mode enabled');
    errorEnd();
    return;
  }
  if (argIs(2, 'yes')) {
    if ((client.push & PUSH_OPTIN) == 0) {
      replyError('ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.');
      return;
    }
  } else if (argIs(2, 'no')) {
    if ((client.push & PUSH_OPTOUT) == 0) {
      replyError('ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.');
      return;
    }
  } else {
    replySyntaxError();
    return;
  }
  pushFlags(client, PUSH_CACHING, 0);
  replyOk();
}

/** An id, 0 = the client itself, -1 = it does not track. */
function replyRedirect(): void {
  replyInt(client.push & PUSH_TRACKING ? <i64>redirectId(client) : -1);
}

export function cmdClientGetredir(): void {
  replyRedirect();
}

function replyFlags(): void {
  const push = client.push;
  if ((push & PUSH_TRACKING) == 0) {
    replySet(1);
    replyBulkLiteral('off');
    return;
  }
  const caching = push & PUSH_OPTIN ? PUSH_CACHING : push & PUSH_OPTOUT ? PUSH_CACHING : 0;
  const words = PUSH_BCAST | PUSH_OPTIN | PUSH_OPTOUT | PUSH_NOLOOP | PUSH_BROKEN_REDIRECT;
  replySet(1 + popcnt(push & (words | caching)));
  replyBulkLiteral('on');
  if (push & PUSH_BCAST) replyBulkLiteral('bcast');
  if (push & PUSH_OPTIN) {
    replyBulkLiteral('optin');
    if (push & PUSH_CACHING) replyBulkLiteral('caching-yes');
  }
  if (push & PUSH_OPTOUT) {
    replyBulkLiteral('optout');
    if (push & PUSH_CACHING) replyBulkLiteral('caching-no');
  }
  if (push & PUSH_NOLOOP) replyBulkLiteral('noloop');
  if (push & PUSH_BROKEN_REDIRECT) replyBulkLiteral('broken_redirect');
}

export function cmdClientTrackinginfo(): void {
  replyMap(3);
  replyBulkLiteral('flags');
  replyFlags();
  replyBulkLiteral('redirect');
  replyRedirect();
  replyBulkLiteral('prefixes');
  let count: u32 = 0;
  for (let m = prefixOfFirst(client); m != 0; m = prefixOfNext(m)) count++;
  replyArray(count);
  for (let m = prefixOfFirst(client); m != 0; m = prefixOfNext(m)) {
    replyBulk(blobPtr(prefixText(m)), blobLen(prefixText(m)));
  }
}
