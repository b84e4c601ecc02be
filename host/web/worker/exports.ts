// The file in another form: made in the core, gathered into blobs, which the browser keeps outside
// of the page's memory.

import { isRespiteError } from '../../errors.js';
import { exportCsv } from '../../rdb/export-csv.js';
import { exportJson } from '../../rdb/export-json.js';
import { htmlReport } from '../../rdb/html-report.js';
import type { RdbSource } from '../../rdb/source.js';
import type { Report } from '../analysis.js';
import type { ExportFormat, ExportResult, Source } from '../protocol.js';
import { BlobWriter } from './blob-writer.js';
import type { Task } from './serve.js';
import { openSource } from './source.js';

interface ExportArgs {
  source: Source;
  report: Report;
  format: ExportFormat;
}

const TYPES: Record<ExportFormat, string> = {
  html: 'text/html',
  report: 'application/json',
  json: 'application/json',
  ndjson: 'application/x-ndjson',
  csv: 'text/csv',
};

export async function exportFile(
  { source, report, format }: ExportArgs,
  { signal, progress }: Task<never>,
): Promise<ExportResult> {
  const type = TYPES[format];
  if (format === 'html')
    return { blob: new Blob([htmlReport(report, { title: source.name })], { type }) };
  if (format === 'report') {
    return { blob: new Blob([JSON.stringify(report, null, 2), '\n'], { type }) };
  }
  const file = await openSource(source);
  const onRead = (bytes: number, size: number | undefined) => progress({ bytes, size });
  const pieces: RdbSource = file.pieces({ signal, onRead });
  const out = new BlobWriter();
  const options = { signal, salvage: source.salvage };
  const text =
    format === 'csv'
      ? exportCsv(pieces, options)
      : exportJson(pieces, {
          ...options,
          form: format === 'json' ? 'array' : 'lines',
          sizes: true,
        });
  try {
    for await (const block of text) out.write(block);
  } catch (error) {
    if (!isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
    return { blob: out.end(type), problem: error.message };
  }
  return { blob: out.end(type) };
}
