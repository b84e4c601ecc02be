// Values as tables, one form for each type; strings as text, as formatted JSON or in hexadecimal.

import { useMemo, useState } from 'preact/hooks';
import type { RdbElement } from '../../rdb/values.js';
import { bytes, bytesLine, count, hexDump, isText, time, ttl } from '../format.js';
import { type Column, Table } from '../parts/table.js';
import type { ValueResult } from '../protocol.js';

type Of<Kind extends RdbElement['kind']> = Extract<RdbElement, { kind: Kind }>;

const decoder = new TextDecoder();
/** More than this of a string is too much for a document. */
const SHOWN_MAX = 256 * 1024;

function asJson(data: Uint8Array): string | undefined {
  const first = data[0];
  if (first !== 0x7b && first !== 0x5b) return undefined;
  try {
    return JSON.stringify(JSON.parse(decoder.decode(data)), null, 2);
  } catch {
    return undefined;
  }
}

type Form = 'text' | 'json' | 'hex';

function StringValue({ data, length }: { data: Uint8Array; length: number }) {
  const json = useMemo(() => asJson(data), [data]);
  const isPlain = useMemo(() => isText(data), [data]);
  const first: Form = json !== undefined ? 'json' : isPlain ? 'text' : 'hex';
  const [form, setForm] = useState(first);
  const forms: Form[] = json === undefined ? ['text', 'hex'] : ['json', 'text', 'hex'];
  const part = data.subarray(0, SHOWN_MAX);
  const text =
    form === 'json' ? (json ?? '') : form === 'hex' ? hexDump(part) : decoder.decode(part);
  return (
    <>
      <fieldset class="segmented">
        <legend class="hidden">Shown as</legend>
        {forms.map((which) => (
          <label key={which}>
            <input
              type="radio"
              name="string-form"
              checked={form === which}
              onChange={() => setForm(which)}
            />
            {which}
          </label>
        ))}
      </fieldset>
      <pre class="code value">{text}</pre>
      {length > part.length && (
        <p class="note">
          The first {bytes(part.length)} of {bytes(length)}.
        </p>
      )}
    </>
  );
}

const line = (data: Uint8Array) => bytesLine(data);

function cell<Row>(title: string, of: (row: Row) => Uint8Array, width = '1fr'): Column<Row> {
  return {
    ...{ id: title, title, width: `minmax(120px, ${width})` },
    value: (row) => line(of(row)),
    render: (row) => <code title={line(of(row))}>{line(of(row))}</code>,
  };
}

function number<Row>(title: string, of: (row: Row) => number, width = '110px'): Column<Row> {
  const text = (value: number) =>
    Object.is(value, -0) ? '-0' : Number.isInteger(value) ? String(value) : String(value);
  const column = { id: title, title, width, isNumber: true, value: of };
  return { ...column, render: (row) => text(of(row)) };
}

const LIST = [
  number<{ at: number; value: Uint8Array }>('#', ({ at }) => at, '72px'),
  cell<{ at: number; value: Uint8Array }>('Element', ({ value }) => value),
];
const ZSET = [
  number<Of<'member'>>('Score', ({ score }) => score, '180px'),
  cell<Of<'member'>>('Member', ({ member }) => member),
];

function hashColumns(nowMs: number, hasExpiry: boolean): Column<Of<'field'>>[] {
  const columns = [
    cell<Of<'field'>>('Field', ({ field }) => field),
    cell<Of<'field'>>('Value', ({ value }) => value, '2fr'),
  ];
  if (!hasExpiry) return columns;
  return [
    ...columns,
    {
      ...{ id: 'ttl', title: 'Expires in', width: '110px', isNumber: true },
      value: ({ expireAtMs }) => expireAtMs ?? Number.POSITIVE_INFINITY,
      render: ({ expireAtMs }) => (
        <span title={expireAtMs === undefined ? undefined : time(expireAtMs)}>
          {ttl(expireAtMs, nowMs)}
        </span>
      ),
    },
  ];
}

const ENTRIES: Column<Of<'entry'>>[] = [
  {
    ...{ id: 'id', title: 'Entry', width: '190px', value: ({ id }) => id },
    render: ({ id }) => <code>{id}</code>,
  },
  {
    ...{ id: 'fields', title: 'Fields', width: '1fr' },
    render: ({ fields }) => {
      const text = fields.map(([field, value]) => `${line(field)}=${line(value)}`).join('  ');
      return <code title={text}>{text}</code>;
    },
  },
];

/** What a stream has besides its entries, a line each. */
function streamLine(element: RdbElement): string | undefined {
  switch (element.kind) {
    case 'stream': {
      const { length, firstId, lastId, maxDeletedId, entriesAdded } = element.meta;
      return (
        `${count(length)} entries, ${firstId} to ${lastId}; ${count(entriesAdded)} were added, ` +
        `largest deleted ${maxDeletedId}`
      );
    }
    case 'group': {
      const { name, lastDeliveredId, entriesRead } = element.group;
      const read = entriesRead === undefined ? '' : `, ${count(entriesRead)} read`;
      return `group ${line(name)}: delivered up to ${lastDeliveredId}${read}`;
    }
    case 'consumer': {
      const { name, seenAtMs, activeAtMs } = element.consumer;
      const active = activeAtMs === undefined ? '' : `, active ${time(activeAtMs)}`;
      return `    consumer ${line(name)}: seen ${time(seenAtMs)}${active}`;
    }
    case 'pending': {
      const { id, deliveries, deliveredAtMs } = element;
      return `    pending ${id}: ${deliveries} deliveries, last ${time(deliveredAtMs)}`;
    }
    case 'consumerPending':
      return `        has ${element.id}`;
    default:
      return undefined;
  }
}

function StreamValue({ elements }: { elements: readonly RdbElement[] }) {
  const entries = elements.filter((e): e is Of<'entry'> => e.kind === 'entry');
  const lines = elements.map(streamLine).filter((text) => text !== undefined);
  return (
    <>
      <Table label="Entries" columns={ENTRIES} rows={entries} empty="No entries." />
      {lines.length > 0 && <pre class="code">{lines.join('\n')}</pre>}
    </>
  );
}

export function Elements({ value, nowMs }: { value: ValueResult; nowMs: number }) {
  const { elements, facts } = value;
  const fields = elements.filter((e): e is Of<'field'> => e.kind === 'field');
  const hasExpiry = fields.some(({ expireAtMs }) => expireAtMs !== undefined);
  const hash = useMemo(() => hashColumns(nowMs, hasExpiry), [nowMs, hasExpiry]);
  const items = useMemo(
    () => elements.flatMap((e, at) => (e.kind === 'element' ? [{ at, value: e.value }] : [])),
    [elements],
  );
  if (facts === undefined) return null;
  const [first] = elements;
  switch (facts.type) {
    case 'string':
      if (first?.kind !== 'string') return null;
      return <StringValue data={first.value} length={Math.max(facts.count, first.value.length)} />;
    case 'hash':
      return <Table label="Fields" columns={hash} rows={fields} rowsMax={20} />;
    case 'zset': {
      const members = elements.filter((e): e is Of<'member'> => e.kind === 'member');
      return <Table label="Members" columns={ZSET} rows={members} rowsMax={20} />;
    }
    case 'stream':
      return <StreamValue elements={elements} />;
    case 'list':
      return <Table label="Elements" columns={LIST} rows={items} rowsMax={20} />;
    case 'set':
      return <Table label="Members" columns={LIST.slice(1)} rows={items} rowsMax={20} />;
    default:
      return <p class="empty">A value of a module: its insides are not known here.</p>;
  }
}
