// Two dumps compared.
import type { Comparison } from '../analysis.js';
import type { Source } from '../protocol.js';
import type { Task } from './main.js';

export async function compare(
  _args: { a: Source; b: Source },
  _task: Task<never>,
): Promise<Comparison> {
  throw new Error('not yet');
}
