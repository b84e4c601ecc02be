// The drawer with one key: its facts and its value, read from where it lies in the file. Elements
// come up to a limit, more on demand; long strings are cut.

import { useEffect, useRef, useState } from 'preact/hooks';
import { CallError, type WorkerClient } from '../client.js';
import { bytes, bytesLine, count, time, ttl } from '../format.js';
import type { KnownFacts, OpenKey } from '../parts/key-cell.js';
import { TypeTag } from '../parts/type-tag.js';
import type { Progress, Source, ValueResult } from '../protocol.js';
import { problemText, saveBlob } from '../state.js';
import { Elements } from './elements.js';
import { ProgressBar } from './reading.js';

const ELEMENTS_FIRST = 500;
const ELEMENTS_STEP = 10;
const BYTES_FIRST = 256 * 1024;

interface DrawerProps {
  wanted: OpenKey;
  source: Source;
  client: WorkerClient;
  nowMs: number;
  onClose: () => void;
}

type Reading =
  | { phase: 'running'; progress: Progress | undefined; sinceMs: number }
  | { phase: 'done'; value: ValueResult }
  | { phase: 'failed'; problem: string };

/** What the worker needs of it. */
const keyOf = ({ db, key, isCut, offset }: OpenKey) => ({ db, key, isCut, offset });

function useValue({ wanted, source, client }: DrawerProps, elements: number): Reading {
  const [reading, setReading] = useState<Reading>({
    ...{ phase: 'running', progress: undefined, sinceMs: performance.now() },
  });
  useEffect(() => {
    const controller = new AbortController();
    const sinceMs = performance.now();
    const request = { ...keyOf(wanted), elements, bytes: BYTES_FIRST };
    const onProgress = (progress: Progress) => {
      setReading((now) => (now.phase === 'done' ? now : { phase: 'running', progress, sinceMs }));
    };
    const options = { signal: controller.signal, onProgress };
    client.call('value', { source, request }, options).then(
      (value) => setReading({ phase: 'done', value }),
      (error: unknown) => {
        if (error instanceof CallError && error.isAborted) return;
        setReading({ phase: 'failed', problem: problemText(error) });
      },
    );
    return () => controller.abort();
  }, [wanted, source, client, elements]);
  return reading;
}

interface FactsProps {
  value: ValueResult;
  known: KnownFacts | undefined;
  nowMs: number;
}

function KeyFactsList({ value, known, nowMs }: FactsProps) {
  const { facts, isCut } = value;
  if (facts === undefined) return null;
  const { type, db, expireAtMs } = facts;
  // a value that was not read to its end has no sizes of its own yet
  const sizes = isCut ? known : facts;
  const expiry =
    expireAtMs === undefined ? 'never' : `${time(expireAtMs)} (${ttl(expireAtMs, nowMs)})`;
  const rows: [string, preact.ComponentChildren][] = [
    ['Type', <TypeTag key="type" type={type} />],
    ['Database', db],
    ['Expires', expiry],
  ];
  if (sizes !== undefined) {
    const length = type === 'string' ? bytes(sizes.count) : count(sizes.count);
    rows.push(['Encoding', sizes.encoding], ['Length', length]);
    rows.push(['Memory', bytes(sizes.memoryBytes)], ['In file', bytes(sizes.fileBytes)]);
  }
  if (facts.idleSec !== undefined) rows.push(['Idle', `${count(facts.idleSec)} s`]);
  if (facts.freq !== undefined) rows.push(['Frequency', facts.freq]);
  return (
    <dl class="key-facts">
      {rows.map(([name, text]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Saves a string whole, however long it is. */
function SaveButton({ wanted, source, client }: DrawerProps) {
  const [status, setStatus] = useState('');
  const save = async () => {
    setStatus('Reading…');
    const request = { ...keyOf(wanted), elements: 1, bytes: Number.MAX_SAFE_INTEGER };
    try {
      const { elements } = await client.call('value', { source, request });
      const [first] = elements;
      if (first?.kind === 'string') {
        saveBlob(new Blob([first.value as BlobPart]), `${bytesLine(wanted.key, 100)}.bin`);
      }
      setStatus('');
    } catch (error) {
      setStatus(problemText(error));
    }
  };
  return (
    <p class="status">
      <button type="button" class="button" onClick={() => void save()}>
        Save the string
      </button>{' '}
      {status}
    </p>
  );
}

export function ValueDrawer(props: DrawerProps) {
  const { wanted, nowMs, onClose } = props;
  const [elements, setElements] = useState(ELEMENTS_FIRST);
  const reading = useValue(props, elements);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself
    <dialog
      ref={dialog}
      class="drawer"
      aria-label="Key"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <header>
        <h2>
          <code>{bytesLine(wanted.key, 4096)}</code>
        </h2>
        <button
          type="button"
          class="button"
          aria-label="Close"
          onClick={() => dialog.current?.close()}
        >
          ✕
        </button>
      </header>
      <div class="drawer-body" aria-busy={reading.phase === 'running'}>
        {reading.phase === 'running' && reading.progress !== undefined && (
          <ProgressBar
            progress={reading.progress}
            sinceMs={reading.sinceMs}
            label="Looking for the key"
          />
        )}
        {reading.phase === 'failed' && (
          <p class="banner error" role="alert">
            {reading.problem}
          </p>
        )}
        {reading.phase === 'done' && (
          <>
            <KeyFactsList value={reading.value} known={wanted.known} nowMs={nowMs} />
            {reading.value.facts === undefined && <p class="empty">The key is not in the file.</p>}
            <Elements value={reading.value} nowMs={nowMs} />
            {reading.value.facts?.type === 'string' && <SaveButton {...props} />}
            {reading.value.isCut && (
              <p class="status">
                The first {count(reading.value.elements.length)} elements.{' '}
                <button
                  type="button"
                  class="button"
                  onClick={() => setElements(elements * ELEMENTS_STEP)}
                >
                  Show {count(elements * ELEMENTS_STEP)}
                </button>
              </p>
            )}
          </>
        )}
      </div>
    </dialog>
  );
}
