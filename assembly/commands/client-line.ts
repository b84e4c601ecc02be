/** A client in one line, as CLIENT LIST, CLIENT INFO and ACL LOG show it. */
import { blobLen, blobPtr } from '../base/blob';
import { textAdd, textAddByte, textAddBytes, textAddInt, textLen } from '../base/text';
import { User } from '../clients/acl-user';
import {
  Client,
  client,
  CLIENT_BLOCKED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_MASTER,
  CLIENT_MULTI,
  CLIENT_NO_EVICT,
  CLIENT_NO_TOUCH,
  CLIENT_READONLY,
  CLIENT_RESUME,
  CLIENT_UNIX,
  clientId,
} from '../clients/client';
import {
  usageArguments,
  usageQueued,
  usageReplies,
  usageReplyBlocks,
  usageTotal,
} from '../clients/usage';
import { redirectId } from '../keyspace/invalidation';
import { nowMs } from '../keyspace/state';
import {
  PUSH_BCAST,
  PUSH_BROKEN_REDIRECT,
  PUSH_MONITOR,
  PUSH_PUBSUB,
  PUSH_TRACKING,
} from '../resp/outbox';
import { cmdNameLen, cmdNamePtr } from './generated/table';

function addBlob(label: string, blob: usize): void {
  textAdd(label);
  if (blob != 0) textAddBytes(blobPtr(blob), blobLen(blob));
}

function addNumber(label: string, n: i64): void {
  textAdd(label);
  textAddInt(n);
}

function addFlags(c: Client): void {
  textAdd(' flags=');
  const before = textLen;
  if (c.push & PUSH_MONITOR) textAdd('O');
  if (c.flags & CLIENT_MASTER) textAdd('M');
  if (c.push & PUSH_PUBSUB) textAdd('P');
  if (c.flags & CLIENT_MULTI) textAdd('x');
  if (c.flags & CLIENT_BLOCKED) textAdd('b');
  if (c.push & PUSH_TRACKING) textAdd('t');
  if (c.push & PUSH_BROKEN_REDIRECT) textAdd('R');
  if (c.push & PUSH_BCAST) textAdd('B');
  if ((c.dirtyCas & 0xff) != 0) textAdd('d');
  if (c.flags & CLIENT_CLOSE_AFTER_REPLY) textAdd('c');
  if (c.flags & CLIENT_RESUME) textAdd('u');
  if (c.flags & CLIENT_CLOSE_NOW) textAdd('A');
  if (c.flags & CLIENT_UNIX) textAdd('U');
  if (c.flags & CLIENT_READONLY) textAdd('r');
  if (c.flags & CLIENT_NO_EVICT) textAdd('e');
  if (c.flags & CLIENT_NO_TOUCH) textAdd('T');
  if (textLen == before) textAdd('N');
}

/** The name of a client's user. */
function addUser(c: Client): void {
  if (c.user == 0) {
    textAdd('(superuser)');
    return;
  }
  const name: usize = changetype<User>(<usize>c.user).name;
  textAddBytes(blobPtr(name), blobLen(name));
}

/**
 * Appends one client's line with its end. Redis: all replies of ours are in the list, none in a
 * buffer.
 */
export function textAddClient(c: Client): void {
  const queued: i64 = c.flags & CLIENT_MULTI ? c.queueCount : -1;
  const isRunning = changetype<usize>(c) == changetype<usize>(client);
  addNumber('id=', <i64>clientId(c));
  addBlob(' addr=', c.addr);
  addBlob(' laddr=', c.laddr);
  addNumber(' fd=', <i64>c.handle + 8);
  addBlob(' name=', c.name);
  addNumber(' age=', (nowMs - c.createdMs) / 1000);
  addNumber(' idle=', (nowMs - c.lastMs) / 1000);
  addFlags(c);
  addNumber(' db=', c.db);
  addNumber(' sub=', c.channelCount);
  addNumber(' psub=', c.patternCount);
  addNumber(' ssub=', c.shardCount);
  addNumber(' multi=', queued);
  addNumber(' qbuf=', c.qlen);
  addNumber(' qbuf-free=', <i64>c.qcap - c.qlen);
  addNumber(' argv-mem=', usageArguments(c));
  addNumber(' multi-mem=', usageQueued(c));
  textAdd(' rbs=0 rbp=0 obl=0');
  addNumber(' oll=', usageReplyBlocks(c));
  addNumber(' omem=', usageReplies(c));
  addNumber(' tot-mem=', usageTotal(c));
  textAdd(c.replyHead != 0 && !isRunning ? ' events=rw' : ' events=r');
  textAdd(' cmd=');
  if (c.lastCmd < 0) textAdd('NULL');
  else textAddBytes(cmdNamePtr(c.lastCmd), cmdNameLen(c.lastCmd));
  textAdd(' user=');
  addUser(c);
  addNumber(' redir=', c.push & PUSH_TRACKING ? <i64>redirectId(c) : -1);
  addNumber(' resp=', c.resp);
  addBlob(' lib-name=', c.libName);
  addBlob(' lib-ver=', c.libVer);
  textAddByte(10);
}
