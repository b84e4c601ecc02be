// Distributions: time to expiry, sizes and lengths, idle time and frequency.

import { useMemo, useState } from 'preact/hooks';
import type { Bucket, Histogram, HistogramName, RdbAnalysis } from '../../rdb/analysis-types.js';
import { bytes, count, duration, percent, short } from '../format.js';
import { type Bar, Bars } from '../parts/bars.js';
import { Card } from '../parts/card.js';
import { Chart, type Colours } from '../parts/chart.js';

export type Measure = 'keys' | 'memoryBytes';

interface BucketsProps {
  label: string;
  buckets: readonly { name: string; keys: number; memoryBytes: number; colour?: string }[];
  measure: Measure;
}

/** Vertical bars, one a bucket. */
export function Buckets({ label, buckets, measure }: BucketsProps) {
  const option = useMemo(() => {
    const text = (value: number) => (measure === 'keys' ? short(value) : bytes(value));
    return ({ accent, muted, line, of }: Colours) => ({
      animation: false,
      grid: { left: 8, right: 8, top: 12, bottom: 4, containLabel: true },
      xAxis: {
        ...{ type: 'category', data: buckets.map(({ name }) => name) },
        axisLine: { lineStyle: { color: line } },
        axisTick: { show: false },
        axisLabel: { color: muted, fontSize: 11, hideOverlap: true },
      },
      yAxis: {
        ...{ type: 'value', splitNumber: 3 },
        splitLine: { lineStyle: { color: line } },
        axisLabel: { color: muted, fontSize: 11, formatter: text },
      },
      tooltip: {
        ...{ trigger: 'axis', axisPointer: { type: 'shadow' } },
        formatter: ([at]: { dataIndex: number }[]) => {
          const bucket = buckets[at?.dataIndex ?? -1];
          if (bucket === undefined) return '';
          return `${bucket.name}\n${count(bucket.keys)} keys, ${bytes(bucket.memoryBytes)}`;
        },
      },
      series: [
        {
          // what is there can be seen, however few
          ...{ type: 'bar', barCategoryGap: '18%', barMinHeight: 3 },
          data: buckets.map(({ [measure]: value, colour }) => ({
            value: value === 0 ? '-' : value,
            itemStyle: {
              ...{ color: colour === undefined ? accent : of(colour) },
              borderRadius: [2, 2, 0, 0],
            },
          })),
        },
      ],
    });
  }, [buckets, measure]);
  const most = buckets.reduce((a, b) => (b.keys > a.keys ? b : a), { name: '–', keys: 0 });
  const peak = `${most.name} (${count(most.keys)})`;
  const summary = `${label}: ${buckets.length} buckets, most keys in ${peak}`;
  return (
    <>
      <Chart summary={summary} className="histogram" option={option} />
      <Figures label={label} buckets={buckets} />
    </>
  );
}

/** What the bars stand for, for those who cannot see or point at them; made when it is opened. */
function Figures({ label, buckets }: Pick<BucketsProps, 'label' | 'buckets'>) {
  const [isOpen, setOpen] = useState(false);
  const bars = useMemo(
    () =>
      buckets.map(
        ({ name, keys, memoryBytes }, i): Bar => ({
          ...{ id: String(i), name, value: keys, text: count(keys), more: [bytes(memoryBytes)] },
        }),
      ),
    [buckets],
  );
  return (
    <details class="chart-figures" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Figures</summary>
      {isOpen && <Bars label={label} columns={['Range', 'Keys', 'Memory']} bars={bars} />}
    </details>
  );
}

const plain = ({ keys, memoryBytes }: { keys: number; memoryBytes: number }) => ({
  keys,
  memoryBytes,
});

export function ExpiryCard({ report }: { report: RdbAnalysis }) {
  const { expiry, total } = report;
  const buckets = useMemo(
    () => [
      { name: 'never', ...plain(expiry.none), colour: 'muted' },
      { name: 'expired', ...plain(expiry.expired), colour: 'warning' },
      ...expiry.buckets.map((bucket) => ({
        name: bucket.to === null ? `> ${duration(bucket.from)}` : `< ${duration(bucket.to)}`,
        ...plain(bucket),
      })),
    ],
    [expiry],
  );
  const note = `${percent(expiry.none.keys, total.keys)} of the keys never expire`;
  return (
    <Card title="Time to expiry" note={note}>
      <Buckets label="Keys by time to expiry" buckets={buckets} measure="keys" />
    </Card>
  );
}

const NAMES: Record<HistogramName, string> = {
  memory: 'Memory of a key',
  file: 'Bytes in the file',
  'key-name': 'Length of names',
  string: 'String lengths',
  list: 'List lengths',
  set: 'Set sizes',
  zset: 'Sorted set sizes',
  hash: 'Hash sizes',
  stream: 'Stream lengths',
  'largest-element': 'Largest element',
};

function rangeName({ from, to }: Bucket, unit: Histogram['unit']): string {
  const text = unit === 'bytes' ? bytes : short;
  if (to === from + 1) return text(from);
  return unit === 'bytes' ? text(from) : `${text(from)}–${to === null ? '' : text(to - 1)}`;
}

interface MeasuresProps {
  /** Of the group of buttons. */
  name: string;
  value: Measure;
  onPick: (measure: Measure) => void;
}

export function Measures({ name, value, onPick }: MeasuresProps) {
  return (
    <fieldset class="segmented">
      <legend class="hidden">Bars show</legend>
      {(['keys', 'memoryBytes'] as const).map((measure) => (
        <label key={measure}>
          <input
            type="radio"
            checked={value === measure}
            onChange={() => onPick(measure)}
            name={name}
          />
          {measure === 'keys' ? 'keys' : 'memory'}
        </label>
      ))}
    </fieldset>
  );
}

export function SizesCard({ report }: { report: RdbAnalysis }) {
  const { histograms } = report;
  const [name, setName] = useState<HistogramName>('memory');
  const [measure, setMeasure] = useState<Measure>('keys');
  const histogram = histograms.find(({ of }) => of === name) ?? histograms[0];
  const buckets = useMemo(
    () =>
      (histogram?.buckets ?? []).map((bucket) => ({
        name: rangeName(bucket, histogram?.unit ?? 'bytes'),
        ...plain(bucket),
      })),
    [histogram],
  );
  if (histogram === undefined) return null;
  return (
    <Card
      title="Sizes"
      note={
        <span class="controls">
          <select
            aria-label="Histogram of"
            value={histogram.of}
            onChange={(event) => setName(event.currentTarget.value as HistogramName)}
          >
            {histograms
              .filter(({ buckets }) => buckets.length > 0)
              .map(({ of }) => (
                <option key={of} value={of}>
                  {NAMES[of]}
                </option>
              ))}
          </select>
          <Measures name="histogram-measure" value={measure} onPick={setMeasure} />
        </span>
      }
    >
      <Buckets label={NAMES[histogram.of]} buckets={buckets} measure={measure} />
    </Card>
  );
}

export function IdleCard({ report: { idle, frequency } }: { report: RdbAnalysis }) {
  const source = idle ?? frequency;
  const isIdle = idle !== null;
  const buckets = useMemo(
    () =>
      (source ?? []).map((bucket) => {
        const text = isIdle ? duration : String;
        const to = bucket.to === null ? '' : text(bucket.to);
        const name = isIdle
          ? to === ''
            ? `> ${text(bucket.from)}`
            : `< ${to}`
          : text(bucket.from);
        return { name, ...plain(bucket) };
      }),
    [source, isIdle],
  );
  if (source === null) return null;
  const title = isIdle ? 'Idle for' : 'Frequency of use';
  return (
    <Card title={title} note={isIdle ? 'since the last use' : 'logarithmic counter, 0 to 255'}>
      <Buckets label={title} buckets={buckets} measure="keys" />
    </Card>
  );
}
