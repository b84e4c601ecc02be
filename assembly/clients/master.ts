/**
 * The client that carries our master's command stream: its place in the stream, kept so that a new
 * connection can go on where the old one broke.
 *
 * It is an ordinary client with CLIENT_MASTER: commands/process.ts counts the bytes of each command
 * it ran (`countStream`), and while a transaction is being collected the applied offset stays in
 * front of its MULTI. What is not here: the handshake, the payload, the acknowledgements (the
 * host's, host/replication).
 *
 * Offsets cross to the host as f64: exact up to 2^53 bytes of stream, 9 PB.
 */
import { usedMemory } from '../base/alloc';
import { dbAt, dbCount, dbKeys } from '../keyspace/db';
import { statApplied } from '../keyspace/state';
import { clientAt, CLIENT_MASTER } from './client';

/** Sets where in the stream a fresh master client stands: selected database, bytes applied. */
export function masterStart(handle: u32, db: u32, offset: f64): bool {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0 || (c.flags & CLIENT_MASTER) == 0 || db >= dbCount) return false;
  c.db = db;
  c.replOffset = <u64>offset;
  c.readOffset = <u64>offset;
  return true;
}

/** Bytes of the stream applied; a transaction counts with its EXEC. -1: no such client. */
export function masterOffset(handle: u32): f64 {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? -1 : <f64>c.replOffset;
}

/** Bytes of the stream received as far as they form whole commands; never below `masterOffset`. */
export function masterReadOffset(handle: u32): f64 {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? -1 : <f64>c.readOffset;
}

/** The database the stream has selected, as of `masterOffset`. */
export function masterDb(handle: u32): u32 {
  const c = clientAt(handle);
  return changetype<usize>(c) == 0 ? 0 : c.db;
}

/** Commands of the stream that were run, ever. */
export function replicaApplied(): f64 {
  return <f64>statApplied;
}

/** Bytes allocated. */
export function replicaUsedBytes(): f64 {
  return <f64>usedMemory;
}

/** Keys of all databases. */
export function replicaKeyCount(): f64 {
  let sum: f64 = 0;
  for (let i: u32 = 0; i < dbCount; i++) sum += <f64>dbKeys(dbAt(i)).count;
  return sum;
}
