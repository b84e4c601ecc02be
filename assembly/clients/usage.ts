/** What clients cost: the memory figures of CLIENT LIST, INFO clients and MEMORY STATS. */
import { usableSize } from '../base/alloc';
import { argc, argLen } from '../resp/args';
import { Blocked, blockedArgv } from './blocked';
import {
  Client,
  client,
  CLIENT_INTERNAL,
  CLIENT_MASTER,
  clientAt,
  clientTop,
  queuedNext,
} from './client';

/** Bytes of the arguments of the command that runs or has come so far. */
export function usageArguments(c: Client): u64 {
  let sum: u64 = 0;
  if (changetype<usize>(c) == changetype<usize>(client)) {
    for (let i: u32 = 0; i < argc; i++) sum += argLen(i);
    return sum;
  }
  if (c.blocked != 0) {
    const record = changetype<Blocked>(<usize>c.blocked);
    const pairs = blockedArgv(record);
    for (let i: u32 = 0; i < record.argc; i++) sum += load<u32>(pairs + (<usize>i << 3), 4);
    return sum;
  }
  if (c.multibulkLeft == 0) return 0;
  for (let i: u32 = 0; i < c.pargc; i++) sum += load<u32>(<usize>c.pargv + (<usize>i << 3), 4);
  return sum;
}

/** Bytes of the queued commands of a transaction. */
export function usageQueued(c: Client): usize {
  let sum: usize = 0;
  for (let node: usize = c.queueHead; node != 0; node = queuedNext(node)) sum += usableSize(node);
  return sum;
}

/** Blocks of replies that wait to be sent. */
export function usageReplyBlocks(c: Client): u32 {
  let count: u32 = 0;
  for (let block: usize = c.replyHead; block != 0; block = load<u32>(block)) count++;
  return count;
}

/** Bytes of those blocks, the room in them included. */
export function usageReplies(c: Client): usize {
  let sum: usize = 0;
  for (let block: usize = c.replyHead; block != 0; block = load<u32>(block)) {
    sum += usableSize(block);
  }
  return sum;
}

function sizeOf(block: u32): usize {
  return block == 0 ? 0 : usableSize(block);
}

/** Everything a client has allocated. */
export function usageTotal(c: Client): usize {
  const self = usableSize(changetype<usize>(c));
  const names = sizeOf(c.name) + sizeOf(c.libName) + sizeOf(c.libVer) + sizeOf(c.user);
  const buffers = sizeOf(c.qbuf) + sizeOf(c.pargv) + sizeOf(c.blocked);
  const addresses = sizeOf(c.addr) + sizeOf(c.laddr);
  return self + names + buffers + addresses + usageQueued(c) + usageReplies(c);
}

/** Of all clients: largest query buffer, most bytes of replies, memory; of the master memory. */
export let usageInputMax: u32 = 0;
export let usageOutputMax: u32 = 0;
export let usageClients: usize = 0;
export let usageMaster: usize = 0;

/** Adds them up. O(clients and what they have waiting). */
export function usageSum(): void {
  usageInputMax = 0;
  usageOutputMax = 0;
  usageClients = 0;
  usageMaster = 0;
  for (let h: u32 = 0; h < clientTop; h++) {
    const c = clientAt(h);
    if (changetype<usize>(c) == 0 || c.flags & CLIENT_INTERNAL) continue;
    usageInputMax = max(usageInputMax, c.qlen);
    usageOutputMax = max(usageOutputMax, c.replyBytes);
    if (c.flags & CLIENT_MASTER) usageMaster += usageTotal(c);
    else usageClients += usageTotal(c);
  }
}
