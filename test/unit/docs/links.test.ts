// The documents: links between files lead somewhere, and the command list is the table's.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../support/servers.js';

const inDocs = readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`);
const documents = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...inDocs].filter((name) =>
  name.endsWith('.md'),
);

/** Headings as anchors, the way GitHub makes them. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map((heading) =>
    heading[1]!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test.each(documents)('links of %s', (name) => {
  const text = readFileSync(join(ROOT, name), 'utf8').replace(/```[\s\S]*?```/g, '');
  const broken: string[] = [];
  for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^https?:/.test(link!)) continue;
    const [path, anchor] = link!.split('#');
    const target = path === '' ? join(ROOT, name) : join(ROOT, dirname(name), path!);
    if (!existsSync(target)) broken.push(link!);
    else if (anchor !== undefined && !anchors(readFileSync(target, 'utf8')).includes(anchor)) {
      broken.push(link!);
    }
  }
  expect(broken).toEqual([]);
});

test('docs/commands.md is what `node build/gen-commands.mjs --docs` writes', () => {
  const out = mkdtempSync(join(tmpdir(), 'respite-docs-'));
  const generator = join(ROOT, 'build/gen-commands.mjs');
  execFileSync(process.execPath, [generator, '--docs', '--out', out], { stdio: 'pipe' });
  const wanted = readFileSync(join(out, 'docs/commands.md'), 'utf8');
  rmSync(out, { recursive: true });
  expect(readFileSync(join(ROOT, 'docs/commands.md'), 'utf8')).toBe(wanted);
});

test('paths the README names exist', () => {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const paths = [...text.matchAll(/`((?:assembly|host|test|build)\/[\w./-]+)`/g)].map((m) => m[1]!);
  const generated = /^build\/(out|js|core)/;
  expect(paths.filter((p) => !generated.test(p) && !existsSync(join(ROOT, p)))).toEqual([]);
});
