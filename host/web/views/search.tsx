// Search: the file is read once more and what fits comes as it is found.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { VALUE_TYPES, type ValueType } from '../../core/inspector.js';
import type { ViewProps } from '../app.js';
import { CallError } from '../client.js';
import { count } from '../format.js';
import { Card } from '../parts/card.js';
import { type KeyLine, keyColumns, lineOfFacts } from '../parts/key-cell.js';
import { Table } from '../parts/table.js';
import { TypeTag } from '../parts/type-tag.js';
import type { KeyQuery, Progress } from '../protocol.js';
import { problemText, sizeOf } from '../state.js';
import { ProgressBar } from './reading.js';

const LIMIT = 10_000;

const HOWS = [
  ['contains', 'contains'],
  ['glob', 'glob, as KEYS'],
  ['regex', 'regular expression'],
] as const;

const NO_QUERY: KeyQuery = {
  ...{ text: '', how: 'contains', types: [], db: undefined, expiry: 'any' },
  ...{ minBytes: undefined, slots: undefined, limit: LIMIT },
};

type Search =
  | { phase: 'idle' }
  | { phase: 'running'; progress: Progress; sinceMs: number }
  | { phase: 'done'; isCut: boolean }
  | { phase: 'failed'; problem: string };

/** Runs searches, one at a time; the next ends the last. */
function useSearch({ ready: { source }, inspect: { client } }: ViewProps) {
  const [search, setSearch] = useState<Search>({ phase: 'idle' });
  const [lines, setLines] = useState<readonly KeyLine[]>([]);
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const run = (query: KeyQuery) => {
    abort.current?.abort();
    const controller = new AbortController();
    abort.current = controller;
    const isCurrent = () => abort.current === controller;
    const sinceMs = performance.now();
    const progressed = (progress: Progress) =>
      isCurrent() && setSearch({ phase: 'running', progress, sinceMs });
    progressed({ bytes: 0, size: sizeOf(source) });
    setLines([]);
    client
      .call(
        'search',
        { source, query },
        {
          signal: controller.signal,
          onProgress: progressed,
          onPart: (facts) => {
            if (isCurrent()) setLines((before) => [...before, ...facts.map(lineOfFacts)]);
          },
        },
      )
      .then(
        ({ isCut }) => isCurrent() && setSearch({ phase: 'done', isCut }),
        (error: unknown) => {
          if (!isCurrent()) return;
          const isAborted = error instanceof CallError && error.isAborted;
          if (isAborted) setSearch({ phase: 'done', isCut: true });
          else setSearch({ phase: 'failed', problem: problemText(error) });
        },
      );
  };
  return { search, lines, run, cancel: () => abort.current?.abort() };
}

interface QueryProps {
  query: KeyQuery;
  set: (part: Partial<KeyQuery>) => void;
}

function QueryName({ query, set }: QueryProps) {
  return (
    <div class="query-main">
      <input
        type="search"
        aria-label="Search for keys"
        placeholder="Part of a name; empty for every key"
        spellcheck={false}
        autocomplete="off"
        value={query.text}
        onInput={(event) => set({ text: event.currentTarget.value })}
      />
      <select
        aria-label="How names are compared"
        value={query.how}
        onChange={(event) => set({ how: event.currentTarget.value as KeyQuery['how'] })}
      >
        {HOWS.map(([how, title]) => (
          <option key={how} value={how}>
            {title}
          </option>
        ))}
      </select>
      <button type="submit" class="button main">
        Search
      </button>
    </div>
  );
}

function QueryTypes({ query: { types }, set }: QueryProps) {
  const toggle = (type: ValueType) =>
    set({ types: types.includes(type) ? types.filter((t) => t !== type) : [...types, type] });
  return (
    <fieldset class="checks">
      <legend>Types</legend>
      {VALUE_TYPES.map((type) => (
        <label key={type}>
          <input type="checkbox" checked={types.includes(type)} onChange={() => toggle(type)} />
          <TypeTag type={type} />
        </label>
      ))}
    </fieldset>
  );
}

const SLOT_MAX = 16_383;

/** `5`, `0-5460` or nothing; a text: what is wrong with it. */
function slotsOf(text: string): KeyQuery['slots'] | string {
  if (text.trim() === '') return undefined;
  const [, first, last = first] = /^\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?$/.exec(text) ?? [];
  if (first === undefined) return 'A cluster slot, or a range of them: 5, 0-5460';
  const [from, to] = [Number(first), Number(last)];
  if (from > SLOT_MAX || to > SLOT_MAX) return `The last slot is ${SLOT_MAX}`;
  return from > to ? 'The range ends before it begins' : [from, to];
}

const slotsText = (slots: KeyQuery['slots']): string =>
  slots === undefined ? '' : slots[0] === slots[1] ? String(slots[0]) : slots.join('-');

function QuerySlots({ query: { slots }, set }: QueryProps) {
  const [text, setText] = useState(slotsText(slots));
  const input = useRef<HTMLInputElement>(null);
  // what came from here; anything else was set by somebody else
  const own = useRef(slots);
  useEffect(() => {
    if (own.current === slots) return;
    own.current = slots;
    setText(slotsText(slots));
  }, [slots]);
  const found = slotsOf(text);
  const problem = typeof found === 'string' ? found : '';
  // the form is not sent while there is one, and the browser says why
  useEffect(() => input.current?.setCustomValidity(problem), [problem]);
  return (
    <label>
      Slots{' '}
      <input
        ref={input}
        type="text"
        placeholder="0-5460"
        title={problem || 'A cluster slot, or a range of them: 5, 0-5460'}
        aria-invalid={problem !== ''}
        value={text}
        onInput={({ currentTarget: { value } }) => {
          const next = slotsOf(value);
          own.current = typeof next === 'string' ? undefined : next;
          setText(value);
          set({ slots: own.current });
        }}
      />
    </label>
  );
}

function QueryDatabase({
  query: { db },
  set,
  databases,
}: QueryProps & { databases: readonly number[] }) {
  return (
    <label>
      Database{' '}
      <select
        value={db ?? ''}
        onChange={({ currentTarget: { value } }) =>
          set({ db: value === '' ? undefined : Number(value) })
        }
      >
        <option value="">all</option>
        {databases.map((db) => (
          <option key={db} value={db}>
            {db}
          </option>
        ))}
      </select>
    </label>
  );
}

interface FormProps extends QueryProps {
  databases: readonly number[];
  onSubmit: () => void;
}

function QueryForm({ query, set, databases, onSubmit }: FormProps) {
  return (
    <form
      class="query"
      onSubmit={(event) => {
        event.preventDefault();
        onSubmit();
      }}
    >
      <QueryName query={query} set={set} />
      <div class="query-more">
        <QueryTypes query={query} set={set} />
        <label>
          Expiry{' '}
          <select
            value={query.expiry}
            onChange={(event) => set({ expiry: event.currentTarget.value as KeyQuery['expiry'] })}
          >
            <option value="any">any</option>
            <option value="some">expires</option>
            <option value="none">never expires</option>
          </select>
        </label>
        <label>
          At least{' '}
          <input
            type="number"
            min="0"
            placeholder="bytes"
            value={query.minBytes ?? ''}
            onInput={({ currentTarget: { value } }) =>
              set({ minBytes: value === '' ? undefined : Number(value) })
            }
          />
        </label>
        <QuerySlots query={query} set={set} />
        {databases.length > 1 && <QueryDatabase query={query} set={set} databases={databases} />}
      </div>
    </form>
  );
}

export function SearchView(props: ViewProps) {
  const { report } = props.ready;
  const [query, setQuery] = useState(NO_QUERY);
  const { search, lines, run, cancel } = useSearch(props);
  const { preset } = props;
  useEffect(() => {
    if (preset === undefined) return;
    const next = { ...NO_QUERY, ...preset };
    setQuery(next);
    run(next);
    // a preset is run once, when it comes
  }, [preset]);
  const databases = useMemo(() => report.databases.map(({ db }) => db), [report]);
  const columns = useMemo(
    () => keyColumns(report.nowMs, databases.length > 1),
    [report, databases],
  );
  const isRunning = search.phase === 'running';
  const more = search.phase === 'done' && search.isCut ? ' (not all)' : '';
  return (
    <Card title="Search" wide>
      <QueryForm
        query={query}
        databases={databases}
        set={(part) => setQuery({ ...query, ...part })}
        onSubmit={() => run(query)}
      />
      {isRunning && (
        <div class="running">
          <ProgressBar progress={search.progress} sinceMs={search.sinceMs} label="Searching" />
          <button type="button" class="button" onClick={cancel}>
            Stop
          </button>
        </div>
      )}
      {search.phase === 'failed' && (
        <p class="banner error" role="alert">
          {search.problem}
        </p>
      )}
      <p class="status" role="status">
        {search.phase !== 'idle' && `${count(lines.length)} keys found${more}`}
      </p>
      {search.phase !== 'idle' && (
        <Table
          label="Keys found"
          columns={columns}
          rows={lines}
          rowsMax={18}
          empty={isRunning ? 'Nothing yet.' : 'No key fits.'}
          onOpen={({ open }) => props.openKey(open)}
        />
      )}
    </Card>
  );
}
