// What the page is showing: nothing, a file being read, or a file that was read.

import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { type Report, whyNone } from './analysis.js';
import { CallError, WorkerPool } from './client.js';
import type { Progress, Source } from './protocol.js';
import InspectWorker from './worker/main.ts?worker&inline';

export type State =
  | { phase: 'start'; problem?: string }
  | { phase: 'reading'; source: Source; progress: Progress; sinceMs: number }
  | { phase: 'ready'; source: Source; report: Report; tookMs: number };

export interface Inspect {
  state: State;
  client: WorkerPool;
  open(source: Source): void;
  cancel(): void;
  close(): void;
}

export const blobSource = (file: File): Source => ({ kind: 'blob', name: file.name, blob: file });

/** The file `respite inspect` was given; its server says so in the page's head. */
export function givenSource(): Source | undefined {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="respite-file"]');
  if (meta === null) return undefined;
  const url = new URL(meta.dataset.path ?? 'file', document.baseURI).href;
  return { kind: 'url', name: meta.content, url };
}

export function sizeOf(source: Source): number | undefined {
  return source.kind === 'blob' ? source.blob.size : undefined;
}

export function problemText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Another file is looked at from the first tab on. */
function toFirstTab(): void {
  history.replaceState(null, '', location.pathname);
}

/** Gives a file to the user. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export function useInspect(): Inspect {
  const [state, setState] = useState<State>({ phase: 'start' });
  const client = useMemo(() => new WorkerPool(() => new InspectWorker({ name: 'inspect' })), []);
  const abort = useRef<AbortController>(undefined);

  const cancel = useCallback(() => abort.current?.abort(), []);
  const close = useCallback(() => {
    cancel();
    toFirstTab();
    setState({ phase: 'start' });
  }, [cancel]);

  const open = useCallback(
    (source: Source) => {
      cancel();
      const controller = new AbortController();
      abort.current = controller;
      const sinceMs = performance.now();
      const isCurrent = () => abort.current === controller;
      setState({ phase: 'reading', source, sinceMs, progress: { bytes: 0, size: sizeOf(source) } });
      const onProgress = (progress: Progress) => {
        if (isCurrent()) setState({ phase: 'reading', source, sinceMs, progress });
      };
      client.call('analyse', { source }, { signal: controller.signal, onProgress }).then(
        (report) => {
          const tookMs = performance.now() - sinceMs;
          performance.measure('respite-read', { start: sinceMs, duration: tookMs });
          if (!isCurrent()) return;
          const problem = whyNone(report, source.name);
          if (problem === undefined) setState({ phase: 'ready', source, report, tookMs });
          else setState({ phase: 'start', problem });
        },
        (error: unknown) => {
          if (!isCurrent()) return;
          const isAborted = error instanceof CallError && error.isAborted;
          const problem = isAborted ? 'Reading was cancelled.' : problemText(error);
          setState({ phase: 'start', problem });
        },
      );
    },
    [cancel, client],
  );

  useEffect(() => {
    const given = givenSource();
    if (given !== undefined) open(given);
  }, [open]);

  const openNext = useCallback(
    (source: Source) => {
      toFirstTab();
      open(source);
    },
    [open],
  );
  return { state, client, open: openNext, cancel, close };
}

/** The part of the address behind `#`, and a way to change it. */
export function useHash(fallback: string): [string, (hash: string) => void] {
  const read = () => location.hash.slice(1) || fallback;
  const [hash, setHash] = useState(read);
  useEffect(() => {
    const onChange = () => setHash(read());
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  });
  const go = useCallback((next: string) => {
    if (location.hash.slice(1) !== next) location.hash = next;
  }, []);
  return [hash, go];
}

/**
 * What had the focus may go when the page shows something else (`what`): then `selector` has it,
 * so that the keyboard goes on from there. Not before the page was used.
 */
export function useFocusKept(what: string, selector: string): void {
  useEffect(() => {
    const isLost = document.activeElement === null || document.activeElement === document.body;
    if (!isLost || !navigator.userActivation.hasBeenActive) return;
    document.querySelector<HTMLElement>(selector)?.focus();
  }, [what, selector]);
}

/** Whether the page is dark; follows the system. */
export function useDark(): boolean {
  const query = useMemo(() => matchMedia('(prefers-color-scheme: dark)'), []);
  const [isDark, setDark] = useState(query.matches);
  useEffect(() => {
    const onChange = () => setDark(query.matches);
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, [query]);
  return isDark;
}
