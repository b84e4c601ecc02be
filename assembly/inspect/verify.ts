/**
 * Looks into a container for damage and nothing else: where its bytes are handed on as they are,
 * but only if they are whole. Finds what a walk of the driver finds, scores and expiries included.
 */
import { string2d } from '../base/numbers/double';
import { string2ll } from '../base/numbers/integers';
import { RdbReader } from '../rdb/input';
import { TYPE_HASH_LISTPACK_EX, TYPE_HASH_LISTPACK_EX_PRE_GA } from '../rdb/opcodes';
import {
  BlobWalk, STREAM_FLAG_DELETED, StreamWalk, streamField, streamNext, walkNext, walkOpen,
} from '../rdb/values';
import { SHAPE_HASH, SHAPE_ZSET } from './event';
import { facts } from './facts';

/** Elements come in groups; the last of a group of a sorted set or of three is a number. */
function groupOf(r: RdbReader): u32 {
  const isEx = r.type == TYPE_HASH_LISTPACK_EX || r.type == TYPE_HASH_LISTPACK_EX_PRE_GA;
  if (isEx) return 3;
  return facts.shape == SHAPE_HASH || facts.shape == SHAPE_ZSET ? 2 : 1;
}

/** The container in r.a; `w` is used for it. False: damaged. */
export function verifyBlob(r: RdbReader, w: BlobWalk): bool {
  if (!walkOpen(w, r.container, r.a.ptr, r.a.len)) return false;
  const group = groupOf(r);
  const isScored = facts.shape == SHAPE_ZSET;
  let index: u32 = 0;
  while (true) {
    const got = walkNext(w);
    if (got <= 0) return got == 0 && index == 0;
    index++;
    if (index < group) continue;
    index = 0;
    if (w.isInt) continue;
    if (isScored && !string2d(w.ptr, w.len)) return false;
    if (group == 3 && !string2ll(w.ptr, w.len)) return false;
  }
}

/** The node that was opened for the walk. False: damaged. */
export function verifyNode(s: StreamWalk): bool {
  while (true) {
    const got = streamNext(s);
    if (got <= 0) return got == 0;
    if (s.flags & STREAM_FLAG_DELETED) continue;
    let field = streamField(s);
    while (field > 0) field = streamField(s);
    if (field < 0) return false;
  }
}
