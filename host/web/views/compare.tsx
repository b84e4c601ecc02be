// Two files side by side: what the second has more or less of, in all, by type and by prefix.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PrefixRow, RdbAnalysis } from '../../rdb/analysis-types.js';
import type { DiffEntry, DiffPrefix } from '../../rdb/diff.js';
import { type Comparison, whyNone } from '../analysis.js';
import type { ViewProps } from '../app.js';
import { CallError } from '../client.js';
import { bytes, count } from '../format.js';
import { Card, Figure } from '../parts/card.js';
import { keyColumns, lineOfDiff } from '../parts/key-cell.js';
import { type Column, Table } from '../parts/table.js';
import { TypeTag } from '../parts/type-tag.js';
import type { Progress, Source } from '../protocol.js';
import { blobSource, problemText, sizeOf } from '../state.js';
import { DamageBanner } from './overview.js';
import { ProgressBar } from './reading.js';
import { FileButton } from './start.js';

type Reading =
  | { phase: 'none' }
  | { phase: 'running'; what: string; progress: Progress; sinceMs: number }
  | { phase: 'done'; source: Source; report: RdbAnalysis; comparison: Comparison | undefined }
  | { phase: 'failed'; problem: string };

/** Reads the second file, then both once more, key by key. */
function useOther({ inspect: { client }, ready: { source: first } }: ViewProps) {
  const [reading, setReading] = useState<Reading>({ phase: 'none' });
  const [entries, setEntries] = useState<readonly DiffEntry[]>([]);
  const [problem, setProblem] = useState<string>();
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const read = async (given: Source) => {
    // the second file is read as the first was
    const source = { ...given, salvage: first.salvage || given.salvage };
    abort.current?.abort();
    const controller = new AbortController();
    const { signal } = controller;
    abort.current = controller;
    const running = (what: string) => {
      const sinceMs = performance.now();
      const onProgress = (progress: Progress) =>
        signal.aborted || setReading({ phase: 'running', what, progress, sinceMs });
      onProgress({ bytes: 0, size: sizeOf(source) });
      return { signal, onProgress };
    };
    setEntries([]);
    setProblem(undefined);
    try {
      const options = running(`Reading ${source.name}`);
      const report = await client.call('analyse', { source }, options);
      const why = whyNone(report, source.name);
      if (why !== undefined) throw new Error(why);
      const onPart = (part: DiffEntry[]) => setEntries((before) => [...before, ...part]);
      const both = { ...running('Comparing'), onPart };
      const comparison = await client
        .call('compare', { a: first, b: source }, both)
        .catch((error: unknown) => {
          if (error instanceof CallError && error.isAborted) throw error;
          setProblem(problemText(error));
          return undefined;
        });
      setReading({ phase: 'done', source, report, comparison });
    } catch (error) {
      if (abort.current !== controller) return;
      const isAborted = error instanceof CallError && error.isAborted;
      setReading(isAborted ? { phase: 'none' } : { phase: 'failed', problem: problemText(error) });
    }
  };
  return { reading, entries, problem, read, cancel: () => abort.current?.abort() };
}

/** One figure of both files. */
interface Pair {
  id: string;
  name: preact.ComponentChildren;
  text: string;
  a: { keys: number; memoryBytes: number };
  b: { keys: number; memoryBytes: number };
}

const KINDS = {
  added: 'added',
  removed: 'removed',
  changed: 'changed',
  expiry: 'other expiry',
  same: 'the same',
} as const;

const NOTHING = { keys: 0, memoryBytes: 0 };

/** Rows of both files by name; one that is missing has nothing. */
function pairs<Row extends { keys: number; memoryBytes: number }>(
  a: readonly Row[],
  b: readonly Row[],
  nameOf: (row: Row) => string,
): Pair[] {
  const out = new Map<string, Pair>();
  const of = (row: Row): Pair => {
    const text = nameOf(row);
    const pair = out.get(text) ?? { id: text, name: text, text, a: NOTHING, b: NOTHING };
    out.set(text, pair);
    return pair;
  };
  for (const row of a) of(row).a = row;
  for (const row of b) of(row).b = row;
  return [...out.values()];
}

function Change({ from, to, text }: { from: number; to: number; text: (n: number) => string }) {
  const change = to - from;
  if (change === 0) return <span class="same">=</span>;
  const sign = change > 0 ? '+' : '−';
  return (
    <span class={change > 0 ? 'more' : 'less'}>
      {sign}
      {text(Math.abs(change))}
    </span>
  );
}

function pairColumns(title: string): Column<Pair>[] {
  const number = (
    id: string,
    head: string,
    value: (pair: Pair) => number,
    render: (pair: Pair) => preact.ComponentChildren,
  ): Column<Pair> => ({ ...{ id, title: head, width: '118px', isNumber: true }, value, render });
  return [
    {
      ...{ id: 'name', title, width: 'minmax(150px, 1fr)', value: ({ text }) => text },
      render: ({ name }) => name,
    },
    number(
      ...(['keys-a', 'Keys, first'] as const),
      ({ a }) => a.keys,
      ({ a }) => count(a.keys),
    ),
    number(
      ...(['keys-b', 'second'] as const),
      ({ b }) => b.keys,
      ({ b }) => count(b.keys),
    ),
    number(
      ...(['keys', 'change'] as const),
      ({ a, b }) => Math.abs(b.keys - a.keys),
      ({ a, b }) => <Change from={a.keys} to={b.keys} text={count} />,
    ),
    number(
      ...(['memory-a', 'Memory, first'] as const),
      ({ a }) => a.memoryBytes,
      ({ a }) => bytes(a.memoryBytes),
    ),
    number(
      ...(['memory-b', 'second'] as const),
      ({ b }) => b.memoryBytes,
      ({ b }) => bytes(b.memoryBytes),
    ),
    number(
      ...(['memory', 'change'] as const),
      ({ a, b }) => Math.abs(b.memoryBytes - a.memoryBytes),
      ({ a, b }) => <Change from={a.memoryBytes} to={b.memoryBytes} text={bytes} />,
    ),
  ];
}

const TYPE_COLUMNS = pairColumns('Type');
const PREFIX_COLUMNS = pairColumns('Prefix');
const CHANGED = { id: 'memory', isDown: true };

const DIFF_COLUMNS: Column<DiffPrefix>[] = [
  {
    ...{ id: 'prefix', title: 'Prefix', width: 'minmax(150px, 1fr)' },
    value: ({ prefix }) => prefix.text,
    render: ({ prefix }) => <code>{prefix.text}*</code>,
  },
  ...(['added', 'removed', 'changed', 'expiry'] as const).map(
    (kind): Column<DiffPrefix> => ({
      ...{ id: kind, title: KINDS[kind], width: '120px', isNumber: true },
      value: (row) => row[kind],
      render: (row) => count(row[kind]),
    }),
  ),
];

interface KeysProps {
  comparison: Comparison;
  entries: readonly DiffEntry[];
  a: Source;
  b: Source;
  props: ViewProps;
}

/** What differs key by key: counts, prefixes, the keys. */
function DifferentKeys({ comparison, entries, a, b, props }: KeysProps) {
  const { counts, prefixes, isCut } = comparison;
  const { nowMs } = props.ready.report;
  const lines = useMemo(() => entries.map((entry) => ({ entry, ...lineOfDiff(entry) })), [entries]);
  const columns = useMemo(
    (): Column<(typeof lines)[number]>[] => [
      {
        ...{ id: 'kind', title: 'Is', width: '140px', value: ({ entry }) => entry.kind },
        render: ({ entry: { kind } }) => <span class={`diff-${kind}`}>{KINDS[kind]}</span>,
      },
      ...keyColumns(nowMs, true).filter(({ id }) => id !== 'encoding'),
    ],
    [nowMs],
  );
  return (
    <>
      <dl class="figures">
        {(['added', 'removed', 'changed', 'expiry', 'same'] as const).map((kind) => (
          <Figure key={kind} name={KINDS[kind]} value={count(counts[kind])} />
        ))}
      </dl>
      {prefixes.length > 0 && (
        <>
          <h3>Differences by prefix</h3>
          <Table label="Differences by prefix" columns={DIFF_COLUMNS} rows={prefixes} rowsMax={8} />
          <h3>Differing keys{isCut && `, the first ${count(entries.length)}`}</h3>
          <Table
            label="Differing keys"
            columns={columns}
            rows={lines}
            onOpen={({ open, entry }) =>
              props.openKey({ ...open, source: entry.kind === 'removed' ? a : b })
            }
          />
        </>
      )}
    </>
  );
}

function Totals({ a, b }: { a: RdbAnalysis; b: RdbAnalysis }) {
  const types = useMemo(() => {
    const rows = pairs(a.types, b.types, ({ type }) => type).map((pair) => ({
      ...pair,
      name: <TypeTag type={pair.text as 'other'} />,
    }));
    return [{ id: 'all', name: <b>all</b>, text: 'all', a: a.total, b: b.total }, ...rows];
  }, [a, b]);
  const prefixes = useMemo(() => {
    const rowsOf = ({ prefixes: found }: RdbAnalysis): readonly PrefixRow[] => found?.rows ?? [];
    return pairs(rowsOf(a), rowsOf(b), ({ prefix }) => prefix.text).map((pair) => ({
      ...pair,
      name: <code>{pair.text}*</code>,
    }));
  }, [a, b]);
  return (
    <>
      <h3>By type</h3>
      <Table label="Both files by type" columns={TYPE_COLUMNS} rows={types} />
      <h3>By prefix</h3>
      <Table label="Both files by prefix" columns={PREFIX_COLUMNS} rows={prefixes} sort={CHANGED} />
      <p class="note">Prefixes too small for the list of one file count as nothing there.</p>
    </>
  );
}

export function CompareView(props: ViewProps) {
  const { source, report } = props.ready;
  const { reading, entries, problem, read, cancel } = useOther(props);
  return (
    <Card title="Compare with another file" wide>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button does it by keyboard */}
      <div
        class="compare-files"
        data-drop
        onDrop={(event) => {
          const file = event.dataTransfer?.files[0];
          if (file !== undefined) void read(blobSource(file));
        }}
      >
        <span>
          First: <b>{source.name}</b>
        </span>
        <span>
          Second: {reading.phase === 'done' && <b>{reading.source.name}</b>}{' '}
          {reading.phase === 'none' && 'drop it here or'}
        </span>
        <FileButton label="Choose the second…" onFile={(file) => void read(file)} />
      </div>
      {reading.phase === 'running' && (
        <div class="running">
          <ProgressBar progress={reading.progress} sinceMs={reading.sinceMs} label={reading.what} />
          <button type="button" class="button" onClick={cancel}>
            Cancel
          </button>
        </div>
      )}
      {reading.phase === 'failed' && (
        <p class="banner error" role="alert">
          {reading.problem}
        </p>
      )}
      {reading.phase === 'done' && (
        <>
          <DamageBanner
            report={reading.report}
            onSalvage={() => void read({ ...reading.source, salvage: true })}
          />
          {problem !== undefined && <p class="banner error">Not compared key by key: {problem}</p>}
          {reading.comparison !== undefined && (
            <DifferentKeys
              comparison={reading.comparison}
              entries={entries}
              a={source}
              b={reading.source}
              props={props}
            />
          )}
          <Totals a={report} b={reading.report} />
        </>
      )}
    </Card>
  );
}
