// The command table as the generator sees it: reads assembly/commands/spec/*.json, checks every
// row, gives each implemented row its id and derives what the rows leave unsaid (parent, legacy
// key range, source file). It writes nothing; the other modules of this folder do.
//
// The words and their order (flags, categories, key flags) are those of Redis' COMMAND reply.

import fs from 'node:fs';
import path from 'node:path';

export const FLAGS = [
  'write',
  'readonly',
  'denyoom',
  'module',
  'admin',
  'pubsub',
  'noscript',
  'blocking',
  'loading',
  'stale',
  'skip_monitor',
  'skip_slowlog',
  'asking',
  'fast',
  'no_auth',
  'may_replicate',
  'no_mandatory_keys',
  'protected',
  'no_async_loading',
  'no_multi',
  'movablekeys',
  'allow_busy',
  'touches_arbitrary_keys',
];

export const CATEGORIES = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
];

export const KEY_FLAGS = [
  'RO',
  'RW',
  'OW',
  'RM',
  'access',
  'insert',
  'update',
  'delete',
  'not_key',
  'incomplete',
  'variable_flags',
];

/** Key extraction procedures of keyspecs.ts; the index is the number in the generated row. */
export const GET_KEYS = ['none', 'count', 'sort', 'sort_ro', 'migrate', 'xread', 'set', 'bitfield'];

/** Words the key search looks for: those of key specs, and those keyspecs.ts asks for by KW_*. */
export const KEYWORDS = [
  'KEYS',
  'STORE',
  'STOREDIST',
  'STREAMS',
  'BLOCK',
  'COUNT',
  'GROUP',
  'NOACK',
  'LIMIT',
  'GET',
  'BY',
  'SET',
  'INCRBY',
  'OVERFLOW',
  'AUTH',
  'AUTH2',
];

const ROW_KEYS = new Set([
  'name',
  'since',
  'group',
  'in',
  'file',
  'beyond',
  'note',
  'container',
  'arity',
  'flags',
  'hiddenFlags',
  'aclCategories',
  'tips',
  'keySpecs',
  'getKeys',
  'docFlags',
  'deprecatedSince',
  'replacedBy',
  'history',
  'summary',
  'complexity',
  'arguments',
]);
const REQUIRED = ['name', 'since', 'group', 'in', 'arity', 'flags', 'summary'];

/**
 * Reads all rows below `specDir`. With `all`, rows marked "none" take part as if they were
 * "wasm" (only tests want that). Returns rows in id order; throws with file and name on any fault.
 */
export function loadSpec(specDir, { all = false } = {}) {
  const rows = [];
  for (const file of fs
    .readdirSync(specDir)
    .filter((f) => f.endsWith('.json'))
    .sort()) {
    const family = path.basename(file, '.json');
    const list = JSON.parse(fs.readFileSync(path.join(specDir, file), 'utf8'));
    let previous = '';
    for (const row of list) {
      checkRow(row, file);
      if (!(previous < row.name)) fail(file, row.name, 'rows must be in alphabetical order');
      previous = row.name;
      rows.push(deriveRow(row, family, all));
    }
  }
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  const kept = rows.filter((row) => row.in !== 'none');
  const byName = new Map();
  for (const [id, row] of kept.entries()) {
    if (byName.has(row.name)) throw new Error(`command table: ${row.name} has two rows`);
    row.id = id;
    byName.set(row.name, row);
  }
  for (const row of kept) linkParent(row, byName);
  return kept;
}

function fail(file, name, what) {
  throw new Error(`${file}: ${name}: ${what}`);
}

function checkRow(row, file) {
  for (const key of REQUIRED) if (row[key] === undefined) fail(file, row.name, `no ${key}`);
  for (const key of Object.keys(row))
    if (!ROW_KEYS.has(key)) fail(file, row.name, `what is ${key}?`);
  if (!/^[a-z][a-z0-9_-]*(\|[a-z][a-z0-9_-]*)?$/.test(row.name)) fail(file, row.name, 'bad name');
  if (!['wasm', 'host', 'none'].includes(row.in)) fail(file, row.name, `in: ${row.in}`);
  const check = (list, known, what) => {
    for (const word of list ?? []) {
      if (!known.includes(word)) fail(file, row.name, `unknown ${what} ${word}`);
    }
  };
  check(row.flags, FLAGS, 'flag');
  check(row.hiddenFlags, FLAGS, 'flag');
  check(row.aclCategories, CATEGORIES, 'category');
  for (const spec of row.keySpecs ?? []) {
    check(spec.flags, KEY_FLAGS, 'key flag');
    if (!spec.begin_search || !spec.find_keys) fail(file, row.name, 'half a key spec');
    const keyword = spec.begin_search.keyword?.keyword;
    if (keyword) check([keyword], KEYWORDS, 'keyword');
  }
  if (row.getKeys) check([row.getKeys.split(' ')[0]], GET_KEYS, 'getKeys procedure');
  if (row.name.length > 39) fail(file, row.name, 'name longer than the name table allows');
}

function deriveRow(row, family, all) {
  const full = {
    aclCategories: [],
    tips: [],
    keySpecs: [],
    hiddenFlags: [],
    ...row,
    family,
    file: row.file ?? family,
    in: all && row.in === 'none' ? 'wasm' : row.in,
    sub: row.name.includes('|') ? row.name.slice(row.name.indexOf('|') + 1) : '',
    parentName: row.name.includes('|') ? row.name.slice(0, row.name.indexOf('|')) : '',
    subcommands: [],
    parent: -1,
  };
  full.range = legacyRange(full.keySpecs);
  full.functionName = functionName(row.name);
  full.constant = `CMD_${row.name.toUpperCase().replace(/[|-]/g, '_')}`;
  // A container answers itself only where Redis lets it be called bare (COMMAND).
  full.hasBody = !row.container || row.arity === -1;
  return full;
}

function linkParent(row, byName) {
  if (!row.parentName) return;
  const parent = byName.get(row.parentName);
  if (!parent?.container) throw new Error(`${row.name}: its container is not implemented`);
  row.parent = parent.id;
  parent.subcommands.push(row);
}

/** `object|encoding` -> cmdObjectEncoding, `bitfield_ro` -> cmdBitfieldRo. */
export function functionName(name) {
  const parts = name.split(/[|_-]/);
  return `cmd${parts.map((part) => part[0].toUpperCase() + part.slice(1)).join('')}`;
}

/**
 * The (first, last, step) triple COMMAND INFO shows, derived from key specs the way Redis
 * documents it: one index/range spec as it stands, several only if they follow each other with
 * step 1, anything else left out; last counts from the end of the line if negative.
 */
export function legacyRange(keySpecs) {
  const simple = (spec) =>
    spec.begin_search.index !== undefined && spec.find_keys.range !== undefined;
  if (keySpecs.length === 0) return [0, 0, 0];
  const absolute = (spec) => {
    const first = spec.begin_search.index;
    const { lastkey } = spec.find_keys.range;
    return [first, lastkey >= 0 ? first + lastkey : lastkey];
  };
  if (keySpecs.length === 1) {
    if (!simple(keySpecs[0])) return [0, 0, 0];
    return [...absolute(keySpecs[0]), keySpecs[0].find_keys.range.keystep];
  }
  let range = null;
  let previousLast = 0;
  for (const spec of keySpecs) {
    if (!simple(spec) || spec.find_keys.range.keystep !== 1) continue;
    const [first, last] = absolute(spec);
    if (previousLast !== 0 && previousLast !== first - 1) continue;
    range = range
      ? [Math.min(range[0], first), last < 0 ? last : Math.max(range[1], last), 1]
      : [first, last, 1];
    previousLast = last;
  }
  return range ?? [0, 0, 0];
}

/** A bit mask of the words of `list` by their place in `known`. */
export function mask(list, known) {
  return list.reduce((bits, word) => bits | (1 << known.indexOf(word)), 0) >>> 0;
}
