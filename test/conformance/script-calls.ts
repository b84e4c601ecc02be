// Calls that random Lua programs make: the libraries' corners, redis.call, and values that stand
// for types of replies. Each maker gets a generator and gives an expression.

import type { Prng } from '../support/prng.js';

/** Expressions that a program has at hand: any value, and its own variables. */
export interface Parts {
  readonly r: Prng;
  leaf(): string;
  text(): string;
  number(): string;
}

type Maker = (parts: Parts) => string;

const FORMATS = [
  ...['%5.1f', '%-10.4e|', '%+.3g', '%#o', '%#.3x', '%08.3f', '% .2f', '%.10d', '%5.3d|', '%+5d'],
  ...['%3c|', '%-3c|', '%.0e', '%#g', '%#.0f', '%.17g', '%99d', '%.20f', '%-+8d|', '%+05d', '%#X'],
  ...['%.3s|', '%20s|', '%-20.2s|', '%10q', '%E', '%.1G', '%5%', '%', '%123d', '%.123f', '%l'],
  ...['%08x', '%-#8x|', '%+u', '% u', '%.0d', '%.0x', '%#.0e', '%.25g', '%+ d', '%-08d|', '%h'],
];
const TWO_FORMATS = ["'%s %s'", "'%d:%s'", "'%s=%q'", "'%g %g'", "'%5s|%-5s|'", "'%x %c'"];
const EDGES = [
  ...['2^31', '2^32', '2^53', '-2^31', '-2^31-1', '-2^53', '2^63', '-2^63', '2^64', '127', '128'],
  ...['-32', '-33', '-128', '-129', '255', '256', '65535', '65536', '-32768', '-32769', '1e16'],
  ...['0.1', '1e300', '-1e300', '1/0', '-1/0', '5e-324', '0.5', '1e15+0.3', '123456.789', '2^24+1'],
];
const STRUCTS = [
  ...['i7', 'I5', '!8bd', '>!4i2i4', 'c3', 's', 'xxb', 'BHLl', '>I3<I3', '!bhi', 'T', '<i8', '>i8'],
  ...[
    'i16',
    'I32',
    'i33',
    'c0',
    'bc0',
    '=b',
    'z',
    'i0',
    '!3b',
    ' b b',
    'f>f',
    '!2i4x',
    'c10',
    'ss',
  ],
];
const KEYS = ["'s'", "'l'", "'h'", "'z'", "'n'", "'t'", "'none'"];
const SPARSE = ['true', 'false', "'on'", "'off'", 'nil'];
const GSUBS = [
  ...[
    "function(x) return x..'!' end",
    'function(x,y) return y end',
    'function() end',
    '{a=1,b=true}',
  ],
  ...["'%1%0'", "'%2'", "'%%'", "'%'", "''", 'string.upper', '{[1]=2}', 'true', '5', "'%a'"],
];
const PATTERNS = [
  ...[
    "'(.)(.)'",
    "'%w-'",
    "'.-x?'",
    "'^.'",
    "'^(%a*)(%d*)'",
    "'%s*'",
    "'%p'",
    "'(%b[])'",
    "'[%w_]+'",
  ],
  ...["'%x%x'", "'[^%s]+'", "'[a-]'", "'[]]'", "'[^]]'", "'%1'", "'(a)%1'", "'%f[%A]'", "'()a()'"],
  ...["'.$'", "'^$'", "'%c'", "'[%]'", "'[a'", "')'", "'(()'", "'%g'", "'a**'", "'a-$'", "'\\0'"],
];

const quote = (text: string): string => `'${text}'`;

function words(parts: Parts): string {
  const { r } = parts;
  const key = r.pick(KEYS);
  const value = (): string => (r.once(3) ? parts.leaf() : parts.text());
  return r.pick([
    `'set','s',${value()}`,
    `'get',${key}`,
    `'append','s',${parts.text()}`,
    `'incrby','n',${parts.number()}`,
    `'incrbyfloat','n',${r.pick(['1.5', '0.1', '-3', '1e3', "'x'"])}`,
    `'rpush','l',${value()},${parts.text()}`,
    `'lrange',${key},0,-1`,
    `'lpop',${key}`,
    `'llen',${key}`,
    `'hset','h','f',${value()},'g',${parts.text()}`,
    `'hgetall',${key}`,
    `'hmget','h','f','x','g'`,
    `'hincrbyfloat','h','n',${r.pick(['1', '0.5', '-2.25'])}`,
    `'zadd','z',${r.pick(['1', '2.5', '-1', '1e20', "'nan'"])},${parts.text()}`,
    `'zadd','z','incr',${r.pick(['1', '0.5'])},'m'`,
    `'zrange','z',0,-1,'withscores'`,
    `'zscore','z',${parts.text()}`,
    `'zpopmin','z'`,
    `'zmscore','z','m','x'`,
    `'sadd','t',${r.below(5)},${r.below(5)}`,
    `'smembers','t'`,
    `'sismember','t',${r.below(5)}`,
    `'smismember','t',1,2,${r.below(9)}`,
    `'exists',${key},${key}`,
    `'type',${key}`,
    `'ttl',${key}`,
    `'strlen',${key}`,
    `'getrange','s',${r.below(3)},${r.range(-2, 5)}`,
    `'del',${key}`,
    `'set','s'`,
    `'nosuch','s'`,
    `'ping'`,
    `'ping',${parts.text()}`,
    `'echo',${value()}`,
    `'config','nosuch'`,
    `'multi'`,
    `'object','encoding',${key}`,
    `'dbsize'`,
    `'time','x'`,
    `'select',0`,
    `'geoadd','g',1,1,'p'`,
    `'geopos','g','p','q'`,
    value(),
  ]);
}

export const callRedis: Maker = (parts) =>
  `redis.${parts.r.once(2) ? 'call' : 'pcall'}(${words(parts)})`;

/** A table that stands for a type of reply, or nearly so. */
export function replyTable(parts: Parts, depth = 0): string {
  const { r } = parts;
  const inner = (): string =>
    depth < 2 && r.once(3) ? replyTable(parts, depth + 1) : parts.leaf();
  const key = (): string => r.pick(["'a'", '1', 'true', "'k y'"]);
  return r.pick([
    () => `{ok=${parts.leaf()}}`,
    () => `{err=${parts.text()}}`,
    () => `{err='CODE text'}`,
    () => `{double=${parts.leaf()}}`,
    () => `{double=${r.pick(EDGES)}}`,
    () => `{map={[${key()}]=${inner()}}}`,
    () => `{set={[${key()}]=true}}`,
    () => `{big_number=${r.pick(["'123'", "'12\\r\\n3'", '5', 'nil', "'x'"])}}`,
    () =>
      `{verbatim_string={format=${r.pick(["'txt'", "'md'", "'long'", '1'])},string=${inner()}}}`,
    () => `{${inner()},${inner()},${inner()}}`,
    () => `{${inner()},nil,${inner()}}`,
    () => `{x=${inner()},${inner()}}`,
    () => `{{},{${inner()}}}`,
    () => inner(),
    () => r.pick(EDGES),
    () => r.pick(['true', 'false', 'nil', 'cjson.null', 'print and 1', '{false,true}']),
    () => callRedis(parts),
  ])();
}

function formatted({ leaf, number, r }: Parts): string {
  if (r.once(4)) return `string.format(${r.pick(TWO_FORMATS)},${leaf()},${leaf()})`;
  const value = r.pick([leaf, number, () => r.pick(EDGES)])();
  return `string.format(${quote(r.pick(FORMATS))},${value})`;
}

function pieces({ leaf, number, r, text }: Parts): string {
  const list = `{${[1, 2, 3, 4].map(() => r.pick([number(), text()])).join(',')}}`;
  return r.pick([
    () => `string.byte(${text()},${number()},${number()})`,
    () => `string.char(${r.below(256)},${r.below(300)},${number()})`,
    () =>
      `string.gsub(${text()},${r.pick(PATTERNS)},${r.pick(GSUBS)},${r.pick(['1', '2', 'nil'])})`,
    () => `string.gsub(${text()},${r.pick(PATTERNS)},${r.pick(GSUBS)})`,
    () => `string.find(${text()},${text()},${number()},${r.pick(['true', 'false'])})`,
    () => `string.match(${text()},${r.pick(PATTERNS)})`,
    () => `string.rep(${leaf()},${r.pick(['-1', '0', '2.7', '3'])})`,
    () =>
      `(function() local o={} for x,y in string.gmatch(${text()},${r.pick(PATTERNS)}) do ` +
      'o[#o+1]=x o[#o+1]=y or 0 end return o end)()',
    () => `table.concat(${list},${text()},${r.pick(['1', '2', '0', 'nil'])},${r.range(1, 5)})`,
    () => `table.maxn(${list})`,
    () => `table.getn(${list})`,
    () =>
      `(function() local t=${list} table.sort(t,function(x,y) ` +
      `return ${r.pick(['x>y', 'tostring(x)<tostring(y)', 'x<y'])} end) return t end)()`,
    () => `(function() local t=${list} table.sort(t) return t end)()`,
    () => `(function() local n=0 table.foreach(${list},function(k,v) n=n+k end) return n end)()`,
    () => `table.foreachi(${list},function(k,v) if k==2 then return v end end)`,
    () => `unpack(${list},${r.range(-1, 3)},${r.range(0, 6)})`,
    () => `select(${r.range(-3, 5)},${leaf()},${leaf()},${leaf()})`,
    () => `tostring(${r.pick([scalar(r, number, text), r.pick(EDGES)])})`,
    () => `${r.pick(EDGES)}..${text()}`,
    () => `pcall(error,${leaf()},${r.below(3)})`,
    () => `assert(${leaf()},${leaf()})`,
    () => `next({${leaf()}})`,
    () => `rawget({${leaf()}},${number()})`,
  ])();
}

function numbers({ leaf, number, r }: Parts): string {
  const edge = (): string => r.pick([number(), r.pick(EDGES), leaf()]);
  return r.pick([
    () => `math.${r.pick(['mod', 'fmod'])}(${edge()},${edge()})`,
    () => `(${edge()}) % (${edge()})`,
    () => `math.pow(${r.range(-9, 20)},${r.range(0, 6)})`,
    () => `math.ldexp(${number()},${r.range(-5, 60)})`,
    () =>
      `math.${r.pick(['floor', 'ceil', 'abs', 'modf', 'frexp', 'deg', 'rad', 'sqrt'])}(${edge()})`,
    () => `math.${r.pick(['max', 'min'])}(${edge()},${edge()},${edge()})`,
    () => `bit.tohex(${edge()},${r.range(-9, 9)})`,
    () => `bit.${r.pick(['bswap', 'bnot', 'tobit'])}(${edge()})`,
    () => `bit.${r.pick(['band', 'bor', 'bxor'])}(${edge()},${edge()},${edge()})`,
    () =>
      `bit.${r.pick(['lshift', 'rshift', 'arshift', 'rol', 'ror'])}(${edge()},${r.range(-40, 70)})`,
    () => `tonumber(${r.pick(["'0x'", "'1e'", "' 0x10 '", "'inf'", "'nan'", "'1.'", "'.5'"])})`,
    () => `tonumber(${r.pick(["'zz'", "'-ff'", "'7fffffffffffffff'", '12'])},${r.range(1, 37)})`,
  ])();
}

/** No table: pairs come in an order that Lua does not promise. */
function scalar(r: Prng, number: () => string, text: () => string): string {
  return r.pick([number, text, () => r.pick(['nil', 'true', 'false'])])();
}

function packed({ number, r, text }: Parts): string {
  const leaf = (): string => scalar(r, number, text);
  const edge = (): string => r.pick([number(), r.pick(EDGES), leaf()]);
  const format = quote(r.pick(STRUCTS));
  const data = `${text()}..'\\1\\2\\3\\4\\5\\6\\7\\8\\0'`;
  return r.pick([
    () => `struct.pack(${format},${edge()},${edge()},${edge()})`,
    () => `struct.unpack(${format},${data},${r.range(-1, 6)})`,
    () => `struct.unpack(${format},${data})`,
    () => `struct.size(${format})`,
    () => `cmsgpack.pack(${edge()})`,
    () => `cmsgpack.pack(${edge()},${leaf()},${text()})`,
    () => `cmsgpack.pack({${edge()},${edge()}})`,
    () => `cmsgpack.unpack(cmsgpack.pack({${edge()},{${leaf()}},x=${leaf()}}))`,
    () => `cmsgpack.unpack_one(cmsgpack.pack(${edge()},${edge()}),${r.range(-1, 3)})`,
    () =>
      `cmsgpack.unpack_limit(cmsgpack.pack(${edge()},1,2,3),${r.range(-1, 4)},${r.range(-1, 2)})`,
    () => `cmsgpack.unpack(${data})`,
    () =>
      `cmsgpack.unpack(string.char(${r.range(128, 255)},${r.below(4)},${r.below(256)},0,1,2,3,4))`,
  ])();
}

const JSON_TEXTS = [
  ...[
    '[1,2.50,-3e2]',
    '{"a":{"b":[]}}',
    '[null,true,false]',
    '"\\\\u00e9\\\\ud83d\\\\ude00"',
    '[1,]',
  ],
  ...['{"a"}', '{a:1}', '[0x10]', '[NaN]', '[Infinity]', '-', '01', '"\\\\x"', '"a', '[1 2]', '{}'],
  ...[
    '[[[[1]]]]',
    ' [ ] ',
    '1e999',
    '[-0]',
    '"\\\\/"',
    'nul',
    'true false',
    '{"a":1,"a":2}',
    '\\0',
  ],
];

function json({ number, r, text }: Parts): string {
  const leaf = (): string => scalar(r, number, text);
  const edge = (): string => r.pick([number(), r.pick(EDGES), leaf()]);
  return r.pick([
    () => `cjson.decode('${r.pick(JSON_TEXTS)}')`,
    () => `cjson.encode(${edge()})`,
    () => `cjson.encode({${edge()},${edge()},${text()}})`,
    () => `cjson.encode({[${r.range(0, 30)}]=${leaf()}})`,
    () => `cjson.encode({${leaf()},[${r.range(2, 25)}]=1})`,
    () => `cjson.encode({[${edge()}]=1})`,
    () => `cjson.encode_sparse_array(${r.pick(SPARSE)},${r.pick([-1, 1, 2, 3])},${r.range(0, 20)})`,
    () => `cjson.encode_number_precision(${r.pick(['3', '14', '0', '15', '10', 'nil'])})`,
    () => `cjson.encode_max_depth(${r.pick(['2', '3', '1000', '0', 'nil'])})`,
    () => `cjson.decode_max_depth(${r.pick(['2', '3', '1000', '0', 'nil'])})`,
    () => `cjson.encode_invalid_numbers(${r.pick(["'null'", 'true', 'false', "'x'", 'nil'])})`,
    () => `cjson.decode_invalid_numbers(${r.pick(['true', 'false', "'on'", 'nil'])})`,
    () => `cjson.encode_keep_buffer(${r.pick(['true', 'false', 'nil'])})`,
    () => `cjson.new().encode({{${edge()}}})`,
  ])();
}

/** One call of the libraries' corners, or of Redis. */
export function libraryCall(parts: Parts): string {
  return parts.r.pick([formatted, pieces, pieces, numbers, packed, json, callRedis])(parts);
}

/** What a program does first: the protocol of redis.call. */
export function protocolLine(r: Prng): string {
  return r.pick(['', '', 'redis.setresp(2) ', 'redis.setresp(3) ']);
}
