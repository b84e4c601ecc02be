// What is worth a look, each with the numbers behind it and examples to open.

import type { Finding, FindingExample } from '../../rdb/analysis-types.js';
import type { ViewProps } from '../app.js';
import { bytes, count, short } from '../format.js';
import { lineOfRow, type OpenKey } from '../parts/key-cell.js';

interface FindingProps extends Pick<ViewProps, 'openKey'> {
  finding: Finding;
  isShort?: boolean;
}

/** Numbers that every finding shows already. */
const SAID = new Set(['keys', 'memoryBytes', 'savingBytes']);

const isBytes = (name: string) => /bytes/i.test(name);
const words = (name: string) =>
  name
    .replace(/([A-Z])/g, ' $1')
    .replace(/[-_]/g, ' ')
    .toLowerCase()
    .replace(/ bytes/, '');
const number = (name: string, value: number) =>
  isBytes(name) ? bytes(value) : Number.isInteger(value) ? count(value) : value.toFixed(2);

function Example({
  example: { name, row, numbers },
  openKey,
}: {
  example: FindingExample;
  openKey: (key: OpenKey) => void;
}) {
  const figures = Object.entries(numbers).map(
    ([what, value]) => `${words(what)} ${number(what, value)}`,
  );
  const line = row === null ? undefined : lineOfRow(row);
  return (
    <li>
      {line === undefined ? (
        <code>{name.text}*</code>
      ) : (
        <button type="button" class="link" onClick={() => openKey(line.open)}>
          <code>{line.text}</code>
        </button>
      )}
      <small>{figures.join(' · ')}</small>
    </li>
  );
}

export function FindingCard({ finding, isShort = false, openKey }: FindingProps) {
  const figures = Object.entries(finding.numbers).filter(([name]) => !SAID.has(name));
  const { severity, title, advice, keys, memoryBytes, savingBytes, examples } = finding;
  return (
    <article class={`finding ${severity}`}>
      <h3>
        <span class="severity">{severity}</span>
        {title}
      </h3>
      {!isShort && (
        <>
          <p>{advice}</p>
          <p class="numbers">
            <span>
              <b>{count(keys)}</b> keys
            </span>
            <span>
              <b>{bytes(memoryBytes)}</b>
            </span>
            {savingBytes !== null && (
              <span class="saving">
                saves about <b>{bytes(savingBytes)}</b>
              </span>
            )}
            {figures.map(([name, value]) => (
              <span key={name}>
                {words(name)} <b>{number(name, value)}</b>
              </span>
            ))}
          </p>
          {examples.length > 0 && (
            <details open={examples.length <= 5}>
              <summary>{short(examples.length)} examples, largest first</summary>
              <ol>
                {examples.map((example) => (
                  <Example
                    key={example.row?.offset ?? example.name.text}
                    example={example}
                    openKey={openKey}
                  />
                ))}
              </ol>
            </details>
          )}
        </>
      )}
    </article>
  );
}

export function FindingsView({ ready: { report }, openKey }: ViewProps) {
  return (
    <>
      <h1 class="hidden">Findings</h1>
      {report.findings.length === 0 && <p class="empty">Nothing odd was found in this file.</p>}
      <div class="findings">
        {report.findings.map((finding) => (
          <FindingCard key={finding.id} finding={finding} openKey={openKey} />
        ))}
      </div>
    </>
  );
}
