// Prefixes out of the core's tree of names: those that end with a separator, and those that show by
// themselves where names begin to differ.

import { VALUE_TYPES } from '../core/inspector.js';
import type { TrieNode } from './analysis-decode.js';
import type { PrefixAnalysis, PrefixNode, PrefixRow, Sums } from './analysis-types.js';
import { bytesText } from './bytes-text.js';
import { type Checks, text, wholeFrom } from './check-options.js';

/** A node with its place in the tree. */
export interface Branch {
  node: TrieNode;
  /** The whole prefix. */
  name: Uint8Array;
  children: Branch[];
}

/** The tree; undefined when there is none. */
export function branchesOf(trie: readonly TrieNode[]): Branch | undefined {
  const path: Branch[] = [];
  for (const node of trie) {
    const parent = path[node.level - 1];
    const above = parent?.name ?? new Uint8Array(0);
    const name = new Uint8Array(above.length + node.label.length);
    name.set(above);
    name.set(node.label, above.length);
    const branch = { node, name, children: [] };
    parent?.children.push(branch);
    path.length = node.level;
    path.push(branch);
  }
  return path[0];
}

const sumsOf = ({ keys, memoryBytes, fileBytes, elements }: Sums): Sums => ({
  ...{ keys, memoryBytes, fileBytes, elements },
});

/** `branch.name`, or a prefix that ends within its label. */
function rowOf(name: Uint8Array, branch: Branch, depth: number): PrefixRow {
  const { node } = branch;
  const isWithin = name.length < branch.name.length;
  const types: PrefixRow['types'] = {};
  const named = node.types.reduce((a, b) => a + b, 0);
  [...node.types, node.keys - named].forEach((keys, i) => {
    if (keys > 0) types[VALUE_TYPES[i]!] = keys;
  });
  return {
    prefix: bytesText(name),
    depth,
    ...sumsOf(node),
    types,
    expires: node.expires,
    missingMax: node.missing + (isWithin ? node.strayed : 0),
  };
}

const byMemory = (a: Sums, b: Sums) => b.memoryBytes - a.memoryBytes || b.keys - a.keys;

/** What a separator-based prefix was made of, for findings. */
export interface NamedBranch {
  row: PrefixRow;
  node: TrieNode;
  name: Uint8Array;
}

export interface PrefixOptions {
  /** Bytes that end a prefix; default `:`. */
  separators?: string | undefined;
  /** Separators in a prefix at most; default 8. */
  depth?: number | undefined;
  /** Keys a prefix has at least; default 2. */
  keysMin?: number | undefined;
  /** Rows of each list at most; default 1000. */
  rows?: number | undefined;
}

export const PREFIX_CHECKS: Checks<PrefixOptions> = {
  separators: text,
  depth: wholeFrom(0),
  keysMin: wholeFrom(0),
  rows: wholeFrom(0),
};

interface Walk {
  separators: Set<number>;
  depth: number;
  keysMin: number;
  found: NamedBranch[];
}

/** Adds the prefixes along the labels below `branch` to `parent`. */
function descend(walk: Walk, branch: Branch, parent: PrefixNode): void {
  for (const child of branch.children) {
    const { node, name } = child;
    if (node.keys < walk.keysMin) continue;
    let under = parent;
    for (let at = branch.name.length; at < name.length; at++) {
      if (!walk.separators.has(name[at]!) || under.depth >= walk.depth) continue;
      const prefix = name.subarray(0, at + 1);
      const row = rowOf(prefix, child, under.depth + 1);
      walk.found.push({ row, node, name: prefix });
      const next: PrefixNode = { ...row, children: [], rest: sumsOf(node) };
      under.children.push(next);
      under = next;
    }
    descend(walk, child, under);
  }
}

/** Sorts children, and says what is in none of them. */
function settle(tree: PrefixNode): void {
  tree.children.sort(byMemory);
  for (const child of tree.children) {
    settle(child);
    tree.rest.keys -= child.keys;
    tree.rest.memoryBytes -= child.memoryBytes;
    tree.rest.fileBytes -= child.fileBytes;
    tree.rest.elements -= child.elements;
  }
}

/** The prefixes of a tree, and what the separator-based ones were made of. */
export function prefixTables(
  root: Branch,
  options: PrefixOptions = {},
): { prefixes: PrefixAnalysis; named: NamedBranch[] } {
  const { separators = ':', depth = 8, keysMin = 2, rows = 1000 } = options;
  const bytes = new Set(new TextEncoder().encode(separators));
  const walk: Walk = { separators: bytes, depth, keysMin, found: [] };
  const whole = rowOf(root.name, root, 0);
  const tree: PrefixNode = { ...whole, children: [], rest: sumsOf(root.node) };
  descend(walk, root, tree);
  settle(tree);
  const named = walk.found.sort((a, b) => byMemory(a.row, b.row));
  const automatic = automaticPrefixes(root).slice(0, rows);
  const list = named.slice(0, rows).map(({ row }) => row);
  return { prefixes: { separators, tree, rows: list, automatic }, named };
}

// ---- automatic

/** A prefix holds at least this share of all keys or memory … */
const SHARE_MIN = 0.001;
/** … and so many keys. */
const KEYS_MIN = 16;
/** Branches with so many children of one byte each are taken for random or counted text. */
const WIDE = 6;

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;
const isAlnum = (byte: number) =>
  isDigit(byte) || (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte > 0x7f;

/** The length of a prefix without the digits it ends with, and never within a character. */
function trimmed(name: Uint8Array, from: number): number {
  let end = name.length;
  while (end > from && isDigit(name[end - 1]!)) end--;
  let start = end;
  while (start > from && (name[start - 1]! & 0xc0) === 0x80) start--;
  if (start > from && name[start - 1]! >= 0xc0) {
    const first = name[start - 1]!;
    const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (end - start + 1 < length) end = start - 1;
  }
  return end;
}

/** Whether the text behind the prefix looks arbitrary: many children, each differing at once. */
function isArbitrary(branch: Branch): boolean {
  const shares = branch.children.filter(({ node }) => node.keys * 64 >= branch.node.keys);
  const short = shares.filter(
    ({ node, children }) => node.label.length === 1 && isAlnum(node.label[0]!) && children.length,
  );
  if (short.length < WIDE) return false;
  const largest = Math.max(...short.map(({ node }) => node.keys));
  return largest * 2 < branch.node.keys;
}

/** Whether all that follows is counted: children that begin with a digit. */
function isCounted(branch: Branch): boolean {
  const digits = branch.children.filter(({ node }) => isDigit(node.label[0]!));
  const keys = digits.reduce((sum, { node }) => sum + node.keys, 0);
  return digits.length > 1 && keys * 10 >= branch.node.keys * 9;
}

interface Candidate {
  name: Uint8Array;
  branch: Branch;
}

/** Candidates at and below a branch whose own label begins at byte `from`. */
function collect(branch: Branch, least: Sums, from: number, found: Candidate[]): void {
  const { node, name, children } = branch;
  const isLarge = node.keys >= least.keys || node.memoryBytes >= least.memoryBytes;
  if (!isLarge || node.keys < KEYS_MIN) return;
  // digits at the end are the beginning of numbers; all keys share what is before them
  const end = trimmed(name, from);
  const isRandom = isArbitrary(branch);
  const isNumbered = isCounted(branch);
  // two words that begin alike have no prefix in common that means something
  const isName = isRandom || isNumbered || end < name.length || !isAlnum(name[end - 1] ?? 0);
  if (end > from && children.length > 0 && isName) {
    found.push({ name: name.subarray(0, end), branch });
  }
  for (const child of children) {
    const first = child.node.label[0]!;
    // behind arbitrary text nothing is common to all of it
    if (isRandom && isAlnum(first)) continue;
    if (isNumbered && isDigit(first)) continue;
    collect(child, least, name.length, found);
  }
}

/** Prefixes where names begin to differ, with at least a thousandth of all; by memory. */
function automaticPrefixes(root: Branch): PrefixRow[] {
  const { keys, memoryBytes } = root.node;
  const least = {
    ...sumsOf(root.node),
    keys: keys * SHARE_MIN,
    memoryBytes: memoryBytes * SHARE_MIN,
  };
  const found: Candidate[] = [];
  collect(root, least, 0, found);
  const rows: PrefixRow[] = [];
  const open: Candidate[] = [];
  for (const one of found) {
    while (open.length > 0 && !startsWith(one.name, open.at(-1)!.name)) open.pop();
    // one that is all of its parent says nothing new
    const above = open.at(-1);
    if (above !== undefined && above.branch.node.keys === one.branch.node.keys) open.pop();
    rows.push(rowOf(one.name, one.branch, open.length));
    open.push(one);
  }
  return rows.sort(byMemory);
}

function startsWith(name: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => name[i] === byte);
}
