// The tree of prefixes as nested rectangles: area is memory or keys, colour is the type that has
// most keys there. Two levels below the node in hand are drawn.

import { useMemo } from 'preact/hooks';
import type { PrefixNode } from '../../rdb/analysis-types.js';
import { bytes, count } from '../format.js';
import { Chart, type Colours } from '../parts/chart.js';
import { textOn } from '../parts/contrast.js';

export type Measure = 'memoryBytes' | 'keys';

/** A prefix is drawn with its parts when those say so much of it. */
const SHARE_MIN = 0.4;
/** Rectangles a level may have; the rest is one. */
const CHILDREN_MAX = 60;
const GRANDCHILDREN_MAX = 24;

export function mainType(node: PrefixNode): string {
  let most = 'other';
  let keys = 0;
  for (const [type, number] of Object.entries(node.types)) {
    if (number > keys) [most, keys] = [type, number];
  }
  return most;
}

interface Rectangle {
  name: string;
  value: number;
  node?: PrefixNode;
  keys: number;
  memoryBytes: number;
  children?: Rectangle[];
  itemStyle: { color: string; borderColor?: string };
  label: { color: string };
  upperLabel: { color: string };
}

/** A rectangle's colours; its name can be read on them. */
function painted(color: string, hasParts = false) {
  const label = { color: textOn(color) };
  const itemStyle = hasParts ? { color, borderColor: color } : { color };
  return { itemStyle, label, upperLabel: label };
}

/** What is left of a name inside its parent. */
export function relativeName(node: PrefixNode, parent: PrefixNode): string {
  const rest = node.prefix.text.slice(parent.prefix.text.length);
  return rest === '' ? node.prefix.text : rest;
}

function rectangles(
  parent: PrefixNode,
  measure: Measure,
  colours: Colours,
  levels: number,
): Rectangle[] {
  const max = levels > 1 ? CHILDREN_MAX : GRANDCHILDREN_MAX;
  const ordered = [...parent.children].sort((a, b) => b[measure] - a[measure]);
  const out = ordered.slice(0, max).map((node): Rectangle => {
    const { keys, memoryBytes } = node;
    const color = colours.of(`type-${mainType(node)}`);
    const parts = levels > 1 ? rectangles(node, measure, colours, levels - 1) : [];
    const named = parts.reduce((sum, { node: part, value }) => (part ? sum + value : sum), 0);
    const hasMore = parts.length > 0 && named >= SHARE_MIN * node[measure];
    return {
      ...{ name: `${relativeName(node, parent)}*`, value: node[measure], node, keys, memoryBytes },
      ...(hasMore ? { children: parts } : {}),
      ...painted(color, hasMore),
    };
  });
  const rest = { keys: parent.rest.keys, memoryBytes: parent.rest.memoryBytes };
  for (const node of ordered.slice(max)) {
    rest.keys += node.keys;
    rest.memoryBytes += node.memoryBytes;
  }
  if (rest[measure] > 0) {
    const paint = painted(colours.of('type-rest'));
    out.push({ name: 'others', value: rest[measure], ...rest, ...paint });
  }
  return out;
}

interface TreemapProps {
  node: PrefixNode;
  measure: Measure;
  onZoom: (node: PrefixNode) => void;
}

export function Treemap({ node, measure, onZoom }: TreemapProps) {
  const option = useMemo(
    () => (colours: Colours) => ({
      animationDuration: 200,
      tooltip: {
        formatter: ({ data }: { data: Rectangle }) =>
          `${data.node?.prefix.text ?? data.name}${data.node ? '*' : ''}\n` +
          `${count(data.keys)} keys, ${bytes(data.memoryBytes)}`,
      },
      series: [
        {
          ...{ type: 'treemap', roam: false, nodeClick: false, breadcrumb: { show: false } },
          ...{ top: 0, left: 0, right: 0, bottom: 0, visibleMin: 40 },
          label: { fontSize: 12, overflow: 'truncate' },
          upperLabel: { show: true, height: 20, fontSize: 12, overflow: 'truncate' },
          itemStyle: { borderColor: colours.surface, gapWidth: 1, borderWidth: 1 },
          levels: [
            { itemStyle: { borderWidth: 0, gapWidth: 2 }, upperLabel: { show: false } },
            { itemStyle: { borderWidth: 2, gapWidth: 1 } },
            { itemStyle: { borderColor: colours.surface, borderWidth: 0, gapWidth: 1 } },
          ],
          data: rectangles(node, measure, colours, 2),
        },
      ],
    }),
    [node, measure],
  );
  const summary = `Treemap of ${node.children.length} prefixes by ${
    measure === 'keys' ? 'number of keys' : 'memory'
  }; the table beside it has the same figures`;
  return (
    <Chart
      summary={summary}
      className="treemap"
      option={option}
      onClick={(data) => {
        const { node: clicked } = data as Rectangle;
        if (clicked !== undefined && clicked.children.length > 0) onZoom(clicked);
      }}
    />
  );
}
