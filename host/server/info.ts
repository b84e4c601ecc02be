// The text of INFO: which sections are asked for, and how they are written.

import { readStatistics } from '../core/statistics.js';
import type { ServerContext } from './context.js';
import { SECTIONS } from './info-sections.js';

/** Sections that plain INFO leaves out. */
const EXTRA = new Set(['Commandstats', 'Latencystats']);

function isWanted(name: string, wanted: readonly string[]): boolean {
  const isAll = wanted.includes('everything') || wanted.includes('all');
  if (isAll || wanted.includes(name.toLowerCase())) return true;
  return (wanted.length === 0 || wanted.includes('default')) && !EXTRA.has(name);
}

/** The text of INFO for the given section names (lower case; none = the default ones). */
export function infoText(server: ServerContext, wanted: readonly string[]): string {
  const stats = readStatistics(server.core);
  const parts: string[] = [];
  for (const [name, section] of Object.entries(SECTIONS)) {
    if (!isWanted(name, wanted)) continue;
    const lines = [`# ${name}`];
    for (const [field, value] of Object.entries(section(server, stats))) {
      if (value !== undefined) lines.push(`${field}:${value}`);
    }
    parts.push(`${lines.join('\r\n')}\r\n`);
  }
  return parts.join('\r\n');
}
