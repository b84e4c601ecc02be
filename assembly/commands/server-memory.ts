/** MEMORY USAGE and HELP. What the server as a whole uses is INFO's business (host). */
import { usableSize } from '../base/alloc';
import { client } from '../clients/client';
import { ITEM_PTR, itemFlags, itemValue } from '../hashtable/item';
import { dbAt, entryEncoding, entryType, lookupQuiet } from '../keyspace/db';
import { argInt, argI64OrReply } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replySyntaxError } from '../resp/errors';
import { replyInt, replyLines, replyNull } from '../resp/reply';
import { TYPE_STRING } from '../types/object';
import { valueMemory } from '../types/value';

const SAMPLES_DEFAULT: i64 = 5;
/** What a slot and its share of a group's head cost. */
const SLOT_BYTES: usize = 7;

export function cmdMemoryUsage(): void {
  let samples = SAMPLES_DEFAULT;
  for (let i: u32 = 3; i < argc; i += 2) {
    if (!argIs(i, 'samples') || i + 1 == argc) {
      replySyntaxError();
      return;
    }
    if (!argI64OrReply(i + 1)) return;
    if (argInt < 0) {
      replySyntaxError();
      return;
    }
    samples = argInt;
  }
  const item = lookupQuiet(dbAt(client.db), argPtr(2), argLen(2));
  if (item == 0) {
    replyNull();
    return;
  }
  let bytes: u64 = usableSize(item) + SLOT_BYTES;
  if (itemFlags(item) & ITEM_PTR) {
    const value = itemValue(item);
    const type = entryType(item);
    if (type == TYPE_STRING) bytes += usableSize(value);
    else {
      const some = <u32>min<i64>(samples, u32.MAX_VALUE);
      bytes += valueMemory(type, entryEncoding(item), value, some);
    }
  }
  replyInt(<i64>bytes);
}

export function cmdMemoryHelp(): void {
  replyLines(HELP);
}

const HELP: string = `MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
DOCTOR
    Return memory problems reports.
MALLOC-STATS
    Return internal statistics report from the memory allocator.
PURGE
    Attempt to purge dirty pages for reclamation by the allocator.
STATS
    Return information about the memory usage of the server.
USAGE <key> [SAMPLES <count>]
    Return memory in bytes used by <key> and its value. Nested values are
    sampled up to <count> times (default: 5, 0 means sample all).
HELP
    Prints this help.`;
