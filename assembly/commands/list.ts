/** Commands on lists: those that read. */
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argLen, argPtr } from '../resp/args';
import { replyWrongType } from '../resp/errors';
import { replyArray, replyBulk, replyInt, replyNull } from '../resp/reply';
import { elLen, elPtr } from '../types/element';
import { listGet, listLen, ListPos, listSeek, listStep } from '../types/list';
import { TYPE_LIST } from '../types/object';

const pos = changetype<ListPos>(memory.data(16));

/** The list in argument 1, 0 where there is none; false: it is something else, answered. */
let list: usize = 0;
function listOrReply(): bool {
  list = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (list == 0 || entryType(list) == TYPE_LIST) return true;
  replyWrongType();
  return false;
}

export function cmdLlen(): void {
  if (listOrReply()) replyInt(list == 0 ? 0 : listLen(list));
}

export function cmdLindex(): void {
  if (!listOrReply()) return;
  if (list == 0) {
    replyNull();
    return;
  }
  if (!argI64OrReply(2)) return;
  if (listGet(list, argInt)) replyBulk(elPtr, elLen);
  else replyNull();
}

export function cmdLrange(): void {
  if (!argI64OrReply(2)) return;
  let start = argInt;
  if (!argI64OrReply(3)) return;
  let end = argInt;
  if (!listOrReply()) return;
  const count: i64 = list == 0 ? 0 : listLen(list);
  if (start < 0) start = max(start + count, 0);
  if (end < 0) end += count;
  end = min(end, count - 1);
  if (start > end) {
    replyArray(0);
    return;
  }
  replyArray(end - start + 1);
  listSeek(list, start, pos);
  for (let i = start; i <= end; i++) {
    replyBulk(elPtr, elLen);
    if (i < end) listStep(pos, true);
  }
}
