// Two files side by side: what the second has more or less of, in all, by type and by prefix.

import { useMemo, useRef, useState } from 'preact/hooks';
import type { PrefixRow, RdbAnalysis } from '../../rdb/analysis-types.js';
import type { ViewProps } from '../app.js';
import { CallError } from '../client.js';
import { bytes, count } from '../format.js';
import { Card } from '../parts/card.js';
import { type Column, Table } from '../parts/table.js';
import { TypeTag } from '../parts/type-tag.js';
import type { Progress, Source } from '../protocol.js';
import { blobSource, problemText, sizeOf } from '../state.js';
import { DamageBanner } from './overview.js';
import { ProgressBar } from './reading.js';
import { FileButton } from './start.js';

type Reading =
  | { phase: 'none' }
  | { phase: 'running'; name: string; progress: Progress; sinceMs: number }
  | { phase: 'done'; name: string; report: RdbAnalysis }
  | { phase: 'failed'; problem: string };

function useOther({ inspect: { client } }: ViewProps) {
  const [reading, setReading] = useState<Reading>({ phase: 'none' });
  const abort = useRef<AbortController>(undefined);
  const read = (source: Source) => {
    abort.current?.abort();
    const controller = new AbortController();
    abort.current = controller;
    const isCurrent = () => abort.current === controller;
    const { name } = source;
    const sinceMs = performance.now();
    const onProgress = (progress: Progress) => {
      if (isCurrent()) setReading({ phase: 'running', name, progress, sinceMs });
    };
    onProgress({ bytes: 0, size: sizeOf(source) });
    client.call('analyse', { source }, { signal: controller.signal, onProgress }).then(
      (report) => isCurrent() && setReading({ phase: 'done', name, report }),
      (error: unknown) => {
        if (!isCurrent()) return;
        const isAborted = error instanceof CallError && error.isAborted;
        setReading(
          isAborted ? { phase: 'none' } : { phase: 'failed', problem: problemText(error) },
        );
      },
    );
  };
  return { reading, read, cancel: () => abort.current?.abort() };
}

/** One figure of both files. */
interface Pair {
  id: string;
  name: preact.ComponentChildren;
  text: string;
  a: { keys: number; memoryBytes: number };
  b: { keys: number; memoryBytes: number };
}

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
  ): Column<Pair> => ({ ...{ id, title: head, width: '104px', isNumber: true }, value, render });
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

function Result({ a, b }: { a: RdbAnalysis; b: RdbAnalysis }) {
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
  const { reading, read, cancel } = useOther(props);
  return (
    <Card title="Compare with another file" wide>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the button does it by keyboard */}
      <div
        class="compare-files"
        data-drop
        onDrop={(event) => {
          const file = event.dataTransfer?.files[0];
          if (file !== undefined) read(blobSource(file));
        }}
      >
        <span>
          First: <b>{source.name}</b>
        </span>
        <span>
          Second: {reading.phase === 'done' && <b>{reading.name}</b>}{' '}
          {reading.phase === 'none' && 'drop it here or'}
        </span>
        <FileButton label="Choose the second…" onFile={read} />
      </div>
      {reading.phase === 'running' && (
        <div class="running">
          <ProgressBar
            progress={reading.progress}
            sinceMs={reading.sinceMs}
            label={`Reading ${reading.name}`}
          />
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
          <DamageBanner report={reading.report} />
          <Result a={report} b={reading.report} />
        </>
      )}
    </Card>
  );
}
