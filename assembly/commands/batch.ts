/**
 * The batch executor: runs a pipeline in phases.
 *
 * All commands of the batch are looked up and their first keys hashed, then all home groups are
 * loaded, then all entries found there; only then are the commands run, one after the other, in
 * order. The loads of a phase are independent, so the processor overlaps their cache misses. They
 * are hints: running a command looks its key up again, whatever happened meanwhile.
 */
import { siphash } from '../base/siphash';
import {
  client,
  Client,
  CLIENT_BLOCKED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_HOST_BUSY,
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  CLIENT_MULTI,
  CLIENT_OUTPUT_FULL,
  CLIENT_REPLY_SKIP,
  CLIENT_POSTPONED,
  CLIENT_REFUSED,
  CLIENT_RESUME,
  clientResetQuery,
} from '../clients/client';
import {
  BATCH,
  batchArgc,
  batchArgv,
  batchCount,
  batchEnd,
  batchFull,
  HEADROOM,
  isQueryTooLong,
  PARSE_COMMAND,
  PARSE_EMPTY,
  PARSE_ERROR,
  PARSE_MORE,
  parseBatch,
  parseError,
  parseErrorByte,
  parseSlow,
  queryAppend,
  queryRefuse,
  querySkip,
  queryTrim,
} from '../clients/query';
import { htTouchGroups, htTouchItems } from '../hashtable/hashtable';
import { dbAt, dbKeys, dbTouchReach, keyHashHint } from '../keyspace/db';
import { countApplied, countInput, nowMs } from '../keyspace/state';
import { trackingSettle } from '../keyspace/tracking';
import { argLen, argPtr, setArgs } from '../resp/args';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
} from '../resp/reply';
import { cmdFirstKey, lookupCommand } from './generated/table';
import { processCommand, refuseCommand } from './process';
import { turnBegin, turnEnd } from './turn';

/** Client flags that end the reading of commands. */
const STOPPED: u32 =
  CLIENT_CLOSE_AFTER_REPLY |
  CLIENT_CLOSE_NOW |
  CLIENT_HOST_BUSY |
  CLIENT_OUTPUT_FULL |
  CLIENT_BLOCKED;
/** Those among them under which bytes received are kept for later. */
const WAITING: u32 = CLIENT_HOST_BUSY | CLIENT_OUTPUT_FULL | CLIENT_BLOCKED;

/** Per batched command: hash of its first key. */
const batchHashes = memory.data(<i32>BATCH * 8, 16);
/** The same without gaps, for touching. */
const touchHashes = memory.data(<i32>BATCH * 8, 16);
const batchIds = memory.data(<i32>BATCH * 4, 16);
const batchKeys = memory.data(<i32>BATCH * 4, 16);
/** The byte that a protocol error names. */
const oddByte = memory.data(8);

let lastName: u64 = 0;
let lastNameLen: u32 = 0;
let lastId: i32 = -1;

/** `lookupCommand`, remembering the last short name: pipelines repeat themselves. */
// @ts-ignore: decorator
@inline function lookupAgain(ptr: usize, len: u32): i32 {
  if (len - 1 >= 8) return lookupCommand(ptr, len);
  const name = load<u64>(ptr) << ((8 - <u64>len) << 3);
  if (name != lastName || len != lastNameLen) {
    lastName = name;
    lastNameLen = len;
    lastId = lookupCommand(ptr, len);
  }
  return lastId;
}

/** Looks up, hashes and touches what the batch will need. */
function prepareBatch(): void {
  const table = dbKeys(dbAt(client.db));
  let hashed: u32 = 0;
  for (let i: u32 = 0; i < batchCount; i++) {
    const pairs = batchArgv(i);
    const id = lookupAgain(load<u32>(pairs), load<u32>(pairs, 4));
    store<i32>(batchIds + (<usize>i << 2), id);
    const first: u32 = id >= 0 ? cmdFirstKey(id) : 0;
    if (first == 0 || first >= batchArgc(i)) {
      store<u32>(batchKeys + (<usize>i << 2), 0);
      continue;
    }
    const key: usize = load<u32>(pairs + (<usize>first << 3));
    const hash = siphash(key, load<u32>(pairs + (<usize>first << 3), 4));
    store<u32>(batchKeys + (<usize>i << 2), <u32>key);
    store<u64>(batchHashes + (<usize>i << 3), hash);
    store<u64>(touchHashes + (<usize>hashed << 3), hash);
    hashed++;
  }
  // A single command overlaps nothing.
  if (hashed < 2) return;
  htTouchGroups(table, touchHashes, hashed);
  htTouchItems(table, touchHashes, hashed, dbTouchReach(dbAt(client.db)));
}

/** Runs the parsed batch; returns the address behind the last command that was run. */
function runBatch(start: usize): usize {
  prepareBatch();
  const count = batchCount;
  const end = batchEnd;
  let from = start;
  for (let i: u32 = 0; i < count; i++) {
    const pairs = batchArgv(i);
    const n = batchArgc(i);
    const last = pairs + (<usize>(n - 1) << 3);
    const behind: usize = <usize>load<u32>(last) + load<u32>(last, 4) + 2;
    setArgs(n, pairs);
    keyHashHint(load<u32>(batchKeys + (<usize>i << 2)), load<u64>(batchHashes + (<usize>i << 3)));
    processCommand(load<i32>(batchIds + (<usize>i << 2)));
    if (client.flags & (STOPPED | CLIENT_MASTER)) {
      if (client.flags & CLIENT_POSTPONED) {
        keyHashHint(0, 0);
        return from;
      }
      countStream(<u32>(behind - from));
      if (client.flags & STOPPED) {
        keyHashHint(0, 0);
        return behind;
      }
    }
    from = behind;
  }
  keyHashHint(0, 0);
  return end;
}

/** Bytes of a master's stream that have been run; inside MULTI they count with the EXEC. */
function countStream(bytes: u32): void {
  if ((client.flags & CLIENT_MASTER) == 0) return;
  client.readOffset += bytes;
  countApplied();
  if ((client.flags & CLIENT_MULTI) == 0) client.replOffset = client.readOffset;
}

function protocolError(): void {
  errorBegin('ERR Protocol error: ');
  errorText(parseError);
  if (parseErrorByte >= 0) {
    store<u8>(oddByte, <u8>parseErrorByte);
    errorBytes(oddByte, 1, 1);
    errorText("'");
  }
  errorEnd();
  client.flags |= CLIENT_CLOSE_AFTER_REPLY;
}

/** Runs what the query buffer holds, as far as it is complete. */
function runBuffered(): void {
  while ((client.flags & STOPPED) == 0) {
    const from = client.qpos;
    const found = parseSlow(client);
    if (found == PARSE_MORE) break;
    if (found == PARSE_ERROR) {
      protocolError();
      break;
    }
    if (found == PARSE_COMMAND) processCommand(lookupCommand(argPtr(0), argLen(0)));
    if (client.flags & CLIENT_POSTPONED) client.qpos = from;
    else countStream(client.qpos - from);
    if (found == PARSE_EMPTY || client.flags & STOPPED) continue;
    // What follows is likely a pipeline again.
    runBufferedBatches();
  }
  if (client.flags & (CLIENT_CLOSE_AFTER_REPLY | CLIENT_CLOSE_NOW)) clientResetQuery(client);
  else queryTrim(client);
}

function runBufferedBatches(): void {
  do {
    const base: usize = client.qbuf;
    parseBatch(client, base + client.qpos, base + client.qlen);
    if (batchCount == 0) return;
    const more = batchFull;
    client.qpos = <u32>(runBatch(base + client.qpos) - base);
    if (!more) return;
  } while ((client.flags & STOPPED) == 0);
}

/** Runs the complete commands in [p, end), keeps the rest. */
function runDirect(p: usize, end: usize): void {
  let more = true;
  while (more && p < end && (client.flags & STOPPED) == 0) {
    parseBatch(client, p, end);
    if (batchCount == 0) break;
    more = batchFull;
    p = runBatch(p);
  }
  if (p == end || client.flags & (CLIENT_CLOSE_AFTER_REPLY | CLIENT_CLOSE_NOW)) return;
  if (queryAppend(client, p, <u32>(end - p))) runBuffered();
  else refuse(p, end);
}

/**
 * The bytes [p, end) find no room in the query buffer. A request that is too long closes its
 * client; one that only meets a full core is thrown away and answered, and the client goes on.
 */
function refuse(p: usize, end: usize): void {
  const c = client;
  // A client that waits has its answers to come first.
  const isUsual = (c.flags & (CLIENT_MASTER | CLIENT_INTERNAL | STOPPED)) == 0;
  c.refusedCmd = -1;
  if (c.multibulkLeft != 0 && c.pargc != 0) {
    // Until the command is whole its arguments are noted by offset.
    const name: usize = <usize>c.qbuf + load<u32>(c.pargv);
    c.refusedCmd = lookupCommand(name, load<u32>(c.pargv, 4));
  }
  if (isUsual && !isQueryTooLong(c, <u32>(end - p)) && queryRefuse(c)) runRefused(p, end);
  else c.flags |= CLIENT_CLOSE_NOW;
}

/** Goes on with a refused request; what is behind it is run. */
function runRefused(p: usize, end: usize): void {
  p = querySkip(client, p, end);
  if (client.flags & (CLIENT_REFUSED | CLIENT_CLOSE_NOW)) return;
  refuseCommand(client.refusedCmd);
  if (p < end) runDirect(p, end);
}

/**
 * Takes `len` bytes at `ptr` from a client and runs what became complete. HEADROOM bytes in front
 * of `ptr` may be overwritten. Replies are in the client's list afterwards.
 */
export function clientFeed(c: Client, ptr: usize, len: u32): void {
  turnBegin(c);
  countInput(len, (c.flags & CLIENT_MASTER) != 0);
  c.netIn += len;
  c.lastMs = nowMs;
  if (c.flags & STOPPED) {
    if (c.flags & WAITING && !queryAppend(c, ptr, len)) c.flags |= CLIENT_CLOSE_NOW;
  } else if (c.flags & CLIENT_REFUSED) {
    runRefused(ptr, ptr + len);
  } else if (c.qlen == 0 && c.multibulkLeft == 0) {
    runDirect(ptr, ptr + len);
  } else if (c.multibulkLeft == 0 && c.qlen <= HEADROOM) {
    const start = ptr - c.qlen;
    memory.copy(start, c.qbuf, c.qlen);
    clientResetQuery(c);
    runDirect(start, ptr + len);
  } else if (queryAppend(c, ptr, len)) {
    runBuffered();
  } else {
    refuse(ptr, ptr + len);
  }
  finish(c);
}

/** Goes on with what was received while a client was busy, blocked or full of output. */
export function clientResume(c: Client): void {
  // CLIENT REPLY SKIP was about the command that the host has answered.
  if (c.flags & CLIENT_HOST_BUSY) c.flags &= ~CLIENT_REPLY_SKIP;
  turnBegin(c);
  c.flags &= ~(CLIENT_HOST_BUSY | CLIENT_OUTPUT_FULL | CLIENT_RESUME);
  if (c.flags & STOPPED) queryTrim(c);
  else runBuffered();
  finish(c);
}

function finish(c: Client): void {
  turnEnd(c);
  trackingSettle();
}
