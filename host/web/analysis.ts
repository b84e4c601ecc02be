// The one place that knows where the analysis of a dump comes from.

import type { RdbAnalysis } from '../rdb/analysis-types.js';

export type Report = RdbAnalysis;

export function reportHtml(_report: Report, _name: string): string {
  return '';
}

/** Two files compared. */
export interface Comparison {
  added: number;
  removed: number;
  changed: number;
}
