// Reads source files well enough for the tidy test: imports, functions with their length and
// parameter count. Works on TypeScript, AssemblyScript and JavaScript by tokens and braces; it is
// not a parser and does not need to be: what it cannot tell it leaves alone.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export interface SourceFile {
  /** Path from the root of the project. */
  path: string;
  text: string;
  lines: string[];
}

export interface FunctionFact {
  name: string;
  line: number;
  lines: number;
  parameters: number;
}

const SKIPPED = /^(node_modules|generated|out|js|assets|\.git)$/;

/** All files under the given folders whose name matches. */
export function sourceFiles(root: string, folders: readonly string[], name: RegExp): SourceFile[] {
  const found: SourceFile[] = [];
  const visit = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !SKIPPED.test(entry.name)) visit(path);
      else if (entry.isFile() && name.test(entry.name)) {
        const text = readFileSync(path, 'utf8');
        found.push({ path: relative(root, path), text, lines: text.split('\n') });
      }
    }
  };
  for (const folder of folders) {
    try {
      visit(join(root, folder));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The modules a file imports or re-exports from, static and dynamic. */
export function importsOf(text: string): string[] {
  const code = blank(text, false);
  const found: string[] = [];
  const forms = [
    /^\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\s*\(\s*['"]([^'"]+)['"]\s*\)/g,
  ];
  for (const form of forms) for (const match of code.matchAll(form)) found.push(match[1]!);
  return found;
}

interface Token {
  text: string;
  line: number;
}

/** Every function with a body: its first line to its closing brace. */
export function functionsOf(text: string): FunctionFact[] {
  const tokens = tokensOf(blank(text, true));
  const facts: FunctionFact[] = [];
  const open: (FunctionFact | undefined)[] = [];
  for (const [i, token] of tokens.entries()) {
    if (token.text === '{') open.push(functionAt(tokens, i));
    else if (token.text === '}') {
      const fact = open.pop();
      if (fact !== undefined) {
        fact.lines = token.line - fact.line + 1;
        facts.push(fact);
      }
    }
  }
  return facts.sort((a, b) => a.line - b.line);
}

/** The function whose body opens at token `at`, if it is one. */
function functionAt(tokens: readonly Token[], at: number): FunctionFact | undefined {
  let close = at - 1;
  if (tokens[close]?.text === '=>') close--;
  if (tokens[close]?.text !== ')') {
    // a return type: back to the ')' before its ':'
    let back = close;
    while (back > 0 && at - back < 40 && !/^[;{}=]$/.test(tokens[back]!.text)) {
      if (tokens[back]!.text === ':' && tokens[back - 1]!.text === ')') break;
      back--;
    }
    if (tokens[back]?.text !== ':' || tokens[back - 1]?.text !== ')') return undefined;
    close = back - 1;
  }
  const opening = matching(tokens, close);
  const before = tokens[opening - 1];
  if (opening < 0 || before === undefined) return undefined;
  if (/^(if|for|while|switch|catch|with|await)$/.test(before.text)) return undefined;
  const named = /^[A-Za-z_$#][\w$]*$/.test(before.text) && before.text !== 'function';
  return {
    name: named ? before.text : '(anonymous)',
    line: tokens[opening - 1]!.line,
    lines: 0,
    parameters: parametersIn(tokens, opening, close),
  };
}

function matching(tokens: readonly Token[], close: number): number {
  let depth = 0;
  for (let i = close; i >= 0; i--) {
    if (tokens[i]!.text === ')') depth++;
    else if (tokens[i]!.text === '(' && --depth === 0) return i;
  }
  return -1;
}

function parametersIn(tokens: readonly Token[], opening: number, close: number): number {
  if (close === opening + 1) return 0;
  let depth = 0;
  let count = 1;
  for (let i = opening + 1; i < close; i++) {
    if (/^[([{<]$/.test(tokens[i]!.text)) depth++;
    else if (/^[)\]}>]$/.test(tokens[i]!.text)) depth--;
    else if (tokens[i]!.text === ',' && depth === 0 && i + 1 < close) count++;
  }
  return count;
}

function tokensOf(code: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (const match of code.matchAll(/\n|=>|#?[A-Za-z_$][\w$]*|[^\s\w]/g)) {
    if (match[0] === '\n') line++;
    else tokens.push({ text: match[0], line });
  }
  return tokens;
}

const PARTS = [
  /\/\/[^\n]*/, // comment to the end of the line
  /\/\*[\s\S]*?\*\//,
  /'(?:\\.|[^'\\\n])*'/,
  /"(?:\\.|[^"\\\n])*"/,
  /`(?:\\[\s\S]|[^`\\])*`/,
  // a regular expression, where an operand may stand
  /(?<=[=(,:[!&|?{};\n]\s*|return\s+)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/,
];

/**
 * The text with comments, and when `strings` is set also strings, templates and regular
 * expressions, replaced by blanks; line breaks stay where they are.
 */
export function blank(text: string, strings: boolean): string {
  const form = new RegExp(PARTS.map(({ source }) => source).join('|'), 'g');
  return text.replace(form, (part) => {
    const isComment = part.startsWith('//') || part.startsWith('/*');
    if (!isComment && !strings) return part;
    return isComment ? part.replace(/[^\n]/g, ' ') : part.replace(/[^\n]/g, '0');
  });
}
