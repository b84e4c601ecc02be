// What a line that is being typed could become: the syntax and summary of its command, out of the
// command table, or the names that begin so.

import { COMMAND_NAMES } from '../../commands/generated/table.js';
import { commandId, commandRow } from '../../server/commands/command.js';

export interface Hint {
  /** `SET key value [NX|XX] …`, or names that begin as the line does. */
  syntax: string;
  summary: string;
}

/** The members of an argument in the table that matter here. */
interface Argument {
  name: string;
  type: string;
  token?: string;
  flags?: readonly string[];
  arguments?: readonly Argument[];
}

const NAMES_MAX = 12;
const NOTHING: Hint = { syntax: '', summary: '' };

function argumentText({ name, type, token, flags = [], arguments: parts = [] }: Argument): string {
  let text = name;
  if (type === 'pure-token') text = token ?? name;
  else if (type === 'oneof') text = parts.map(argumentText).join('|');
  else if (type === 'block') text = parts.map(argumentText).join(' ');
  if (token !== undefined && type !== 'pure-token') text = `${token} ${text}`;
  if (flags.includes('multiple')) text = `${text} [${text} ...]`;
  return flags.includes('optional') ? `[${text}]` : text;
}

/** Id of the command that a line begins with, subcommands before their container. */
function commandOf(words: readonly string[]): number | undefined {
  const [first = '', second] = words;
  const sub = second === undefined ? undefined : commandId(`${first}|${second}`);
  return sub ?? commandId(first);
}

export function hintFor(line: string): Hint {
  const words = line.trim().split(/\s+/);
  if (words[0] === '') return NOTHING;
  const id = commandOf(words);
  if (id === undefined) {
    const start = (words[0] as string).toLowerCase();
    const names = COMMAND_NAMES.filter((name) => name.startsWith(start) && !name.includes('|'));
    const more = names.length > NAMES_MAX ? ' …' : '';
    return { syntax: names.slice(0, NAMES_MAX).join('  ').toUpperCase() + more, summary: '' };
  }
  const row = commandRow(id);
  const name = row.name.replace('|', ' ').toUpperCase();
  const args = (row.args ?? []) as unknown as readonly Argument[];
  const subs = row.subs.map((sub) => commandRow(sub).name.split('|')[1]?.toUpperCase());
  const rest = subs.length > 0 ? [subs.join('|')] : args.map(argumentText);
  return { syntax: [name, ...rest].join(' '), summary: row.summary };
}
