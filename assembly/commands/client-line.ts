/** A client in one line, as CLIENT LIST, CLIENT INFO and ACL LOG show it. */
import { usableSize } from '../base/alloc';
import { blobLen, blobPtr } from '../base/blob';
import { textAdd, textAddByte, textAddBytes, textAddInt, textLen } from '../base/text';
import { User } from '../clients/acl-user';
import {
  Client,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_MASTER,
  CLIENT_MULTI,
  CLIENT_NO_EVICT,
  CLIENT_NO_TOUCH,
  CLIENT_READONLY,
  CLIENT_UNIX,
  clientId,
} from '../clients/client';
import { nowMs } from '../keyspace/state';
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
  if (c.flags & CLIENT_MASTER) textAdd('M');
  if (c.flags & CLIENT_MULTI) textAdd('x');
  if (c.flags & CLIENT_CLOSE_AFTER_REPLY) textAdd('c');
  if (c.flags & CLIENT_CLOSE_NOW) textAdd('A');
  if (c.flags & CLIENT_UNIX) textAdd('U');
  if (c.flags & CLIENT_READONLY) textAdd('r');
  if ((c.dirtyCas & 0xff) != 0) textAdd('d');
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

/** Appends one client's line with its end. */
export function textAddClient(c: Client): void {
  const queued: i64 = c.flags & CLIENT_MULTI ? c.queueCount : -1;
  addNumber('id=', <i64>clientId(c));
  addBlob(' addr=', c.addr);
  addBlob(' laddr=', c.laddr);
  addNumber(' fd=', <i64>c.handle + 8);
  addBlob(' name=', c.name);
  addNumber(' age=', (nowMs - c.createdMs) / 1000);
  addNumber(' idle=', (nowMs - c.lastMs) / 1000);
  addFlags(c);
  addNumber(' db=', c.db);
  textAdd(' sub=0 psub=0 ssub=0');
  addNumber(' multi=', queued);
  addNumber(' qbuf=', c.qlen);
  addNumber(' qbuf-free=', <i64>c.qcap - c.qlen);
  addNumber(' argv-mem=', <i64>c.pargvCap * 8);
  textAdd(' multi-mem=0');
  textAdd(' rbs=0 rbp=0');
  textAdd(' obl=0');
  addNumber(' oll=', c.replyHead != 0 ? 1 : 0);
  addNumber(' omem=', c.replyBytes);
  addNumber(' tot-mem=', <i64>usableSize(changetype<usize>(c)) + c.qcap + c.replyBytes);
  textAdd(' events=r');
  textAdd(' cmd=');
  if (c.lastCmd < 0) textAdd('NULL');
  else textAddBytes(cmdNamePtr(c.lastCmd), cmdNameLen(c.lastCmd));
  textAdd(' user=');
  addUser(c);
  textAdd(' redir=-1');
  addNumber(' resp=', c.resp);
  addBlob(' lib-name=', c.libName);
  addBlob(' lib-ver=', c.libVer);
  textAddByte(10);
}
