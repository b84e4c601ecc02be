// Which lines wait for later commands. The table (assembly/commands/spec) has a row for every
// command of Redis; what a row marked "none" does is not here yet. Lines that need such a row are
// sent to neither server and counted in the open; when the row gets its body they run.

import { readdirSync, readFileSync } from 'node:fs';
import type { Step } from './lines.js';

const SPEC = new URL('../../assembly/commands/spec/', import.meta.url);

const rows = readdirSync(SPEC)
  .filter((file) => file.endsWith('.json'))
  .flatMap((file): { name: string; in: string; since: string }[] =>
    JSON.parse(readFileSync(new URL(file, SPEC), 'utf8')),
  );

/** Full names, lower case, of the rows without a body: `wait`, `config|rewrite`. */
export const missing: ReadonlySet<string> = new Set(
  rows.filter((row) => row.in === 'none').map((row) => row.name),
);
/** Those of commands that the oracle is too old to have. */
export const newer: ReadonlySet<string> = new Set(
  rows.filter(({ since }) => Number.parseFloat(since) > 7).map((row) => row.name),
);
/** Containers some of whose subcommands are missing: HELP and COMMAND INFO list them all. */
const partial: ReadonlySet<string> = new Set(
  [...missing].filter((name) => name.includes('|')).map((name) => name.split('|')[0]!),
);

/** The missing command that a command line needs, undefined when there is none. */
export function waitsFor(args: readonly Buffer[]): string | undefined {
  const words = args.map((arg) => arg.toString('latin1').toLowerCase());
  const [name = '', sub = ''] = words;
  if (missing.has(name)) return name;
  if (missing.has(`${name}|${sub}`)) return `${name}|${sub}`;
  if (sub === 'help' && words.length === 2 && partial.has(name)) return `${name}|…`;
  if (name === 'acl') return aclWaitsFor(args.slice(1), words);
  if (name !== 'command') return undefined;
  if (sub === 'getkeys' || sub === 'getkeysandflags') return waitsFor(args.slice(2));
  if (sub !== 'info' && sub !== 'docs') return undefined;
  const named = words.slice(2).find((word) => missing.has(word) || partial.has(word));
  return named === undefined || missing.has(named) ? named : `${named}|…`;
}

/** The same for ACL: a command line to be tried, or the commands that rules name. */
function aclWaitsFor(args: readonly Buffer[], words: readonly string[]): string | undefined {
  if (words[1] === 'dryrun') return waitsFor(args.slice(2));
  if (words[1] !== 'setuser') return undefined;
  const named = words.slice(3).flatMap((word) => word.match(/(?<=(^|[ (])[+-])[a-z][^ )]*/g) ?? []);
  return named.find((one) => missing.has(one) || missing.has(one.split('|')[0]!));
}

/** What a step waits for, undefined when it can run. */
export function stepWaitsFor(step: Step): string | undefined {
  const isCommand = step.kind === 'command' || step.kind === 'scan';
  return isCommand ? waitsFor(step.args) : undefined;
}
