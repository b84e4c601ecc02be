// Cluster slots: how keys and memory spread over them, over shards of equal size as redis-cli makes
// them, and each slot in use.

import { useMemo, useState } from 'preact/hooks';
import type { SlotAnalysis } from '../../rdb/analysis-types.js';
import type { ViewProps } from '../app.js';
import { bytes, count, percent } from '../format.js';
import { Card, Figure } from '../parts/card.js';
import { type Column, Table } from '../parts/table.js';
import { Buckets, type Measure, Measures } from './histograms.js';

const SLOTS = 16_384;
const RANGES = 64;
const SHARDS = [2, 3, 4, 5, 6, 8, 10, 12, 16, 24, 32];

/** Slots from `from` to `to`, both included. */
interface Range {
  from: number;
  to: number;
  keys: number;
  memoryBytes: number;
}

type All = Required<SlotAnalysis>['all'];

function rangeOf(all: All, from: number, to: number): Range {
  const range = { from, to, keys: 0, memoryBytes: 0 };
  for (let slot = from; slot <= to; slot++) {
    range.keys += all.keys[slot] ?? 0;
    range.memoryBytes += all.memoryBytes[slot] ?? 0;
  }
  return range;
}

/** Equal ranges; limits are rounded as `redis-cli --cluster create` does. */
function dividedBy(all: All, parts: number): Range[] {
  const end = (part: number) => Math.round((part * SLOTS) / parts - 1);
  return Array.from({ length: parts }, (_, i) =>
    rangeOf(all, i === 0 ? 0 : end(i) + 1, i === parts - 1 ? SLOTS - 1 : end(i + 1)),
  );
}

const rangeText = ({ from, to }: Range) => (from === to ? String(from) : `${from}–${to}`);

function columnsOf(title: string, sums: Omit<Range, 'from' | 'to'>, parts: number) {
  const columns: Column<Range>[] = [
    {
      ...{ id: 'slot', title, width: 'minmax(120px, 1fr)', isNumber: true },
      value: ({ from }) => from,
      render: rangeText,
    },
    {
      ...{ id: 'keys', title: 'Keys', width: '120px', isNumber: true },
      value: ({ keys }) => keys,
      render: ({ keys }) => count(keys),
    },
    {
      ...{ id: 'memory', title: 'Memory', width: '120px', isNumber: true },
      value: ({ memoryBytes }) => memoryBytes,
      render: ({ memoryBytes }) => bytes(memoryBytes),
    },
    {
      ...{ id: 'share', title: 'Share', width: '90px', isNumber: true },
      value: ({ memoryBytes }) => memoryBytes,
      render: ({ memoryBytes }) => percent(memoryBytes, sums.memoryBytes),
    },
    {
      ...{ id: 'times', title: 'Of the mean', width: '110px', isNumber: true },
      value: ({ memoryBytes }) => memoryBytes,
      render: ({ memoryBytes }) =>
        sums.memoryBytes === 0 ? '–' : `${((memoryBytes * parts) / sums.memoryBytes).toFixed(2)}×`,
    },
  ];
  return columns;
}

function ShardsCard({ all, total }: { all: All; total: Range }) {
  const [parts, setParts] = useState(3);
  const shards = useMemo(() => dividedBy(all, parts), [all, parts]);
  const columns = useMemo(() => columnsOf('Slots', total, parts), [total, parts]);
  return (
    <Card
      title="Shards"
      note={
        <label>
          Divided evenly over{' '}
          <select
            aria-label="Number of shards"
            value={parts}
            onChange={(event) => setParts(Number(event.currentTarget.value))}
          >
            {SHARDS.map((number) => (
              <option key={number} value={number}>
                {number}
              </option>
            ))}
          </select>{' '}
          shards
        </label>
      }
    >
      <Table key={parts} label="Shards" columns={columns} rows={shards} rowsMax={8} />
    </Card>
  );
}

function RangesCard({ all }: { all: All }) {
  const [measure, setMeasure] = useState<Measure>('keys');
  const buckets = useMemo(
    () => dividedBy(all, RANGES).map((range) => ({ ...range, name: rangeText(range) })),
    [all],
  );
  return (
    <Card
      title="Spread"
      note={<Measures name="slots-measure" value={measure} onPick={setMeasure} />}
    >
      <Buckets label="Keys by range of slots" buckets={buckets} measure={measure} />
    </Card>
  );
}

export function SlotsView({ ready: { report }, searchFor }: ViewProps) {
  const all = report.slots?.all;
  const total = useMemo(() => all && rangeOf(all, 0, SLOTS - 1), [all]);
  const rows = useMemo(() => {
    const used: Range[] = [];
    for (let slot = 0; all !== undefined && slot < SLOTS; slot++) {
      const range = rangeOf(all, slot, slot);
      if (range.keys > 0) used.push(range);
    }
    return used;
  }, [all]);
  const columns = useMemo(
    () => columnsOf('Slot', total ?? { keys: 0, memoryBytes: 0 }, rows.length),
    [total, rows],
  );
  if (report.slots === null || all === undefined || total === undefined) {
    return <p class="empty">Slots were not counted.</p>;
  }
  const { used, keysMean, memoryMean, rows: largest } = report.slots;
  const [first] = largest;
  return (
    <>
      <h1 class="hidden">Slots</h1>
      <dl class="figures">
        <Figure name="Slots in use" value={count(used)} note={`of ${count(SLOTS)}`} />
        <Figure name="Keys a slot" value={keysMean.toFixed(1)} note="mean of those in use" />
        <Figure name="Memory a slot" value={bytes(memoryMean)} note="mean of those in use" />
        {first !== undefined && (
          <Figure
            name="Largest slot"
            value={count(first.slot)}
            note={`${bytes(first.memoryBytes)}, ${count(first.keys)} keys`}
          />
        )}
      </dl>
      <div class="grid">
        <RangesCard all={all} />
        <ShardsCard all={all} total={total} />
        <Card title="Slots" wide note="Enter or a click shows the keys of a slot.">
          <Table
            label="Slots in use"
            columns={columns}
            rows={rows}
            sort={{ id: 'memory', isDown: true }}
            empty="No keys, no slots."
            onOpen={({ from }) => searchFor({ slots: [from, from] })}
          />
        </Card>
      </div>
    </>
  );
}
