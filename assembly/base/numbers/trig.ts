/**
 * Sine, cosine and arc sine, correctly rounded: what distances on a sphere are made of.
 *
 * What it is: for |x| <= pi (sine, cosine) and 0 <= x <= 1 (arc sine) the double nearest to the
 * true value. C libraries round about one result in a thousand the other way, each in its own, so
 * this is as near as one can come to all of them. What it is not: a general library; arguments
 * beyond pi give NaN.
 *
 * How it works. x is reduced by multiples of pi/2 to r = rh + rl, |r| <= pi/4, then split into
 * j/128 + t. With S, C = sine and cosine of j/128 from a table (each as a sum of two doubles)
 *
 *   sin r = S + C t + (C (sin t - t) - S (1 - cos t))
 *
 * where the first two terms are added without error and the rest is small. If the result would be
 * the same with the greatest error that the rest can have, it is right (Ziv's test); else, once in
 * some ten thousand calls, Taylor's series is summed in pairs of doubles (about 105 bits). The arc
 * sine is Newton's correction of a double near it.
 *
 * Sources: Dekker 1971 and Knuth for the exact sums and products; Ziv 1991; Gal's tables in spirit.
 */

// ---- pairs of doubles: results are left in hi and lo, |lo| <= half a unit of hi

let hi: f64 = 0;
let lo: f64 = 0;

/** a + b, exactly. */
// @ts-ignore: decorator
@inline function twoSum(a: f64, b: f64): void {
  const s = a + b;
  const bb = s - a;
  lo = (a - (s - bb)) + (b - bb);
  hi = s;
}

const SPLITTER: f64 = 134217729; // 2^27 + 1

/** a * b, exactly (no overflow, no underflow here). */
// @ts-ignore: decorator
@inline function twoProd(a: f64, b: f64): void {
  const p = a * b;
  const ca = SPLITTER * a;
  const ah = ca - (ca - a);
  const al = a - ah;
  const cb = SPLITTER * b;
  const bh = cb - (cb - b);
  const bl = b - bh;
  lo = ((ah * bh - p) + ah * bl + al * bh) + al * bl;
  hi = p;
}

/** (ah + al) + (bh + bl), |a| >= |b|. */
function addPairs(ah: f64, al: f64, bh: f64, bl: f64): void {
  twoSum(ah, bh);
  const s = hi;
  const e = lo;
  twoSum(al, bl);
  const u = hi;
  const v = lo;
  twoSum(s, e + u);
  twoSum(hi, lo + v);
}

/** (ah + al) * (bh + bl) */
function mulPairs(ah: f64, al: f64, bh: f64, bl: f64): void {
  twoProd(ah, bh);
  twoSum(hi, lo + (ah * bl + al * bh));
}

/** (ah + al) / n, n an integer. */
function divPair(ah: f64, al: f64, n: f64): void {
  const q = ah / n;
  twoProd(q, n);
  const rest = ((ah - hi) - lo) + al;
  twoSum(q, rest / n);
}

// ---- Taylor's series in pairs

/** Terms after the first: 0.8^29 / 29! is below 2^-112. */
const TERMS: i32 = 14;

/** Sum of the series r - r^3/3! … (`first` = 1) or 1 - r^2/2! … (`first` = 0). */
function series(rh: f64, rl: f64, first: i32): void {
  mulPairs(rh, rl, rh, rl);
  const zh = -hi;
  const zl = -lo;
  // Horner: 1 + z/((n+1)(n+2)) (1 + z/((n+3)(n+4)) (…))
  let sh: f64 = 1;
  let sl: f64 = 0;
  for (let k = TERMS; k > 0; k--) {
    const n = first + 2 * k;
    mulPairs(sh, sl, zh, zl);
    divPair(hi, lo, <f64>(n * (n - 1)));
    addPairs(1, 0, hi, lo);
    sh = hi;
    sl = lo;
  }
  if (first != 0) mulPairs(sh, sl, rh, rl);
}

// ---- the table

const STEPS: i32 = 128;
/** pi/4 is 100.5 steps. */
const ENTRIES: i32 = 102;
const ENTRY_SIZE: usize = 32;
/** Sine (two doubles) and cosine (two) of j/128. */
const TABLE = memory.data(102 * 32, 8);
let isBuilt: bool = false;

function build(): void {
  for (let j = 0; j < ENTRIES; j++) {
    const at = TABLE + <usize>j * ENTRY_SIZE;
    const x = <f64>j / <f64>STEPS;
    series(x, 0, 1);
    store<f64>(at, hi);
    store<f64>(at, lo, 8);
    series(x, 0, 0);
    store<f64>(at, hi, 16);
    store<f64>(at, lo, 24);
  }
  isBuilt = true;
}

// ---- reduction

const TWO_OVER_PI: f64 = 0.6366197723675814;
/** pi/2 as a sum of three doubles. */
const HALF_PI_1: f64 = 1.5707963267948966;
const HALF_PI_2: f64 = 6.123233995736766e-17;
const HALF_PI_3: f64 = -1.4973849048591833e-33;
const PI_MAX: f64 = 3.1415926535897936;

/** x - n pi/2 of the last reduction. */
let redHi: f64 = 0;
let redLo: f64 = 0;

/** Reduces |x| <= pi; returns n. */
function reduce(x: f64): i32 {
  const n = nearest<f64>(x * TWO_OVER_PI);
  // Exact: n is 0, ±1 or ±2, and x is within a factor of two of n pi/2.
  const d = x - n * HALF_PI_1;
  twoSum(d, -n * HALF_PI_2);
  twoSum(hi, lo - n * HALF_PI_3);
  redHi = hi;
  redLo = lo;
  return <i32>n;
}

// ---- sine and cosine of the reduced argument

/** Largest relative error of the small terms, with room. */
const REST_ERROR: f64 = 8.881784197001252e-16; // 2^-50
const TABLE_ERROR: f64 = 7.888609052210118e-31; // 2^-100

/** How far off hi + lo can be after `quick`. */
let error: f64 = 0;

/** Sine (or cosine) of redHi + redLo as hi + lo, off by at most `error`. */
function quick(cosine: bool): void {
  if (!isBuilt) build();
  const negative = redHi < 0;
  const rh = negative ? -redHi : redHi;
  const rl = negative ? -redLo : redLo;
  const j = nearest<f64>(rh * <f64>STEPS);
  const at = TABLE + <usize>j * ENTRY_SIZE;
  const t = rh - j / <f64>STEPS;
  const z = t * t;
  // sin t - t and cos t - 1
  const ds = t * z * (-1.0 / 6 + z * (1.0 / 120 - z * (1.0 / 5040)));
  const dc = z * (-0.5 + z * (1.0 / 24 - z * (1.0 / 720)));
  const s = load<f64>(at);
  const sLow = load<f64>(at, 8);
  const c = load<f64>(at, 16);
  const cLow = load<f64>(at, 24);
  let head: f64;
  let rest: f64;
  if (cosine) {
    twoProd(-s, t);
    head = c;
    rest = cLow + (c * dc - (s * ds + (rl * (s + c * t) + sLow * t)));
  } else {
    twoProd(c, t);
    head = s;
    rest = sLow + (s * dc + (c * ds + (rl * (c - s * t) + cLow * t)));
  }
  const low = lo;
  // The table's value is the larger one, or 0 with nothing to lose.
  twoSum(head, hi);
  error = (abs<f64>(rest) + abs<f64>(low)) * REST_ERROR + abs<f64>(hi) * TABLE_ERROR;
  twoSum(hi, lo + (low + rest));
  if (negative && !cosine) {
    hi = -hi;
    lo = -lo;
  }
}

/** Sine or cosine of redHi + redLo, rounded. */
function rounded(cosine: bool): f64 {
  quick(cosine);
  const low = hi + (lo - error);
  if (low == hi + (lo + error)) return low;
  series(redHi, redLo, cosine ? 0 : 1);
  return hi;
}

/** Sine of x, |x| <= pi, correctly rounded; NaN beyond. O(1). */
export function sinExact(x: f64): f64 {
  if (!(abs<f64>(x) <= PI_MAX)) return NaN;
  // x - x^3/6 rounds to x.
  if (abs<f64>(x) < 1.4901161193847656e-8) return x;
  const n = reduce(x);
  const value = rounded((n & 1) != 0);
  return (n & 2) != 0 ? -value : value;
}

/** Cosine of x, |x| <= pi, correctly rounded; NaN beyond. O(1). */
export function cosExact(x: f64): f64 {
  if (!(abs<f64>(x) <= PI_MAX)) return NaN;
  const n = reduce(x);
  const value = rounded((n & 1) == 0);
  return ((n + 1) & 2) != 0 ? -value : value;
}

// ---- arc sine

/** Arc sine of x, 0 <= x <= 1, correctly rounded; NaN beyond. O(1). */
export function asinExact(x: f64): f64 {
  if (!(x >= 0 && x <= 1)) return NaN;
  // x + x^3/6 rounds to x.
  if (x < 1.4901161193847656e-8) return x;
  if (x == 1) return HALF_PI_1;
  // Within a unit or so of the last place; what it lacks is (x - sin y) / cos y.
  const y = NativeMath.asin(x);
  const n = reduce(y);
  quick((n & 1) != 0);
  const cosine = sqrt<f64>((1 - x) * (1 + x));
  const lack = (x - hi) - lo;
  const delta = lack / cosine;
  const doubt = error / cosine + abs<f64>(delta) * REST_ERROR;
  const low = y + (delta - doubt);
  if (low == y + (delta + doubt)) return low;
  return asinSlow(x, y, n);
}

/** The same in pairs, y being near the result and reduced. */
function asinSlow(x: f64, y: f64, n: i32): f64 {
  series(redHi, redLo, (n & 1) != 0 ? 0 : 1);
  const sh = hi;
  const sl = lo;
  series(redHi, redLo, (n & 1) != 0 ? 1 : 0);
  const cosine = abs<f64>(hi);
  const lack = (x - sh) - sl;
  const delta = lack / cosine;
  // The second term of Newton's series: tan(y) delta^2 / 2.
  return y + (delta + 0.5 * (x / cosine) * delta * delta);
}
