/**
 * Clients: what the server knows of each connection. The host holds only the socket and a handle.
 *
 * A handle is a small index into one table, reused after a client is gone; the id is the ever
 * growing number that CLIENT ID shows. Fields are grouped by who needs them.
 */
import { alloc, allocUrgent, free, reallocUrgent } from '../base/alloc';
import { blobUrgent } from '../base/blob';
import {
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_INTERNAL,
  CLIENT_LISTENS,
  CLIENT_READY,
  Outbox,
  outboxList,
} from '../resp/outbox';
import { replyClear, ReplyList } from '../resp/reply';
import { unsubscribeAll } from '../keyspace/pubsub';
import { trackingForget } from '../keyspace/tracking';
import { watchClear } from '../keyspace/watch';
import { nowMs } from '../keyspace/state';
import { monitorStop } from './monitors';

/** Queued commands of a transaction are being collected. */
export const CLIENT_MULTI: u32 = 1 << 0;
/** A command failed to queue: EXEC answers EXECABORT. */
export const CLIENT_DIRTY_EXEC: u32 = 1 << 1;
/** The link to our master: replies are dropped, expired keys are visible. */
export const CLIENT_MASTER: u32 = 1 << 2;
/** CLIENT REPLY OFF. */
export const CLIENT_REPLY_OFF: u32 = 1 << 4;
/** CLIENT REPLY SKIP: the next command's reply is dropped. */
export const CLIENT_REPLY_SKIP_NEXT: u32 = 1 << 5;
/** … that one is running. */
export const CLIENT_REPLY_SKIP: u32 = 1 << 6;
/** Passed AUTH, or none is needed. */
export const CLIENT_AUTHENTICATED: u32 = 1 << 7;
/** A host command has not finished: nothing more is read from this client. */
export const CLIENT_HOST_BUSY: u32 = 1 << 8;
export const CLIENT_NO_EVICT: u32 = 1 << 9;
// 1 << 3, 1 << 10, 1 << 12, 1 << 13, 1 << 31: see resp/outbox.ts
export {
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_CLOSE_NOW,
  CLIENT_INTERNAL,
  CLIENT_LISTENS,
  CLIENT_READY,
};
/** Came over a unix socket. */
export const CLIENT_UNIX: u32 = 1 << 11;
/** EXEC is running this client's queue. */
export const CLIENT_IN_EXEC: u32 = 1 << 14;
export const CLIENT_READONLY: u32 = 1 << 15;
export const CLIENT_NO_TOUCH: u32 = 1 << 16;
/** Has so much output that no more commands are run until the host has taken it. */
export const CLIENT_OUTPUT_FULL: u32 = 1 << 17;
/** Waits for keys, for replicas or for the end of a pause: nothing more is run meanwhile. */
export const CLIENT_BLOCKED: u32 = 1 << 18;
/** … for the end of a pause; its command is the next in its query buffer (clients/pause.ts). */
export const CLIENT_POSTPONED: u32 = 1 << 19;
/** Was unblocked and has commands waiting in its query buffer: the host is to resume it. */
export const CLIENT_RESUME: u32 = 1 << 20;
/** Follows us: it has acknowledged some of our stream (acks.ts). Never paused. */
export const CLIENT_REPLICA: u32 = 1 << 21;
/** Its user may not do everything: each command is checked (commands/acl-check.ts). */
export const CLIENT_LIMITED: u32 = 1 << 22;

/** Its request found no memory: the rest of it is thrown away as it comes (query.ts). */
export const CLIENT_REFUSED: u32 = 1 << 21;

@unmanaged
export class Client extends Outbox {
  /** Selected database. */
  db: u32;
  /** A watched key changed (a byte is enough, see keyspace/watch.ts). */
  dirtyCas: u32;

  // ---- query: bytes received and not yet executed (query.ts)
  qbuf: u32;
  qlen: u32;
  qcap: u32;
  /** Offset in qbuf up to which commands are done. */
  qpos: u32;
  /** Slow parser: arguments still to come (0 = at the start of a command). */
  multibulkLeft: u32;
  /** Length of the argument being read, -1 = its header is still to come. */
  bulkLen: i32;
  /** Where the slow parser goes on. */
  parsePos: u32;
  /** Arguments found so far: (offset from qbuf, len) pairs, in a block of `pargvCap` pairs. */
  pargv: u32;
  pargc: u32;
  pargvCap: u32;
  /** With CLIENT_REFUSED: bytes of the argument still to come, and the command, -1 = not known. */
  skipBytes: u32;
  refusedCmd: i32;

  // ---- transaction
  queueHead: u32;
  queueTail: u32;
  queueCount: u32;
  /** All CMDFLAG_* bits of the queued commands together. */
  queueFlags: u32;
  /** First watch node. */
  watches: u32;

  // ---- waiting
  /** What it is blocked for (blocked.ts), 0 = nothing. */
  blocked: u32;
  /** Neighbours among those who wait for the end of a pause; valid with CLIENT_POSTPONED. */
  postponedPrev: u32;
  postponedNext: u32;

  // ---- who
  idLo: u32;
  idHi: u32;
  /** Blobs or 0. */
  name: u32;
  libName: u32;
  libVer: u32;
  addr: u32;
  laddr: u32;
  /** The User (acl-user.ts); 0 = nobody in particular, who may do everything. */
  user: u32;
  lastCmd: i32;
  /** Unix ms. */
  createdMs: i64;
  lastMs: i64;

  // ---- a master's stream
  /** Bytes of the stream applied. */
  replOffset: u64;
  /** Bytes of the stream received. */
  readOffset: u64;

  // ---- our own stream of effects
  /** Where the last write of this client ends. */
  writeOffset: u64;
  /** Of a replica: what it has, and what it has on disk. */
  ackOffset: f64;
  ackAofOffset: f64;

  netIn: u64;
  netOut: u64;
}

let table: usize = 0;
let tableCap: u32 = 0;
/** Handles ever used; all live ones are below. */
export let clientTop: u32 = 0;
/** Clients that are connections (internal ones not counted). */
export let clientCount: u32 = 0;
/** Bytes of query buffers of all clients. */
export let clientQueryBytes: usize = 0;
let nextId: u64 = 1;
/** Head of the list of free handles + 1, 0 = none; freed table slots hold the next one. */
let freeHandles: u32 = 0;

/** The client whose command runs. */
export let client: Client = changetype<Client>(0);

export function setCurrentClient(c: Client): void {
  client = c;
}

/** The client with that handle, null-like (address 0) if it is gone or never was. */
export function clientAt(handle: u32): Client {
  if (handle >= clientTop) return changetype<Client>(0);
  const word = load<u32>(table + (<usize>handle << 2));
  // Addresses of blocks are multiples of 8; a free slot holds an odd number.
  return changetype<Client>(<usize>(word & 1 ? 0 : word));
}

export function clientId(c: Client): u64 {
  return (<u64>c.idHi << 32) | c.idLo;
}

export function clientList(c: Client): ReplyList {
  return outboxList(c);
}

/**
 * A new client with the given flags; address 0 when memory ran out. `addr` and `laddr` are copied.
 */
export function clientNew(
  flags: u32,
  addr: usize,
  addrLen: u32,
  laddr: usize,
  laddrLen: u32,
): Client {
  const none = changetype<Client>(0);
  const ptr = allocUrgent(offsetof<Client>());
  if (ptr == 0) return none;
  memory.fill(ptr, 0, offsetof<Client>());
  const c = changetype<Client>(ptr);
  c.addr = <u32>blobUrgent(addr, addrLen);
  c.laddr = <u32>blobUrgent(laddr, laddrLen);
  const handle = takeHandle();
  if (c.addr == 0 || c.laddr == 0 || handle == u32.MAX_VALUE) {
    free(c.addr);
    free(c.laddr);
    free(ptr);
    return none;
  }
  store<u32>(table + (<usize>handle << 2), <u32>ptr);
  c.handle = handle;
  c.flags = flags;
  c.resp = 2;
  c.bulkLen = -1;
  c.lastCmd = -1;
  c.createdMs = nowMs;
  c.lastMs = nowMs;
  c.idLo = <u32>nextId;
  c.idHi = <u32>(nextId >>> 32);
  nextId++;
  if ((flags & CLIENT_INTERNAL) == 0) clientCount++;
  return c;
}

function takeHandle(): u32 {
  if (freeHandles != 0) {
    const handle = freeHandles - 1;
    freeHandles = load<u32>(table + (<usize>handle << 2)) >>> 1;
    return handle;
  }
  if (clientTop == tableCap) {
    const cap = max<u32>(tableCap * 2, 64);
    const moved = reallocUrgent(table, <usize>cap << 2);
    if (moved == 0) return u32.MAX_VALUE;
    table = moved;
    tableCap = cap;
  }
  return clientTop++;
}

/** The client with that id, address 0 when there is none. Internal clients are not found. */
export function clientById(id: i64): Client {
  for (let handle: u32 = 0; handle < clientTop; handle++) {
    const c = clientAt(handle);
    if (changetype<usize>(c) == 0 || c.flags & CLIENT_INTERNAL) continue;
    if (<i64>clientId(c) == id) return c;
  }
  return changetype<Client>(0);
}

/** Frees a client and all it owns. Its handle may be reused at once. */
export function clientFree(c: Client): void {
  const handle = c.handle;
  replyClear(clientList(c));
  clientResetQuery(c);
  clientDiscard(c);
  clientUnwatch(c);
  unsubscribeAll(c);
  trackingForget(c);
  monitorStop(c);
  free(c.pargv);
  free(c.name);
  free(c.libName);
  free(c.libVer);
  free(c.addr);
  free(c.laddr);
  if ((c.flags & CLIENT_INTERNAL) == 0) clientCount--;
  free(changetype<usize>(c));
  store<u32>(table + (<usize>handle << 2), (freeHandles << 1) | 1);
  freeHandles = handle + 1;
}

/** Drops the query buffer and the slow parser's state. */
export function clientResetQuery(c: Client): void {
  if (c.qbuf != 0) {
    clientQueryBytes -= c.qcap;
    free(c.qbuf);
  }
  c.qbuf = 0;
  c.qlen = 0;
  c.qcap = 0;
  c.qpos = 0;
  c.multibulkLeft = 0;
  c.bulkLen = -1;
  c.parsePos = 0;
  c.pargc = 0;
}

/** Notes a query buffer's change of size. */
export function countQueryBytes(delta: isize): void {
  clientQueryBytes += delta;
}

export function clientUnwatch(c: Client): void {
  watchClear(c.watches);
  c.watches = 0;
  c.dirtyCas = 0;
}

// ---- the transaction queue
//
//   queued command: +0 u32 next, +4 i32 command id, +8 u32 argc, +12 unused,
//                   +16 argc x (u32 ptr, u32 len), then the bytes

const OFF_CMD: usize = 4;
const OFF_ARGC: usize = 8;
const OFF_PAIRS: usize = 16;

/**
 * A block with a copy of a command's arguments: `header` bytes for the caller, the pairs, the bytes
 * of all arguments. 0 when memory ran out.
 */
export function copyArguments(header: usize, argc: u32, argv: usize): usize {
  let bytes: u64 = header + <u64>argc * 8;
  for (let i: u32 = 0; i < argc; i++) bytes += load<u32>(argv + (<usize>i << 3), 4);
  if (bytes > u32.MAX_VALUE) return 0;
  const block = alloc(<usize>bytes);
  if (block == 0) return 0;
  let to = block + header + (<usize>argc << 3);
  for (let i: u32 = 0; i < argc; i++) {
    const ptr = load<u32>(argv + (<usize>i << 3));
    const len = load<u32>(argv + (<usize>i << 3), 4);
    memory.copy(to, ptr, len);
    store<u32>(block + header + (<usize>i << 3), <u32>to);
    store<u32>(block + header + (<usize>i << 3), len, 4);
    to += len;
  }
  return block;
}

/** Copies a command into the transaction queue; false when memory ran out. */
export function clientQueue(c: Client, cmd: i32, flags: u32, argc: u32, argv: usize): bool {
  const node = copyArguments(OFF_PAIRS, argc, argv);
  if (node == 0) return false;
  store<u32>(node, 0);
  store<i32>(node, cmd, OFF_CMD);
  store<u32>(node, argc, OFF_ARGC);
  if (c.queueTail != 0) store<u32>(c.queueTail, <u32>node);
  else c.queueHead = <u32>node;
  c.queueTail = <u32>node;
  c.queueCount++;
  c.queueFlags |= flags;
  return true;
}

export function queuedNext(node: usize): usize {
  return load<u32>(node);
}
export function queuedCmd(node: usize): i32 {
  return load<i32>(node, OFF_CMD);
}
export function queuedArgc(node: usize): u32 {
  return load<u32>(node, OFF_ARGC);
}
export function queuedArgv(node: usize): usize {
  return node + OFF_PAIRS;
}

/** Drops the transaction: queue, flags and watches. */
export function clientDiscard(c: Client): void {
  let node: usize = c.queueHead;
  while (node != 0) {
    const next: usize = load<u32>(node);
    free(node);
    node = next;
  }
  c.queueHead = 0;
  c.queueTail = 0;
  c.queueCount = 0;
  c.queueFlags = 0;
  c.flags &= ~(CLIENT_MULTI | CLIENT_DIRTY_EXEC);
  clientUnwatch(c);
}
