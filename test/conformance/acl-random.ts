// Seeded random ACL users on two servers: sequences of ACL SETUSER with all kinds of rules, right
// and wrong ones, then ACL GETUSER, LIST, USERS, DELUSER and DRYRUN. Replies are compared raw, but
// for the rules of commands: those are compared with a model for each server's own command table
// (acl-model.ts), and by DRYRUN of commands that both have.
// From the command line: node test/conformance/acl-random.mjs --seed N --ops N

import { show } from '../support/bytes.js';
import { RawConnection } from '../support/connection.js';
import { Prng } from '../support/prng.js';
import { parseReply, type Reply } from '../support/resp.js';
import { RuleModel, Table } from './acl-model.js';
import type { Endpoint } from './runner.js';

export interface AclDifference {
  index: number;
  command: string;
  oracle: string;
  subject: string;
  history: string[];
}

interface Op {
  args: string[];
  user: string;
}

const USERS = ['u0', 'u1', 'u2', 'u3', 'U0'];
const CHARS = ['a', 'b', 'ab', 'a*', '*', '*b', '[ab]', 'a?', '', '\xff', 'k:*', '\\*', '[^a]'];
const KEYS = ['a', 'b', 'ab', 'ba', 'k:1', '', '*', '\xff', 'a*', 'c'];
const WORDS = [
  ...['on', 'off', 'nopass', 'resetpass', 'sanitize-payload', 'skip-sanitize-payload'],
  ...['ON', 'Nopass', 'allkeys', 'resetkeys', 'allchannels', 'resetchannels', 'AllKeys', '~*'],
  ...['allcommands', 'nocommands', '+@all', '-@all', 'reset', 'clearselectors', 'ResetKeys', '&*'],
];
const GARBAGE = [
  ...[
    '',
    ' ',
    'foo',
    '+',
    '-',
    '+@',
    '-@',
    '+@nosuch',
    '-nosuch',
    '+nosuch|x',
    '%',
    '%X~a',
    '~a b',
  ],
  ...[
    '#12',
    '!12',
    '<nobody',
    '+get|',
    '+|x',
    '+client|nosuch',
    '+client|list|x',
    '-get|x',
    '&a b',
  ],
  ...[
    '(',
    ')',
    '()',
    '(foo)',
    '(on)',
    '(~a',
    '~c)',
    '((~a))',
    '%~a',
    'reset ',
    '\0',
    'on\0',
    '~\0',
  ],
];
/** Commands that DRYRUN tries: k a key, c a channel. */
const LINES = [
  ...['GET k', 'SET k v', 'SET k v GET', 'DEL k k', 'MGET k k', 'MSET k v k v', 'RENAME k k'],
  ...[
    'COPY k k',
    'STRLEN k',
    'APPEND k v',
    'EXPIRE k 1',
    'TTL k',
    'GETDEL k',
    'BITFIELD k GET u8 0',
  ],
  ...['BITFIELD k SET u8 0 1', 'BITOP AND k k k', 'LMOVE k k LEFT LEFT', 'LMPOP 2 k k LEFT'],
  ...['ZUNIONSTORE k 2 k k', 'SORT k STORE k', 'SORT_RO k', 'XADD k * f v', 'XREAD STREAMS k 0'],
  ...['XREADGROUP GROUP g c STREAMS k k 0 0', 'OBJECT ENCODING k', 'PUBLISH c m', 'SPUBLISH c m'],
  ...['SUBSCRIBE c c', 'PSUBSCRIBE c', 'SSUBSCRIBE c', 'PING', 'SELECT 0', 'SELECT 1', 'CLIENT ID'],
  ...[
    'CLIENT LIST',
    'CONFIG GET x',
    'KEYS *',
    'FLUSHALL',
    'MULTI',
    'ACL LIST',
    'ACL CAT',
    'AUTH x',
  ],
  ...[
    'DEBUG SLEEP 0',
    'HELLO',
    'EXISTS k',
    'TOUCH k k',
    'GETEX k',
    'BLPOP k k 0',
    'INFO',
    'SCAN 0',
  ],
];

class Maker {
  readonly #prng: Prng;
  readonly #names: readonly string[];
  readonly #categories: readonly string[];

  constructor(prng: Prng, names: readonly string[], categories: readonly string[]) {
    this.#prng = prng;
    this.#names = names;
    this.#categories = categories;
  }

  op(): Op {
    const p = this.#prng;
    const user = p.pick(USERS);
    const kind = p.below(20);
    if (kind < 7) return this.#setuser(user);
    if (kind < 10) return { args: ['ACL', 'GETUSER', user], user };
    if (kind === 10) return { args: ['ACL', p.pick(['LIST', 'USERS'])], user };
    if (kind === 11 && p.once(3)) return { args: ['ACL', 'DELUSER', user], user };
    return { args: ['ACL', 'DRYRUN', user, ...this.#line()], user };
  }

  #line(): string[] {
    const p = this.#prng;
    return p
      .pick(LINES)
      .split(' ')
      .map((word) => (word === 'k' || word === 'c' ? p.pick(KEYS) : word));
  }

  #setuser(user: string): Op {
    const p = this.#prng;
    const words: string[] = [];
    for (let n = p.range(0, 6); n > 0; n--) {
      if (p.once(8)) words.push(...this.#selector());
      else words.push(p.once(25) ? p.pick(GARBAGE) : this.#rule());
    }
    return { args: ['ACL', 'SETUSER', user, ...words], user };
  }

  /** A selector as one argument or as several. */
  #selector(): string[] {
    const p = this.#prng;
    const inner = Array.from({ length: p.range(0, 4) }, () => this.#selectorRule());
    if (inner.length > 0 && p.once(2)) {
      const words = [...inner];
      words[0] = `(${words[0]}`;
      words[words.length - 1] += ')';
      return words;
    }
    const gap = () => p.pick([' ', ' ', '  ', '\t']);
    return [`(${p.once(4) ? gap() : ''}${inner.join(gap())}${p.once(4) ? gap() : ''})`];
  }

  #rule(): string {
    const p = this.#prng;
    const kind = p.below(10);
    if (kind === 0) return p.pick(WORDS);
    if (kind === 1) return p.pick('><>>#!'.split('')) + this.#password();
    return this.#selectorRule();
  }

  #password(): string {
    const p = this.#prng;
    const digit = () => p.pick('0123456789abcdef'.split(''));
    if (p.once(3)) return digit().repeat(64);
    return p.pick(['p', 'q', '', 'r\xff', 'x'.repeat(p.range(50, 130))]);
  }

  #selectorRule(): string {
    const p = this.#prng;
    switch (p.below(8)) {
      case 0:
        return `~${p.pick(CHARS)}`;
      case 1:
        return `%${p.pick(['R', 'W', 'RW', 'WR', 'r', 'w'])}~${p.pick(CHARS)}`;
      case 2:
        return `&${p.pick(CHARS)}`;
      case 3:
        return `${p.pick(['+', '-'])}@${this.#cased(p.pick(this.#categories))}`;
      case 4:
        return p.pick(['+@all', '-@all', '+@read', '+@write', '-@dangerous', '+@fast', '-@slow']);
      case 5:
        return `+${p.pick(['select', 'get', 'set', 'ping'])}|${p.pick(['0', '1', 'a', 'A', 'b'])}`;
      default:
        return p.pick(['+', '-']) + this.#cased(p.pick(this.#names));
    }
  }

  #cased(word: string): string {
    return this.#prng.once(10) ? word.toUpperCase() : word;
  }
}

/** A reply without the rules of commands, and those, single commands sorted. */
function parted(op: Op, raw: Buffer): { rest: string; texts: string[] } {
  if (op.args[1] === 'GETUSER') return partedUser(parseReply(raw));
  if (op.args[1] !== 'LIST') return { rest: raw.toString('latin1'), texts: [] };
  const reply = parseReply(raw);
  const lines = 'items' in reply ? reply.items : [];
  const rest = lines.map((line) => ('text' in line ? line.text.replace(RULES, '#') : ''));
  return { rest: rest.join('\n'), texts: [] };
}

/** The rules of commands in a line of ACL LIST: the last of each selector. */
const RULES = /[+-]@all( [+-][^ )]+)*/g;

function partedUser(reply: Reply): { rest: string; texts: string[] } {
  const texts: string[] = [];
  const walk = (one: Reply): unknown => {
    if (!('items' in one)) return one;
    return one.items.map((item, i) => {
      const before = one.items[i - 1];
      const isRules = before !== undefined && 'text' in before && before.text === 'commands';
      if (!isRules || !('text' in item)) return walk(item);
      texts.push(sortedSingles(item.text));
      return '#';
    });
  };
  const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
  return { rest: JSON.stringify(walk(reply), plain), texts };
}

function sortedSingles(text: string): string {
  const words = text.split(' ');
  const first = words.findIndex((word, i) => i > 0 && word[1] !== '@');
  if (first < 0) return text;
  return [...words.slice(0, first), ...words.slice(first).sort()].join(' ');
}

/** Runs and stops at the first difference; undefined when there was none. */
export async function runAclRandom(
  oracle: Endpoint,
  subject: Endpoint,
  { seed, ops, batchMax = 40 }: { seed: number; ops: number; batchMax?: number },
): Promise<AclDifference | undefined> {
  const connections = await Promise.all(
    [oracle, subject].map(({ port }) => RawConnection.open(port)),
  );
  const tables = await Promise.all(connections.map((one) => Table.of(one)));
  const models = tables.map((table) => new RuleModel(table));
  const common = tables[0]!.commands.map(({ name }) => name);
  const names = common.filter((name) => tables[1]!.byName.has(name));
  const prng = new Prng(seed);
  const maker = new Maker(prng, names, tables[0]!.categories);
  const isHere = ({ args }: Op) => args[1] !== 'DRYRUN' || isCommon(names, args.slice(3));
  const log: Op[] = [];
  try {
    for (const connection of connections) await connection.call('ACL', 'DELUSER', ...USERS);
    while (log.length < ops) {
      const batch = Array.from({ length: prng.range(1, batchMax) }, () => maker.op()).filter(
        isHere,
      );
      const commands = batch.map(({ args }) => args.map((arg) => Buffer.from(arg, 'latin1')));
      const replies = await Promise.all(connections.map((one) => one.pipeline(commands)));
      for (const [i, op] of batch.entries()) {
        log.push(op);
        const found = compare(op, replies.map((one) => one[i]!) as [Buffer, Buffer], models);
        if (found !== undefined) return { ...found, ...placeOf(log) };
      }
    }
    return undefined;
  } finally {
    for (const connection of connections) connection.close();
  }
}

function isCommon(names: readonly string[], words: readonly string[]): boolean {
  const [name = '', sub = ''] = words.map((word) => word.toLowerCase());
  return names.includes(`${name}|${sub}`) || names.includes(name);
}

function compare(op: Op, raws: [Buffer, Buffer], models: readonly RuleModel[]) {
  const parts = raws.map((raw) => parted(op, raw));
  if (parts[0]!.rest !== parts[1]!.rest) return { oracle: show(raws[0]), subject: show(raws[1]) };
  const isDone = raws[0][0] !== 0x2d;
  for (const [i, model] of models.entries()) {
    if (op.args[1] === 'SETUSER' && isDone) model.apply(op.user, op.args.slice(3));
    if (op.args[1] === 'DELUSER') model.delete(op.user);
    if (op.args[1] !== 'GETUSER') continue;
    const said = parts[i]!.texts.join('\n');
    const wanted = model.texts(op.user).join('\n');
    if (said === wanted) continue;
    const who = i === 0 ? 'redis' : 'subject';
    return { oracle: `the model for ${who}: ${wanted}`, subject: `${who}: ${said}` };
  }
  return undefined;
}

const textOf = ({ args }: Op) =>
  args.map((arg) => show(Buffer.from(arg, 'latin1'), 90) || '""').join(' ');

function placeOf(log: readonly Op[]): Pick<AclDifference, 'index' | 'command' | 'history'> {
  const last = log.at(-1)!;
  const before = log.slice(0, -1).filter(({ user, args }) => {
    return user === last.user && /^(SETUSER|DELUSER)$/.test(args[1]!);
  });
  return {
    index: log.length - 1,
    command: textOf(last),
    history: before.slice(-15).map(textOf),
  };
}

export function describeAclRandom(seed: number, found: AclDifference): string {
  const { index, command, oracle, subject, history } = found;
  return [
    `seed ${seed}, command ${index}: ${command}`,
    `    redis:   ${oracle}`,
    `    subject: ${subject}`,
    '  after (same user):',
    ...history.map((line) => `    ${line}`),
  ].join('\n');
}
