// What the commands share that show an analysis: how it is made, and how a damaged file ends it.

import { RespiteError } from '../../errors.js';
import { type AnalyzeOptions, analyzeRdb } from '../../rdb/analysis.js';
import type { RdbAnalysis } from '../../rdb/analysis-types.js';
import type { Job } from './common.js';

/**
 * Analyses the first source and shows the result; of a damaged file what came before the damage,
 * then the damage is thrown.
 */
export async function analyse(
  job: Job,
  options: AnalyzeOptions,
  show: (analysis: RdbAnalysis) => Promise<void>,
): Promise<void> {
  const source = await job.open();
  const analysis = await analyzeRdb(source, { ...job.readOptions, ...options, partial: true });
  await show(analysis);
  job.damaged(analysis.damaged);
  const { damage } = analysis;
  if (damage === null) return;
  const { message, offset, reason } = damage;
  throw new RespiteError('ERR_RESPITE_RDB_FORMAT', message, { details: { offset, reason } });
}
