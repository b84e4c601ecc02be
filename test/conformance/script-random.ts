// Small random Lua programs, run by redis-server and respite, whose results must be the same bytes.
// A program is a few statements over locals of all types, and shows at its end every local, tables
// with their keys in order. What fails is caught and shown too, so errors are compared as well.
//
// Left out, because Lua itself promises nothing: the order of pairs, borders of tables with holes,
// addresses. And what JavaScript does otherwise: NaN's sign, the last bit of powers.

import { show } from '../support/bytes.js';
import { RawConnection } from '../support/connection.js';
import { Prng } from '../support/prng.js';
import type { Endpoint } from './runner.js';
import { callRedis, libraryCall, type Parts, protocolLine, replyTable } from './script-calls.js';

export interface ScriptOptions {
  seed: number;
  programs: number;
}

export interface ScriptDifference {
  seed: number;
  index: number;
  program: string;
  oracle: string;
  subject: string;
}

const BATCH = 64;

/** Shows any value; tables by sorted keys, four levels deep. */
const SHOW = `local function str(v) local t=type(v)
if t=='table' or t=='function' or t=='thread' then return t end return tostring(v) end
local function show(v,d) local t=type(v)
if t=='table' then if d>4 then return '{...}' end local k={} for x in pairs(v) do k[#k+1]=x end
table.sort(k,function(a,b) if type(a)==type(b) and type(a)~='boolean' then return a<b end
return str(a)<str(b) end)
local o={} for i,x in ipairs(k) do o[i]=show(x,d+1)..'='..show(v[x],d+1) end
return '{'..table.concat(o,',')..'}' end
if t=='string' then return string.format('%q',v) end
if t=='number' and v~=v then return 'NaN' end
if t=='number' then return string.format('%.17g',v) end
if t=='function' or t=='thread' then return t end return tostring(v) end
`;

const NUMBERS = [
  ...[
    '0',
    '1',
    '-1',
    '2',
    '3',
    '7',
    '10',
    '0.5',
    '-0.5',
    '1.5',
    '2.5',
    '1e15',
    '1e14',
    '123456789',
  ],
  ...['2147483647', '-2147483648', '4294967296', '9007199254740993', '1e100', '0.1', '1/3', '255'],
  ...['1e-5', '100', '-7', '31', '32', '64', '1e300', '0x10', '3.14159', '-1e15'],
];
const STRINGS = [
  ...["''", "'a'", "'abc'", "'hello world'", "'10'", "'0x1F'", "' 5 '", "'1e2'", "'-3'", "'%d'"],
  ...["'a.b.c'", "'key=val'", "'\\0x\\1'", "'\\200\\255'", "'[1,2,3]'", '\'{"a":1}\'', "'nil'"],
  ...["'aXbXc'", "'AAA'", "'  trim '", "'a\\nb'", "'%s|%5.2f'", "'(paren)'", "'x'"],
];
const PATTERNS = [
  ...["'%a+'", "'%d+'", "'(%w)(%w)'", "'.'", "'l+'", "'[a-c]'", "'[^a]'", "'^%s*(.-)%s*$'", "'x*'"],
  ...["'%.'", "'()'", "'(%w+)=(%w+)'", "'.-b'", "'%b()'", "'$'", "'[%a_][%w_]*'", "'a?b'", "''"],
  ...["'%u'", "'[[]'", "'%f[%w]%w+'", "'(a)(b)?'", "'%z'", "'['", "'%'", "'(a'"],
];
const REPLACERS = ["'<%0>'", "'%1'", '{a=1}', "'-'"];
const FORMATS = [
  ...[
    "'%d'",
    "'%5d|'",
    "'%-5d|'",
    "'%05d'",
    "'%x'",
    "'%X'",
    "'%o'",
    "'%u'",
    "'%c'",
    "'%s'",
    "'%q'",
  ],
  ...["'%g'", "'%.3g'", "'%e'", "'%.2f'", "'%f'", "'%10.3f|'", "'%+d'", "'% d'", "'%#x'", "'%i'"],
  ...["'%5s|'", "'%-5s|'", "'%.2s'", "'%.0f'", "'%.14g'", "'%G'", "'%%'", "'%y'"],
];
const PACKS = ["'b'", "'B'", "'>h'", "'<i4'", "'>I2'", "'l'", "'>d'", "'<f'", "'i3'", "'!4bi'"];
const BINARY = ['+', '-', '*', '/', '%', '..', '==', '~=', '<', '<=', '>', '>=', 'and', 'or'];
const MATHS = ['abs', 'ceil', 'floor', 'sqrt', 'max', 'min', 'fmod', 'modf', 'frexp'];
const CASES = ['upper', 'lower', 'reverse', 'len', 'byte'];
const BITS = ['band', 'bor', 'bxor', 'bnot', 'lshift', 'rshift', 'arshift', 'rol', 'ror', 'tobit'];
const LOCALS = ['a', 'b', 'c', 'd', 'e'];

class Writer {
  readonly #r: Prng;
  #depth = 0;

  constructor(r: Prng) {
    this.#r = r;
    this.#parts = {
      r,
      leaf: () => this.#leaf(),
      text: () => r.pick(STRINGS),
      number: () => r.pick(NUMBERS),
    };
  }

  readonly #parts: Parts;

  /** A program that shows what it has, or one whose result is the reply. */
  program(): string {
    return this.#r.once(3) ? this.#plainProgram() : this.#shownProgram();
  }

  #plainProgram(): string {
    const lines = LOCALS.map((name) => `local ${name}=${this.#expression()}`);
    for (let n = this.#r.below(3); n > 0; n--) {
      lines.push(this.#r.once(2) ? callRedis(this.#parts) : this.#assignment());
    }
    return `${protocolLine(this.#r)}${lines.join('\n')}\nreturn ${replyTable(this.#parts)}`;
  }

  #shownProgram(): string {
    const lines = LOCALS.map((name) => `local ${name}=${this.#expression()}`);
    for (let n = this.#r.range(1, 5); n > 0; n--) lines.push(this.#statement());
    const body = lines.join('\n');
    return (
      `${protocolLine(this.#r)}${SHOW}local out={}\nlocal a,b,c,d,e\n` +
      `local r={pcall(function()\n${body.replaceAll('local ', '')}\nend)}\n` +
      'out[1]=show(r[2],1) ' +
      `for i,v in ipairs({show(a,1),show(b,1),show(c,1),show(d,1),show(e,1)}) do out[i+1]=v end\n` +
      'return out'
    );
  }

  #local(): string {
    return this.#r.pick(LOCALS);
  }

  #statement(): string {
    const r = this.#r;
    switch (r.below(9)) {
      case 0:
        return `if ${this.#expression()} then ${this.#assignment()} else ${this.#assignment()} end`;
      case 1:
        return `for i=${r.below(3)},${r.below(6)} do ${this.#local()}=i ${this.#assignment()} end`;
      case 2:
        return this.#walk();
      case 3:
        return `${this.#local()},${this.#local()}=${this.#call()}`;
      case 4:
        return this.#closure();
      case 5:
        return `${this.#local()}=select('#',${this.#call()})`;
      default:
        return this.#assignment();
    }
  }

  #walk(): string {
    const [a, b, c] = [this.#local(), this.#local(), this.#local()];
    return `for i,v in ipairs(type(${a})=='table' and ${b} or {}) do ${c}=v end`;
  }

  #closure(): string {
    const body = `${this.#assignment()} return ${this.#expression()},x`;
    return `${this.#local()}=(function(x,...) ${body} end)(${this.#expression()})`;
  }

  #assignment(): string {
    const value = this.#r.once(2) ? this.#call() : this.#expression();
    return `${this.#local()}=${value}`;
  }

  #expression(): string {
    const r = this.#r;
    if (++this.#depth > 3 || r.once(3)) {
      this.#depth--;
      return this.#leaf();
    }
    const text = this.#compound();
    this.#depth--;
    return text;
  }

  #compound(): string {
    const r = this.#r;
    switch (r.below(8)) {
      case 0:
        // -0 is a constant like 0 in 5.1, whichever a program has first.
        return `(-${this.#expression().replace(/^0$/, '1')})`;
      case 1:
        return `(not ${this.#expression()})`;
      case 2:
        return `#(${this.#pickText()})`;
      case 3:
        return this.#table();
      case 4:
        return `(${this.#call()})`;
      default:
        return `(${this.#expression()} ${r.pick(BINARY)} ${this.#expression()})`;
    }
  }

  #table(): string {
    const r = this.#r;
    const parts: string[] = [];
    for (let n = r.below(4); n > 0; n--) parts.push(this.#leaf().replace(/^nil$/, '0'));
    if (r.once(2)) parts.push(`x=${this.#expression()}`);
    if (r.once(4)) parts.push(`['k y']=${this.#leaf()}`);
    return `{${parts.join(',')}}`;
  }

  #pickText(): string {
    return this.#r.once(3) ? `str(${this.#leaf()})` : this.#r.pick(STRINGS);
  }

  #leaf(): string {
    const r = this.#r;
    switch (r.below(7)) {
      case 0:
        return r.pick(['nil', 'true', 'false']);
      case 1:
      case 2:
        return r.pick(NUMBERS);
      case 3:
      case 4:
        return r.pick(STRINGS);
      default:
        return this.#local();
    }
  }

  #call(): string {
    const r = this.#r;
    switch (r.below(24)) {
      case 0:
        return `string.format(${r.pick(FORMATS)},${this.#leaf()})`;
      case 1:
        return `string.gsub(${this.#pickText()},${r.pick(PATTERNS)},${r.pick(REPLACERS)})`;
      case 2:
        return `string.${r.pick(['find', 'match'])}(${this.#found()})`;
      case 3:
        return `string.sub(${this.#pickText()},${r.pick(NUMBERS)},${r.pick(NUMBERS)})`;
      case 4:
        return `string.${r.pick(CASES)}(${this.#pickText()})`;
      case 5:
        return `string.rep(${this.#pickText()},${r.below(5)})`;
      case 6:
        return `tonumber(${this.#leaf()}${r.once(3) ? `,${r.range(2, 36)}` : ''})`;
      case 7:
        return `math.${r.pick(MATHS)}(${this.#leaf()},${this.#leaf()})`;
      case 8:
        return `bit.${r.pick(BITS)}(${this.#leaf()},${r.pick(NUMBERS)})`;
      case 9:
        return `cjson.decode(cjson.encode(${this.#simple()}))`;
      case 10:
        return `cmsgpack.unpack(cmsgpack.pack(${this.#simple()}))`;
      case 11: {
        const format = r.pick(PACKS);
        return `struct.unpack(${format},struct.pack(${format},${this.#leaf()},${this.#leaf()}))`;
      }
      case 12:
        return `cjson.${r.once(2) ? `encode(${this.#plain()})` : `decode(${this.#pickText()})`}`;
      case 13:
        return this.#listCall();
      default:
        return libraryCall(this.#parts);
    }
  }

  /** What every library takes. */
  #simple(): string {
    return this.#r.once(2) ? this.#table() : this.#leaf();
  }

  /** A value with at most one key, whose text is the same in any order. */
  #plain(): string {
    const r = this.#r;
    return r.pick([
      r.pick(NUMBERS),
      r.pick(STRINGS),
      `{${r.pick(NUMBERS)},'s'}`,
      `{k=${r.pick(STRINGS)}}`,
    ]);
  }

  #found(): string {
    return `${this.#pickText()},${this.#r.pick(PATTERNS)},${this.#r.pick(NUMBERS)}`;
  }

  #listCall(): string {
    const r = this.#r;
    const list = `{${[1, 2, 3].map(() => r.pick(NUMBERS)).join(',')}}`;
    switch (r.below(5)) {
      case 0:
        return `table.concat(${list},${r.pick(STRINGS)})`;
      case 1:
        return `(function() t=${list} table.sort(t) return t end)()`.replace('t=', 'local t=');
      case 2:
        return `(function() local t=${list} table.insert(t,${r.range(1, 3)},'i') return t end)()`;
      case 3:
        return `(function() local t=${list} return table.remove(t,${r.range(1, 3)}),t end)()`;
      default:
        return `unpack(${list})`;
    }
  }
}

/**
 * Equal, but for the sign of what is not a number, which JavaScript does not keep, and the name
 * that an error has for the result of `and` and `or`.
 */
function isSame(a: Buffer, b: Buffer): boolean {
  if (a.equals(b)) return true;
  const plain = (bytes: Buffer): string =>
    bytes
      .toString('latin1')
      .replace(/\$\d+\r\n/g, '$')

      .replace(/-nan/gi, 'nan')
      .replace(/ on (?:upvalue|local|field) '\w+' \((a \w+ value)\)/g, ' on $1');
  return plain(a) === plain(b);
}

/** Runs programs until one differs, or all are done. */
export async function runScriptRandom(
  oracle: Endpoint,
  subject: Endpoint,
  options: ScriptOptions,
): Promise<ScriptDifference | undefined> {
  const sides = await Promise.all([oracle, subject].map((side) => RawConnection.open(side)));
  try {
    const hello = ['HELLO', options.seed % 2 === 0 ? '2' : '3'];
    for (const side of sides) await side.command(...hello);
    for (let at = 0; at < options.programs; at += BATCH) {
      const programs: string[] = [];
      for (let i = at; i < Math.min(at + BATCH, options.programs); i++) {
        const r = new Prng(options.seed * 1_000_003 + i);
        programs.push(new Writer(r).program());
      }
      const commands = [
        ...programs.map((text) => ['EVAL', text, '0']),
        ['SCRIPT', 'FLUSH'],
        ['FLUSHALL'],
      ];
      const [left, right] = await Promise.all(sides.map((side) => side.pipeline(commands)));
      for (let i = 0; i < programs.length; i++) {
        const [a, b] = [left?.[i], right?.[i]];
        if (a !== undefined && b !== undefined && isSame(a, b)) continue;
        return {
          seed: options.seed,
          index: at + i,
          program: programs[i] as string,
          oracle: a === undefined ? 'no reply' : show(a),
          subject: b === undefined ? 'no reply' : show(b),
        };
      }
    }
    return undefined;
  } finally {
    for (const side of sides) side.close();
  }
}

export function describeScript(found: ScriptDifference): string {
  const { seed, index, program, oracle, subject } = found;
  const text = program.slice(program.indexOf('local out'));
  return `seed ${seed}, program ${index}:\n${text}\n  redis:   ${oracle}\n  subject: ${subject}`;
}
