// A sortable table of any length: only rows in sight are in the document. A grid for assistive
// technology: arrows, PageUp/PageDown, Home and End move the active row, Enter opens it.

import type { ComponentChildren } from 'preact';
import { useId, useMemo, useRef, useState } from 'preact/hooks';
import { useVirtual } from './virtual.js';

export interface Column<Row> {
  id: string;
  title: string;
  /** A track of grid-template-columns. */
  width: string;
  isNumber?: boolean;
  /** What rows are sorted by; absent: not sortable. */
  value?: (row: Row) => number | string;
  render: (row: Row) => ComponentChildren;
}

export interface Sort {
  id: string;
  isDown: boolean;
}

interface TableProps<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  sort?: Sort;
  onOpen?: (row: Row) => void;
  /** Shown instead of rows when there are none. */
  empty?: string;
  /** Rows in sight at most; the table is no higher than they are. */
  rowsMax?: number;
}

/** The least width of a track that names none. */
const TRACK_PX = 120;
const pixels = (track: string) => Number(/(\d+)px/.exec(track)?.[1] ?? TRACK_PX);

/** Rows are as wide as their tracks need, whatever stands in them, so all columns are in line. */
function trackSizes(columns: readonly { width: string }[]) {
  const tracks = columns.map(({ width }) => width);
  const least = tracks.reduce((sum, track) => sum + pixels(track), 0);
  return { '--columns': tracks.join(' '), '--row-min': `${least}px` };
}

const ROW_PX = 32;
const HEAD_PX = 34;

function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort | undefined,
): readonly Row[] {
  const value = columns.find(({ id }) => id === sort?.id)?.value;
  if (value === undefined) return rows;
  const sign = sort?.isDown ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: value(row) }));
  keyed.sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0));
  return keyed.map(({ row }) => row);
}

const MOVES: Record<string, (at: number, page: number, last: number) => number> = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  PageDown: (at, page) => at + page,
  PageUp: (at, page) => at - page,
  Home: () => 0,
  End: (_, __, last) => last,
};

function Head<Row>({
  columns,
  sort,
  onSort,
}: {
  columns: readonly Column<Row>[];
  sort: Sort | undefined;
  onSort: (column: Column<Row>) => void;
}) {
  return (
    <div class="tr head" role="row" aria-rowindex={1}>
      {columns.map((column) => {
        const isSorted = sort?.id === column.id;
        const order = sort?.isDown ? 'descending' : 'ascending';
        return (
          <div
            key={column.id}
            role="columnheader"
            class={column.isNumber ? 'td number' : 'td'}
            aria-sort={isSorted ? order : undefined}
          >
            {column.value === undefined ? (
              column.title
            ) : (
              <button type="button" onClick={() => onSort(column)}>
                {column.title}
                <span aria-hidden="true">{isSorted ? (sort?.isDown ? '↓' : '↑') : ''}</span>
              </button>
            )}
          </div>
        );
      })}
    </div>
  );
}

interface LineProps<Row> {
  columns: readonly Column<Row>[];
  row: Row;
  place: { id: string; index: number; start: number; isActive: boolean };
  onPick: (() => void) | undefined;
}

function Line<Row>({ columns, row, place, onPick }: LineProps<Row>) {
  const { id, index, start, isActive } = place;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys are heard by the grid
    <div
      id={id}
      class={onPick === undefined ? 'tr' : 'tr opens'}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isActive}
      style={{ transform: `translateY(${start}px)` }}
      onClick={onPick}
    >
      {columns.map((column) => (
        <div key={column.id} role="gridcell" class={column.isNumber ? 'td number' : 'td'}>
          {column.render(row)}
        </div>
      ))}
    </div>
  );
}

export function Table<Row>(props: TableProps<Row>) {
  const { label, columns, rows, onOpen, empty = 'Nothing here.', rowsMax = 15 } = props;
  const [sort, setSort] = useState(props.sort);
  const [active, setActive] = useState(0);
  const scroller = useRef<HTMLDivElement>(null);
  const id = useId();
  const shown = useMemo(() => sorted(rows, columns, sort), [rows, columns, sort]);
  const virtual = useVirtual({ count: shown.length, rowPx: ROW_PX, scroller });
  const last = shown.length - 1;
  const at = Math.min(active, Math.max(last, 0));

  const onSort = (column: Column<Row>) => {
    const isSame = sort?.id === column.id;
    setSort({ id: column.id, isDown: isSame ? !sort.isDown : column.isNumber === true });
    setActive(0);
    scroller.current?.scrollTo({ top: 0 });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const move = MOVES[event.key];
    const row = shown[at];
    if (event.key === 'Enter' && event.target === scroller.current && row !== undefined) {
      onOpen?.(row);
    } else if (move !== undefined) {
      const next = Math.max(0, Math.min(last, move(at, rowsMax - 1, last)));
      setActive(next);
      virtual.scrollToIndex(next);
    } else return;
    event.preventDefault();
  };

  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const height = HEAD_PX + ROW_PX * Math.min(shown.length, rowsMax) + 2;
  return (
    <div
      class="table"
      role="grid"
      aria-label={label}
      aria-rowcount={shown.length + 1}
      aria-activedescendant={`${id}-${at}`}
      tabIndex={0}
      ref={scroller}
      style={{ height: `${height}px`, ...trackSizes(columns) }}
      onKeyDown={onKeyDown}
    >
      <Head columns={columns} sort={sort} onSort={onSort} />
      <div class="rows" role="rowgroup" style={{ height: `${virtual.getTotalSize()}px` }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = shown[index] as Row;
          const pick = () => {
            setActive(index);
            onOpen?.(row);
          };
          const place = { id: `${id}-${index}`, index, start, isActive: index === at };
          return (
            <Line
              key={index}
              columns={columns}
              row={row}
              place={place}
              onPick={onOpen === undefined ? undefined : pick}
            />
          );
        })}
      </div>
    </div>
  );
}
