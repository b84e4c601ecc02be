// Completions: made of the commands there are, and understood by the shells that are installed.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../host/cli/program.js';
import { createNodePlatform } from '../../host/platform/node.js';

const dir = mkdtempSync(join(tmpdir(), 'respite-completion-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function scriptOf(shell: string): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const real = createNodePlatform();
  const platform = {
    ...real,
    process: {
      ...real.process,
      writeStdout: (text: string) => {
        out += text;
      },
      writeStderr: (text: string) => {
        err += text;
      },
    },
  };
  const code = await runProgram(['completion', shell], { platform });
  return { code, out, err };
}

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;

describe('completion', () => {
  test.each(['bash', 'zsh', 'fish'])('%s knows commands and options', async (shell) => {
    const { code, out } = await scriptOf(shell);
    expect(code).toBe(0);
    for (const word of ['replicate', 'rdb', 'check', 'salvage', 'min-size']) {
      expect(out).toContain(word);
    }
    if (!has(shell)) return;
    const file = join(dir, shell);
    writeFileSync(file, out);
    execFileSync(shell, ['-n', file], { stdio: 'pipe' });
  });

  test.skipIf(!has('bash'))('bash completes', async () => {
    const { out } = await scriptOf('bash');
    const file = join(dir, 'script');
    const complete = (...words: string[]): string[] => {
      const list = words.map((word) => `'${word}'`).join(' ');
      const lines = [`COMP_WORDS=(respite ${list})`, `COMP_CWORD=${words.length}`, '_respite'];
      const print = `printf '%s\\n' "$` + '{COMPREPLY[@]}"';
      writeFileSync(file, [out, ...lines, print].join('\n'));
      return execFileSync('bash', [file], { cwd: dir }).toString().trim().split('\n');
    };
    expect(complete('rep')).toEqual(['replicate']);
    expect(complete('rdb', 'che')).toEqual(['check']);
    expect(complete('rdb', 'check', '--salv')).toEqual(['--salvage']);
    expect(complete('rdb', 'check', 'dump.rdb', '--no-ch')).toEqual(['--no-checksum']);
    expect(complete('rdb', 'info', 'scr')).toEqual(['script']);
  });

  test('another shell: usage', async () => {
    expect(await scriptOf('tcsh')).toMatchObject({ code: 2, out: '' });
  });
});
