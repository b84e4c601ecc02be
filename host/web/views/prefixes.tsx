// Prefixes: a treemap to zoom into with the table of what it shows, and lists of all prefixes,
// by separator or found without one.

import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Bound, PrefixAnalysis, PrefixNode, PrefixRow } from '../../rdb/analysis-types.js';
import type { ViewProps } from '../app.js';
import { bytes, count, percent } from '../format.js';
import { Card } from '../parts/card.js';
import { type Column, Table } from '../parts/table.js';
import { TypeTag } from '../parts/type-tag.js';
import { type Measure, mainType, relativeName, Treemap } from './treemap.js';

function rowColumns<Row extends PrefixRow>(
  name: (row: Row) => string,
  all: { keys: number; memoryBytes: number },
): Column<Row>[] {
  return [
    {
      ...{ id: 'prefix', title: 'Prefix', width: 'minmax(120px, 1fr)', value: name },
      render: (row) => <code title={`${row.prefix.text}*`}>{name(row)}*</code>,
    },
    {
      ...{ id: 'type', title: 'Mostly', width: '92px' },
      render: (row) => <TypeTag type={mainType(row as unknown as PrefixNode) as 'other'} />,
    },
    {
      ...{ id: 'keys', title: 'Keys', width: '92px', isNumber: true },
      value: ({ keys }) => keys,
      render: ({ keys, missingMax }) => (
        <span title={missingMax > 0 ? `up to ${count(missingMax)} more` : undefined}>
          {count(keys)}
          {missingMax > 0 && '+'}
        </span>
      ),
    },
    {
      ...{ id: 'memory', title: 'Memory', width: '92px', isNumber: true },
      value: ({ memoryBytes }) => memoryBytes,
      render: ({ memoryBytes }) => bytes(memoryBytes),
    },
    {
      ...{ id: 'share', title: 'Share', width: '84px', isNumber: true },
      value: ({ memoryBytes }) => memoryBytes,
      render: ({ memoryBytes }) => percent(memoryBytes, all.memoryBytes),
    },
    {
      ...{ id: 'expires', title: 'Expire', width: '84px', isNumber: true },
      value: ({ expires, keys }) => expires / Math.max(keys, 1),
      render: ({ expires, keys }) => percent(expires, keys),
    },
  ];
}

/** Where one is in the tree, a button for every level above. */
function Path({ path, onPick }: { path: readonly PrefixNode[]; onPick: (depth: number) => void }) {
  return (
    <nav aria-label="Zoomed into">
      <ol class="path">
        {path.map((node, depth) => {
          const parent = path[depth - 1];
          const name = parent === undefined ? 'all keys' : relativeName(node, parent);
          const isLast = depth === path.length - 1;
          return (
            <li key={node.prefix.text}>
              {isLast ? (
                <b aria-current="location">{name}</b>
              ) : (
                <button type="button" class="link" onClick={() => onPick(depth)}>
                  {name}
                </button>
              )}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

/** Where one is in the tree. Zooming takes the focus to the table of what is shown then. */
function useZoom(tree: PrefixNode) {
  const [path, setPath] = useState<PrefixNode[]>([tree]);
  const place = useRef<HTMLDivElement>(null);
  const node = path.at(-1) ?? tree;
  const shown = useRef(node);
  useEffect(() => {
    if (shown.current === node) return;
    shown.current = node;
    place.current?.querySelector<HTMLElement>('[role=grid]')?.focus({ preventScroll: true });
  }, [node]);
  useEffect(() => {
    const onKey = ({ key, target }: KeyboardEvent) => {
      const isHere = target === document.body || place.current?.contains(target as Node);
      const isSeen = place.current?.checkVisibility();
      if (key !== 'Backspace' || !isHere || !isSeen || path.length < 2) return;
      setPath(path.slice(0, -1));
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [path]);
  return { path, setPath, node, place };
}

function TreeCard({ tree }: { tree: PrefixNode }) {
  const { path, setPath, node, place } = useZoom(tree);
  const [measure, setMeasure] = useState<Measure>('memoryBytes');
  const columns = useMemo(
    () => rowColumns<PrefixNode>((row) => relativeName(row, node), node),
    [node],
  );
  const zoom = (to: PrefixNode) => {
    // a grandchild may have been clicked: its parent comes between
    const between = node.children.find((child) => child.children.includes(to));
    setPath(between === undefined ? [...path, to] : [...path, between, to]);
  };
  return (
    <Card
      title="By prefix"
      wide
      note={
        <fieldset class="segmented">
          <legend class="hidden">Area shows</legend>
          {(['memoryBytes', 'keys'] as const).map((which) => (
            <label key={which}>
              <input
                type="radio"
                name="treemap-measure"
                checked={measure === which}
                onChange={() => setMeasure(which)}
              />
              {which === 'keys' ? 'keys' : 'memory'}
            </label>
          ))}
        </fieldset>
      }
    >
      <div ref={place}>
        <Path path={path} onPick={(depth) => setPath(path.slice(0, depth + 1))} />
        <div class="treemap-and-table">
          <Treemap node={node} measure={measure} onZoom={zoom} />
          <Table
            key={node.prefix.text}
            label={`Prefixes under ${node.prefix.text || 'all keys'}`}
            columns={columns}
            rows={node.children}
            sort={{ id: 'memory', isDown: true }}
            rowsMax={13}
            empty="No prefixes below this one."
            onOpen={(child) => child.children.length > 0 && zoom(child)}
          />
        </div>
      </div>
      <p class="note">
        Enter or a click zooms in, Backspace goes back. Colours show the type of most keys.
      </p>
    </Card>
  );
}

interface ListProps {
  prefixes: PrefixAnalysis;
  tree: PrefixNode;
  bounds: readonly Bound[];
}

function ListCard({ prefixes, tree, bounds }: ListProps) {
  const [isAutomatic, setAutomatic] = useState(false);
  const rows = isAutomatic ? prefixes.automatic : prefixes.rows;
  const columns = useMemo(() => rowColumns<PrefixRow>(({ prefix }) => prefix.text, tree), [tree]);
  return (
    <Card
      title="All prefixes"
      wide
      note={
        <fieldset class="segmented">
          <legend class="hidden">Prefixes</legend>
          {[false, true].map((which) => (
            <label key={String(which)}>
              <input
                type="radio"
                name="prefix-list"
                checked={isAutomatic === which}
                onChange={() => setAutomatic(which)}
              />
              {which ? 'found automatically' : `up to one of ${prefixes.separators}`}
            </label>
          ))}
        </fieldset>
      }
    >
      <Table
        key={String(isAutomatic)}
        label="All prefixes"
        columns={columns}
        rows={rows}
        sort={{ id: 'memory', isDown: true }}
        empty="No prefix has more than one key."
      />
      {bounds.map(({ note }) => (
        <p key={note} class="note">
          Not exact: {note}.
        </p>
      ))}
    </Card>
  );
}

export function PrefixesView({ ready: { report } }: ViewProps) {
  const { prefixes, bounds } = report;
  if (prefixes === null) return <p class="empty">Prefixes were not counted.</p>;
  return (
    <>
      <h1 class="hidden">Prefixes</h1>
      <TreeCard tree={prefixes.tree} />
      <ListCard prefixes={prefixes} tree={prefixes.tree} bounds={bounds} />
    </>
  );
}
