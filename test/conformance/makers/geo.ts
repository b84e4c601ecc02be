// Random geo commands: places all over the world, many of them near each other, at the edges of
// the projection, or twice the same; searches of every shape and size. STOREDIST shows the last bit
// of a distance, which C libraries themselves do not agree on, so it is not made here.

import type { Prng } from '../../support/prng.js';
import { edge, type Make, maybe, key as sharedKey, times, type Weighted } from './common.js';

const LONS = ['0', '180', '-180', '179.9999999', '-179.9999999', '13.361389', '15.087269', '90'];
const LATS = ['0', '85.05112878', '-85.05112878', '85', '-85', '38.115556', '37.502669', '66.5'];
const BAD = ['181', '-180.1', '86', 'x', 'inf', 'nan', '', '1e300', '-100.123456789'];

const key = (r: Prng) => (r.once(8) ? sharedKey(r) : `k${r.range(40, 43)}`);
/** Between -most and most, more often than not near one of a few spots. */
const near = (r: Prng, most: number): string => {
  const spot = r.once(3) ? 0 : (r.range(-3, 3) * most) / 4;
  const wide = r.pick([0.001, 0.1, 5, most]);
  const at = spot + ((r.u32() / 2 ** 32) * 2 - 1) * wide;
  return String(Math.max(-most, Math.min(most, at)));
};
const lon = (r: Prng) => (r.once(60) ? r.pick(BAD) : r.once(8) ? r.pick(LONS) : near(r, 180));
const lat = (r: Prng) => (r.once(60) ? r.pick(BAD) : r.once(8) ? r.pick(LATS) : near(r, 85));
const member = (r: Prng) =>
  r.once(20) ? r.pick(['', '1', '-1', 'x'.repeat(65)]) : `p${r.below(60)}`;
const place: Make = (r) => [lon(r), lat(r), member(r)];
const unit = (r: Prng) => (r.once(40) ? 'x' : r.pick(['m', 'km', 'ft', 'mi', 'KM', 'Mi']));
const length = (r: Prng): string => {
  if (r.once(40)) return r.pick(['-1', 'x', 'inf', '1e300', '']);
  if (r.once(12)) return '0';
  const size = r.pick([1, 100, 1000, 10_000, 1e5, 1e6, 3e6, 1e7, 3e7]);
  return String((r.u32() / 2 ** 32) * size);
};
const radius: Make = (r) => [length(r), unit(r)];
const extras: Make = (r) => [
  ...maybe(r, r.pick(['WITHDIST', 'withdist'])),
  ...maybe(r, 'WITHHASH'),
  ...maybe(r, r.pick(['WITHCOORD', 'WITHCOORD', 'FOO'])),
];
const sorting: Make = (r) => [
  ...maybe(r, r.pick(['ASC', 'DESC', 'desc'])),
  ...maybe(r, 'COUNT', r.once(6) ? edge(r) : String(r.range(1, 60)), ...(r.once(3) ? ['ANY'] : [])),
];
const from: Make = (r) => (r.once(2) ? ['FROMMEMBER', member(r)] : ['FROMLONLAT', lon(r), lat(r)]);
const by: Make = (r) =>
  r.once(2) ? ['BYRADIUS', ...radius(r)] : ['BYBOX', length(r), length(r), unit(r)];
const shuffled = (r: Prng, ...parts: (string | Buffer)[][]) => {
  if (r.once(20)) parts.splice(r.below(parts.length), 1);
  if (r.once(20)) parts.push(r.pick(parts));
  return parts.sort(() => r.below(3) - 1).flat();
};

export const GEO: Weighted[] = [
  [6, (r) => ['GEOADD', key(r), ...maybe(r, r.pick(['NX', 'XX', 'CH'])), ...place(r), ...place(r)]],
  [4, (r) => ['GEOADD', key(r), ...times(r, 12, place).flat(), ...place(r)]],
  [1, (r) => ['GEOADD', key(r), '10', '10', ...times(r, 30, place).flat(), 'odd']],
  [2, (r) => ['GEOPOS', key(r), ...times(r, 3, member)]],
  [2, (r) => ['GEOHASH', key(r), ...times(r, 3, member)]],
  [3, (r) => ['GEODIST', key(r), member(r), member(r), ...maybe(r, unit(r))]],
  [8, (r) => ['GEOSEARCH', key(r), ...shuffled(r, from(r), by(r), extras(r), sorting(r))]],
  [2, (r) => ['GEOSEARCHSTORE', key(r), key(r), ...shuffled(r, from(r), by(r), sorting(r))]],
  [
    2,
    (r) => [
      ...[r.pick(['GEORADIUS', 'GEORADIUS_RO']), key(r), lon(r), lat(r)],
      ...[...radius(r), ...extras(r), ...sorting(r)],
    ],
  ],
  [1, (r) => ['GEORADIUS', key(r), lon(r), lat(r), ...radius(r), 'STORE', key(r), ...sorting(r)]],
  [
    2,
    (r) => [
      ...[r.pick(['GEORADIUSBYMEMBER', 'GEORADIUSBYMEMBER_RO']), key(r), member(r)],
      ...[...radius(r), ...extras(r), ...sorting(r)],
    ],
  ],
  [1, (r) => ['ZREM', key(r), member(r)]],
  [1, (r) => ['ZADD', key(r), String(r.range(-5, 4.5e15)), member(r)]],
  [1, (r) => ['ZCARD', key(r)]],
];
