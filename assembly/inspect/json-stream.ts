/**
 * Streams as JSON (MODE_JSON): one object, written as the records come.
 *
 *   {"entries":[{"id":"1-1","fields":["f","v",…]},…],"length":1,"lastId":"1-1","firstId":"1-1",
 *    "maxDeletedId":"0-0","entriesAdded":1,
 *    "groups":[{"name":"g","lastDeliveredId":"1-1","entriesRead":1,
 *      "pending":[{"id":"1-1","deliveredAt":ms,"deliveries":1},…],
 *      "consumers":[{"name":"c","seenAt":ms,"activeAt":ms,"pending":["1-1",…]},…],
 *      "nacked":["1-1",…]},…],
 *    "idempotence":{"durationSec":100,"entriesMax":100,
 *      "producers":[{"id":"p","entries":[{"id":"i","entry":"1-1"},…]},…],
 *      "added":1,"duplicates":0}}
 *
 * What a version of the format does not have is left out; what the file says is not known is null.
 */
import { RdbReader } from '../rdb/input';
import {
  REC_STREAM_CONSUMER, REC_STREAM_CONSUMER_PEL, REC_STREAM_GROUP, REC_STREAM_IDMP,
  REC_STREAM_IDMP_END, REC_STREAM_IDMP_ENTRY, REC_STREAM_IDMP_PRODUCER, REC_STREAM_META,
  REC_STREAM_NACK, REC_STREAM_NODE, REC_STREAM_PEL,
} from '../rdb/opcodes';
import { streamVersion } from '../rdb/streams';
import { evLen, evMs, evPtr, evSeq, evValueLen, evValuePtr } from './event';
import { jsonClosed, jsonComma, jsonOpened, jsonString } from './json-text';
import { outByte, outCommit, outLiteral, outReserve } from './out';
import { putByte, putId, putInt, putLiteral, putUint } from './put';

// Where in the object above the output stands: inside which list or object.
const AT_TOP: u32 = 0;
const AT_ENTRIES: u32 = 1;
const AT_FIELDS: u32 = 2;
const AT_GROUPS: u32 = 3;
const AT_GROUP: u32 = 4;
const AT_PENDING: u32 = 5;
const AT_CONSUMERS: u32 = 6;
const AT_CONSUMER_PENDING: u32 = 7;
const AT_NACKED: u32 = 8;
const AT_IDMP: u32 = 9;
const AT_PRODUCERS: u32 = 10;
const AT_PRODUCER: u32 = 11;

/** Room for what one record writes beside strings of the file. */
const ROOM: usize = 400;
const UNKNOWN: u64 = u64.MAX_VALUE;

let at: u32 = AT_TOP;

export function jsonStreamBegin(): void {
  outLiteral('{"entries":[');
  at = AT_ENTRIES;
  jsonOpened();
}

/** Closes whatever is open. */
export function jsonStreamEnd(): void {
  climb(AT_TOP);
  outByte(0x7d);
}

/** Closes what is open up to `target`, which is or surrounds the current place. */
function climb(target: u32): void {
  while (at != target && at != AT_TOP) {
    jsonClosed();
    switch (at) {
      case AT_ENTRIES:
        close(']', AT_TOP);
        break;
      case AT_FIELDS:
        close(']}', AT_ENTRIES);
        break;
      case AT_PENDING:
        close('],"consumers":[', AT_CONSUMERS);
        jsonOpened();
        break;
      case AT_CONSUMER_PENDING:
        close(']}', AT_CONSUMERS);
        break;
      case AT_CONSUMERS:
      case AT_NACKED:
        close(']', AT_GROUP);
        break;
      case AT_GROUP:
        close('}', AT_GROUPS);
        break;
      case AT_PRODUCER:
        close(']}', AT_PRODUCERS);
        break;
      case AT_PRODUCERS:
        close(']', AT_IDMP);
        break;
      case AT_IDMP:
        close('}', AT_TOP);
        break;
      default:
        close(']', AT_TOP);
    }
  }
}

function close(text: string, then: u32): void {
  outLiteral(text);
  at = then;
}

/** Opens a list: `text` ends in its bracket. */
function open(text: string, then: u32): void {
  outLiteral(text);
  at = then;
  jsonOpened();
}

/** A field of the current entry. */
export function jsonStreamField(): void {
  jsonString(jsonComma(), evPtr, evLen);
  jsonString(jsonComma(), evValuePtr, evValueLen);
}

export function jsonStreamEntryEnd(): void {
  climb(AT_ENTRIES);
}

export function jsonStreamEntry(r: RdbReader, kind: i32): void {
  switch (kind) {
    case REC_STREAM_NODE:
      entry();
      break;
    case REC_STREAM_META:
      meta(r);
      break;
    case REC_STREAM_GROUP:
      group(r);
      break;
    case REC_STREAM_PEL:
      pending(r);
      break;
    case REC_STREAM_CONSUMER:
      consumer(r);
      break;
    case REC_STREAM_CONSUMER_PEL:
      idMember(r);
      break;
    case REC_STREAM_NACK:
      if (at != AT_NACKED) {
        climb(AT_GROUP);
        open(',"nacked":[', AT_NACKED);
      }
      idMember(r);
      break;
    default:
      idempotence(r, kind);
  }
}

/** Room for one record, beginning with the comma it may need; 0 without memory. */
function member(): usize {
  const room = outReserve(ROOM);
  const comma = jsonComma();
  if (room != 0 && comma != 0) {
    store<u8>(room, <u8>comma);
    outCommit(1);
    return room + 1;
  }
  return room;
}

function comma(): void {
  if (jsonComma() != 0) outByte(0x2c);
}

function entry(): void {
  const room = member();
  if (room == 0) return;
  const to = putId(putLiteral(room, '{"id":"'), evMs, evSeq);
  outCommit(putLiteral(to, '","fields":[') - room);
  at = AT_FIELDS;
  jsonOpened();
}

function meta(r: RdbReader): void {
  climb(AT_TOP);
  const room = outReserve(ROOM);
  if (room == 0) return;
  let to = putUint(putLiteral(room, ',"length":'), r.n0);
  to = putId(putLiteral(to, ',"lastId":"'), r.n1, r.n2);
  if (streamVersion(r.type) >= 2) {
    to = putId(putLiteral(to, '","firstId":"'), r.n3, r.n4);
    to = putId(putLiteral(to, '","maxDeletedId":"'), r.n5, r.n6);
    to = putUint(putLiteral(to, '","entriesAdded":'), r.n7);
  } else {
    to = putByte(to, 0x22);
  }
  outCommit(to - room);
  open(',"groups":[', AT_GROUPS);
}

function putKnown(to: usize, value: u64): usize {
  return value == UNKNOWN ? putLiteral(to, 'null') : putUint(to, value);
}

function group(r: RdbReader): void {
  climb(AT_GROUPS);
  comma();
  outLiteral('{"name":');
  jsonString(0, r.a.ptr, r.a.len);
  const room = outReserve(ROOM);
  if (room == 0) return;
  let to = putId(putLiteral(room, ',"lastDeliveredId":"'), r.n0, r.n1);
  to = putByte(to, 0x22);
  if (streamVersion(r.type) >= 2) to = putKnown(putLiteral(to, ',"entriesRead":'), r.n2);
  outCommit(to - room);
  open(',"pending":[', AT_PENDING);
}

function pending(r: RdbReader): void {
  const room = member();
  if (room == 0) return;
  let to = putId(putLiteral(room, '{"id":"'), r.n0, r.n1);
  to = putInt(putLiteral(to, '","deliveredAt":'), r.n2);
  to = putUint(putLiteral(to, ',"deliveries":'), r.n3);
  outCommit(putByte(to, 0x7d) - room);
}

function consumer(r: RdbReader): void {
  climb(AT_CONSUMERS);
  comma();
  outLiteral('{"name":');
  jsonString(0, r.a.ptr, r.a.len);
  const room = outReserve(ROOM);
  if (room == 0) return;
  let to = putInt(putLiteral(room, ',"seenAt":'), r.n0);
  if (streamVersion(r.type) >= 3) to = putKnown(putLiteral(to, ',"activeAt":'), r.n1);
  outCommit(to - room);
  open(',"pending":[', AT_CONSUMER_PENDING);
}

/** An identity as a member of the open list. */
function idMember(r: RdbReader): void {
  const room = member();
  if (room == 0) return;
  const to = putId(putByte(room, 0x22), r.n0, r.n1);
  outCommit(putByte(to, 0x22) - room);
}

function idempotence(r: RdbReader, kind: i32): void {
  if (kind == REC_STREAM_IDMP) {
    climb(AT_TOP);
    const room = outReserve(ROOM);
    if (room == 0) return;
    const to = putUint(putLiteral(room, ',"idempotence":{"durationSec":'), r.n0);
    outCommit(putUint(putLiteral(to, ',"entriesMax":'), r.n1) - room);
    open(',"producers":[', AT_PRODUCERS);
  } else if (kind == REC_STREAM_IDMP_PRODUCER) {
    climb(AT_PRODUCERS);
    comma();
    outLiteral('{"id":');
    jsonString(0, r.a.ptr, r.a.len);
    open(',"entries":[', AT_PRODUCER);
  } else if (kind == REC_STREAM_IDMP_ENTRY) {
    comma();
    outLiteral('{"id":');
    jsonString(0, r.a.ptr, r.a.len);
    const room = outReserve(ROOM);
    if (room == 0) return;
    const to = putId(putLiteral(room, ',"entry":"'), r.n0, r.n1);
    outCommit(putLiteral(to, '"}') - room);
  } else if (kind == REC_STREAM_IDMP_END) {
    climb(AT_IDMP);
    const room = outReserve(ROOM);
    if (room == 0) return;
    const to = putUint(putLiteral(room, ',"added":'), r.n0);
    outCommit(putUint(putLiteral(to, ',"duplicates":'), r.n1) - room);
  }
}
