// The drawer with one key: its facts and its value, read from where it lies in the file. Long
// values come in parts: so many elements, or so many bytes of a string.

import { useEffect, useRef, useState } from 'preact/hooks';
import { CallError, type WorkerPool } from '../client.js';
import { bytes, bytesLine, count, time, ttl } from '../format.js';
import type { KnownFacts, OpenKey } from '../parts/key-cell.js';
import { TypeTag } from '../parts/type-tag.js';
import type { Progress, Source, ValueRequest, ValueResult } from '../protocol.js';
import { problemText, saveBlob } from '../state.js';
import { Elements } from './elements.js';
import { ProgressBar } from './reading.js';

const ELEMENTS = 500;
/** What the worker gives of a long string. */
const STRING_PART = 64 * 1024;

interface DrawerProps {
  wanted: OpenKey;
  source: Source;
  client: WorkerPool;
  nowMs: number;
  onClose: () => void;
}

type Reading =
  | { phase: 'running'; progress: Progress | undefined; sinceMs: number }
  | { phase: 'done'; value: ValueResult; from: number }
  | { phase: 'failed'; problem: string };

/** The first element shown; of a string the first byte. */
type Place = Pick<ValueRequest, 'from' | 'fromByte'>;
const START: Place = { from: 0, fromByte: 0 };

/** What the worker needs of it. */
const keyOf = ({ db, key, isCut, offset }: OpenKey) => ({ db, key, isCut, offset });

function useValue({ wanted, source, client }: DrawerProps, place: Place): Reading {
  const [reading, setReading] = useState<Reading>({
    ...{ phase: 'running', progress: undefined, sinceMs: performance.now() },
  });
  useEffect(() => {
    const controller = new AbortController();
    const sinceMs = performance.now();
    const request = { ...keyOf(wanted), ...place, elements: ELEMENTS };
    const onProgress = (progress: Progress) => {
      setReading((now) => (now.phase === 'done' ? now : { phase: 'running', progress, sinceMs }));
    };
    const options = { signal: controller.signal, onProgress };
    client.call('value', { source, request }, options).then(
      (value) => setReading({ phase: 'done', value, from: place.from }),
      (error: unknown) => {
        if (error instanceof CallError && error.isAborted) return;
        setReading({ phase: 'failed', problem: problemText(error) });
      },
    );
    return () => controller.abort();
  }, [wanted, source, client, place]);
  return reading;
}

interface FactsProps {
  value: ValueResult;
  known: KnownFacts | undefined;
  nowMs: number;
}

function KeyFactsList({ value, known, nowMs }: FactsProps) {
  const { facts } = value;
  if (facts === undefined) return null;
  const { type, db, expireAtMs } = facts;
  // a value that was not read to its end has no sizes of its own yet
  const sizes = facts.count < 0 ? known : facts;
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
    const request = { ...keyOf(wanted), ...START, elements: 1 };
    try {
      const blob = await client.call('saveString', { source, request });
      if (blob !== undefined) saveBlob(blob, `${bytesLine(wanted.key, 100)}.bin`);
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

interface PartsProps {
  value: ValueResult;
  known: KnownFacts | undefined;
  from: number;
  onPick: (place: Place) => void;
}

/** Where one is in a long value, and the ways on. */
function Parts({ value: { facts, elements, isCut, string }, known, from, onPick }: PartsProps) {
  if (facts === undefined) return null;
  const all = string?.length ?? (facts.count < 0 ? known?.count : facts.count);
  const first = string?.from ?? from;
  const unit = string === undefined ? 'elements' : 'bytes';
  const size = string === undefined ? ELEMENTS : STRING_PART;
  const shown = elements[0]?.kind === 'string' ? elements[0].value.length : elements.length;
  const hasMore = string === undefined ? isCut : first + shown < string.length;
  if (first === 0 && !hasMore) return null;
  const to = (at: number) => {
    const place = Math.max(0, Math.min(at, (all ?? Number.MAX_SAFE_INTEGER) - 1));
    onPick(string === undefined ? { from: place, fromByte: 0 } : { from: 0, fromByte: place });
  };
  const last = all === undefined ? undefined : Math.floor((all - 1) / size) * size;
  const isStream = facts.type === 'stream';
  const isBehind = isStream && all !== undefined && first >= all;
  const end = isStream ? Math.min(first + shown, all ?? first + shown) : first + shown;
  const steps: [text: string, at: number | undefined, isOff: boolean][] = [
    ['First', 0, first === 0],
    ['Previous', first - size, first === 0],
    ['Next', first + size, !hasMore],
    ['Last', last, !hasMore],
  ];
  return (
    <nav class="parts" aria-label="Parts of the value">
      <span role="status">
        {isBehind ? (
          `Groups, behind ${count(all)} elements`
        ) : (
          <>
            {shown === 0 ? 'Nothing here' : `${count(first + 1)} to ${count(end)}`}
            {all !== undefined && ` of ${count(all)}`} {unit}
          </>
        )}
      </span>
      {steps.map(([text, at, isOff]) => (
        <button
          key={text}
          type="button"
          class="button"
          disabled={isOff || at === undefined}
          onClick={() => at !== undefined && to(at)}
        >
          {text}
        </button>
      ))}
      {isStream && all !== undefined && (
        <button type="button" class="button" onClick={() => onPick({ from: all, fromByte: 0 })}>
          Groups
        </button>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const text = new FormData(event.currentTarget).get('at');
          if (text !== null && text !== '') to(Number(text) - 1);
        }}
      >
        <label>
          Go to <input type="number" name="at" min="1" max={all} required />
        </label>
      </form>
    </nav>
  );
}

export function ValueDrawer(props: DrawerProps) {
  const { wanted, nowMs, onClose } = props;
  const [place, setPlace] = useState(START);
  const reading = useValue(props, place);
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
          <code>{bytesLine(wanted.key, 4096, wanted.isCut)}</code>
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
            <Parts
              {...{ value: reading.value, known: wanted.known, from: reading.from }}
              onPick={setPlace}
            />
            <Elements value={reading.value} nowMs={nowMs} from={reading.from} />
            {reading.value.facts?.type === 'string' && <SaveButton {...props} />}
          </>
        )}
      </div>
    </dialog>
  );
}
