/**
 * Publish and subscribe: who listens to which channels, patterns and shard channels, and the
 * delivery of messages.
 *
 *   channel     an item in the table of its kind: META = number of subscribers, PTR = first link
 *   link        an item in the table `links`; key: u32 channel item, u32 outbox; inline value:
 *               +0 u32 next link of the channel      +4 u32 previous
 *               +8 u32 next link of the client       +12 u32 previous
 *
 * A link is found by its two ends, so subscribing and unsubscribing are O(1) whatever the numbers,
 * and a channel's name is stored once. A channel exists as long as it has subscribers. Publishing
 * is O(receivers + patterns).
 *
 * Not here: replies (commands/pubsub.ts), how bytes reach a client (push.ts).
 */
import { free } from '../base/alloc';
import { globMatch } from '../base/glob';
import { siphash } from '../base/siphash';
import {
  HashTable,
  HT_SIZE,
  htFind,
  htInsertSlot,
  htItem,
  htRemove,
  htScan,
  htSetItem,
} from '../hashtable/hashtable';
import {
  ITEM_INLINE,
  ITEM_META,
  ITEM_PTR,
  itemInlinePtr,
  itemKeyLen,
  itemKeyPtr,
  itemMeta,
  itemNew,
  itemSetMeta,
  itemSetValue,
  itemValue,
} from '../hashtable/item';
import { Outbox, PUSH_PUBSUB } from '../resp/outbox';
import {
  messageBegin,
  messageBulk,
  messageEnd,
  messageLiteral,
  messageTail,
  messageTo,
  pushFlags,
} from './push';

export const KIND_CHANNEL: u32 = 0;
export const KIND_PATTERN: u32 = 1;
export const KIND_SHARD: u32 = 2;
const KINDS: u32 = 3;

const OFF_NEXT: usize = 0;
const OFF_PREV: usize = 4;
const OFF_OF_CLIENT: usize = 8;
const OFF_BEFORE: usize = 12;
const LINK_VALUE: u32 = 16;
const LINK_KEY: u32 = 8;

const tables = memory.data(<i32>KINDS * 32, 8);
const links = changetype<HashTable>(memory.data(32, 8));
const linkKey = memory.data(8, 8);

function tableOf(kind: u32): HashTable {
  return changetype<HashTable>(tables + <usize>kind * HT_SIZE);
}

// ---- what a client listens to

/** Address of the first link of a kind in a client. */
function headOf(o: Outbox, kind: u32): usize {
  return changetype<usize>(o) + offsetof<Outbox>('channels') + (<usize>kind << 2);
}

function countOf(o: Outbox, kind: u32): usize {
  return changetype<usize>(o) + offsetof<Outbox>('channelCount') + (<usize>kind << 2);
}

/** What the count in a reply says: shard channels stand apart, channels and patterns together. */
export function subscriptions(o: Outbox, kind: u32): u32 {
  return kind == KIND_SHARD ? o.shardCount : o.channelCount + o.patternCount;
}

function findLink(channel: usize, o: Outbox): usize {
  store<u32>(linkKey, <u32>channel);
  store<u32>(linkKey, <u32>changetype<usize>(o), 4);
  return htFind(links, linkKey, LINK_KEY, siphash(linkKey, LINK_KEY));
}

function find(kind: u32, ptr: usize, len: u32): usize {
  const slot = htFind(tableOf(kind), ptr, len, siphash(ptr, len));
  return slot == 0 ? 0 : htItem(slot);
}

function insert(table: HashTable, item: usize): bool {
  if (item == 0) return false;
  const slot = htInsertSlot(table, siphash(itemKeyPtr(item), itemKeyLen(item)));
  if (slot == 0) {
    free(item);
    return false;
  }
  htSetItem(slot, item);
  return true;
}

function drop(table: HashTable, item: usize): void {
  const hash = siphash(itemKeyPtr(item), itemKeyLen(item));
  htRemove(table, htFind(table, itemKeyPtr(item), itemKeyLen(item), hash), hash);
  free(item);
}

/**
 * Makes a client listen; doing so twice is once. False when memory ran out: nothing changed. May
 * grow memory.
 */
export function subscribe(o: Outbox, kind: u32, ptr: usize, len: u32): bool {
  let channel = find(kind, ptr, len);
  if (channel == 0) {
    channel = itemNew(ITEM_META | ITEM_PTR, ptr, len, 0);
    if (channel == 0) return false;
    itemSetMeta(channel, 0);
    itemSetValue(channel, 0);
    if (!insert(tableOf(kind), channel)) return false;
  } else if (findLink(channel, o) != 0) {
    return true;
  }
  store<u32>(linkKey, <u32>channel);
  store<u32>(linkKey, <u32>changetype<usize>(o), 4);
  const link = itemNew(ITEM_INLINE, linkKey, LINK_KEY, LINK_VALUE);
  if (!insert(links, link)) {
    if (itemMeta(channel) == 0) drop(tableOf(kind), channel);
    return false;
  }
  const ends = itemInlinePtr(link);
  const next = itemValue(channel);
  store<u32>(ends, <u32>next, OFF_NEXT);
  store<u32>(ends, 0, OFF_PREV);
  if (next != 0) store<u32>(itemInlinePtr(next), <u32>link, OFF_PREV);
  itemSetValue(channel, link);
  itemSetMeta(channel, itemMeta(channel) + 1);
  const head = headOf(o, kind);
  const second: usize = load<u32>(head);
  store<u32>(ends, <u32>second, OFF_OF_CLIENT);
  store<u32>(ends, 0, OFF_BEFORE);
  if (second != 0) store<u32>(itemInlinePtr(second), <u32>link, OFF_BEFORE);
  store<u32>(head, <u32>link);
  store<u32>(countOf(o, kind), load<u32>(countOf(o, kind)) + 1);
  pushFlags(o, PUSH_PUBSUB, 0);
  return true;
}

/** Takes a link out of both lists and frees it, and the channel with its last subscriber. */
function unlink(o: Outbox, kind: u32, link: usize): void {
  const ends = itemInlinePtr(link);
  const channel: usize = load<u32>(itemKeyPtr(link));
  const next: usize = load<u32>(ends, OFF_NEXT);
  const prev: usize = load<u32>(ends, OFF_PREV);
  if (next != 0) store<u32>(itemInlinePtr(next), <u32>prev, OFF_PREV);
  if (prev != 0) store<u32>(itemInlinePtr(prev), <u32>next, OFF_NEXT);
  else itemSetValue(channel, next);
  const after: usize = load<u32>(ends, OFF_OF_CLIENT);
  const before: usize = load<u32>(ends, OFF_BEFORE);
  if (after != 0) store<u32>(itemInlinePtr(after), <u32>before, OFF_BEFORE);
  if (before != 0) store<u32>(itemInlinePtr(before), <u32>after, OFF_OF_CLIENT);
  else store<u32>(headOf(o, kind), <u32>after);
  drop(links, link);
  itemSetMeta(channel, itemMeta(channel) - 1);
  if (itemMeta(channel) == 0) drop(tableOf(kind), channel);
  store<u32>(countOf(o, kind), load<u32>(countOf(o, kind)) - 1);
  if ((o.channels | o.patterns | o.shards) == 0) pushFlags(o, 0, PUSH_PUBSUB);
}

/** Ends a subscription; nothing happens when there is none. */
export function unsubscribe(o: Outbox, kind: u32, ptr: usize, len: u32): void {
  const channel = find(kind, ptr, len);
  const slot: usize = channel == 0 ? 0 : findLink(channel, o);
  if (slot != 0) unlink(o, kind, htItem(slot));
}

/** Any one channel of a kind that the client listens to: an item (item.ts), 0 = none. */
export function anySubscription(o: Outbox, kind: u32): usize {
  const link: usize = load<u32>(headOf(o, kind));
  return link == 0 ? 0 : <usize>load<u32>(itemKeyPtr(link));
}

/** The links of a client's subscriptions of a kind, one after the other; 0 = no more. */
export function firstSubscription(o: Outbox, kind: u32): usize {
  return load<u32>(headOf(o, kind));
}

export function nextSubscription(link: usize): usize {
  return load<u32>(itemInlinePtr(link), OFF_OF_CLIENT);
}

/** The channel of a link: an item (item.ts). */
export function subscribedTo(link: usize): usize {
  return load<u32>(itemKeyPtr(link));
}

/** Ends the subscription that `anySubscription` told of. */
export function dropAnySubscription(o: Outbox, kind: u32): void {
  unlink(o, kind, load<u32>(headOf(o, kind)));
}

/** Ends all subscriptions of a client without a word. O(their number). */
export function unsubscribeAll(o: Outbox): void {
  for (let kind: u32 = 0; kind < KINDS; kind++) {
    while (load<u32>(headOf(o, kind)) != 0) dropAnySubscription(o, kind);
  }
}

// ---- what is listened to

/** Channels, patterns or shard channels with at least one subscriber. */
export function channelsOf(kind: u32): u32 {
  return tableOf(kind).count;
}

export function subscribersOf(kind: u32, ptr: usize, len: u32): u32 {
  const channel = find(kind, ptr, len);
  return channel == 0 ? 0 : itemMeta(channel);
}

/** Calls `visit` with the item of every channel of a kind. */
export function eachChannel(kind: u32, visit: (channel: usize, arg: usize) => void): void {
  const table = tableOf(kind);
  let cursor: u64 = 0;
  do {
    cursor = htScan(table, cursor, visit, 0);
  } while (cursor != 0);
}

// ---- publishing

let published: usize = 0;
let publishedLen: u32 = 0;
let text: usize = 0;
let textLen: u32 = 0;
let receivers: u32 = 0;

function sendToAll(channel: usize): void {
  for (let link = itemValue(channel); link != 0; ) {
    messageTo(changetype<Outbox>(<usize>load<u32>(itemKeyPtr(link), 4)));
    receivers++;
    link = load<u32>(itemInlinePtr(link), OFF_NEXT);
  }
  messageEnd();
}

function tryPattern(pattern: usize, _arg: usize): void {
  const ptr = itemKeyPtr(pattern);
  const len = itemKeyLen(pattern);
  if (!globMatch(ptr, len, published, publishedLen, false)) return;
  messageBegin(4);
  messageLiteral('pmessage');
  messageBulk(ptr, len);
  messageBulk(published, publishedLen);
  messageTail(text, textLen);
  sendToAll(pattern);
}

/**
 * Sends a message to whoever listens to a channel (KIND_CHANNEL: patterns too; KIND_SHARD); how
 * many that were. The bytes need to stay only until it returns. May grow memory.
 */
export function publish(kind: u32, ptr: usize, len: u32, message: usize, messageLen: u32): u32 {
  receivers = 0;
  const channel = find(kind, ptr, len);
  if (channel != 0) {
    messageBegin(3);
    messageLiteral(kind == KIND_SHARD ? 'smessage' : 'message');
    messageBulk(ptr, len);
    messageTail(message, messageLen);
    sendToAll(channel);
  }
  if (kind == KIND_SHARD || tableOf(KIND_PATTERN).count == 0) return receivers;
  published = ptr;
  publishedLen = len;
  text = message;
  textLen = messageLen;
  eachChannel(KIND_PATTERN, tryPattern);
  return receivers;
}
