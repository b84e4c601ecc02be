// Random string and bitmap commands on few keys, sent to the core and to a redis-server: replies,
// the state of every key, and what is propagated must be the same.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Arg, encodeCommand, show, toBytes } from '../../support/bytes.js';
import { SCALAR, SIMD } from '../../support/compile.js';
import { Prng } from '../../support/prng.js';
import {
  CoreClient,
  compileCore,
  hasRedis,
  RedisOracle,
  splitReplies,
} from './support/core-client.js';

const KEYS = ['a', 'b', 'c', 'd', 'n', 'lst', '', 'bin\0\r\n', 'K'.repeat(300)];
const BATCH = 150;
const FAR = 4102444800;

const INTEGERS = [
  ...['0', '1', '-1', '2', '7', '8', '9', '31', '32', '33', '63', '64', '65', '100', '-5', '-9'],
  ...['9223372036854775807', '9223372036854775806', '-9223372036854775808', '007', '+1', ' 1'],
  ...['-9223372036854775807', '9223372036854775808', '-0', '', 'abc', '1.5', '1e3', '2147483648'],
  ...['4294967295', '4294967296', '-2147483649', '10000', '9999', '1\0', '0x10', '536870912'],
];
const FLOATS = [
  ...[
    '0.1',
    '-0.1',
    '1e10',
    '3.0e-5',
    'inf',
    '-inf',
    'nan',
    '1e4932',
    '5e-324',
    '.5',
    '5.',
    '0x1p3',
  ],
  ...[
    '100.000000000000001',
    '0.30000000000000004',
    '-7.25',
    '1e400',
    '123456789.987654321',
    '1e-17',
  ],
];
const WORDS = ['NX', 'XX', 'GET', 'KEEPTTL', 'PERSIST', 'nx', 'xX', 'get', 'keepttl', 'FOO', ''];

class Generator {
  readonly #r: Prng;
  constructor(seed: number) {
    this.#r = new Prng(seed);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#r.below(list.length)] as T;
  }

  #key(): string {
    return this.#pick(KEYS);
  }

  #small(): string {
    return String(this.#r.below(20) - 4);
  }

  #integer(): string {
    const kind = this.#r.below(10);
    if (kind < 6) return this.#small();
    if (kind < 9) return this.#pick(INTEGERS);
    return String(BigInt.asIntN(64, (BigInt(this.#r.u32()) << 32n) | BigInt(this.#r.u32())));
  }

  #bytes(): Arg {
    const lengths = [0, 1, 3, 8, 16, 17, 43, 44, 45, 64, 100, 255, 2047, 2048, 2049, 5000];
    const len = this.#pick(lengths);
    const out = Buffer.alloc(len);
    const kind = this.#r.below(4);
    for (let i = 0; i < len; i++) {
      out[i] =
        kind === 0 ? 0 : kind === 1 ? 255 : kind === 2 ? 97 + this.#r.below(3) : this.#r.u32();
    }
    if (len > 0 && this.#r.below(3) === 0) out[this.#r.below(len)] = this.#r.u32();
    return out;
  }

  #value(): Arg {
    const kind = this.#r.below(8);
    if (kind < 3) return this.#integer();
    if (kind === 3) return this.#pick(FLOATS);
    return this.#bytes();
  }

  #expiry(): Arg[] {
    const kind = this.#r.below(12);
    const far = FAR + this.#r.below(1000);
    if (kind < 2) return ['EXAT', far];
    if (kind < 4) return ['PXAT', far * 1000 + this.#r.below(1000)];
    if (kind < 6) return ['EX', 100000 + this.#r.below(1000)];
    if (kind < 8) return ['px', 100000000 + this.#r.below(1000)];
    if (kind === 8) return [this.#pick(['EXAT', 'PXAT']), this.#pick(['1', '1000000000'])];
    return [
      this.#pick(['EX', 'PX', 'EXAT', 'PXAT']),
      this.#pick([
        '0',
        '-1',
        'x',
        '',
        '1.5',
        '9223372036854775807',
        '9223372036854775',
        '9223372036854776',
        '9223372036854775808',
      ]),
    ];
  }

  #options(): Arg[] {
    const out: Arg[] = [];
    for (let n = this.#r.below(4); n > 0; n--) {
      if (this.#r.below(3) === 0) out.push(...this.#expiry());
      else out.push(this.#pick(WORDS));
    }
    if (this.#r.below(20) === 0) out.push('EX');
    return out;
  }

  #offset(): string {
    const kind = this.#r.below(12);
    if (kind < 8) return String(this.#r.below(200));
    if (kind === 8) return `#${this.#r.below(30)}`;
    if (kind === 9) return String(16000 + this.#r.below(3000));
    const odd = ['-1', 'x', '', '#', '#-1', '4294967296', '9223372036854775807', '1.0'];
    return this.#pick([
      ...odd,
      '#9223372036854775807',
      '#576460752303423488',
      '#144115188075855873',
    ]);
  }

  #field(): Arg[] {
    const kind = this.#r.below(40);
    const odd = ['u0', 'u64', 'i65', 'x1', '', 'u', 'U8', 'i-1', 'u08'];
    const sign = this.#r.below(2) ? 'u' : 'i';
    const type =
      kind === 0 ? this.#pick(odd) : `${sign}${1 + this.#r.below(sign === 'u' ? 63 : 64)}`;
    switch (this.#r.below(3)) {
      case 0:
        return ['GET', type, this.#offset()];
      case 1:
        return ['SET', type, this.#offset(), this.#integer()];
      default:
        return ['incrby', type, this.#offset(), this.#integer()];
    }
  }

  #fields(): Arg[] {
    const out: Arg[] = [];
    for (let n = this.#r.below(5); n > 0; n--) {
      if (this.#r.below(3) === 0) {
        const mode = this.#pick(['WRAP', 'SAT', 'FAIL', 'sat', this.#r.below(10) ? 'wrap' : 'FOO']);
        out.push('OVERFLOW', mode);
        // A string that grows although all writes fail is told to followers here, not by Redis.
        if (mode === 'FAIL') out.push('SET', 'u1', '0', '1', 'SET', 'u1', '0', '0');
      }
      out.push(...this.#field());
    }
    if (this.#r.below(40) === 0) out.push(this.#pick(['FOO', 'GET', 'SET u8 0', 'OVERFLOW']));
    return out;
  }

  #range(): Arg[] {
    const out: Arg[] = [this.#integer(), this.#integer()];
    if (this.#r.below(2)) out.push(this.#pick(['BIT', 'BYTE', 'bit', 'byte', 'BITS']));
    return out.slice(0, this.#r.below(8) ? out.length : 1);
  }

  #string(): Arg[] {
    const key = this.#key();
    switch (this.#r.below(26)) {
      case 0:
        return ['GET', key];
      case 1:
      case 2:
        return ['SET', key, this.#value()];
      case 3:
      case 4:
        return ['SET', key, this.#value(), ...this.#options()];
      case 5:
        return ['GETSET', key, this.#value()];
      case 6:
        return ['GETDEL', key];
      case 7:
        return ['GETEX', key, ...this.#options().slice(0, 2)];
      case 8:
        return ['GETEX', key, ...this.#expiry()];
      case 9:
        return ['APPEND', key, this.#value()];
      case 10:
        return ['STRLEN', key];
      case 11:
      case 12:
        return [
          'SETRANGE',
          key,
          this.#pick([this.#integer(), this.#small(), '3000']),
          this.#bytes(),
        ];
      case 13:
        return [this.#pick(['GETRANGE', 'SUBSTR']), key, this.#integer(), this.#integer()];
      case 14:
        return [this.#pick(['INCR', 'DECR']), key];
      case 15:
      case 16:
        return [this.#pick(['INCRBY', 'DECRBY']), key, this.#integer()];
      case 17:
      case 18:
        return ['INCRBYFLOAT', key, this.#r.below(3) ? this.#pick(FLOATS) : this.#integer()];
      case 19:
        return ['SETEX', key, this.#pick(['100000', '0', '-1', 'x', '9223372036854775']), 'v'];
      case 20:
        return ['PSETEX', key, this.#pick(['100000000', '0', 'x', '9223372036854775807']), 'v'];
      case 21:
        return ['SETNX', key, this.#value()];
      case 22:
        return ['MGET', ...this.#keys()];
      case 23:
        return [this.#r.below(8) ? 'MSET' : 'MSETNX', ...this.#pairs()];
      case 24:
        return ['MSETNX', `new${this.#r.below(100000)}`, 'v'];
      default:
        return ['LCS', key, this.#key(), ...this.#lcsOptions()];
    }
  }

  #keys(): Arg[] {
    return Array.from({ length: 1 + this.#r.below(80) }, () => this.#key());
  }

  #pairs(): Arg[] {
    const count = this.#r.below(4) ? 1 + this.#r.below(5) : 1 + this.#r.below(100);
    const out = Array.from({ length: count }, () => [this.#key(), this.#value()]).flat();
    if (this.#r.below(10) === 0) out.pop();
    return out;
  }

  #lcsOptions(): Arg[] {
    const words: Arg[][] = [['IDX'], ['LEN'], ['WITHMATCHLEN'], ['MINMATCHLEN', this.#integer()]];
    const out: Arg[] = [];
    for (let n = this.#r.below(4); n > 0; n--) out.push(...this.#pick(words));
    return out;
  }

  #bitmap(): Arg[] {
    const key = this.#key();
    switch (this.#r.below(9)) {
      case 0:
      case 1:
        return ['SETBIT', key, this.#offset(), this.#pick(['0', '1', '0', '1', '2', 'x'])];
      case 2:
        return ['GETBIT', key, this.#offset()];
      case 3:
        return ['BITCOUNT', key, ...(this.#r.below(4) ? this.#range() : [])];
      case 4:
        return ['BITPOS', key, this.#pick(['0', '1', '1', '2']), ...this.#range()];
      case 5:
        return ['BITPOS', key, this.#pick(['0', '1']), this.#integer()].slice(
          0,
          3 + this.#r.below(2),
        );
      case 6: {
        const op = this.#pick(['AND', 'OR', 'XOR', 'NOT', 'and', 'FOO']);
        const count = op === 'NOT' && this.#r.below(5) ? 1 : 1 + this.#r.below(5);
        return ['BITOP', op, key, ...Array.from({ length: count }, () => this.#key())];
      }
      case 7:
        return ['BITFIELD', key, ...this.#fields()];
      default:
        return ['BITFIELD_RO', key, ...this.#fields()];
    }
  }

  command(): Arg[] {
    return this.#r.below(3) ? this.#string() : this.#bitmap();
  }
}

/** Offsets that would make strings of megabytes are kept for tests of their own. */
function isHuge(command: Arg[]): boolean {
  const name = String(command[0]);
  if (!['SETRANGE', 'SETBIT', 'BITFIELD'].includes(name)) return false;
  const limit = name === 'SETRANGE' ? 1e5 : 1e6;
  return command.some((arg) => {
    const digits = /^#?(\d+)$/.exec(String(arg))?.[1];
    if (digits === undefined) return false;
    return Number(digits) > limit && Number(digits) <= 4294967295;
  });
}

const printable = (args: Arg[]) => args.map((a) => show(toBytes(a), 60)).join(' ');

/** Two effects, times apart, or the whole texts where they differ. */
function sameEffect(a: Buffer[] | undefined, b: Buffer[] | undefined): boolean {
  if (a === undefined || b === undefined || a.length !== b.length) return false;
  return a.every((arg, i) => {
    const other = b[i] as Buffer;
    if (arg.equals(other)) return true;
    const isTime = /^\d{13,19}$/.test(arg.toString()) && /^\d{13,19}$/.test(other.toString());
    return isTime && Math.abs(Number(arg) - Number(other)) < 20_000;
  });
}

describe.skipIf(!hasRedis).each([
  { build: 'SIMD', flags: SIMD, seeds: [1, 2, 3, 4] },
  { build: 'scalar', flags: SCALAR, seeds: [5] },
])('random string and bitmap commands, $build build', ({ flags, seeds }) => {
  let module: WebAssembly.Module;
  let redis: RedisOracle;
  beforeAll(async () => {
    module = compileCore(flags);
    redis = await RedisOracle.start();
  }, 300_000);
  afterAll(() => redis?.stop());

  async function compareStates(core: CoreClient): Promise<void> {
    for (const key of KEYS) {
      // Meets the key, so that it goes if its time is over, as TYPE does there.
      core.command('STRLEN', key);
      const type = (await redis.command('TYPE', key)).toString().slice(1, -2);
      let theirs = type;
      if (type !== 'none') {
        const encoding = splitReplies(await redis.command('OBJECT', 'ENCODING', key))[0];
        theirs += ` ${encoding!.toString().split('\r\n')[1]}`;
      }
      // The core's list is a stand-in; its encoding means nothing.
      const mineKind =
        type === 'list' ? core.kind(key).replace('listpack', 'quicklist') : core.kind(key);
      expect(mineKind, `kind of ${show(Buffer.from(key))}`).toBe(theirs);
      const expire = Number((await redis.command('PEXPIRETIME', key)).toString().slice(1));
      const mine = core.expire(key);
      expect(Math.abs(mine - expire), `expiry of ${key}: ${mine}, ${expire}`).toBeLessThan(20_000);
      if (type !== 'string') continue;
      expect(show(core.command('GET', key))).toBe(show(await redis.command('GET', key)));
    }
  }

  test.each(seeds)(
    'seed %i',
    async (seed) => {
      const generator = new Generator(seed);
      const random = new Prng(seed + 1000);
      const core = new CoreClient(module);
      await redis.command('FLUSHALL');
      const before = redis.propagated().length;
      core.followEffects();
      for (let round = 0; round < 60; round++) {
        if (round % 5 === 0) {
          await redis.command('DEL', 'lst');
          await redis.command('RPUSH', 'lst', 'x');
          core.addList('lst');
        }
        const commands: Arg[][] = [];
        while (commands.length < BATCH) {
          const command = generator.command();
          if (!isHuge(command)) commands.push(command);
        }
        core.nowMs = Date.now();
        const theirs = await redis.batch(commands);
        const bytes = Buffer.concat(commands.map((c) => encodeCommand(c)));
        const piece = random.below(2) ? 65536 : 1 + random.below(5000);
        const mine = splitReplies(core.feed(bytes, piece));
        for (const [i, command] of commands.entries()) {
          const text = `seed ${seed}, round ${round}, command ${i}: ${printable(command)}`;
          if (!mine[i]?.equals(theirs[i]!)) expect(show(mine[i]), text).toBe(show(theirs[i]));
        }
        await compareStates(core);
      }
      const isMine = (args: Buffer[]) => {
        const name = args[0]!.toString().toUpperCase();
        return (
          !['SELECT', 'RPUSH'].includes(name) &&
          !(name === 'DEL' && args[1]!.equals(Buffer.from('lst')))
        );
      };
      const wanted = redis.propagated().slice(before).filter(isMine);
      const got = core.effects().filter(isMine);
      for (let i = 0; i < Math.max(wanted.length, got.length); i++) {
        if (sameEffect(got[i], wanted[i])) continue;
        expect(printable(got[i] ?? []), `effect ${i}`).toBe(printable(wanted[i] ?? []));
      }
      expect(got.length).toBeGreaterThan(1000);
    },
    120_000,
  );
});
