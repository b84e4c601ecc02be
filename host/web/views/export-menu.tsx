// The menu that saves what is shown, or the whole file in another form.

import { useState } from 'preact/hooks';
import type { Ready } from '../app.js';
import { CallError, type WorkerClient } from '../client.js';
import type { ExportFormat } from '../protocol.js';
import { problemText } from '../state.js';

const FORMATS: readonly [format: ExportFormat, title: string, what: string][] = [
  ['html', 'Report (HTML)', 'the analysis as one file'],
  ['report', 'Report (JSON)', 'the analysis for machines'],
  ['csv', 'Keys (CSV)', 'every key with its facts'],
  ['json', 'Data (JSON)', 'every key with its value'],
  ['ndjson', 'Data (NDJSON)', 'the same, a line a key'],
];

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

const ENDINGS: Record<ExportFormat, string> = {
  html: 'html',
  report: 'report.json',
  csv: 'csv',
  json: 'json',
  ndjson: 'ndjson',
};

export function ExportMenu({ ready, client }: { ready: Ready; client: WorkerClient }) {
  const [status, setStatus] = useState('');
  const { source, report } = ready;
  const run = (format: ExportFormat) => {
    setStatus('Exporting…');
    const onProgress = ({ bytes, size }: { bytes: number; size: number | undefined }) => {
      setStatus(
        size === undefined ? 'Exporting…' : `Exporting ${Math.round((100 * bytes) / size)} %`,
      );
    };
    client.call('export', { source, report, format }, { onProgress }).then(
      (blob) => {
        save(blob, `${source.name}.${ENDINGS[format]}`);
        setStatus('');
      },
      (error: unknown) => {
        if (!(error instanceof CallError && error.isAborted)) setStatus(problemText(error));
      },
    );
  };
  return (
    <>
      <span class="status" role="status">
        {status}
      </span>
      <label class="menu">
        <span class="hidden">Export</span>
        <select
          class="button"
          value=""
          onChange={(event) => {
            const format = event.currentTarget.value as ExportFormat;
            event.currentTarget.value = '';
            run(format);
          }}
        >
          <option value="" disabled hidden>
            Export…
          </option>
          {FORMATS.map(([format, title, what]) => (
            <option key={format} value={format}>
              {title}: {what}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}
