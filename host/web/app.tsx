// The frame: header, tabs, the view in hand, and the drawer with a key's value.

import { useCallback, useEffect, useState } from 'preact/hooks';
import { bytes } from './format.js';
import { preloadCharts } from './parts/chart.js';
import type { OpenKey } from './parts/key-cell.js';
import { Mark } from './parts/mark.js';
import { Tabs } from './parts/tabs.js';
import type { KeyQuery } from './protocol.js';
import { type Inspect, type State, useFocusKept, useHash, useInspect } from './state.js';
import { CompareView } from './views/compare.js';
import { ConsoleView } from './views/console.js';
import { ExportMenu } from './views/export-menu.js';
import { FindingsView } from './views/findings.js';
import { KeysView } from './views/keys.js';
import { OverviewView } from './views/overview.js';
import { PrefixesView } from './views/prefixes.js';
import { ReadingView } from './views/reading.js';
import { SearchView } from './views/search.js';
import { SlotsView } from './views/slots.js';
import { FileButton, StartView, useDrop } from './views/start.js';
import { ValueDrawer } from './views/value.js';

const TABS = [
  ['overview', 'Overview'],
  ['prefixes', 'Prefixes'],
  ['keys', 'Top keys'],
  ['findings', 'Findings'],
  ['slots', 'Slots'],
  ['search', 'Search'],
  ['compare', 'Compare'],
  ['console', 'Console'],
] as const;
type TabId = (typeof TABS)[number][0];

export type Ready = Extract<State, { phase: 'ready' }>;

export interface ViewProps {
  ready: Ready;
  inspect: Inspect;
  openKey(key: OpenKey): void;
  go(tab: TabId): void;
  /** Shows the search with what fits. */
  searchFor(query: Partial<KeyQuery>): void;
  /** What was last searched for in that way. */
  preset: Partial<KeyQuery> | undefined;
}

function Header({ inspect }: { inspect: Inspect }) {
  const { state, open, close } = inspect;
  return (
    <header class="top">
      <button type="button" class="brand" onClick={close} title="Start again">
        <Mark />
        <span>
          respite <b>inspect</b>
        </span>
      </button>
      {state.phase === 'ready' && (
        <>
          <p class="file-chip" title={state.source.name}>
            <b>{state.source.name}</b>
            <span>{bytes(state.report.bytesRead)}</span>
          </p>
          <div class="top-actions">
            <ExportMenu ready={state} client={inspect.client} />
            <FileButton label="Open another" onFile={open} />
          </div>
        </>
      )}
    </header>
  );
}

/** Views stay alive behind each other once they were seen: a search or a console is not lost. */
function Views(props: ViewProps & { tab: TabId }) {
  const { tab } = props;
  const [seen] = useState(new Set<TabId>());
  seen.add(tab);
  const views: Record<TabId, (props: ViewProps) => preact.ComponentChildren> = {
    overview: OverviewView,
    prefixes: PrefixesView,
    keys: KeysView,
    findings: FindingsView,
    slots: SlotsView,
    search: SearchView,
    compare: CompareView,
    console: ConsoleView,
  };
  return (
    <>
      {TABS.filter(([id]) => seen.has(id)).map(([id, title]) => {
        const View = views[id];
        return (
          <section
            key={id}
            id={`view-${id}`}
            role="tabpanel"
            aria-labelledby={`tab-${id}`}
            hidden={id !== tab}
            aria-label={title}
          >
            <View {...props} />
          </section>
        );
      })}
    </>
  );
}

function ReadyFrame({ ready, inspect }: { ready: Ready; inspect: Inspect }) {
  const [hash, go] = useHash('overview');
  const [key, setKey] = useState<OpenKey>();
  const tab = TABS.find(([id]) => id === hash)?.[0] ?? 'overview';
  const closeKey = useCallback(() => setKey(undefined), []);
  const [preset, setPreset] = useState<Partial<KeyQuery>>();
  const searchFor = useCallback(
    (query: Partial<KeyQuery>) => {
      setPreset(query);
      go('search');
    },
    [go],
  );
  const findings = ready.report.findings.length;
  const tabs = TABS.map(([id, title]) => ({
    ...{ id, title },
    ...(id === 'findings' && findings > 0 ? { badge: findings } : {}),
  }));
  return (
    <>
      <Tabs label="Views" tabs={tabs} current={tab} onPick={go} />
      <main>
        <Views {...{ ready, inspect, openKey: setKey, go, searchFor, preset, tab }} />
      </main>
      {key !== undefined && (
        <ValueDrawer
          wanted={key}
          source={key.source ?? ready.source}
          client={inspect.client}
          nowMs={ready.report.nowMs}
          onClose={closeKey}
        />
      )}
    </>
  );
}

/** Where the keyboard goes on: the tab in hand, what ends a reading, or what asks for a file. */
const FIRST = '[role=tab][aria-selected=true], main.start button';

export function App() {
  const inspect = useInspect();
  const { state } = inspect;
  const isOver = useDrop(inspect.open);
  useEffect(() => void preloadCharts(), []);
  useFocusKept(state.phase, FIRST);
  return (
    <div class={isOver ? 'page dropping' : 'page'}>
      <Header inspect={inspect} />
      {state.phase === 'start' && <StartView problem={state.problem} onFile={inspect.open} />}
      {state.phase === 'reading' && <ReadingView state={state} onCancel={inspect.cancel} />}
      {state.phase === 'ready' && <ReadyFrame key={state.tookMs} ready={state} inspect={inspect} />}
    </div>
  );
}
