// The rules of commands in ACL users, as a model: from the words of ACL SETUSER to the text that
// ACL GETUSER shows, for a given command table. The text depends on every command there is (it is
// the shortest description Redis finds), so servers with different tables show different texts;
// each is compared with what the model says for its own table.

import type { RawConnection } from '../support/connection.js';

interface Command {
  name: string;
  categories: ReadonlySet<string>;
  subs: Command[];
}

interface Selector {
  allowed: Set<string>;
  /** +@all was said last: the text starts from there. */
  isSubtractive: boolean;
  firstArgs: Map<string, string[]>;
}

interface User {
  root: Selector;
  more: Selector[];
}

type Info = [string, ...unknown[]];

/** The command table of a server, flat. */
export class Table {
  readonly commands: readonly Command[];
  readonly byName: ReadonlyMap<string, Command>;
  readonly categories: readonly string[];

  constructor(commands: readonly Command[], categories: readonly string[]) {
    this.commands = commands.flatMap((one) => [one, ...one.subs]);
    this.byName = new Map(this.commands.map((one) => [one.name, one]));
    this.categories = categories;
  }

  static async of(connection: RawConnection): Promise<Table> {
    const read = (info: Info): Command => ({
      name: info[0],
      categories: new Set((info[6] as string[]).map((name) => name.slice(1))),
      subs: ((info[9] ?? []) as Info[]).map(read),
    });
    const infos = (await connection.call('COMMAND')) as unknown as Info[];
    const categories = (await connection.call('ACL', 'CAT')) as string[];
    return new Table(infos.map(read), categories);
  }

  in(category: string): Command[] {
    return this.commands.filter((one) => one.categories.has(category));
  }
}

const newSelector = (): Selector => ({
  allowed: new Set(),
  isSubtractive: false,
  firstArgs: new Map(),
});

/** What a rule about a command changes. */
const reachOf = (command: Command): string[] => [
  command.name,
  ...command.subs.map(({ name }) => name),
];

function setNames(set: Set<string>, names: readonly string[], on: boolean): void {
  for (const name of names) {
    if (on) set.add(name);
    else set.delete(name);
  }
}

/** Users of one server. */
export class RuleModel {
  readonly #table: Table;
  readonly #users = new Map<string, User>();

  constructor(table: Table) {
    this.#table = table;
  }

  delete(name: string): void {
    this.#users.delete(name);
  }

  /** Applies the words of an ACL SETUSER that the server has taken. */
  apply(name: string, words: readonly string[]): void {
    const user = this.#users.get(name) ?? { root: newSelector(), more: [] };
    this.#users.set(name, user);
    for (const rule of merged(words)) {
      if (/^\(.*\)$/s.test(rule)) {
        const selector = newSelector();
        for (const word of rule.slice(1, -1).split(/\s+/)) this.#word(selector, word);
        user.more.push(selector);
      } else if (/^(reset|clearselectors)$/i.test(rule)) {
        user.more = [];
        if (/^reset$/i.test(rule)) user.root = newSelector();
      } else {
        this.#word(user.root, rule);
      }
    }
  }

  /** The texts of a user's selectors, the root's first; single commands sorted. */
  texts(name: string): string[] {
    const user = this.#users.get(name);
    return user === undefined ? [] : [user.root, ...user.more].map((one) => this.#text(one));
  }

  #word(selector: Selector, word: string): void {
    const lower = word.toLowerCase();
    if (/^(allcommands|nocommands|[+-]@all)$/.test(lower)) {
      selector.isSubtractive = lower === 'allcommands' || lower === '+@all';
      const all = selector.isSubtractive ? this.#table.commands.map(({ name }) => name) : [];
      selector.allowed = new Set(all);
      selector.firstArgs.clear();
      return;
    }
    const isAllowed = word[0] === '+';
    if (!isAllowed && word[0] !== '-') return;
    const name = lower.slice(1);
    if (name.startsWith('@')) {
      for (const command of this.#table.in(name.slice(1))) change(selector, command, isAllowed);
      return;
    }
    const command = this.#table.byName.get(name);
    if (command !== undefined) {
      change(selector, command, isAllowed);
      return;
    }
    const [base, arg] = [name.slice(0, name.indexOf('|')), word.slice(word.indexOf('|') + 1)];
    const known = selector.firstArgs.get(base) ?? [];
    if (known.every((one) => one.toLowerCase() !== arg.toLowerCase())) known.push(arg);
    selector.firstArgs.set(base, known);
  }

  #text(selector: Selector): string {
    const additive = !selector.isSubtractive;
    const told = new Set(additive ? [] : this.#table.commands.map(({ name }) => name));
    const left = new Set(selector.allowed);
    const taken: string[] = [];
    for (;;) {
      const best = this.#best(left, taken, additive);
      if (best === undefined) break;
      taken.push(best);
      const reach = this.#table.in(best).flatMap(reachOf);
      setNames(told, reach, additive);
      setNames(left, reach, !additive);
    }
    const single: string[] = [];
    for (const command of this.#table.commands) {
      const isAllowed = selector.allowed.has(command.name);
      if (isAllowed !== told.has(command.name)) {
        single.push(`${isAllowed ? '+' : '-'}${command.name}`);
        setNames(told, reachOf(command), isAllowed);
      }
      if (isAllowed) continue;
      const args = selector.firstArgs.get(command.name) ?? [];
      single.push(...args.map((arg) => `+${command.name}|${arg}`));
    }
    const signs = additive ? ['-@all', '+@'] : ['+@all', '-@'];
    return [signs[0], ...taken.map((one) => signs[1] + one), ...single.sort()].join(' ');
  }

  /** Fewest commands it would get wrong, then most it would get right, then the first. */
  #best(left: ReadonlySet<string>, taken: readonly string[], additive: boolean) {
    let best: { name: string; wrong: number; right: number } | undefined;
    for (const name of this.#table.categories) {
      if (taken.includes(name)) continue;
      const members = this.#table.in(name);
      const on = members.filter((one) => left.has(one.name)).length;
      const off = members.length - on;
      const [right, wrong] = additive ? [on, off] : [off, on];
      if (right <= wrong) continue;
      const isBetter =
        best === undefined || wrong < best.wrong || (wrong === best.wrong && right > best.right);
      if (isBetter) best = { name, wrong, right };
    }
    return best?.name;
  }
}

/** Words with those of a selector put together; what opens one anew drops what was before. */
function merged(words: readonly string[]): string[] {
  const out: string[] = [];
  let open: string | undefined;
  for (const word of words) {
    if (word.startsWith('(') && !word.endsWith(')')) {
      open = word;
    } else if (open === undefined) {
      out.push(word);
    } else {
      open += ` ${word}`;
      if (!word.endsWith(')')) continue;
      out.push(open);
      open = undefined;
    }
  }
  return out;
}

function change(selector: Selector, command: Command, isAllowed: boolean): void {
  setNames(selector.allowed, reachOf(command), isAllowed);
  selector.firstArgs.delete(command.name);
}
