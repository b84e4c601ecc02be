// Style as a test: import rules (rules.ts), sizes, columns, blanks, file headers, no skipped or
// focused tests. What is over a limit today stands in ratchet.json with its figure: it may shrink,
// then the entry must shrink with it, never grow. Generated files are left out.

import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../support/servers.js';
import ratchet from './ratchet.json' with { type: 'json' };
import {
  ASSEMBLY_IMPORTS,
  COMMANDS_GATHERING,
  COMMANDS_SHARED,
  HOST_IMPORTS,
  HOST_PORTABLE,
  LIMITS,
  RDB_READER,
  RDB_READER_IMPORTS,
  THIRD_PARTY,
} from './rules.js';
import { blank, functionsOf, importsOf, type SourceFile, sourceFiles } from './source.js';

const CODE = /\.(ts|mjs|js)$/;
const assembly = sourceFiles(ROOT, ['assembly'], /\.ts$/);
const host = sourceFiles(ROOT, ['host'], /\.(ts|tsx)$/);
const tools = sourceFiles(ROOT, ['test', 'build', 'examples'], CODE);
const code = [...assembly, ...host, ...tools];
const prose = sourceFiles(ROOT, ['docs', 'test', 'assembly', 'host'], /\.(md|txt)$/);

/** Folder of a file below its top folder: assembly/base/x.ts → base; assembly/index.ts → ''. */
function folderOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 2 ? parts[1]! : '';
}

/** Relative imports of a file as paths from the root, without extension. */
function localImports(file: SourceFile): string[] {
  return importsOf(file.text)
    .filter((module) => module.startsWith('.'))
    .map((module) => relative(ROOT, join(ROOT, dirname(file.path), module)))
    .map((path) => path.replace(/\.(js|ts)$/, ''));
}

/** Fails with every line of `problems`. */
function none(problems: string[]): void {
  if (problems.length > 0) expect.fail(`${problems.length} problems\n${problems.join('\n')}`);
}

describe('imports of assembly/', () => {
  test('go downwards only', () => {
    const problems: string[] = [];
    for (const file of assembly) {
      const from = folderOf(file.path);
      const allowed = ASSEMBLY_IMPORTS[from];
      if (allowed === undefined) {
        problems.push(`${file.path}: folder ${from} is not in rules.ts`);
        continue;
      }
      for (const path of localImports(file)) {
        const to = folderOf(`${path}.ts`);
        if (!path.startsWith('assembly/')) problems.push(`${file.path} leaves assembly/: ${path}`);
        else if (to !== from && !allowed.includes(to)) {
          problems.push(`${file.path} imports ${path}: ${from || 'assembly'} may not use ${to}`);
        }
      }
    }
    none(problems);
  });

  test('the RDB reader uses base and encoding only', () => {
    const problems: string[] = [];
    for (const file of assembly.filter(({ path }) => path.startsWith('assembly/rdb/'))) {
      if (!RDB_READER.test(file.path.slice('assembly/rdb/'.length))) continue;
      for (const path of localImports(file)) {
        const to = folderOf(`${path}.ts`);
        const inReader = to === 'rdb' && RDB_READER.test(path.slice('assembly/rdb/'.length));
        if (!inReader && !RDB_READER_IMPORTS.includes(to)) {
          problems.push(`${file.path} imports ${path}`);
        }
      }
    }
    none(problems);
  });

  test('command families do not import each other', () => {
    const problems: string[] = [];
    const nameIn = (path: string) => path.replace(/^assembly\/commands\//, '').replace(/\.ts$/, '');
    for (const file of assembly.filter(({ path }) => folderOf(path) === 'commands')) {
      if (COMMANDS_GATHERING.includes(nameIn(file.path))) continue;
      for (const path of localImports(file).filter((to) => to.startsWith('assembly/commands/'))) {
        const to = nameIn(path);
        if (!to.startsWith('generated/') && !COMMANDS_SHARED.includes(to)) {
          problems.push(`${file.path} imports ${path}`);
        }
      }
    }
    none(problems);
  });
});

describe('imports of host/', () => {
  test('follow the layers, without circles between folders', () => {
    const problems: string[] = [];
    const edges = new Map<string, Set<string>>();
    for (const file of host) {
      const from = folderOf(file.path);
      const allowed = HOST_IMPORTS[from];
      if (allowed === undefined) {
        problems.push(`${file.path}: folder ${from} is not in rules.ts`);
        continue;
      }
      for (const path of localImports(file)) {
        const to = folderOf(`${path}.ts`);
        const isEntry = /^host\/(index|browser)$/.test(path);
        if (!path.startsWith('host/')) problems.push(`${file.path} leaves host/: ${path}`);
        else if (isEntry && from !== '' && from !== 'cli')
          problems.push(`${file.path} imports ${path}`);
        else if (to !== '' && to !== from && !allowed.includes(to)) {
          problems.push(`${file.path} imports ${path}: ${from || 'host'} may not use ${to}`);
        } else if (to !== '' && to !== from) {
          edges.set(from, (edges.get(from) ?? new Set()).add(to));
        }
      }
    }
    none([...problems, ...circles(edges)]);
  });

  test('the portable folders use no node: module', () => {
    const problems = host
      .filter(({ path }) => HOST_PORTABLE.includes(folderOf(path)))
      .flatMap((file) =>
        importsOf(file.text)
          .filter((module) => module.startsWith('node:'))
          .map((module) => `${file.path} imports ${module}`),
      );
    none(problems);
  });

  test('third-party modules stay in their folders', () => {
    const problems: string[] = [];
    for (const file of host) {
      for (const module of importsOf(file.text)) {
        if (/^(\.|node:|virtual:)/.test(module)) continue;
        const name = module
          .split('/')
          .slice(0, module.startsWith('@') ? 2 : 1)
          .join('/');
        const folders = THIRD_PARTY[name];
        if (folders === undefined) problems.push(`${file.path}: ${name} is not in rules.ts`);
        else if (!folders.includes(folderOf(file.path)))
          problems.push(`${file.path} imports ${name}`);
      }
    }
    none(problems);
  });

  test('only host/core touches the memory of the core', () => {
    const memory = /\bWebAssembly\.(Memory|Instance|instantiate|Module)\b|\bmemory\.buffer\b/;
    const problems = host
      .filter(({ path }) => folderOf(path) !== 'core')
      .flatMap((file) =>
        blank(file.text, true)
          .split('\n')
          .flatMap((line, i) =>
            memory.test(line) ? [`${file.path}:${i + 1}: ${line.trim()}`] : [],
          ),
      );
    none(problems);
  });
});

describe('sizes, with a ratchet', () => {
  const measured: Record<string, number> = {};
  for (const file of code) {
    const lineCount = file.lines.length - (file.text.endsWith('\n') ? 1 : 0);
    if (lineCount > LIMITS.fileLinesMax) measured[`lines of ${file.path}`] = lineCount;
    const isTest = /^test\//.test(file.path);
    for (const fact of functionsOf(file.text)) {
      // The callbacks of describe and test hold tests; only named functions count there.
      if (isTest && /^(\(anonymous\)|describe|each|test|it)$/.test(fact.name)) continue;
      const name = `${file.path} ${fact.name}`;
      if (fact.lines > LIMITS.functionLinesMax) measured[`lines of ${name}`] = fact.lines;
      if (fact.parameters > LIMITS.parametersMax) {
        measured[`parameters of ${name}`] = fact.parameters;
      }
    }
  }
  const allowed: Record<string, number> = ratchet;

  test('nothing new is over the limits, nothing listed grew', () => {
    const problems = Object.entries(measured)
      .filter(([what, figure]) => figure > (allowed[what] ?? 0))
      .map(([what, figure]) => `${what}: ${figure} (allowed: ${allowed[what] ?? 'the limit'})`);
    none(problems);
  });

  test('the ratchet has no slack', () => {
    const problems = Object.entries(allowed)
      .filter(([what, figure]) => (measured[what] ?? 0) < figure)
      .map(
        ([what, figure]) => `${what}: now ${measured[what] ?? 'within the limit'}, lower ${figure}`,
      );
    none(problems);
  });
});

describe('text', () => {
  test(`no line over ${LIMITS.lineColumnsMax} columns`, () => {
    const problems = code.flatMap((file) =>
      file.lines.flatMap((line, i) =>
        [...line].length > LIMITS.lineColumnsMax ? [`${file.path}:${i + 1}`] : [],
      ),
    );
    none(problems);
  });

  test('no tabs, no blanks at line ends, a line break at the end', () => {
    const problems = [...code, ...prose].flatMap((file) => [
      ...file.lines.flatMap((line, i) =>
        /[ \t\r]$|\t/.test(line) ? [`${file.path}:${i + 1}: blank or tab`] : [],
      ),
      ...(file.text === '' || file.text.endsWith('\n')
        ? []
        : [`${file.path}: no final line break`]),
    ]);
    none(problems);
  });

  test('every file says at its top what it is', () => {
    const problems = code
      .filter(({ text }) => !/^(#![^\n]*\n)?\s*(\/\/|\/\*)/.test(text))
      .map(({ path }) => path);
    none(problems);
  });

  test('no focused tests, and skips only with a condition', () => {
    const focused = /\b(describe|test|it)\.(only|skip|todo|fails)\b|\bx(it|describe|test)\s*\(/;
    const problems = tools
      .filter(({ path }) => path.startsWith('test/'))
      .flatMap((file) =>
        blank(file.text, true)
          .split('\n')
          .flatMap((line, i) =>
            focused.test(line) ? [`${file.path}:${i + 1}: ${line.trim()}`] : [],
          ),
      );
    none(problems);
  });
});

describe('the tidy test itself', () => {
  test('sees imports, functions, their length and parameters', () => {
    const text = [
      "import { a } from './a.js'; // import { no } from './no.js'",
      "export * from './b.js';",
      "const lazy = () => import('./c.js');",
      'export function f(a: i32, b: Map<string, i32>, c: usize): usize {',
      "  const s = '} { function g(';",
      '  if (a) { return 1; }',
      '}',
      'class C { #m(): void {',
      '} }',
    ].join('\n');
    expect(importsOf(text)).toEqual(['./a.js', './b.js', './c.js']);
    expect(functionsOf(text)).toEqual([
      { name: 'f', line: 4, lines: 4, parameters: 3 },
      { name: '#m', line: 8, lines: 2, parameters: 0 },
    ]);
  });

  test('finds a circle', () => {
    const edges = new Map([
      ['a', new Set(['b'])],
      ['b', new Set(['c'])],
      ['c', new Set(['a'])],
    ]);
    expect(circles(edges).length).toBe(1);
  });
});

/** Circles between folders, one text each. */
function circles(edges: Map<string, Set<string>>): string[] {
  const found = new Set<string>();
  const visit = (folder: string, path: string[]) => {
    if (path.includes(folder)) {
      const loop = path.slice(path.indexOf(folder));
      found.add([...loop].sort().join(', '));
      return;
    }
    for (const next of edges.get(folder) ?? []) visit(next, [...path, folder]);
  };
  for (const folder of edges.keys()) visit(folder, []);
  return [...found].map((folders) => `folders import each other in a circle: ${folders}`);
}
