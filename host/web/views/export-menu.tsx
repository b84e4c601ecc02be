// The menu that saves what is shown, or the whole file in another form.

import { useEffect, useRef, useState } from 'preact/hooks';
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

const MOVES: Record<string, (at: number) => number> = {
  ArrowDown: (at) => (at + 1) % FORMATS.length,
  ArrowUp: (at) => (at + FORMATS.length - 1) % FORMATS.length,
  Home: () => 0,
  End: () => FORMATS.length - 1,
};

/** A menu as the ARIA practices describe it: arrows choose, Enter saves, Escape leaves it. */
function Menu({
  onPick,
  onLeave,
}: {
  onPick: (format: ExportFormat) => void;
  onLeave: () => void;
}) {
  const place = useRef<HTMLDivElement>(null);
  const items = () => [...(place.current?.querySelectorAll('button') ?? [])];
  useEffect(() => items()[0]?.focus(), []);
  const onKeyDown = (event: KeyboardEvent) => {
    const move = MOVES[event.key];
    if (event.key === 'Escape') onLeave();
    else if (move !== undefined) {
      items()[move(items().indexOf(event.target as HTMLButtonElement))]?.focus();
    } else return;
    event.preventDefault();
  };
  return (
    <div class="menu-items" role="menu" aria-label="Export" ref={place} onKeyDown={onKeyDown}>
      {FORMATS.map(([format, title, what]) => (
        <button
          key={format}
          type="button"
          role="menuitem"
          tabIndex={-1}
          onClick={() => onPick(format)}
        >
          {title}
          <small>{what}</small>
        </button>
      ))}
    </div>
  );
}

export function ExportMenu({ ready, client }: { ready: Ready; client: WorkerPool }) {
  const { status, run, cancel } = useExport(ready, client);
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const leave = () => {
    setOpen(false);
    opener.current?.focus();
  };
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
      <div
        class="menu"
        onFocusOut={({ currentTarget, relatedTarget }) => {
          if (!currentTarget.contains(relatedTarget as Node | null)) setOpen(false);
        }}
      >
        <button
          ref={opener}
          type="button"
          class="button"
          aria-haspopup="menu"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          onKeyDown={(event) => {
            if (event.key !== 'ArrowDown') return;
            event.preventDefault();
            setOpen(true);
          }}
        >
          Export…
        </button>
        {isOpen && (
          <Menu
            onLeave={leave}
            onPick={(format) => {
              leave();
              run(format);
            }}
          />
        )}
      </div>
    </>
  );
}
