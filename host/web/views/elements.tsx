// Values as tables, one form for each type; strings as text, as formatted JSON or in hexadecimal.

import { useEffect, useId, useMemo, useRef, useState } from 'preact/hooks';
import type { RdbElement } from '../../rdb/values.js';
import { bytesLine, count, hexDump, isText, time, ttl } from '../format.js';
import { jsonText } from '../json-text.js';
import { type Column, Table } from '../parts/table.js';
import type { ValueResult } from '../protocol.js';

type Of<Kind extends RdbElement['kind']> = Extract<RdbElement, { kind: Kind }>;

const decoder = new TextDecoder();

type Form = 'text' | 'json' | 'hex';

interface StringProps {
  /** Part of the string, from byte `from` on. */
  data: Uint8Array;
  from: number;
  length: number;
}

/** Lines that are laid out together, when they come into sight. */
const LINES = 200;
/** The same of text, where lines may be long. */
const CHARACTERS = 32 * 1024;

/** Text in blocks; only those in sight are laid out. */
function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = at;
    for (let lines = 0; lines < LINES && end < text.length; lines++) {
      const next = text.indexOf('\n', end);
      end = next < 0 ? text.length : next + 1;
      if (end - at > CHARACTERS) break;
    }
    end = Math.min(end, at + 2 * CHARACTERS);
    blocks.push(text.slice(at, text[end - 1] === '\n' ? end - 1 : end));
    at = end;
  }
  return blocks;
}

function StringValue({ data, from, length }: StringProps) {
  const isPart = data.length < length;
  const json = useMemo(() => (isPart ? undefined : jsonText(data)), [data, isPart]);
  const isPlain = useMemo(() => isText(data, isPart), [data, isPart]);
  const [wanted, setForm] = useState<Form>();
  const forms: Form[] = json === undefined ? ['text', 'hex'] : ['json', 'text', 'hex'];
  const fitting: Form = json !== undefined ? 'json' : isPlain ? 'text' : 'hex';
  const form = wanted !== undefined && forms.includes(wanted) ? wanted : fitting;
  const blocks = useMemo(() => {
    if (form === 'json') return blocksOf(json ?? '');
    return blocksOf(form === 'hex' ? hexDump(data, from) : decoder.decode(data));
  }, [form, json, data, from]);
  const name = useId();
  return (
    <>
      <fieldset class="segmented">
        <legend class="hidden">Shown as</legend>
        {forms.map((which) => (
          <label key={which}>
            <input
              type="radio"
              name={name}
              checked={form === which}
              onChange={() => setForm(which)}
            />
            {which}
          </label>
        ))}
      </fieldset>
      <pre class="code value">
        {blocks.map((block, i) => (
          <span key={i}>{block}</span>
        ))}
      </pre>
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

function StreamValue({ elements, onOpen }: { elements: readonly RdbElement[]; onOpen: OnOpen }) {
  const entries = elements.filter((e): e is Of<'entry'> => e.kind === 'entry');
  const lines = elements.map(streamLine).filter((text) => text !== undefined);
  return (
    <>
      {(entries.length > 0 || lines.length === 0) && (
        <Table
          label="Entries"
          columns={ENTRIES}
          rows={entries}
          empty="No entries."
          onOpen={({ id, fields }) => onOpen({ name: id, parts: fields.map(partOf) })}
        />
      )}
      {lines.length > 0 && <pre class="code">{lines.join('\n')}</pre>}
    </>
  );
}

/** One element, whole. */
interface Opened {
  name: string;
  parts: readonly { name: string; data: Uint8Array }[];
}
type OnOpen = (opened: Opened) => void;

const partOf = ([field, data]: readonly [Uint8Array, Uint8Array]) => ({ name: line(field), data });

function Detail({ opened }: { opened: Opened }) {
  const { name, parts } = opened;
  const place = useRef<HTMLElement>(null);
  // below the table, maybe out of sight: the reader is taken there
  useEffect(() => {
    place.current?.focus({ preventScroll: true });
    place.current?.scrollIntoView({ block: 'start' });
  }, [opened]);
  return (
    <section class="detail" aria-label="Element" tabIndex={-1} ref={place}>
      <h3>
        <code>{name}</code>
      </h3>
      {parts.map((part, i) => (
        <div key={i}>
          {part.name !== '' && <p class="note">{part.name}</p>}
          <StringValue data={part.data} from={0} length={part.data.length} />
        </div>
      ))}
    </section>
  );
}

interface ElementsProps {
  value: ValueResult;
  nowMs: number;
  /** Number of the first element. */
  from: number;
}

export function Elements(props: ElementsProps) {
  const { facts, elements, string } = props.value;
  // an element of another part is shown no longer
  const [opened, setOpened] = useState<{ of: ValueResult; element: Opened }>();
  const open = (element: Opened) => setOpened({ of: props.value, element });
  const shown = opened?.of === props.value ? opened.element : undefined;
  if (facts === undefined) return null;
  const [first] = elements;
  if (facts.type === 'string') {
    if (first?.kind !== 'string' || string === undefined) return null;
    return <StringValue data={first.value} {...string} />;
  }
  return (
    <>
      <Collection {...props} onOpen={open} />
      {shown !== undefined && <Detail key={shown.name} opened={shown} />}
    </>
  );
}

/** Rows in sight. */
const ROWS_MAX = 16;

function Collection({ value, nowMs, from, onOpen }: ElementsProps & { onOpen: OnOpen }) {
  const { elements, facts } = value;
  const fields = elements.filter((e): e is Of<'field'> => e.kind === 'field');
  const hasExpiry = fields.some(({ expireAtMs }) => expireAtMs !== undefined);
  const hash = useMemo(() => hashColumns(nowMs, hasExpiry), [nowMs, hasExpiry]);
  const items = useMemo(
    () =>
      elements.flatMap((e, at) =>
        e.kind === 'element' ? [{ at: from + at, value: e.value }] : [],
      ),
    [elements, from],
  );
  const open = (name: string, data: Uint8Array) => onOpen({ name, parts: [{ name: '', data }] });
  switch (facts?.type) {
    case 'hash':
      return (
        <Table
          label="Fields"
          columns={hash}
          rows={fields}
          rowsMax={ROWS_MAX}
          onOpen={({ field, value: data }) => open(line(field), data)}
        />
      );
    case 'zset': {
      const members = elements.filter((e): e is Of<'member'> => e.kind === 'member');
      return (
        <Table
          label="Members"
          columns={ZSET}
          rows={members}
          rowsMax={ROWS_MAX}
          onOpen={({ member, score }) => open(`score ${score}`, member)}
        />
      );
    }
    case 'stream':
      return <StreamValue elements={elements} onOpen={onOpen} />;
    case 'list':
      return (
        <Table
          label="Elements"
          columns={LIST}
          rows={items}
          rowsMax={ROWS_MAX}
          onOpen={({ at, value: data }) => open(`element ${at}`, data)}
        />
      );
    case 'set':
      return (
        <Table
          label="Members"
          columns={LIST.slice(1)}
          rows={items}
          rowsMax={ROWS_MAX}
          onOpen={({ value: data }) => open('member', data)}
        />
      );
    default:
      return <p class="empty">A value of a module: its insides are not known here.</p>;
  }
}
