/**
 * DEBUG: what tests need of it. What touches files, sleeps or changes ids is handed to the host,
 * which also says why it does not crash on purpose; what only makes sense for Redis' own
 * structures is answered as unknown.
 *
 * Redis: DEBUG answers only where enable-debug-command allows it; subcommands have no rows of their
 * own, so a wrong number of arguments and an unknown word get the same error.
 */
import { free } from '../base/alloc';
import { blobAlloc, blobLen, blobPtr } from '../base/blob';
import { equalsNoCase } from '../base/literal';
import { ll2string } from '../base/numbers/integers';
import { textAdd, textAddInt, textBegin, textFailed, textLen, textPtr } from '../base/text';
import { client, CLIENT_INTERNAL, CLIENT_UNIX } from '../clients/client';
import {
  dbAt,
  dbCount,
  dbFindRaw,
  entryEncoding,
  signalModified,
} from '../keyspace/db';
import { DEBUG_LOCAL, DEBUG_NO, debugMode, debugSkipChecksum } from '../keyspace/debug';
import { entryIdle, entryRefcount } from '../keyspace/entries';
import { digestAll, digestHex, digestValue } from '../keyspace/digest';
import { effectArg, effectBegin } from '../keyspace/effects';
import {
  inspectDatabase,
  inspectGlob,
  inspectListpack,
  inspectQuicklist,
  inspectString,
  inspectTable,
} from '../keyspace/inspect';
import { setActiveExpire } from '../keyspace/state';
import { stringSet } from '../keyspace/strings';
import { DUMP_OK, dumpEntry } from '../rdb/dump-entry';
import { sinkLen, sinkTaken } from '../rdb/save-sink';
import { argI64OrReply, argInt, argIsI64 } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyMustBePositive, replyNoSuchKey, replyOom } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyAttribute,
  replyBigNumber,
  replyBool,
  replyBulk,
  replyBulkLiteral,
  replyDouble,
  replyError,
  replyInt,
  replyLines,
  replyLiteral,
  replyMap,
  replyNull,
  replyOk,
  replyPush,
  replyRaw,
  replySet,
  replySimple,
  respVersion,
  replyVerbatim,
} from '../resp/reply';
import { encodingName } from '../types/names';
import { LIMIT_LIST_PACKED, limitsSet } from '../types/limits';
import { CMD_DEBUG } from './generated/ids';
import { cmdHost } from './host-call';

function isLocal(): bool {
  if (client.flags & (CLIENT_UNIX | CLIENT_INTERNAL)) return true;
  const addr = blobPtr(client.addr);
  const len = blobLen(client.addr);
  if (len >= 4 && equalsNoCase(addr, 4, '127.')) return true;
  // Written as [::1]:port.
  return len >= 6 && equalsNoCase(addr, 6, '[::1]:');
}

function isAllowedOrReply(): bool {
  if (debugMode != DEBUG_NO && (debugMode != DEBUG_LOCAL || isLocal())) return true;
  errorBegin('ERR DEBUG command not allowed. If the enable-debug-command option is set to ');
  errorText('"local", you can run it from a local connection, otherwise you need to set this ');
  errorText('option in the configuration file, and then restart the server.');
  errorEnd();
  return false;
}

/** Whether argument 1 is this word and the line has `count` arguments. */
function isCall(word: string, count: u32): bool {
  return argc == count && argIs(1, word);
}

/** What the host does: sleeping, files, replication ids, its log, and refusing to crash. */
function isHostCall(): bool {
  return (
    isCall('sleep', 3) ||
    argIs(1, 'loadaof') ||
    isCall('change-repl-id', 2) ||
    isCall('log', 3) ||
    isCall('config-rewrite-force-all', 2) ||
    isCall('pause-cron', 3) ||
    isCall('aof-flush-sleep', 3) ||
    isCall('leak', 3) ||
    argIs(1, 'reload') ||
    argIs(1, 'segfault') ||
    argIs(1, 'panic') ||
    argIs(1, 'oom') ||
    argIs(1, 'assert') ||
    argIs(1, 'restart') ||
    argIs(1, 'crash-and-recover')
  );
}

export function cmdDebug(): void {
  if (!isAllowedOrReply()) return;
  if (isHostCall()) {
    cmdHost(CMD_DEBUG);
  } else if (isCall('help', 2)) {
    replyLines(HELP);
  } else if (isCall('object', 3)) {
    debugObject();
  } else if (isCall('digest', 2)) {
    digestAll();
    replyDigest();
  } else if (argc >= 2 && argIs(1, 'digest-value')) {
    debugDigestValue();
  } else if (argc >= 3 && argc <= 5 && argIs(1, 'populate')) {
    debugPopulate();
  } else if (isCall('protocol', 3)) {
    debugProtocol();
  } else if (isCall('error', 3)) {
    // Redis: such an error is in no statistics.
    replyLiteral('-');
    errorBytes(argPtr(2), argLen(2), argLen(2));
    errorEnd();
  } else if (!debugStructure()) {
    debugSwitch();
  }
}

/** The subcommands that set something. */
function debugSwitch(): void {
  if (isCall('set-active-expire', 3)) {
    setActiveExpire(looseInt(2) != 0);
    replyOk();
  } else if (isCall('set-skip-checksum-validation', 3)) {
    debugSkipChecksum(looseInt(2) != 0);
    replyOk();
  } else if (isCall('quicklist-packed-threshold', 3)) {
    debugPackedThreshold();
  } else if (argc >= 3 && argIs(1, 'replicate')) {
    effectBegin(client.db, argc - 2);
    for (let i: u32 = 2; i < argc; i++) effectArg(argPtr(i), argLen(i));
    replyOk();
  } else if (isCall('client-eviction', 2)) {
    replyError('ERR maxmemory-clients is disabled.');
  } else if (isCall('stringmatch-test', 2)) {
    inspectGlob();
    replySimple('Apparently Redis did not crash: test passed');
  } else {
    errorBegin("ERR unknown subcommand or wrong number of arguments for '");
    errorBytes(argPtr(1), argLen(1), 128);
    errorText("'. Try DEBUG HELP.");
    errorEnd();
  }
}

/** An argument as C's atoi reads it, as far as it matters here. */
function looseInt(index: u32): i64 {
  return argIsI64(index) ? argInt : 0;
}

// ---- DEBUG HTSTATS, HTSTATS-KEY, LISTPACK, QUICKLIST, SDSLEN

/** Whether it was one of them. */
function debugStructure(): bool {
  if (isCall('htstats', 3)) debugHtstats();
  else if (isCall('htstats-key', 3)) debugValue(inspectTable, NOT_TABLE);
  else if (isCall('listpack', 3)) debugValue(inspectListpack, 'ERR Not a listpack encoded object.');
  else if (isCall('sdslen', 3)) debugValue(inspectString, 'ERR Not an sds encoded string.');
  else if (isCall('quicklist', 3) || isCall('quicklist', 4)) {
    debugValue(inspectQuicklist, 'ERR Not a quicklist encoded object.');
  } else return false;
  return true;
}

const NOT_TABLE: string =
  'ERR The value stored at the specified key is not represented using an hash table';

function debugHtstats(): void {
  if (!argI64OrReply(2)) return;
  if (argInt < 0 || argInt >= <i64>dbCount) {
    replyError('ERR Out of range database');
    return;
  }
  inspectDatabase(dbAt(<u32>argInt));
  replyVerbatim(textPtr, textLen, 'txt');
}

/** The text that `inspect` makes of the value in argument 2; `wrong` if it is of another kind. */
function debugValue(inspect: (item: usize) => bool, wrong: string): void {
  const item = dbFindRaw(dbAt(client.db), argPtr(2), argLen(2));
  if (item == 0) replyNoSuchKey();
  else if (!inspect(item)) replyError(wrong);
  else if (textFailed) replyOom();
  else replyText();
}

/** The text as a status line; one of several lines as text. */
function replyText(): void {
  if (load<u8>(textPtr + textLen - 1) == 10) {
    replyVerbatim(textPtr, textLen, 'txt');
    return;
  }
  replyLiteral('+');
  replyRaw(textPtr, textLen);
  replyLiteral('\r\n');
}

// ---- DEBUG OBJECT

function debugObject(): void {
  const item = dbFindRaw(dbAt(client.db), argPtr(2), argLen(2));
  if (item == 0) {
    replyNoSuchKey();
    return;
  }
  let size: i64 = 0;
  if (dumpEntry(item) == DUMP_OK) {
    // Without type byte and trailer.
    size = <i64>sinkLen - 11;
    sinkTaken();
  }
  textBegin();
  textAdd('Value at:0x');
  textAddInt(item);
  textAdd(' refcount:');
  textAddInt(entryRefcount(item));
  textAdd(' encoding:');
  textAdd(encodingName(entryEncoding(item)));
  textAdd(' serializedlength:');
  textAddInt(size);
  textAdd(' lru:');
  textAddInt(load<u32>(item, 4) >>> 8);
  textAdd(' lru_seconds_idle:');
  textAddInt(entryIdle(item));
  if (textFailed) replyOom();
  else replyText();
}

// ---- DEBUG DIGEST, DIGEST-VALUE

function replyDigest(): void {
  replyLiteral('+');
  replyRaw(digestHex(), 40);
  replyLiteral('\r\n');
}

function debugDigestValue(): void {
  const db = dbAt(client.db);
  replyArray(argc - 2);
  for (let i: u32 = 2; i < argc; i++) {
    digestValue(dbFindRaw(db, argPtr(i), argLen(i)));
    replyDigest();
  }
}

// ---- DEBUG POPULATE

/** Longest key made here: prefix and number. */
const PREFIX_MAX: u32 = 1024;
const keyText = memory.data(1056);
const valueText = memory.data(64);

/** A number of at least 0 in argument `i`; false = answered. */
function countOrReply(i: u32): bool {
  if (argIsI64(i) && argInt >= 0) return true;
  replyMustBePositive();
  return false;
}

function debugPopulate(): void {
  if (!countOrReply(2)) return;
  const count = argInt;
  let size: i64 = 0;
  if (argc == 5) {
    if (!countOrReply(4)) return;
    size = argInt;
  }
  let prefix: u32 = 3;
  store<u32>(keyText, 0x0079656b);
  if (argc > 3) {
    prefix = argLen(3);
    if (prefix > PREFIX_MAX) {
      replyError('ERR prefix is too long');
      return;
    }
    memory.copy(keyText, argPtr(3), prefix);
  }
  store<u8>(keyText + prefix++, 58);
  for (let n: i64 = 0; n < count; n++) {
    if (!populateOne(prefix, n, size)) {
      replyOom();
      return;
    }
  }
  replyOk();
}

/** Adds the key of number `n` unless it is there; false when memory ran out. */
function populateOne(prefix: u32, n: i64, size: i64): bool {
  const db = dbAt(client.db);
  const keyLen = prefix + ll2string(n, keyText + prefix);
  if (dbFindRaw(db, keyText, keyLen) != 0) return true;
  store<u64>(valueText, 0x3a65756c6176); // "value:"
  const len = 6 + ll2string(n, valueText + 6);
  let done: bool;
  if (size == 0) {
    done = stringSet(db, keyText, keyLen, valueText, len);
  } else {
    done = stringSetPadded(db, keyLen, len, size);
  }
  if (done) signalModified(db, keyText, keyLen);
  return done;
}

/** A value of `size` bytes: the text, cut or followed by zeros. */
function stringSetPadded(db: usize, keyLen: u32, len: u32, size: i64): bool {
  if (size > <i64>i32.MAX_VALUE) return false;
  const block = blobPadded(valueText, min(len, <u32>size), <u32>size);
  if (block == 0) return false;
  const done = stringSet(db, keyText, keyLen, blobPtr(block), <u32>size);
  free(block);
  return done;
}

function blobPadded(ptr: usize, len: u32, size: u32): usize {
  const block = blobAlloc(size);
  if (block == 0) return 0;
  memory.fill(blobPtr(block), 0, size);
  memory.copy(blobPtr(block), ptr, len);
  return block;
}

// ---- DEBUG QUICKLIST-PACKED-THRESHOLD

/** A number with an optional unit (b k kb m mb g gb), or -1. */
function memoryArg(index: u32): i64 {
  const ptr = argPtr(index);
  const len = argLen(index);
  let i: u32 = 0;
  let value: i64 = 0;
  while (i < len && i < 12 && <u32>load<u8>(ptr + i) - 48 < 10) {
    value = value * 10 + <i64>(load<u8>(ptr + i++) - 48);
  }
  if (i == 0) return -1;
  const unit = ptr + i;
  const n = len - i;
  if (n == 0 || equalsNoCase(unit, n, 'b')) return value;
  if (equalsNoCase(unit, n, 'k')) return value * 1000;
  if (equalsNoCase(unit, n, 'kb')) return value << 10;
  if (equalsNoCase(unit, n, 'm')) return value * 1000000;
  if (equalsNoCase(unit, n, 'mb')) return value << 20;
  if (equalsNoCase(unit, n, 'g')) return value * 1000000000;
  if (equalsNoCase(unit, n, 'gb')) return value << 30;
  return -1;
}

function debugPackedThreshold(): void {
  const bytes = memoryArg(2);
  if (bytes < 0 || bytes > <i64>u32.MAX_VALUE) {
    replyError('ERR argument must be a memory value bigger than 1 and smaller than 4gb');
    return;
  }
  limitsSet(LIMIT_LIST_PACKED, bytes == 0 ? 1 << 30 : <i32>bytes);
  replyOk();
}

// ---- DEBUG PROTOCOL

function debugProtocol(): void {
  if (argIs(2, 'string')) replyBulkLiteral('Hello World');
  else if (argIs(2, 'integer')) replyInt(12345);
  else if (argIs(2, 'double')) replyDouble(3.141);
  else if (argIs(2, 'null')) replyNull();
  else if (argIs(2, 'array')) protocolNumbers(0);
  else if (argIs(2, 'set')) protocolNumbers(1);
  else if (argIs(2, 'map')) protocolMap();
  else if (argIs(2, 'attrib')) protocolAttribute();
  else if (argIs(2, 'push')) protocolPush();
  else if (argIs(2, 'true')) replyBool(true);
  else if (argIs(2, 'false')) replyBool(false);
  else protocolText();
}

function protocolText(): void {
  textBegin();
  if (argIs(2, 'bignum')) {
    textAdd('1234567999999999999999999999999999999');
    replyBigNumber(textPtr, textLen);
  } else if (argIs(2, 'verbatim')) {
    textAdd('This is a verbatim\nstring');
    replyVerbatim(textPtr, textLen, 'txt');
  } else {
    errorBegin('ERR Wrong protocol type name. Please use one of the following: ');
    errorText('string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false');
    errorEnd();
  }
}

function protocolNumbers(isSet: i32): void {
  if (isSet) replySet(3);
  else replyArray(3);
  for (let i = 0; i < 3; i++) replyInt(i);
}

function protocolMap(): void {
  replyMap(3);
  for (let i = 0; i < 3; i++) {
    replyInt(i);
    replyBool(i == 1);
  }
}

function protocolAttribute(): void {
  if (respVersion > 2) {
    replyAttribute(1);
    replyBulkLiteral('key-popularity');
    replyArray(2);
    replyBulkLiteral('key:123');
    replyInt(90);
  }
  replyBulkLiteral('Some real reply following the attribute');
}

function protocolPush(): void {
  if (respVersion < 3) {
    replyError('ERR RESP2 is not supported by this command');
    return;
  }
  replyPush(2);
  replyBulkLiteral('server-cpu-usage');
  replyInt(42);
  // Redis: a push is no answer, so clients that wait for one get it too.
  replyBulkLiteral('Some real reply following the push reply');
}

/** What is answered here and by the host; Redis lists more. */
const HELP: string = `DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CHANGE-REPL-ID
    Change the replication IDs of the instance.
    Dangerous: should be used only for testing the replication subsystem.
CONFIG-REWRITE-FORCE-ALL
    Like CONFIG REWRITE but writes all configuration options, including
    keywords not listed in original configuration file or default values.
DIGEST
    Output a hex signature representing the current DB content.
DIGEST-VALUE <key> [<key> ...]
    Output a hex signature of the values of all the specified keys.
ERROR <string>
    Return a Redis protocol error with <string> as message. Useful for clients
    unit tests to simulate Redis errors.
LOG <message>
    Write <message> to the server log.
HTSTATS <dbid>
    Return hash table statistics of the specified Redis database.
HTSTATS-KEY <key>
    Like HTSTATS but for the hash table stored at <key>'s value.
LOADAOF
    Flush the AOF buffers on disk and reload the AOF in memory.
REPLICATE <string>
    Replicates the provided string to replicas, allowing data divergence.
OBJECT <key>
    Show low level info about \`key\` and associated value.
POPULATE <count> [<prefix>] [<size>]
    Create <count> string keys named key:<num>. If <prefix> is specified then
    it is used instead of the 'key' prefix. These are not propagated to
    replicas. Cluster slots are not respected so keys not belonging to the
    current node can be created in cluster mode.
PROTOCOL <type>
    Reply with a test value of the specified type. <type> can be: string,
    integer, double, bignum, null, array, set, map, attrib, push, verbatim,
    true, false.
RELOAD [option ...]
    Save the RDB on disk and reload it back to memory. Valid <option> values:
    * MERGE: conflicting keys will be loaded from RDB.
    * NOFLUSH: the existing database will not be removed before load, but
      conflicting keys will generate an exception and kill the server.
    * NOSAVE: the database will be loaded from an existing RDB file.
    Examples:
    * DEBUG RELOAD: verify that the server is able to persist, flush and reload
      the database.
    * DEBUG RELOAD NOSAVE: replace the current database with the contents of an
      existing RDB file.
    * DEBUG RELOAD NOSAVE NOFLUSH MERGE: add the contents of an existing RDB
      file to the database.
SDSLEN <key>
    Show low level SDS string info representing \`key\` and value.
SET-ACTIVE-EXPIRE <0|1>
    Setting it to 0 disables expiring keys in background when they are not
    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the
    default.
QUICKLIST-PACKED-THRESHOLD <size>
    Sets the threshold for elements to be inserted as plain vs packed nodes
    Default value is 1GB, allows values up to 4GB. Setting to 0 restores to default.
SET-SKIP-CHECKSUM-VALIDATION <0|1>
    Enables or disables checksum checks for RDB files and RESTORE's payload.
SLEEP <seconds>
    Stop the server for <seconds>. Decimals allowed.
LISTPACK <key>
    Show low level info about the listpack encoding of <key>.
QUICKLIST <key> [<0|1>]
    Show low level info about the quicklist encoding of <key>.
    The optional argument (0 by default) sets the level of detail
CLIENT-EVICTION
    Show low level client eviction pools info (maxmemory-clients).
PAUSE-CRON <0|1>
    Stop periodic cron job processing.
HELP
    Prints this help.`;
