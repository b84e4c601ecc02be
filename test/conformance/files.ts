// The files of lines, by name.

import { readdirSync, readFileSync } from 'node:fs';
import { parseLines, type Step } from './lines.js';

const FOLDER = new URL('lines/', import.meta.url);

export function lineFiles(): { file: string; steps: Step[]; lineCount: number }[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.txt'))
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(file, FOLDER), 'latin1');
      const lineCount = text.split('\n').filter((line) => /^[^#@\s]/.test(line)).length;
      try {
        return { file, steps: parseLines(text), lineCount };
      } catch (error) {
        throw new Error(`${file}, ${(error as Error).message}`);
      }
    });
}
