/**
 * WAIT and WAITAOF: until earlier writes of this client have reached others, or the disk. What has
 * been confirmed is in clients/acks.ts.
 */
import { aofIsOn, hasAcks, replyAcks } from '../clients/acks';
import { blockForAcks, canBlock } from '../clients/blocked';
import { client } from '../clients/client';
import { timeoutMs, timeoutMsOrReply } from '../clients/timeout';
import { isReplica } from '../keyspace/state';
import { argI64OrReply, argInt, argPositiveOrReply, argRangeOrReply } from '../resp/arg-values';
import { errorBegin, errorEnd, errorText, replyError } from '../resp/reply';

export function cmdWait(): void {
  if (isReplica) {
    errorBegin('ERR WAIT cannot be used with replica instances. Please also note that since ');
    errorText('Redis 4.0 if a replica is configured to be writable (which is not the default) ');
    errorText('writes to replicas are just local and are not propagated.');
    errorEnd();
    return;
  }
  if (!argI64OrReply(1)) return;
  const replicas = <u32>min<i64>(max<i64>(argInt, 0), i32.MAX_VALUE);
  if (!timeoutMsOrReply(2)) return;
  waitFor(0, replicas, false);
}

export function cmdWaitaof(): void {
  if (!argRangeOrReply(1, 0, 1)) return;
  const local = <u32>argInt;
  if (!argPositiveOrReply(2)) return;
  const replicas = <u32>min<i64>(argInt, i32.MAX_VALUE);
  if (!timeoutMsOrReply(3)) return;
  if (isReplica) {
    errorBegin('ERR WAITAOF cannot be used with replica instances. Please also note that ');
    errorText('writes to replicas are just local and are not propagated.');
    errorEnd();
    return;
  }
  if (local != 0 && !aofIsOn()) {
    replyError('ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.');
    return;
  }
  waitFor(local, replicas, true);
}

function waitFor(local: u32, replicas: u32, onDisk: bool): void {
  if (hasAcks(client, local, replicas, onDisk) || !canBlock()) replyAcks(client, onDisk);
  else blockForAcks(local, replicas, onDisk, timeoutMs);
}
