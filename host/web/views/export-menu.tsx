// The menu that saves what is shown, or the whole file in another form.

import { useRef, useState } from 'preact/hooks';
import type { Ready } from '../app.js';
import { CallError, type WorkerPool } from '../client.js';
import type { ExportFormat, Progress } from '../protocol.js';
import { problemText, saveBlob } from '../state.js';

const FORMATS: readonly [format: ExportFormat, title: string, what: string][] = [
  ['html', 'Report (HTML)', 'the analysis as one file'],
  ['report', 'Report (JSON)', 'the analysis for machines'],
  ['csv', 'Keys (CSV)', 'every key with its facts'],
  ['json', 'Data (JSON)', 'every key with its value'],
  ['ndjson', 'Data (NDJSON)', 'the same, a line a key'],
];

const ENDINGS: Record<ExportFormat, string> = {
  html: 'html',
  report: 'report.json',
  csv: 'csv',
  json: 'json',
  ndjson: 'ndjson',
};

/** Runs exports, one at a time, and saves what comes out. */
function useExport({ source, report }: Ready, client: WorkerPool) {
  const [status, setStatus] = useState('');
  const abort = useRef<AbortController>(undefined);
  const end = (text: string) => {
    abort.current = undefined;
    setStatus(text);
  };
  const run = (format: ExportFormat) => {
    abort.current?.abort();
    const controller = new AbortController();
    abort.current = controller;
    setStatus('Exporting…');
    const onProgress = ({ bytes, size }: Progress) => {
      const share = size === undefined ? '…' : ` ${Math.round((100 * bytes) / size)} %`;
      if (abort.current === controller) setStatus(`Exporting${share}`);
    };
    const options = { signal: controller.signal, onProgress };
    client.call('export', { source, report, format }, options).then(
      ({ blob, problem = '' }) => {
        saveBlob(blob, `${source.name}.${ENDINGS[format]}`);
        end(problem);
      },
      (error: unknown) => {
        if (abort.current !== controller) return;
        end(error instanceof CallError && error.isAborted ? '' : problemText(error));
      },
    );
  };
  const isRunning = abort.current !== undefined;
  return { status, run, cancel: isRunning ? () => abort.current?.abort() : undefined };
}

export function ExportMenu({ ready, client }: { ready: Ready; client: WorkerPool }) {
  const { status, run, cancel } = useExport(ready, client);
  return (
    <>
      <span class="status" role="status">
        {status}
      </span>
      {cancel !== undefined && (
        <button type="button" class="button" onClick={cancel}>
          Cancel
        </button>
      )}
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
