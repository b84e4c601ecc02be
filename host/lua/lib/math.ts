// Lua 5.1's mathematical library. Random numbers as in Redis: its own generator (rand.c, a drand48)
// from its own start, so that the numbers are the same everywhere.

import type { Machine } from '../vm/machine.js';
import { power } from '../vm/operations.js';
import { results } from '../vm/value.js';
import { type Arguments, type Body, library, toInt, truncated } from './arguments.js';

const MULTIPLIER = 0x5deece66dn;
const MASK = (1n << 48n) - 1n;
const RAND_MAX = 0x7fffffff;

/** Redis' redisLrand48 with its start values. */
export class Random {
  #state = 0x1234abcd330en;

  seed(value: number): void {
    this.#state = (BigInt.asUintN(32, BigInt(value)) << 16n) | 0x330en;
  }

  next(): number {
    this.#state = (this.#state * MULTIPLIER + 0xbn) & MASK;
    return Number(this.#state >> 17n);
  }
}

function one(fn: (x: number) => number): Body {
  return (a) => fn(a.number(1));
}

function frexp(x: number): [number, number] {
  if (x === 0 || !Number.isFinite(x)) return [x, 0];
  let exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(x))) + 1);
  let mantissa = x * 2 ** -exponent;
  while (Math.abs(mantissa) < 0.5) {
    mantissa *= 2;
    exponent--;
  }
  while (Math.abs(mantissa) >= 1) {
    mantissa /= 2;
    exponent++;
  }
  return [mantissa, exponent];
}

function ldexp(x: number, exponent: number): number {
  // In two steps: 2^exponent alone may be beyond what a double holds.
  const half = Math.trunc(exponent / 2);
  return x * 2 ** half * 2 ** (exponent - half);
}

function extreme(isBetter: (x: number, best: number) => boolean): Body {
  return (a) => {
    let best = a.number(1);
    for (let i = 2; i <= a.count; i++) {
      const x = a.number(i);
      if (isBetter(x, best)) best = x;
    }
    return best;
  };
}

function randomOf(random: Random): Body {
  return (a: Arguments) => {
    const r = (random.next() % RAND_MAX) / RAND_MAX;
    if (a.count === 0) return r;
    if (a.count > 2) throw a.machine.error('wrong number of arguments');
    const low = a.count === 1 ? 1 : a.int(1);
    const high = a.int(a.count);
    if (low > high) a.fail(a.count, 'interval is empty');
    return Math.floor(r * (high - low + 1)) + low;
  };
}

/** A function of two numbers; C looks at the second one first. */
function two(fn: (x: number, y: number) => number): Body {
  return (a) => {
    const y = a.number(2);
    return fn(a.number(1), y);
  };
}

const fmod = two((x, y) => x % y);

const MATH: Readonly<Record<string, Body>> = {
  abs: one(Math.abs),
  acos: one(Math.acos),
  asin: one(Math.asin),
  atan: one(Math.atan),
  atan2: two(Math.atan2),
  ceil: one(Math.ceil),
  cos: one(Math.cos),
  cosh: one(Math.cosh),
  deg: one((x) => x / (Math.PI / 180)),
  exp: one(Math.exp),
  floor: one(Math.floor),
  fmod,
  frexp: (a) => results(...frexp(a.number(1))),
  ldexp: two((x, exponent) => ldexp(x, toInt(exponent))),
  log: one(Math.log),
  log10: one(Math.log10),
  max: extreme((x, best) => x > best),
  min: extreme((x, best) => x < best),
  mod: fmod,
  modf: (a) => {
    const x = a.number(1);
    const whole = Math.trunc(x);
    return results(whole, Number.isFinite(x) ? x - whole : Number.isNaN(x) ? x : 0);
  },
  pow: two(power),
  rad: one((x) => x * (Math.PI / 180)),
  sin: one(Math.sin),
  sinh: one(Math.sinh),
  sqrt: one(Math.sqrt),
  tan: one(Math.tan),
  tanh: one(Math.tanh),
};

/** Gives the generator: Redis seeds it anew for every script. */
export function addMath(m: Machine): Random {
  const random = new Random();
  const table = library(m, 'math', {
    ...MATH,
    random: randomOf(random),
    randomseed: (a) => {
      random.seed(Number(BigInt.asIntN(32, BigInt(truncated(a.number(1))))));
      return results();
    },
  });
  table.setText('pi', Math.PI);
  table.setText('huge', Number.POSITIVE_INFINITY);
  return random;
}
