/** Consumer groups: XGROUP and XACK. */
import { client } from '../clients/client';
import { dbAdd, dbAt, signalModified } from '../keyspace/db';
import { NOTIFY_STREAM, notifyKeyspaceEvent } from '../keyspace/notify';
import { signalKeyAsReady } from '../keyspace/ready-keys';
import { markDirty, nowMs } from '../keyspace/state';
import { freeValue } from '../keyspace/value';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyError,
  replyInt,
  replyLines,
  replyOk,
} from '../resp/reply';
import {
  argIdOrReply,
  argIsChar,
  argStrictIdOrReply,
  idMs,
  idSeq,
} from '../resp/stream-id';
import { ENC_STREAM, metaOf, TYPE_STREAM } from '../types/object';
import { streamNew } from '../types/stream';
import {
  groupConsumer,
  groupConsumerCreate,
  groupConsumerDelete,
  groupPendingRemove,
  groupStatus,
  streamGroupCreate,
  streamGroupDestroy,
} from '../types/stream-group';
import {
  ENTRIES_READ_UNKNOWN,
  groupSetEntriesRead,
  groupSetLast,
  STREAM_OOM,
  streamLastMs,
  streamLastSeq,
} from '../types/stream-layout';
import { streamFree, streamSplitGroup } from '../types/stream-life';
import {
  group,
  lookupGroup,
  lookupStream,
  lookupStreamWrite,
  replyNoGroupOfKey,
  stream,
} from './stream-common';

const DOLLAR: u32 = 0x24;
/** XGROUP CREATE key group id MKSTREAM ENTRIESREAD n. Redis: no option may come twice. */
const CREATE_ARGC_MAX: u32 = 8;
const SETID_ARGC_MAX: u32 = 7;

const XGROUP_HELP: string = `XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CREATE <key> <groupname> <id|$> [option]
    Create a new consumer group. Options are:
    * MKSTREAM
      Create the empty stream if it does not exist.
    * ENTRIESREAD entries_read
      Set the group's entries_read counter (internal use).
CREATECONSUMER <key> <groupname> <consumer>
    Create a new consumer in the specified group.
DELCONSUMER <key> <groupname> <consumer>
    Remove the specified consumer.
DESTROY <key> <groupname>
    Remove the specified group.
SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]
    Set the current group ID and entries_read counter.
HELP
    Prints this help.`;

export function cmdXgroupHelp(): void {
  replyLines(XGROUP_HELP);
}

let mkstream: bool = false;
let entriesRead: i64 = ENTRIES_READ_UNKNOWN;

function replyOptionsError(): void {
  errorBegin("ERR unknown subcommand or wrong number of arguments for '");
  errorBytes(argPtr(1), argLen(1), 128);
  errorText("'. Try XGROUP HELP.");
  errorEnd();
}

/** Reads what follows the id of CREATE and SETID; false: answered. */
function optionsOrReply(isCreate: bool): bool {
  mkstream = false;
  entriesRead = ENTRIES_READ_UNKNOWN;
  for (let i: u32 = 5; i < argc; i++) {
    if (isCreate && argIs(i, 'mkstream')) {
      mkstream = true;
    } else if (argIs(i, 'entriesread') && i + 1 < argc) {
      if (!argI64OrReply(++i)) return false;
      entriesRead = argInt;
      if (entriesRead < 0 && entriesRead != ENTRIES_READ_UNKNOWN) {
        replyError('ERR value for ENTRIESREAD must be positive or -1');
        return false;
      }
    } else {
      replyOptionsError();
      return false;
    }
  }
  return true;
}

/** Looks up key and, if there is one, group. False: there is no key though it must be; answered. */
function keyOrReply(mayMiss: bool): bool {
  if (!lookupStreamWrite(2)) return false;
  lookupGroup(3);
  if (stream != 0 || mayMiss) return true;
  errorBegin('ERR The XGROUP subcommand requires the key to exist. ');
  errorText('Note that for CREATE you may want to use the MKSTREAM ');
  errorText('option to create an empty stream automatically.');
  errorEnd();
  return false;
}

/** The same where the group must be there too. */
function groupOrReply(): bool {
  if (!keyOrReply(false)) return false;
  if (group != 0) return true;
  replyNoGroupOfKey(2, 3);
  return false;
}

function notify(event: string): void {
  notifyKeyspaceEvent(NOTIFY_STREAM, event, client.db, argPtr(2), argLen(2));
}

/** A new stream in argument 2 with a group in it; false: answered, nothing has changed. */
function createWithGroup(ms: u64, seq: u64): bool {
  const s = streamNew();
  if (s != 0) {
    const made = streamGroupCreate(s, argPtr(3), argLen(3), ms, seq);
    if (made != 0) {
      groupSetEntriesRead(made, entriesRead);
      const kind = metaOf(TYPE_STREAM, ENC_STREAM, 0);
      if (dbAdd(dbAt(client.db), argPtr(2), argLen(2), kind, s) != 0) return true;
    }
    streamFree(s);
  }
  replyOom();
  return false;
}

export function cmdXgroupCreate(): void {
  if (!optionsOrReply(true) || !keyOrReply(mkstream)) return;
  if (argc > CREATE_ARGC_MAX) {
    replyOptionsError();
    return;
  }
  let ms: u64 = 0;
  let seq: u64 = 0;
  if (!argIsChar(4, DOLLAR)) {
    if (!argStrictIdOrReply(4, 0)) return;
    ms = idMs;
    seq = idSeq;
  } else if (stream != 0) {
    ms = streamLastMs(stream);
    seq = streamLastSeq(stream);
  }
  if (stream == 0) {
    if (!createWithGroup(ms, seq)) return;
    signalModified(dbAt(client.db), argPtr(2), argLen(2));
  } else {
    const made = streamGroupCreate(stream, argPtr(3), argLen(3), ms, seq);
    if (made == 0) {
      if (groupStatus == STREAM_OOM) replyOom();
      else replyError('BUSYGROUP Consumer Group name already exists');
      return;
    }
    groupSetEntriesRead(made, entriesRead);
  }
  replyOk();
  markDirty(1);
  notify('xgroup-create');
}

export function cmdXgroupSetid(): void {
  if (!optionsOrReply(false) || !groupOrReply()) return;
  if (argc > SETID_ARGC_MAX) {
    replyOptionsError();
    return;
  }
  if (argIsChar(4, DOLLAR)) {
    groupSetLast(group, streamLastMs(stream), streamLastSeq(stream));
  } else {
    // Redis: "-" and "+" are ids here.
    if (!argIdOrReply(4, 0)) return;
    groupSetLast(group, idMs, idSeq);
  }
  groupSetEntriesRead(group, entriesRead);
  replyOk();
  markDirty(1);
  notify('xgroup-setid');
}

export function cmdXgroupDestroy(): void {
  if (!keyOrReply(false)) return;
  if (group == 0) {
    replyInt(0);
    return;
  }
  // A group may hold millions of pending entries: they are freed bit by bit where there is memory
  // to note that.
  const rest = streamSplitGroup(stream, group);
  if (rest != 0) freeValue(TYPE_STREAM, ENC_STREAM, rest);
  else streamGroupDestroy(stream, group);
  replyInt(1);
  markDirty(1);
  notify('xgroup-destroy');
  // Who waits in the group must be told that it is gone.
  signalKeyAsReady(dbAt(client.db), argPtr(2), argLen(2), TYPE_STREAM);
}

export function cmdXgroupCreateconsumer(): void {
  if (!groupOrReply()) return;
  if (groupConsumerCreate(group, argPtr(4), argLen(4), nowMs) == 0) {
    if (groupStatus == STREAM_OOM) replyOom();
    else replyInt(0);
    return;
  }
  replyInt(1);
  markDirty(1);
  notify('xgroup-createconsumer');
}

export function cmdXgroupDelconsumer(): void {
  if (!groupOrReply()) return;
  const consumer = groupConsumer(group, argPtr(4), argLen(4));
  if (consumer == 0) {
    replyInt(0);
    return;
  }
  replyInt(groupConsumerDelete(group, consumer));
  markDirty(1);
  notify('xgroup-delconsumer');
}

export function cmdXack(): void {
  if (!lookupStream(1)) return;
  lookupGroup(2);
  if (group == 0) {
    replyInt(0);
    return;
  }
  for (let i: u32 = 3; i < argc; i++) if (!argStrictIdOrReply(i, 0)) return;
  let acknowledged: u32 = 0;
  for (let i: u32 = 3; i < argc; i++) {
    argStrictIdOrReply(i, 0);
    if (groupPendingRemove(group, idMs, idSeq)) acknowledged++;
  }
  markDirty(acknowledged);
  replyInt(acknowledged);
}
