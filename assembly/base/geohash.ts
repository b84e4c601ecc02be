/**
 * Places on earth as 52-bit hashes, distances between them, and the boxes a search has to look at.
 *
 * A hash has 26 bits of longitude and 26 of latitude, the position of the place between the ends of
 * the range, interleaved with the longitude's bits above the latitude's. What begins with the same
 * 2 * step bits lies in the same box of a grid of 2^step by 2^step, so a box is a range of hashes.
 *
 * What it is: Redis' geohash, with its constants and in its order of calculation, as every bit of a
 * coordinate and most of a distance is shown to users. Latitudes end at 85.05112878 degrees (Web
 * Mercator). What it is not: the geohash of the web, which goes to 90 degrees (`geoStandardBits`).
 *
 * Sources: Morton 1966 for the interleaving; Sinnott 1984, "Virtues of the Haversine"; the choice
 * of boxes is Redis' own.
 */
import { asinExact, cosExact, sinExact } from './numbers/trig';

export const GEO_LONG_MAX: f64 = 180;
export const GEO_LAT_MAX: f64 = 85.05112878;
const LAT_STANDARD: f64 = 90;
/** Bits of each coordinate in a hash. */
const STEP_MAX: u32 = 26;
const HASH_BITS: u32 = 52;

const EARTH_RADIUS: f64 = 6372797.560856;
/** Half the circumference as the projection has it. */
const MERCATOR_MAX: f64 = 20037726.37;
const RADIANS: f64 = 0.017453292519943295;

/** The place of the last `geoDecode`. */
export let geoLon: f64 = 0;
export let geoLat: f64 = 0;

// ---- bits

/** Spreads 32 bits over the even places of 64. */
function spread(bits: u32): u64 {
  let x = <u64>bits;
  x = (x | (x << 16)) & 0x0000ffff0000ffff;
  x = (x | (x << 8)) & 0x00ff00ff00ff00ff;
  x = (x | (x << 4)) & 0x0f0f0f0f0f0f0f0f;
  x = (x | (x << 2)) & 0x3333333333333333;
  return (x | (x << 1)) & 0x5555555555555555;
}

/** Gathers the even places of 64 bits. */
function gather(x: u64): u32 {
  x &= 0x5555555555555555;
  x = (x | (x >> 1)) & 0x3333333333333333;
  x = (x | (x >> 2)) & 0x0f0f0f0f0f0f0f0f;
  x = (x | (x >> 4)) & 0x00ff00ff00ff00ff;
  x = (x | (x >> 8)) & 0x0000ffff0000ffff;
  return <u32>(x | (x >> 16));
}

/** The hash of 2 * step bits with latitudes up to `latMax`; the place lies within. */
function encode(lon: f64, lat: f64, latMax: f64, step: u32): u64 {
  const size = <f64>((<u64>1) << step);
  const y = ((lat + latMax) / (latMax + latMax)) * size;
  const x = ((lon + GEO_LONG_MAX) / (GEO_LONG_MAX + GEO_LONG_MAX)) * size;
  return spread(<u32><u64>y) | (spread(<u32><u64>x) << 1);
}

/** The 52 bits of a place; a score of 2^52 and more stands for the very ends of the ranges. */
export function geoEncode(lon: f64, lat: f64): u64 {
  return encode(lon, lat, GEO_LAT_MAX, STEP_MAX);
}

/** The 52 bits of a place as the rest of the world has them. */
export function geoStandardBits(lon: f64, lat: f64): u64 {
  return encode(lon, lat, LAT_STANDARD, STEP_MAX);
}

/** Edge `index` of the 2^step parts of -most … most. */
// @ts-ignore: decorator
@inline function edge(index: u32, step: u32, most: f64): f64 {
  return -most + (<f64>index / <f64>((<u64>1) << step)) * (most + most);
}

// @ts-ignore: decorator
@inline function middle(index: u32, most: f64): f64 {
  const at = (edge(index, STEP_MAX, most) + edge(index + 1, STEP_MAX, most)) / 2;
  return at > most ? most : at < -most ? -most : at;
}

/**
 * A score as the bits it would be in C. Redis: a sorted set may hold any scores; x86 turns negative
 * ones into huge numbers and those beyond 64 bits into 0.
 */
function scoreBits(score: f64): u64 {
  if (score >= 18446744073709551616.0) return 0;
  if (score >= 9223372036854775808.0) return <u64>score;
  if (score < -9223372036854775808.0) return 0x8000000000000000;
  return <u64><i64>score;
}

/** Reads the place that a score stands for into geoLon and geoLat: the middle of its box. */
export function geoDecode(score: f64): void {
  const bits = scoreBits(score);
  geoLat = middle(gather(bits), GEO_LAT_MAX);
  geoLon = middle(gather(bits >> 1), GEO_LONG_MAX);
}

// ---- distances

/** Metres between two places of different longitude or not, along the great circle. */
export function geoDistance(lon1: f64, lat1: f64, lon2: f64, lat2: f64): f64 {
  const rad1 = lat1 * RADIANS;
  const rad2 = lat2 * RADIANS;
  const v = sinExact((lon2 * RADIANS - lon1 * RADIANS) / 2);
  const u = sinExact((rad2 - rad1) / 2);
  const a = u * u + cosExact(rad1) * cosExact(rad2) * v * v;
  return 2.0 * EARTH_RADIUS * asinExact(sqrt<f64>(a));
}

/** Metres between two latitudes. */
export function geoLatDistance(lat1: f64, lat2: f64): f64 {
  return EARTH_RADIUS * abs<f64>(lat2 * RADIANS - lat1 * RADIANS);
}

// ---- the boxes of a search

/** Number of boxes, the place's own first. */
export const GEO_BOXES: u32 = 9;
const NORTH: u32 = 1;
const SOUTH: u32 = 2;
const EAST: u32 = 3;
const WEST: u32 = 4;
const NORTH_EAST: u32 = 5;
const NORTH_WEST: u32 = 6;
const SOUTH_EAST: u32 = 7;
const SOUTH_WEST: u32 = 8;
const boxes = memory.data(9 * 8, 8);
/** A bit for each box that need not be looked at. */
let useless: u32 = 0;
let boxStep: u32 = 0;

// @ts-ignore: decorator
@inline function boxBits(i: u32): u64 {
  return load<u64>(boxes + (<usize>i << 3));
}

/** Grid step at which nine boxes hold all within `metres`. */
function stepFor(metres: f64, lat: f64): i32 {
  if (metres == 0) return STEP_MAX;
  let step = 1;
  while (metres < MERCATOR_MAX) {
    metres *= 2;
    step++;
  }
  step -= 2;
  // Boxes are narrower towards the poles.
  if (lat > 66 || lat < -66) {
    step--;
    if (lat > 80 || lat < -80) step--;
  }
  return max(1, min(step, <i32>STEP_MAX));
}

/** The place's box at a step and the eight around it; the grid's ends meet. */
function placeBoxes(lon: f64, lat: f64, step: u32): void {
  boxStep = step;
  const bits = encode(lon, lat, GEO_LAT_MAX, step);
  const mask = (<u64>0xffffffffffffffff) >> (64 - 2 * <u64>step);
  const evens = (<u64>0x5555555555555555) & mask;
  const odds = (<u64>0xaaaaaaaaaaaaaaaa) & mask;
  const y = bits & 0x5555555555555555;
  const x = bits & 0xaaaaaaaaaaaaaaaa;
  // One more or less in every second bit: carries run through the bits between, all ones or zeros.
  const up = (y + odds + 1) & evens;
  const down = ((y | odds) - (odds + 1)) & evens;
  const right = (x + evens + 1) & odds;
  const left = ((x | evens) - (evens + 1)) & odds;
  store<u64>(boxes, bits);
  store<u64>(boxes, x | up, NORTH << 3);
  store<u64>(boxes, x | down, SOUTH << 3);
  store<u64>(boxes, right | y, EAST << 3);
  store<u64>(boxes, left | y, WEST << 3);
  store<u64>(boxes, right | up, NORTH_EAST << 3);
  store<u64>(boxes, left | up, NORTH_WEST << 3);
  store<u64>(boxes, right | down, SOUTH_EAST << 3);
  store<u64>(boxes, left | down, SOUTH_WEST << 3);
}

// @ts-ignore: decorator
@inline function latEdge(box: u32, upper: u32): f64 {
  return edge(gather(boxBits(box)) + upper, boxStep, GEO_LAT_MAX);
}

// @ts-ignore: decorator
@inline function lonEdge(box: u32, upper: u32): f64 {
  return edge(gather(boxBits(box) >> 1) + upper, boxStep, GEO_LONG_MAX);
}

/** Ends of the search in degrees. */
let latDelta: f64 = 0;
let lonDelta: f64 = 0;

/** Whether the search reaches beyond the boxes around. */
function isTooSmall(lon: f64, lat: f64): bool {
  return (
    latEdge(NORTH, 1) < lat + latDelta ||
    latEdge(SOUTH, 0) > lat - latDelta ||
    lonEdge(EAST, 1) < lon + lonDelta ||
    lonEdge(WEST, 0) > lon - lonDelta
  );
}

/** The size of a search: half of width and height, and the farthest it reaches. */
@unmanaged
export class GeoReach {
  width: f64;
  height: f64;
  metres: f64;
}

/** Finds the boxes for a search of that reach around a place, for `geoBoxLow`. */
export function geoFindBoxes(lon: f64, lat: f64, reach: GeoReach): void {
  let step = stepFor(reach.metres, lat);
  placeBoxes(lon, lat, step);
  useless = 0;
  if (step < 2) return;
  latDelta = reach.height / EARTH_RADIUS / RADIANS;
  // The pole's side is the wider one in degrees.
  const side = lat < 0 ? lat - latDelta : lat + latDelta;
  lonDelta = reach.width / EARTH_RADIUS / cosExact(side * RADIANS) / RADIANS;
  if (isTooSmall(lon, lat)) placeBoxes(lon, lat, --step);
  if (step < 2) return;
  if (latEdge(0, 0) < lat - latDelta) drop(SOUTH, SOUTH_WEST, SOUTH_EAST);
  if (latEdge(0, 1) > lat + latDelta) drop(NORTH, NORTH_EAST, NORTH_WEST);
  if (lonEdge(0, 0) < lon - lonDelta) drop(WEST, SOUTH_WEST, NORTH_WEST);
  if (lonEdge(0, 1) > lon + lonDelta) drop(EAST, SOUTH_EAST, NORTH_EAST);
}

function drop(a: u32, b: u32, c: u32): void {
  useless |= (1 << a) | (1 << b) | (1 << c);
}

/** Whether box `i` has to be looked at. */
export function geoBoxIsUseful(i: u32): bool {
  return (useless & (1 << i)) == 0;
}

/** Whether two boxes are the same one: a coarse grid has fewer than nine. */
export function geoBoxIsSame(i: u32, k: u32): bool {
  return boxBits(i) == boxBits(k);
}

/** Lowest score in box `i`; the lowest beyond it with `beyond` = 1. */
export function geoBoxLow(i: u32, beyond: u32): f64 {
  return <f64>((boxBits(i) + beyond) << <u64>(HASH_BITS - 2 * boxStep));
}
