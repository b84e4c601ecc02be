// The COMMAND family as far as the host answers it: COMMAND, COUNT, INFO, DOCS, LIST and HELP.
// All facts come from the generated table. COMMAND GETKEYS and GETKEYSANDFLAGS are the core's:
// assembly/commands/keyspecs.ts. Arity and unknown subcommands were dealt with before.

import { COMMAND_NAMES, COMMAND_ROWS_JSON } from '../../commands/generated/table.js';
import type { ReplyWriter } from '../reply-writer.js';

/** `unknown`, or one member named for its kind: {index: 1}, {range: {...}}. */
type KeySearch = 'unknown' | { readonly [kind: string]: number | Record<string, number | string> };

interface KeySpec {
  readonly flags: readonly string[];
  readonly begin_search: KeySearch;
  readonly find_keys: KeySearch;
  readonly notes?: string;
}

/** An argument as COMMAND DOCS shows it, members in that order. */
interface DocArgument {
  readonly [member: string]: string | number | readonly string[] | readonly DocArgument[];
}

/** One row of COMMAND_ROWS_JSON. */
export interface CommandRow {
  readonly name: string;
  readonly arity: number;
  readonly flags: readonly string[];
  /** First key, last key, step. */
  readonly keys: readonly [number, number, number];
  readonly acl: readonly string[];
  readonly tips: readonly string[];
  readonly specs: readonly KeySpec[];
  /** Ids of the subcommands. */
  readonly subs: readonly number[];
  /** Id of the container, or -1. */
  readonly parent: number;
  readonly summary: string;
  readonly since: string;
  readonly group: string;
  readonly complexity?: string;
  readonly docFlags?: readonly string[];
  readonly deprecatedSince?: string;
  readonly replacedBy?: string;
  readonly history?: readonly (readonly [string, string])[];
  readonly args?: readonly DocArgument[];
}

export type CommandHandler = (argv: readonly Uint8Array[], out: ReplyWriter) => void;

const ACL_CATEGORIES: ReadonlySet<string> = new Set(
  (
    'keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub ' +
    'admin fast slow blocking dangerous connection transaction scripting'
  ).split(' '),
);

const HELP = [
  'COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  '(no subcommand)',
  '    Return details about all Redis commands.',
  'COUNT',
  '    Return the total number of commands in this Redis server.',
  'LIST',
  '    Return a list of all commands in this Redis server.',
  'INFO [<command-name> ...]',
  '    Return details about multiple Redis commands.',
  '    If no command names are given, documentation details for all',
  '    commands are returned.',
  'DOCS [<command-name> ...]',
  '    Return documentation details about multiple Redis commands.',
  '    If no command names are given, documentation details for all',
  '    commands are returned.',
  'GETKEYS <full-command>',
  '    Return the keys from a full Redis command.',
  'GETKEYSANDFLAGS <full-command>',
  '    Return the keys and the access flags from a full Redis command.',
  'HELP',
  '    Prints this help.',
];

const rows: (CommandRow | undefined)[] = [];
let ids: Map<string, number> | undefined;

/** The row of a command id; parsed at first use. */
export function commandRow(id: number): CommandRow {
  let row = rows[id];
  if (row === undefined) {
    row = JSON.parse(COMMAND_ROWS_JSON[id] as string) as CommandRow;
    rows[id] = row;
  }
  return row;
}

/** Id of `get`, `client|list` … in any case, or undefined. */
export function commandId(name: string): number | undefined {
  ids ??= new Map(COMMAND_NAMES.map((known, id) => [known, id]));
  return ids.get(name.toLowerCase());
}

function topLevelIds(): number[] {
  const all = COMMAND_NAMES.map((_, id) => id);
  return all.filter((id) => !(COMMAND_NAMES[id] as string).includes('|'));
}

const latin1 = new TextDecoder('latin1');
const textOf = (argv: readonly Uint8Array[], index: number): string => latin1.decode(argv[index]);
const namesFrom = (argv: readonly Uint8Array[], index: number): string[] =>
  argv.slice(index).map((word) => latin1.decode(word));

function writeWords(words: readonly string[], prefix: string, out: ReplyWriter): void {
  out.set(words.length);
  for (const word of words) out.simple(prefix + word);
}

function writeKeySearch(search: KeySearch, out: ReplyWriter): void {
  const [kind, value] = Object.entries(search === 'unknown' ? { unknown: {} } : search)[0]!;
  const members = Object.entries(typeof value === 'number' ? { [kind]: value } : value);
  out.map(2);
  out.bulk('type');
  out.bulk(kind);
  out.bulk('spec');
  out.map(members.length);
  for (const [name, fact] of members) {
    out.bulk(name);
    if (typeof fact === 'number') out.int(fact);
    else out.bulk(fact);
  }
}

function writeKeySpec(spec: KeySpec, out: ReplyWriter): void {
  out.map(spec.notes === undefined ? 3 : 4);
  if (spec.notes !== undefined) {
    out.bulk('notes');
    out.bulk(spec.notes);
  }
  out.bulk('flags');
  writeWords(spec.flags, '', out);
  out.bulk('begin_search');
  writeKeySearch(spec.begin_search, out);
  out.bulk('find_keys');
  writeKeySearch(spec.find_keys, out);
}

function writeInfo(id: number, out: ReplyWriter): void {
  const row = commandRow(id);
  out.array(10);
  out.bulk(row.name);
  out.int(row.arity);
  writeWords(row.flags, '', out);
  for (const key of row.keys) out.int(key);
  writeWords(row.acl, '@', out);
  out.set(row.tips.length);
  for (const tip of row.tips) out.bulk(tip);
  out.set(row.specs.length);
  for (const spec of row.specs) writeKeySpec(spec, out);
  // Redis: the subcommands are an array, but none at all is an empty set.
  if (row.subs.length === 0) out.set(0);
  else out.array(row.subs.length);
  for (const sub of row.subs) writeInfo(sub, out);
}

function writeArguments(args: readonly DocArgument[], out: ReplyWriter): void {
  out.array(args.length);
  for (const arg of args) {
    const members = Object.entries(arg);
    out.map(members.length);
    for (const [name, value] of members) {
      out.bulk(name);
      if (name === 'arguments') writeArguments(value as readonly DocArgument[], out);
      else if (name === 'flags') writeWords(value as readonly string[], '', out);
      else if (typeof value === 'number') out.int(value);
      else out.bulk(value as string);
    }
  }
}

function writeDocs(id: number, out: ReplyWriter): void {
  const row = commandRow(id);
  const texts: [string, string | undefined][] = [
    ['summary', row.summary],
    ['since', row.since],
    ['group', row.group],
    ['complexity', row.complexity],
    ['deprecated_since', row.deprecatedSince],
    ['replaced_by', row.replacedBy],
  ];
  const rest = [row.history, row.docFlags, row.args, row.subs[0]];
  const isThere = (value: unknown) => value !== undefined;
  out.map(texts.filter(([, text]) => isThere(text)).length + rest.filter(isThere).length);
  const writeTexts = (pairs: [string, string | undefined][]) => {
    for (const [name, text] of pairs) {
      if (text === undefined) continue;
      out.bulk(name);
      out.bulk(text);
    }
  };
  writeTexts(texts.slice(0, 4));
  if (row.docFlags) {
    out.bulk('doc_flags');
    writeWords(row.docFlags, '', out);
  }
  writeTexts(texts.slice(4));
  if (row.history) {
    out.bulk('history');
    out.set(row.history.length);
    for (const [version, change] of row.history) {
      out.array(2);
      out.bulk(version);
      out.bulk(change);
    }
  }
  if (row.args) {
    out.bulk('arguments');
    writeArguments(row.args, out);
  }
  if (row.subs.length > 0) {
    out.bulk('subcommands');
    writeDocsMap(row.subs, out);
  }
}

function writeDocsMap(list: readonly number[], out: ReplyWriter): void {
  out.map(list.length);
  for (const id of list) {
    out.bulk(commandRow(id).name);
    writeDocs(id, out);
  }
}

/** COMMAND: the same as COMMAND INFO without names. */
export function cmdCommand(_argv: readonly Uint8Array[], out: ReplyWriter): void {
  const all = topLevelIds();
  out.array(all.length);
  for (const id of all) writeInfo(id, out);
}

export function cmdCommandCount(_argv: readonly Uint8Array[], out: ReplyWriter): void {
  out.int(topLevelIds().length);
}

/** Unknown names answer null each; subcommands are named `client|list`. */
export function cmdCommandInfo(argv: readonly Uint8Array[], out: ReplyWriter): void {
  if (argv.length === 2) {
    cmdCommand(argv, out);
    return;
  }
  const names = namesFrom(argv, 2);
  out.array(names.length);
  for (const name of names) {
    const id = commandId(name);
    if (id === undefined) out.null();
    else writeInfo(id, out);
  }
}

/** Unknown names are left out. */
export function cmdCommandDocs(argv: readonly Uint8Array[], out: ReplyWriter): void {
  const asked = namesFrom(argv, 2).map(commandId);
  const known = asked.filter((id): id is number => id !== undefined);
  writeDocsMap(argv.length === 2 ? topLevelIds() : known, out);
}

/** COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN glob], subcommands included. */
export function cmdCommandList(argv: readonly Uint8Array[], out: ReplyWriter): void {
  let keep: ((id: number) => boolean) | undefined;
  if (argv.length === 2) keep = () => true;
  else if (argv.length === 5 && textOf(argv, 2).toLowerCase() === 'filterby') {
    keep = listFilter(textOf(argv, 3).toLowerCase(), textOf(argv, 4));
  }
  if (keep === undefined) {
    out.error('ERR syntax error');
    return;
  }
  const names = COMMAND_NAMES.filter((_, id) => keep(id));
  out.array(names.length);
  for (const name of names) out.bulk(name);
}

function listFilter(kind: string, wanted: string): ((id: number) => boolean) | undefined {
  const lower = wanted.toLowerCase();
  if (kind === 'module') return () => false;
  if (kind === 'pattern') return (id) => globMatch(lower, COMMAND_NAMES[id] as string);
  if (kind !== 'aclcat') return undefined;
  return (id) => ACL_CATEGORIES.has(lower) && commandRow(id).acl.includes(lower);
}

/** Redis' glob (`* ? [a-z] [^a] \x`) over lower-case text. */
function globMatch(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  // Where to resume after the last star: one character of the text further on.
  let starPattern = -1;
  let starText = 0;
  while (t < text.length || p < pattern.length) {
    if (pattern[p] === '*') {
      starPattern = ++p;
      starText = t;
      continue;
    }
    const next = t < text.length ? matchOne(pattern, p, text[t] as string) : -1;
    if (next >= 0) {
      p = next;
      t++;
    } else if (starPattern >= 0 && starText < text.length) {
      p = starPattern;
      t = ++starText;
    } else {
      return false;
    }
  }
  return true;
}

/** Matches one character at pattern[p]; the place after that element, or -1. */
function matchOne(pattern: string, p: number, char: string): number {
  const first = pattern[p];
  if (first === undefined) return -1;
  if (first === '?') return p + 1;
  if (first === '[') return matchClass(pattern, p + 1, char);
  const at = first === '\\' && p + 1 < pattern.length ? p + 1 : p;
  return pattern[at] === char ? at + 1 : -1;
}

/** Redis: a class that is never closed ends with the pattern. */
function matchClass(pattern: string, start: number, char: string): number {
  let p = start;
  const isNegated = pattern[p] === '^';
  if (isNegated) p++;
  let isHit = false;
  while (p < pattern.length && pattern[p] !== ']') {
    if (pattern[p] === '\\' && p + 1 < pattern.length) {
      isHit ||= pattern[p + 1] === char;
      p += 2;
    } else if (pattern[p + 1] === '-' && p + 2 < pattern.length) {
      const [low, high] = [pattern[p] as string, pattern[p + 2] as string].sort();
      isHit ||= char >= low! && char <= high!;
      p += 3;
    } else {
      isHit ||= pattern[p] === char;
      p++;
    }
  }
  return isHit === isNegated ? -1 : Math.min(p + 1, pattern.length);
}

export function cmdCommandHelp(_argv: readonly Uint8Array[], out: ReplyWriter): void {
  out.array(HELP.length);
  for (const line of HELP) out.simple(line);
}

/** By full name, for the host's dispatch. */
export const COMMAND_FAMILY: Readonly<Record<string, CommandHandler>> = {
  command: cmdCommand,
  'command|count': cmdCommandCount,
  'command|docs': cmdCommandDocs,
  'command|help': cmdCommandHelp,
  'command|info': cmdCommandInfo,
  'command|list': cmdCommandList,
};
