/** Geo commands on single places: GEOADD GEOPOS GEODIST GEOHASH. Searches are in geo-search.ts. */
import { geoDecode, geoDistance, geoEncode, geoLat, geoLon, geoStandardBits }
  from '../base/geohash';
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { effectArg, effectBegin, effectInt, effectLiteral } from '../keyspace/effects';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replySyntaxError, replyWrongType } from '../resp/errors';
import {
  argLat,
  argLon,
  argPlaceOrReply,
  argUnit,
  argUnitOrReply,
  replyDistance,
  replyPlace,
} from '../resp/geo';
import { replyArray, replyBulk, replyNull, replyNullArray } from '../resp/reply';
import { elScore } from '../types/element';
import { TYPE_ZSET } from '../types/object';
import { PUT_NX, PUT_XX, zsetScore } from '../types/zset';
import { ADD_CH, addPairs, pairsDrop, pairsOrReply, setPairScore } from './sorted-set-add';

let zset: usize = 0;
function zsetOrReply(): bool {
  zset = lookupRead(dbAt(client.db), argPtr(1), argLen(1));
  if (zset == 0 || entryType(zset) == TYPE_ZSET) return true;
  replyWrongType();
  return false;
}

// ---- GEOADD

/** Reads the coordinates of all places as scores; false: answered. */
function placesOrReply(first: u32, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (!argPlaceOrReply(first + i * 3)) return false;
    setPairScore(i, <f64>geoEncode(argLon, argLat));
  }
  return true;
}

/** Followers get ZADD, so that nobody's arithmetic matters. */
function writeEffect(first: u32, count: u32): void {
  effectBegin(client.db, first + count * 2);
  effectLiteral('zadd');
  for (let i: u32 = 1; i < first; i++) effectArg(argPtr(i), argLen(i));
  for (let i: u32 = 0; i < count; i++) {
    const at = first + i * 3;
    argPlaceOrReply(at);
    effectInt(<i64>geoEncode(argLon, argLat));
    effectArg(argPtr(at + 2), argLen(at + 2));
  }
}

export function cmdGeoadd(): void {
  let how: u32 = 0;
  let first: u32 = 2;
  for (; first < argc; first++) {
    if (argIs(first, 'nx')) how |= PUT_NX;
    else if (argIs(first, 'xx')) how |= PUT_XX;
    else if (argIs(first, 'ch')) how |= ADD_CH;
    else break;
  }
  const count = (argc - first) / 3;
  const isBoth = (how & (PUT_NX | PUT_XX)) == (PUT_NX | PUT_XX);
  if (isBoth || count == 0 || (argc - first) % 3 != 0) {
    replySyntaxError();
    return;
  }
  if (!pairsOrReply(count, first + 2, 3)) return;
  if (placesOrReply(first, count) && addPairs(how)) writeEffect(first, count);
  pairsDrop();
}

// ---- reading

/** Reads the place of the member in argument `i`; false: there is none. */
function decodeMember(i: u32): bool {
  if (zset == 0 || !zsetScore(zset, argPtr(i), argLen(i))) return false;
  geoDecode(elScore);
  return true;
}

export function cmdGeopos(): void {
  if (!zsetOrReply()) return;
  replyArray(<i64>argc - 2);
  for (let i: u32 = 2; i < argc; i++) {
    if (decodeMember(i)) replyPlace(geoLon, geoLat);
    else replyNullArray();
  }
}

export function cmdGeodist(): void {
  let unit: f64 = 1;
  if (argc == 5) {
    if (!argUnitOrReply(4)) return;
    unit = argUnit;
  } else if (argc > 5) {
    replySyntaxError();
    return;
  }
  if (!zsetOrReply()) return;
  if (!decodeMember(2)) {
    replyNull();
    return;
  }
  const lon = geoLon;
  const lat = geoLat;
  if (!decodeMember(3)) {
    replyNull();
    return;
  }
  replyDistance(geoDistance(lon, lat, geoLon, geoLat) / unit);
}

/** The eleven letters of the web's geohash. Redis: 52 bits make ten, the last one is 0. */
const LETTERS: u32 = 11;
const text = memory.data(16);

/** Letter `value` (0 to 31) of geohash's alphabet: digits, then letters without a, i, l, o. */
function letter(value: u32): u32 {
  if (value < 10) return 48 + value;
  let c = 88 + value;
  if (c >= 105) c++;
  if (c >= 108) c++;
  if (c >= 111) c++;
  return c;
}

export function cmdGeohash(): void {
  if (!zsetOrReply()) return;
  replyArray(<i64>argc - 2);
  for (let i: u32 = 2; i < argc; i++) {
    if (!decodeMember(i)) {
      replyNull();
      continue;
    }
    const bits = geoStandardBits(geoLon, geoLat);
    for (let k: u32 = 0; k < LETTERS; k++) {
      const value: u32 = k + 1 == LETTERS ? 0 : <u32>(bits >> <u64>(47 - k * 5)) & 31;
      store<u8>(text + k, <u8>letter(value));
    }
    replyBulk(text, LETTERS);
  }
}
