/**
 * XLEN, XRANGE and XREVRANGE. The other commands on streams are in stream-write.ts (XADD and what
 * removes), stream-read.ts (XREAD, XREADGROUP), stream-group.ts, stream-pending.ts,
 * stream-claim.ts and stream-info.ts.
 */
import { argInt, argI64OrReply } from '../resp/arg-values';
import { argc, argIs } from '../resp/args';
import { replySyntaxError } from '../resp/errors';
import { replyArray, replyInt, replyNullArray } from '../resp/reply';
import { argEndIdOrReply, argStartIdOrReply, idMs, idSeq } from '../resp/stream-id';
import { ITER_SIZE, iterBegin, iterLimit } from '../types/stream-iter';
import { streamLength } from '../types/stream-layout';
import { lookupStream, replyEntries, stream } from './stream-common';

const iter = memory.data(<i32>ITER_SIZE, 8);

export function cmdXlen(): void {
  if (lookupStream(1)) replyInt(stream == 0 ? 0 : <i64>streamLength(stream));
}

export function cmdXrange(): void {
  range(false);
}

export function cmdXrevrange(): void {
  range(true);
}

function range(backwards: bool): void {
  if (!argStartIdOrReply(backwards ? 3 : 2)) return;
  const startMs = idMs;
  const startSeq = idSeq;
  if (!argEndIdOrReply(backwards ? 2 : 3)) return;
  const endMs = idMs;
  const endSeq = idSeq;
  let count: i64 = -1;
  for (let i: u32 = 4; i < argc; i += 2) {
    if (!argIs(i, 'count') || i + 1 == argc) {
      replySyntaxError();
      return;
    }
    if (!argI64OrReply(i + 1)) return;
    count = max(argInt, 0);
  }
  if (!lookupStream(1)) return;
  if (stream == 0) {
    replyArray(0);
    return;
  }
  if (count == 0) {
    replyNullArray();
    return;
  }
  if (backwards) {
    iterBegin(iter, stream, true, endMs, endSeq);
    iterLimit(iter, startMs, startSeq);
  } else {
    iterBegin(iter, stream, false, startMs, startSeq);
    iterLimit(iter, endMs, endSeq);
  }
  replyEntries(iter, count);
}
