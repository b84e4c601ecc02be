/** OBJECT ENCODING, FREQ, IDLETIME, REFCOUNT, HELP: what is known about a value beside itself. */
import { client } from '../clients/client';
import { itemMeta } from '../hashtable/item';
import { dbAt, entryEncoding, lfuDecayed, lookupReadUnnoticed } from '../keyspace/db';
import { entryIdle, entryRefcount } from '../keyspace/entries';
import { policyLfu } from '../keyspace/state';
import { argLen, argPtr } from '../resp/args';
import {
  errorBegin,
  errorEnd,
  errorText,
  replyBulkLiteral,
  replyInt,
  replyLines,
  replyNull,
} from '../resp/reply';
import { encodingName } from '../types/names';
import { metaClock } from '../types/object';

/** The entry of argument 2; 0 = none, answered with nil. */
function lookupOrReply(): usize {
  const item = lookupReadUnnoticed(dbAt(client.db), argPtr(2), argLen(2));
  if (item == 0) replyNull();
  return item;
}

export function cmdObjectEncoding(): void {
  const item = lookupOrReply();
  if (item != 0) replyBulkLiteral(encodingName(entryEncoding(item)));
}

export function cmdObjectRefcount(): void {
  const item = lookupOrReply();
  if (item != 0) replyInt(entryRefcount(item));
}

/** The clock of entries is an LRU or an LFU one, and cannot tell what the other would. */
function replyPolicyError(what: string): void {
  errorBegin('ERR An LFU maxmemory policy ');
  errorText(what);
  errorText(' not tracked. Please note that when switching between policies at runtime LRU and ');
  errorText('LFU data will take some time to adjust.');
  errorEnd();
}

export function cmdObjectIdletime(): void {
  const item = lookupOrReply();
  if (item == 0) return;
  if (policyLfu) {
    replyPolicyError('is selected, idle time');
    return;
  }
  replyInt(entryIdle(item));
}

export function cmdObjectFreq(): void {
  const item = lookupOrReply();
  if (item == 0) return;
  if (!policyLfu) {
    replyPolicyError('is not selected, access frequency');
    return;
  }
  replyInt(lfuDecayed(metaClock(itemMeta(item))));
}

export function cmdObjectHelp(): void {
  replyLines(HELP);
}

const HELP: string = `OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
ENCODING <key>
    Return the kind of internal representation used in order to store the value
    associated with a <key>.
FREQ <key>
    Return the access frequency index of the <key>. The returned integer is
    proportional to the logarithm of the recent access frequency of the key.
IDLETIME <key>
    Return the idle time of the <key>, that is the approximated number of
    seconds elapsed since the last access to the key.
REFCOUNT <key>
    Return the number of references of the value associated with the specified
    <key>.
HELP
    Prints this help.`;
