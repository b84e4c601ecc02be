/** Arguments and replies of geo commands: coordinates, units, distances. As in arg-values.ts. */
import { GEO_LAT_MAX, GEO_LONG_MAX } from '../base/geohash';
import { FIXED_CHARS_MAX, formatFixed, formatHuman } from '../base/numbers/fixed';
import { argDouble, argF64OrReply, argF64OrReplyText } from './arg-values';
import { argIs } from './args';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyError,
  replyLiteral,
  replyRaw,
  respVersion,
} from './reply';

/** Coordinates of the last `argPlaceOrReply`. */
export let argLon: f64 = 0;
export let argLat: f64 = 0;
/** Metres in the unit of the last `argUnitOrReply`. */
export let argUnit: f64 = 1;

const text = memory.data(<i32>FIXED_CHARS_MAX);

/** "%f" inside an error. */
function errorFixed(value: f64): void {
  const len = formatFixed(value, 6, text);
  errorBytes(text, len, len);
}

/** Longitude and latitude in arguments `i` and `i` + 1; false: no numbers or out of range. */
export function argPlaceOrReply(i: u32): bool {
  if (!argF64OrReply(i)) return false;
  argLon = argDouble;
  if (!argF64OrReply(i + 1)) return false;
  argLat = argDouble;
  if (abs<f64>(argLon) <= GEO_LONG_MAX && abs<f64>(argLat) <= GEO_LAT_MAX) return true;
  errorBegin('ERR invalid longitude,latitude pair ');
  errorFixed(argLon);
  errorText(',');
  errorFixed(argLat);
  errorEnd();
  return false;
}

/** A unit in argument `i`; false: there is no such. */
export function argUnitOrReply(i: u32): bool {
  if (argIs(i, 'm')) argUnit = 1;
  else if (argIs(i, 'km')) argUnit = 1000;
  else if (argIs(i, 'ft')) argUnit = 0.3048;
  else if (argIs(i, 'mi')) argUnit = 1609.34;
  else {
    replyError('ERR unsupported unit provided. please use M, KM, FT, MI');
    return false;
  }
  return true;
}

/** A radius and its unit in arguments `i` and `i` + 1; the number is in argDouble. */
export function argRadiusOrReply(i: u32): bool {
  if (!argF64OrReplyText(i, 'ERR need numeric radius')) return false;
  if (argDouble < 0) {
    replyError('ERR radius cannot be negative');
    return false;
  }
  return argUnitOrReply(i + 1);
}

/** A distance with four digits behind the point. */
export function replyDistance(distance: f64): void {
  replyBulk(text, formatFixed(distance, 4, text));
}

/** A coordinate: a bulk string, a double in RESP3, with all the digits a long double has. */
function replyCoordinate(value: f64): void {
  const len = formatHuman(value, text);
  if (respVersion == 2) {
    replyBulk(text, len);
    return;
  }
  replyLiteral(',');
  replyRaw(text, len);
  replyLiteral('\r\n');
}

/** Longitude and latitude as an array. */
export function replyPlace(lon: f64, lat: f64): void {
  replyArray(2);
  replyCoordinate(lon);
  replyCoordinate(lat);
}
