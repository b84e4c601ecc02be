// Tables for people: plain columns, numbers on the right, no lines.

import type { BytesText } from '../../rdb/analysis-types.js';
import { count, sizeText } from '../../rdb/findings.js';

export const countText = count;
export const sizeCell = (n: number) => sizeText(Math.round(n));
export function percentText(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)}%`;
}
export function timeText(ms: number | null): string {
  if (ms === null) return '-';
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString().slice(0, 19);
}
const NAME_MAX = 60;
export function nameText({ text }: BytesText): string {
  const letters = [...text];
  return letters.length > NAME_MAX ? `${letters.slice(0, NAME_MAX - 1).join('')}…` : text;
}

export interface TableColumn<T> {
  head: string;
  cell: (row: T) => string;
  /** Left-aligned. */
  isText?: boolean;
}

const NONE = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '' },
  ...{ 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '' },
  ...{ right: '', 'right-mid': '', middle: '  ' },
};

/** Rows under their heads, ending in a line break. */
export async function tableText<T>(
  columns: readonly TableColumn<T>[],
  rows: readonly T[],
): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ isText }) => (isText ? 'left' : 'right')),
    chars: NONE,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(columns.map(({ cell }) => cell(row)));
  const lines = table.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
