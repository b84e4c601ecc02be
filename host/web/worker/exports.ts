// The whole file in another form, made in the core, kept by the browser as a Blob.
import type { Report } from '../analysis.js';
import type { ExportFormat, Source } from '../protocol.js';
import type { Task } from './main.js';

export async function exportFile(
  _args: { source: Source; report: Report; format: ExportFormat },
  _task: Task<never>,
): Promise<Blob> {
  throw new Error('not yet');
}
