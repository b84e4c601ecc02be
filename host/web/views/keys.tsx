// The largest and the longest keys.

import { useMemo, useState } from 'preact/hooks';
import type { ViewProps } from '../app.js';
import { Card } from '../parts/card.js';
import { keyColumns, lineOfRow } from '../parts/key-cell.js';
import { Table } from '../parts/table.js';

type By = 'memory' | 'length';

export function KeysView({ ready: { report }, openKey }: ViewProps) {
  const [by, setBy] = useState<By>('memory');
  const rows = by === 'memory' ? report.topBySize : report.topByLength;
  const lines = useMemo(() => rows.map(lineOfRow), [rows]);
  const columns = useMemo(() => keyColumns(report.nowMs, report.databases.length > 1), [report]);
  const sort = { id: by === 'memory' ? 'memory' : 'count', isDown: true };
  return (
    <Card
      title="Top keys"
      wide
      note={
        <span class="controls">
          <fieldset class="segmented">
            <legend class="hidden">Top by</legend>
            {(['memory', 'length'] as const).map((which) => (
              <label key={which}>
                <input
                  type="radio"
                  name="top-by"
                  checked={by === which}
                  onChange={() => setBy(which)}
                />
                {which === 'memory' ? 'most memory' : 'most elements'}
              </label>
            ))}
          </fieldset>
        </span>
      }
    >
      <Table
        key={by}
        label={`Top keys by ${by}`}
        columns={columns}
        rows={lines}
        sort={sort}
        rowsMax={20}
        onOpen={({ open }) => openKey(open)}
      />
    </Card>
  );
}
