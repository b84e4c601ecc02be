/**
 * Searches for places: GEOSEARCH, GEOSEARCHSTORE, GEORADIUS and its like.
 *
 * The boxes that a search may touch (base/geohash.ts) are ranges of scores; what is found in them
 * and lies within the shape becomes a point, in the order of boxes and scores, which is the order
 * of the reply where none is asked for.
 *
 *   point (40 bytes)   +0 f64 distance   +8 f64 longitude   +16 f64 latitude   +24 ZsetPos
 */
import { alloc, free, realloc } from '../base/alloc';
import {
  GeoReach,
  GEO_BOXES,
  geoBoxIsSame,
  geoBoxIsUseful,
  geoBoxLow,
  geoDecode,
  geoDistance,
  geoFindBoxes,
  geoLat,
  geoLatDistance,
  geoLon,
} from '../base/geohash';
import { sortFirst32 } from '../base/partial-sort';
import { sort32 } from '../base/sort';
import { client } from '../clients/client';
import { dbAt, entryType, lookupRead } from '../keyspace/db';
import { zsetDiscard, zsetStore } from '../keyspace/zset-store';
import { argDouble, argF64OrReplyText, argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { replyOom, replySyntaxError, replyWrongType } from '../resp/errors';
import {
  argLat,
  argLon,
  argPlaceOrReply,
  argRadiusOrReply,
  argUnit,
  argUnitOrReply,
  replyDistance,
  replyPlace,
} from '../resp/geo';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyError,
  replyInt,
} from '../resp/reply';
import { ADD_OOM, elLen, elPtr, elScore } from '../types/element';
import { holder } from '../types/holder';
import { TYPE_ZSET } from '../types/object';
import {
  ZSET_POS_SIZE,
  zsetAdd,
  zsetNewTree,
  ZsetPos,
  zsetRankOfScore,
  zsetReadAt,
  zsetScore,
  zsetSeek,
  zsetStep,
  zsetToListpackIfFits,
} from '../types/zset';

/** The forms of the command. */
const RADIUS: u32 = 0;
const RADIUS_BY_MEMBER: u32 = 1;
const SEARCH: u32 = 2;
const SEARCH_STORE: u32 = 3;

const SHAPE_NONE: u32 = 0;
const SHAPE_CIRCLE: u32 = 1;
const SHAPE_BOX: u32 = 2;

const FROM_NONE: u32 = 0;
const FROM_MEMBER: u32 = 1;
const FROM_PLACE: u32 = 2;

const UNSORTED: u32 = 0;
const ASCENDING: u32 = 1;
const DESCENDING: u32 = 2;

let zset: usize = 0;

// ---- what is searched for

let from: u32 = FROM_NONE;
let lon: f64 = 0;
let lat: f64 = 0;
let shape: u32 = SHAPE_NONE;
/** Radius, or width and height, in the unit given; metres in the unit. */
let width: f64 = 0;
let height: f64 = 0;
let unit: f64 = 1;

let withDist: bool = false;
let withHash: bool = false;
let withCoord: bool = false;
let order: u32 = UNSORTED;
/** 0 = all. */
let count: i64 = 0;
/** Any `count` will do, not only the nearest. */
let isAny: bool = false;
/** Argument of the key to be stored into, 0 = none; distances are stored, not hashes. */
let storeArg: u32 = 0;
let storeDist: bool = false;

function reset(): void {
  from = FROM_NONE;
  shape = SHAPE_NONE;
  withDist = false;
  withHash = false;
  withCoord = false;
  order = UNSORTED;
  count = 0;
  isAny = false;
  storeArg = 0;
  storeDist = false;
}

// ---- arguments

/** The place of the member in argument `i` as the centre; false: answered. */
function memberOrReply(i: u32): bool {
  from = FROM_MEMBER;
  // Without a source key the arguments are checked all the same.
  if (zset == 0) return true;
  if (!zsetScore(zset, argPtr(i), argLen(i))) {
    replyError('ERR could not decode requested zset member');
    return false;
  }
  geoDecode(elScore);
  lon = geoLon;
  lat = geoLat;
  return true;
}

function placeOrReply(i: u32): bool {
  if (!argPlaceOrReply(i)) return false;
  from = FROM_PLACE;
  lon = argLon;
  lat = argLat;
  return true;
}

function circleOrReply(i: u32): bool {
  if (!argRadiusOrReply(i)) return false;
  shape = SHAPE_CIRCLE;
  width = argDouble;
  unit = argUnit;
  return true;
}

function boxOrReply(i: u32): bool {
  if (!argF64OrReplyText(i, 'ERR need numeric width')) return false;
  const wide = argDouble;
  if (!argF64OrReplyText(i + 1, 'ERR need numeric height')) return false;
  if (wide < 0 || argDouble < 0) {
    replyError('ERR height or width cannot be negative');
    return false;
  }
  shape = SHAPE_BOX;
  width = wide;
  height = argDouble;
  if (!argUnitOrReply(i + 2)) return false;
  unit = argUnit;
  return true;
}

function countOrReply(i: u32): bool {
  if (!argI64OrReply(i)) return false;
  count = argInt;
  if (count > 0) return true;
  replyError('ERR COUNT must be > 0');
  return false;
}

/** Options of a word; false: argument `i` is none of them. */
function wordOption(i: u32): bool {
  if (argIs(i, 'withdist')) withDist = true;
  else if (argIs(i, 'withhash')) withHash = true;
  else if (argIs(i, 'withcoord')) withCoord = true;
  else if (argIs(i, 'any')) isAny = true;
  else if (argIs(i, 'asc')) order = ASCENDING;
  else if (argIs(i, 'desc')) order = DESCENDING;
  else return false;
  return true;
}

/** Arguments taken by the option that `shapeOption` or `storeOption` has read; 0: answered. */
let taken: u32 = 0;

/** Options of GEOSEARCH alone; false: argument `i` is none of them. */
function shapeOption(i: u32): bool {
  const left = argc - i - 1;
  if (left >= 1 && from != FROM_PLACE && argIs(i, 'frommember')) {
    taken = memberOrReply(i + 1) ? 2 : 0;
  } else if (left >= 2 && from != FROM_MEMBER && argIs(i, 'fromlonlat')) {
    taken = placeOrReply(i + 1) ? 3 : 0;
  } else if (left >= 2 && shape != SHAPE_BOX && argIs(i, 'byradius')) {
    taken = circleOrReply(i + 1) ? 3 : 0;
  } else if (left >= 3 && shape != SHAPE_CIRCLE && argIs(i, 'bybox')) {
    taken = boxOrReply(i + 1) ? 4 : 0;
  } else {
    return false;
  }
  return true;
}

/** STORE and STOREDIST with a key, of the old commands; false: argument `i` is neither. */
function storeOption(i: u32): bool {
  const isDist = argIs(i, 'storedist');
  if (i + 1 >= argc || (!isDist && !argIs(i, 'store'))) return false;
  storeArg = i + 1;
  storeDist = isDist;
  taken = 2;
  return true;
}

/** Reads the options from argument `i` on; `readOnly`: STORE is none. False: answered. */
function optionsOrReply(i: u32, form: u32, readOnly: bool): bool {
  while (i < argc) {
    taken = 1;
    if (wordOption(i)) {
      i++;
    } else if (i + 1 < argc && argIs(i, 'count')) {
      if (!countOrReply(i + 1)) return false;
      i += 2;
    } else if (form == SEARCH_STORE && argIs(i, 'storedist')) {
      storeDist = true;
      i++;
    } else if (form >= SEARCH ? shapeOption(i) : !readOnly && storeOption(i)) {
      if (taken == 0) return false;
      i += taken;
    } else {
      replySyntaxError();
      return false;
    }
  }
  return true;
}

/** `text`, then the name as the client wrote it. */
function replyNamed(text: string): void {
  errorBegin(text);
  errorBytes(argPtr(0), argLen(0), argLen(0));
  errorEnd();
}

/** Whether all that was read goes together; false: answered. */
function fitsOrReply(form: u32): bool {
  if (storeArg != 0 && (withDist || withHash || withCoord)) {
    if (form == SEARCH_STORE) {
      replyError(
        'ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options',
      );
    } else {
      errorBegin('ERR STORE option in GEORADIUS is not compatible with ');
      errorText('WITHDIST, WITHHASH and WITHCOORD options');
      errorEnd();
    }
  } else if (form >= SEARCH && from == FROM_NONE) {
    replyNamed('ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ');
  } else if (form >= SEARCH && shape == SHAPE_NONE) {
    replyNamed('ERR exactly one of BYRADIUS and BYBOX can be specified for ');
  } else if (isAny && count == 0) {
    replyError('ERR the ANY argument requires COUNT argument');
  } else {
    return true;
  }
  return false;
}

/** Reads all arguments behind the source key; false: answered. */
function argumentsOrReply(form: u32, readOnly: bool): bool {
  reset();
  let at: u32 = 2;
  if (form == RADIUS) {
    if (!placeOrReply(2) || !circleOrReply(4)) return false;
    at = 6;
  } else if (form == RADIUS_BY_MEMBER) {
    if (zset != 0 && (!memberOrReply(2) || !circleOrReply(3))) return false;
    at = 5;
  } else if (form == SEARCH_STORE) {
    storeArg = 1;
    at = 3;
  }
  return optionsOrReply(at, form, readOnly) && fitsOrReply(form);
}

// ---- finding points

const POINT_SIZE: usize = 40;
const POINT_POS: usize = 24;
const FIRST_POINTS: u32 = 16;
let points: usize = 0;
let pointCount: u32 = 0;
let pointRoom: u32 = 0;

// @ts-ignore: decorator
@inline function pointAt(i: u32): usize {
  return points + <usize>i * POINT_SIZE;
}

/** Room for one more point; false: out of memory. */
function growPoints(): bool {
  if (pointCount < pointRoom) return true;
  const room = pointRoom == 0 ? FIRST_POINTS : pointRoom * 2;
  const moved = points == 0
    ? alloc(<usize>room * POINT_SIZE)
    : realloc(points, <usize>room * POINT_SIZE);
  if (moved == 0) return false;
  points = moved;
  pointRoom = room;
  return true;
}

function dropPoints(): void {
  free(points);
  points = 0;
}

/** Metres from the centre to the place in geoLon and geoLat, in `distance`; false: outside. */
let distance: f64 = 0;
function isWithin(): bool {
  if (shape == SHAPE_CIRCLE) {
    distance = geoDistance(lon, lat, geoLon, geoLat);
    return !(distance > width * unit);
  }
  if (geoLatDistance(geoLat, lat) > (height * unit) / 2) return false;
  if (geoDistance(geoLon, geoLat, lon, geoLat) > (width * unit) / 2) return false;
  distance = geoDistance(lon, lat, geoLon, geoLat);
  return true;
}

const pos = changetype<ZsetPos>(memory.data(16));

/** Adds the points of a range of scores, `most` in all (0 = any number); false: out of memory. */
function searchRange(low: f64, beyond: f64, most: i64): bool {
  let more = zsetSeek(zset, zsetRankOfScore(zset, low, false), pos);
  while (more && elScore < beyond) {
    geoDecode(elScore);
    if (isWithin()) {
      if (!growPoints()) return false;
      const at = pointAt(pointCount++);
      store<f64>(at, distance);
      store<f64>(at, geoLon, 8);
      store<f64>(at, geoLat, 16);
      memory.copy(at + POINT_POS, changetype<usize>(pos), ZSET_POS_SIZE);
      if (<i64>pointCount == most) return true;
    }
    more = zsetStep(pos, true);
  }
  return true;
}

const reach = changetype<GeoReach>(memory.data(offsetof<GeoReach>(), 8));

/** Finds all points, or with ANY enough of them; false: out of memory. */
function search(): bool {
  points = 0;
  pointCount = 0;
  pointRoom = 0;
  if (shape == SHAPE_CIRCLE) {
    reach.width = unit * width;
    reach.height = unit * width;
    reach.metres = width * unit;
  } else {
    reach.width = unit * (width / 2);
    reach.height = unit * (height / 2);
    const half = (width / 2) * (width / 2) + (height / 2) * (height / 2);
    reach.metres = sqrt<f64>(half) * unit;
  }
  geoFindBoxes(lon, lat, reach);
  const most = isAny ? count : 0;
  let last: u32 = 0;
  for (let i: u32 = 0; i < GEO_BOXES; i++) {
    if (!geoBoxIsUseful(i)) continue;
    // Redis: a coarse grid has the same box twice, which shows unless one follows the other.
    if (last != 0 && geoBoxIsSame(i, last)) continue;
    if (most != 0 && <i64>pointCount >= most) break;
    if (!searchRange(geoBoxLow(i, 0), geoBoxLow(i, 1), most)) return false;
    last = i;
  }
  return true;
}

// ---- order

/** The points in the order of the reply: u32 numbers; 0 = as they were found. */
let ranking: usize = 0;

// @ts-ignore: decorator
@inline function distanceOf(i: u32): f64 {
  return load<f64>(pointAt(i));
}

function compareDistance(a: u32, b: u32): i32 {
  const x = distanceOf(a);
  const y = distanceOf(b);
  const c = x > y ? 1 : x == y ? 0 : -1;
  return order == DESCENDING ? -c : c;
}

/** The same for a sort that is not stable. */
function compareStable(a: u32, b: u32): i32 {
  const c = compareDistance(a, b);
  return c != 0 ? c : a < b ? -1 : a > b ? 1 : 0;
}

/** Ranks the points as far as `wanted` of them are asked for; false: out of memory. */
function rank(wanted: u32): bool {
  ranking = 0;
  if (order == UNSORTED || pointCount == 0) return true;
  ranking = alloc(<usize>pointCount << 2);
  if (ranking == 0) return false;
  for (let i: u32 = 0; i < pointCount; i++) store<u32>(ranking + (<usize>i << 2), i);
  if (wanted == pointCount) sort32(ranking, pointCount, <u32>compareStable.index);
  else sortFirst32(ranking, pointCount, wanted, <u32>compareDistance.index);
  return true;
}

/** The point of place `i`. */
function ranked(i: u32): usize {
  return pointAt(ranking == 0 ? i : load<u32>(ranking + (<usize>i << 2)));
}

// ---- answering

function replyPoints(wanted: u32): void {
  const extras = <u32>withDist + <u32>withHash + <u32>withCoord;
  replyArray(wanted);
  for (let i: u32 = 0; i < wanted; i++) {
    const point = ranked(i);
    zsetReadAt(changetype<ZsetPos>(point + POINT_POS));
    if (extras != 0) replyArray(extras + 1);
    replyBulk(elPtr, elLen);
    if (withDist) replyDistance(load<f64>(point) / unit);
    if (withHash) replyInt(<i64>elScore);
    if (withCoord) replyPlace(load<f64>(point, 8), load<f64>(point, 16));
  }
}

/** Copies the points into holder `h`; false: out of memory, nothing is left of it. */
function copyPoints(h: usize, wanted: u32): bool {
  if (!zsetNewTree(h)) return false;
  for (let i: u32 = 0; i < wanted; i++) {
    const point = ranked(i);
    zsetReadAt(changetype<ZsetPos>(point + POINT_POS));
    const score = storeDist ? load<f64>(point) / unit : elScore;
    if (zsetAdd(h, score, elPtr, elLen) == ADD_OOM) {
      zsetDiscard(h);
      return false;
    }
  }
  if (wanted == 0 || zsetToListpackIfFits(h)) return true;
  zsetDiscard(h);
  return false;
}

function storePoints(wanted: u32, event: string): void {
  const h = holder(0);
  if (!copyPoints(h, wanted) || !zsetStore(client.db, storeArg, h, event, wanted)) replyOom();
  else replyInt(wanted);
}

function answer(form: u32): void {
  const wanted = count == 0 || <i64>pointCount < count ? pointCount : <u32>count;
  if (!rank(wanted)) {
    replyOom();
    return;
  }
  if (storeArg == 0) replyPoints(wanted);
  else storePoints(wanted, form == SEARCH_STORE ? 'geosearchstore' : 'georadiusstore');
  free(ranking);
}

function run(form: u32, readOnly: bool): void {
  const key: u32 = form == SEARCH_STORE ? 2 : 1;
  zset = lookupRead(dbAt(client.db), argPtr(key), argLen(key));
  if (zset != 0 && entryType(zset) != TYPE_ZSET) {
    replyWrongType();
    return;
  }
  if (!argumentsOrReply(form, readOnly)) return;
  points = 0;
  pointCount = 0;
  if (zset != 0) {
    // The nearest are meant where a number is given without an order.
    if (count != 0 && order == UNSORTED && !isAny) order = ASCENDING;
    if (!search()) {
      dropPoints();
      replyOom();
      return;
    }
  }
  answer(form);
  dropPoints();
}

export function cmdGeoradius(): void {
  run(RADIUS, false);
}

export function cmdGeoradiusRo(): void {
  run(RADIUS, true);
}

export function cmdGeoradiusbymember(): void {
  run(RADIUS_BY_MEMBER, false);
}

export function cmdGeoradiusbymemberRo(): void {
  run(RADIUS_BY_MEMBER, true);
}

export function cmdGeosearch(): void {
  run(SEARCH, false);
}

export function cmdGeosearchstore(): void {
  run(SEARCH_STORE, false);
}
