// The file at a glance: figures, types, encodings, databases, expiry, sizes, what the file says of
// itself.

import { useMemo } from 'preact/hooks';
import type { RdbAnalysis } from '../../rdb/analysis-types.js';
import { canSalvage } from '../analysis.js';
import type { ViewProps } from '../app.js';
import { bytes, count, duration, percent, short, timeMade } from '../format.js';
import { type Bar, Bars } from '../parts/bars.js';
import { Card, Figure } from '../parts/card.js';
import { OneByOne } from '../parts/turns.js';
import { TypeTag } from '../parts/type-tag.js';
import { FindingCard } from './findings.js';
import { ExpiryCard, IdleCard, SizesCard } from './histograms.js';

const CHECKSUM: Record<string, string> = {
  ok: 'matches',
  absent: 'the format has none',
  disabled: 'the server wrote none',
  unchecked: 'not checked',
};

export function formatName({ file }: RdbAnalysis): string {
  return file.isValkey ? `Valkey RDB ${file.version}` : `RDB ${file.version}`;
}

function serverName({ file: { aux } }: RdbAnalysis): string | undefined {
  if (aux['valkey-ver'] !== undefined) return `Valkey ${aux['valkey-ver']}`;
  return aux['redis-ver'] === undefined ? undefined : `Redis ${aux['redis-ver']}`;
}

function Figures({ report, tookMs }: { report: RdbAnalysis; tookMs: number }) {
  const { total, bytesRead, databases } = report;
  const rate = `${bytes(bytesRead / Math.max(tookMs / 1000, 0.001))}/s`;
  const filled = databases.filter(({ keys }) => keys > 0).length;
  const inDatabases = `in ${filled} ${filled === 1 ? 'database' : 'databases'}`;
  const average = total.keys === 0 ? undefined : `${bytes(total.memoryBytes / total.keys)} a key`;
  return (
    <dl class="figures">
      <Figure name="Keys" value={count(total.keys)} note={inDatabases} />
      <Figure name="Memory, estimated" value={bytes(total.memoryBytes)} note={average} />
      <Figure name="File" value={bytes(bytesRead)} note={formatName(report)} />
      <Figure
        name="With expiry"
        value={percent(total.expires, total.keys)}
        note={`${count(total.expires)} keys`}
      />
      <Figure name="Written by" value={serverName(report) ?? 'unknown'} note={madeAt(report)} />
      <Figure name="Read in" value={duration(tookMs / 1000)} note={rate} />
    </dl>
  );
}

function madeAt({ file: { aux } }: RdbAnalysis): string | undefined {
  return aux.ctime === undefined ? undefined : timeMade(aux.ctime);
}

function TypesCard({ report }: { report: RdbAnalysis }) {
  const bars = report.types.map(
    (row): Bar => ({
      id: row.type,
      name: <TypeTag type={row.type} />,
      value: row.memoryBytes,
      text: bytes(row.memoryBytes),
      more: [count(row.keys), row.type === 'string' ? '–' : short(row.elements)],
      colour: `type-${row.type}`,
    }),
  );
  return (
    <Card title="Types" note="by estimated memory">
      <Bars label="Memory by type" columns={['Type', 'Memory', 'Keys', 'Elements']} bars={bars} />
    </Card>
  );
}

function EncodingsCard({ report }: { report: RdbAnalysis }) {
  const bars = report.encodings.map(
    (row): Bar => ({
      id: `${row.type} ${row.encoding}`,
      name: (
        <>
          <TypeTag type={row.type} /> {row.encoding === row.type ? '' : row.encoding}
        </>
      ),
      value: row.memoryBytes,
      text: bytes(row.memoryBytes),
      more: [count(row.keys)],
      colour: `type-${row.type}`,
    }),
  );
  return (
    <Card title="Encodings" note="as a Redis of today would hold them">
      <Bars label="Memory by encoding" columns={['Encoding', 'Memory', 'Keys']} bars={bars} />
    </Card>
  );
}

function DatabasesCard({ report }: { report: RdbAnalysis }) {
  const bars = report.databases.map(
    (row): Bar => ({
      id: String(row.db),
      name: `db ${row.db}`,
      value: row.memoryBytes,
      text: bytes(row.memoryBytes),
      more: [count(row.keys), percent(row.expires, row.keys)],
    }),
  );
  return (
    <Card title="Databases">
      <Bars
        label="Memory by database"
        columns={['Database', 'Memory', 'Keys', 'Expire']}
        bars={bars}
      />
    </Card>
  );
}

function FileCard({ report }: { report: RdbAnalysis }) {
  const { file, damaged } = report;
  const rows: [string, string][] = [
    ['Format', formatName(report)],
    ['Checksum', file.checksum === undefined ? 'not reached' : (CHECKSUM[file.checksum] ?? '')],
    ...Object.entries(file.aux).map(([name, value]): [string, string] => [
      name,
      name === 'ctime' ? timeMade(value) : value,
    ]),
  ];
  if (file.functions.length > 0) rows.push(['functions', count(file.functions.length)]);
  if (file.moduleAux > 0) rows.push(['module data', count(file.moduleAux)]);
  if (damaged > 0) rows.push(['damaged values', count(damaged)]);
  return (
    <Card title="File">
      <table class="facts" aria-label="What the file says of itself">
        <tbody>
          {rows.map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <code>{value}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {file.functions.map((source) => (
        <details key={source}>
          <summary>Function library ({bytes(source.length)})</summary>
          <pre class="code">{source}</pre>
        </details>
      ))}
    </Card>
  );
}

interface DamageProps {
  report: RdbAnalysis;
  /** Reads the file again and goes on behind damaged values. */
  onSalvage?: () => void;
}

/** What was wrong with the file, where reading ended before its end. */
export function DamageBanner({ report, onSalvage }: DamageProps) {
  const { damage, damaged, total } = report;
  if (damage === null && damaged === 0) return null;
  if (damage === null) {
    return (
      <p class="banner warning" role="alert">
        {count(damaged)} damaged values were left out.
      </p>
    );
  }
  return (
    <div class="banner error" role="alert">
      <b>The file is damaged at offset {count(damage.offset)}.</b> {damage.reason}
      {damage.key !== undefined && (
        <>
          , in key <code>{damage.key}</code> of database {damage.db}
        </>
      )}
      . What is shown is everything before that: {count(total.keys)} keys.{' '}
      {onSalvage !== undefined && canSalvage(report) && (
        <button type="button" class="button" onClick={onSalvage}>
          Leave damaged values out and read on
        </button>
      )}
    </div>
  );
}

export function OverviewView({ ready, go, openKey, inspect }: ViewProps) {
  const { source, report, tookMs } = ready;
  const findings = useMemo(() => report.findings.slice(0, 3), [report]);
  return (
    <>
      <h1 class="hidden">Overview</h1>
      <DamageBanner report={report} onSalvage={() => inspect.open({ ...source, salvage: true })} />
      <Figures report={report} tookMs={tookMs} />
      <div class="grid">
        <OneByOne>
          <TypesCard report={report} />
          <EncodingsCard report={report} />
          <ExpiryCard report={report} />
          <SizesCard report={report} />
          <IdleCard report={report} />
          {report.databases.length > 1 && <DatabasesCard report={report} />}
          {findings.length > 0 && (
            <Card title="Findings">
              {findings.map((finding) => (
                <FindingCard key={finding.id} finding={finding} isShort openKey={openKey} />
              ))}
              <button type="button" class="link" onClick={() => go('findings')}>
                All findings ({report.findings.length})
              </button>
            </Card>
          )}
          <FileCard report={report} />
        </OneByOne>
      </div>
    </>
  );
}
