/**
 * Publish and subscribe: SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE SSUBSCRIBE SUNSUBSCRIBE
 * PUBLISH SPUBLISH PUBSUB. Who listens to what, and delivery: keyspace/pubsub.ts.
 */
import { globMatch } from '../base/glob';
import { client, CLIENT_IN_EXEC, CLIENT_INTERNAL, CLIENT_MASTER } from '../clients/client';
import { itemKeyLen, itemKeyPtr } from '../hashtable/item';
import { effectNone, effectVerbatim } from '../keyspace/effects';
import {
  anySubscription,
  channelsOf,
  dropAnySubscription,
  eachChannel,
  KIND_CHANNEL,
  KIND_PATTERN,
  KIND_SHARD,
  publish,
  subscribe,
  subscribersOf,
  subscriptions,
  unsubscribe,
} from '../keyspace/pubsub';
import { fromMaster, isReplica } from '../keyspace/state';
import { argc, argLen, argPtr } from '../resp/args';
import { replyOom } from '../resp/errors';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyBulkLiteral,
  replyDeferred,
  replyDeferredArrayEnd,
  replyError,
  replyInt,
  replyLines,
  replyMute,
  replyNull,
  replyPush,
} from '../resp/reply';
import { applyMute } from './turn';

// ---- subscribing

/** Redis: what subscribing answers is a push, so CLIENT REPLY OFF does not stop it. */
function beginPushes(): void {
  replyMute((client.flags & CLIENT_MASTER) != 0);
}

/** One answer, with what the client listens to now. */
function replyNow(word: string, kind: u32, ptr: usize, len: u32): void {
  replyPush(3);
  replyBulkLiteral(word);
  replyBulk(ptr, len);
  replyInt(subscriptions(client, kind));
}

function subscribeAll(word: string, kind: u32): void {
  beginPushes();
  for (let i: u32 = 1; i < argc; i++) {
    if (!subscribe(client, kind, argPtr(i), argLen(i))) {
      replyOom();
      break;
    }
    replyNow(word, kind, argPtr(i), argLen(i));
  }
  applyMute();
}

function unsubscribeFrom(word: string, kind: u32): void {
  beginPushes();
  for (let i: u32 = 1; i < argc; i++) {
    unsubscribe(client, kind, argPtr(i), argLen(i));
    replyNow(word, kind, argPtr(i), argLen(i));
  }
  if (argc == 1) unsubscribeFromAll(word, kind);
  applyMute();
}

function unsubscribeFromAll(word: string, kind: u32): void {
  let channel = anySubscription(client, kind);
  if (channel == 0) {
    replyPush(3);
    replyBulkLiteral(word);
    replyNull();
    replyInt(subscriptions(client, kind));
    return;
  }
  while (channel != 0) {
    replyPush(3);
    replyBulkLiteral(word);
    replyBulk(itemKeyPtr(channel), itemKeyLen(channel));
    dropAnySubscription(client, kind);
    replyInt(subscriptions(client, kind));
    channel = anySubscription(client, kind);
  }
}

export function cmdSubscribe(): void {
  // Redis: in a transaction it is allowed, for those who have always done so.
  if (client.flags & CLIENT_INTERNAL) {
    replyError("ERR SUBSCRIBE isn't allowed for a DENY BLOCKING client");
    return;
  }
  subscribeAll('subscribe', KIND_CHANNEL);
}

export function cmdPsubscribe(): void {
  if (client.flags & CLIENT_INTERNAL) {
    replyError("ERR PSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    return;
  }
  subscribeAll('psubscribe', KIND_PATTERN);
}

export function cmdSsubscribe(): void {
  if (client.flags & (CLIENT_INTERNAL | CLIENT_IN_EXEC)) {
    replyError("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    return;
  }
  subscribeAll('ssubscribe', KIND_SHARD);
}

export function cmdUnsubscribe(): void {
  unsubscribeFrom('unsubscribe', KIND_CHANNEL);
}

export function cmdPunsubscribe(): void {
  unsubscribeFrom('punsubscribe', KIND_PATTERN);
}

export function cmdSunsubscribe(): void {
  unsubscribeFrom('sunsubscribe', KIND_SHARD);
}

// ---- publishing

function publishTo(kind: u32): void {
  const receivers = publish(kind, argPtr(1), argLen(1), argPtr(2), argLen(2));
  // Nothing changed, but followers have listeners too. A replica's own clients speak to it alone.
  if (!isReplica || fromMaster) {
    effectVerbatim(client.db);
    effectNone();
  }
  replyInt(receivers);
}

export function cmdPublish(): void {
  publishTo(KIND_CHANNEL);
}

export function cmdSpublish(): void {
  publishTo(KIND_SHARD);
}

// ---- PUBSUB

let shown: u32 = 0;

function showChannel(channel: usize, _arg: usize): void {
  const ptr = itemKeyPtr(channel);
  const len = itemKeyLen(channel);
  if (argc == 3 && !globMatch(argPtr(2), argLen(2), ptr, len, false)) return;
  replyBulk(ptr, len);
  shown++;
}

function showChannels(kind: u32): void {
  if (argc > 3) {
    errorBegin("ERR unknown subcommand or wrong number of arguments for '");
    errorBytes(argPtr(1), argLen(1), 128);
    errorText("'. Try PUBSUB HELP.");
    errorEnd();
    return;
  }
  shown = 0;
  const header = replyDeferred();
  eachChannel(kind, showChannel);
  replyDeferredArrayEnd(header, shown);
}

function showCounts(kind: u32): void {
  replyArray(<i64>(argc - 2) * 2);
  for (let i: u32 = 2; i < argc; i++) {
    replyBulk(argPtr(i), argLen(i));
    replyInt(subscribersOf(kind, argPtr(i), argLen(i)));
  }
}

export function cmdPubsubChannels(): void {
  showChannels(KIND_CHANNEL);
}

export function cmdPubsubShardchannels(): void {
  showChannels(KIND_SHARD);
}

export function cmdPubsubNumsub(): void {
  showCounts(KIND_CHANNEL);
}

export function cmdPubsubShardnumsub(): void {
  showCounts(KIND_SHARD);
}

export function cmdPubsubNumpat(): void {
  replyInt(channelsOf(KIND_PATTERN));
}

const HELP: string = `PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
CHANNELS [<pattern>]
    Return the currently active channels matching a <pattern> (default: '*').
NUMPAT
    Return number of subscriptions to patterns.
NUMSUB [<channel> ...]
    Return the number of subscribers for the specified channels, excluding
    pattern subscriptions(default: no channels).
SHARDCHANNELS [<pattern>]
    Return the currently active shard level channels matching a <pattern> (default: '*').
SHARDNUMSUB [<shardchannel> ...]
    Return the number of subscribers for the specified shard level channel(s)
HELP
    Prints this help.`;

export function cmdPubsubHelp(): void {
  replyLines(HELP);
}
