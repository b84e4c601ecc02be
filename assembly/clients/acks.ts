/**
 * How far our followers and our own append only file have confirmed the stream of effects, for WAIT
 * and WAITAOF.
 *
 * A client that turns out to be a replica is made one by its first acknowledgement (`replicaAck`);
 * the host, which speaks with replicas, passes on what REPLCONF ACK said. Each client knows where
 * in the stream its last write ends (`writeOffset`): that is what it can wait for.
 */
import { replyArray, replyInt } from '../resp/reply';
import { Client, CLIENT_REPLICA, clientAt, clientTop } from './client';

/** The append only file is on stable storage up to this offset; -1: there is none. */
let aofOffset: f64 = -1;
/** Clients with CLIENT_REPLICA. */
let replicas: u32 = 0;

export function aofSynced(offset: f64): void {
  aofOffset = offset;
}

export function aofIsOn(): bool {
  return aofOffset >= 0;
}

/** A replica has the stream up to `offset`, and (below 0: it does not say) on disk up to `aof`. */
export function replicaAck(c: Client, offset: f64, aof: f64): void {
  if ((c.flags & CLIENT_REPLICA) == 0) {
    c.flags |= CLIENT_REPLICA;
    replicas++;
  }
  c.ackOffset = max(c.ackOffset, offset);
  c.ackAofOffset = max(c.ackAofOffset, aof);
}

/** A client is going away. */
export function replicaForget(c: Client): void {
  if (c.flags & CLIENT_REPLICA) replicas--;
}

/** Replicas that have confirmed the stream up to an offset; `onDisk`: that it is on their disk. */
export function replicasAcked(offset: u64, onDisk: bool): u32 {
  let count: u32 = 0;
  if (replicas == 0) return 0;
  for (let handle: u32 = 0; handle < clientTop; handle++) {
    const c = clientAt(handle);
    if (changetype<usize>(c) == 0 || (c.flags & CLIENT_REPLICA) == 0) continue;
    if ((onDisk ? c.ackAofOffset : c.ackOffset) >= <f64>offset) count++;
  }
  return count;
}

/** 1 when our own file is on disk up to an offset, else 0. */
export function localAcked(offset: u64): u32 {
  return aofOffset >= <f64>offset ? 1 : 0;
}

/** Whether so many have confirmed what a client wrote. */
export function hasAcks(c: Client, local: u32, replicas: u32, onDisk: bool): bool {
  const offset = c.writeOffset;
  if (onDisk && localAcked(offset) < local) return false;
  return replicasAcked(offset, onDisk) >= replicas;
}

/** The reply of WAIT, or (`onDisk`) of WAITAOF, as it stands for a client now. */
export function replyAcks(c: Client, onDisk: bool): void {
  const offset = c.writeOffset;
  if (onDisk) {
    replyArray(2);
    replyInt(localAcked(offset));
  }
  replyInt(replicasAcked(offset, onDisk));
}
