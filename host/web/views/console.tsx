// The console: the core itself, in a worker of its own, with the dump loaded.

import type { VNode } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Report } from '../analysis.js';
import type { Ready, ViewProps } from '../app.js';
import { CallError, WorkerClient } from '../client.js';
import { bytes, count } from '../format.js';
import { Card } from '../parts/card.js';
import { ReplyText } from '../parts/reply.js';
import type { ConsoleFacts, Progress } from '../protocol.js';
import { problemText, sizeOf, useFocusKept } from '../state.js';
import type { Hint } from '../worker/command-hints.js';
import type { Reply } from '../worker/reply.js';
import { ProgressBar } from './reading.js';

type Life =
  | { phase: 'off' }
  | { phase: 'starting'; progress: Progress; sinceMs: number }
  | { phase: 'on'; facts: ConsoleFacts }
  | { phase: 'failed'; problem: string };

interface Line {
  id: number;
  line: string;
  /** Undefined: it is still running. */
  replies: Reply[] | undefined;
  ms: number;
}

const LINES_MAX = 100;
const DATABASES = 16;
/** More would cost memory and time for nothing but their number. */
const DATABASES_MAX = 65_536;
const NOTHING_LOADED = { source: undefined, functions: [], databases: DATABASES };

/** As many databases as the file needs. */
function databasesOf({ databases, bounds }: Report): number {
  // numbers of some are not known
  if (bounds.some(({ table }) => table === 'databases')) return DATABASES_MAX;
  const last = Math.max(DATABASES - 1, ...databases.map(({ db }) => db));
  return Math.min(last + 1, DATABASES_MAX);
}

function useConsole({ source, report }: Ready) {
  const [life, setLife] = useState<Life>({ phase: 'off' });
  const [lines, setLines] = useState<readonly Line[]>([]);
  const client = useRef<WorkerClient>(undefined);
  const nextId = useRef(0);
  useEffect(() => () => client.current?.close(), []);

  const start = async (withFile: boolean) => {
    client.current?.close();
    const sinceMs = performance.now();
    const onProgress = (progress: Progress) => setLife({ phase: 'starting', progress, sinceMs });
    onProgress({ bytes: 0, size: withFile ? sizeOf(source) : undefined });
    const { ConsoleWorker } = await import('../console-worker.js');
    const worker = new WorkerClient(() => new ConsoleWorker({ name: 'console' }));
    client.current = worker;
    try {
      const { functions } = report.file;
      const whole = { source, functions, databases: databasesOf(report) };
      const args = withFile ? whole : NOTHING_LOADED;
      const facts = await worker.call('consoleStart', args, { onProgress });
      setLife({ phase: 'on', facts });
    } catch (error) {
      worker.close();
      if (client.current !== worker) return;
      const isAborted = error instanceof CallError && error.isAborted;
      setLife(isAborted ? { phase: 'off' } : { phase: 'failed', problem: problemText(error) });
    }
  };
  const put = (line: Line) => {
    setLines((before) => {
      if (!before.some(({ id }) => id === line.id)) return [...before, line].slice(-LINES_MAX);
      return before.map((old) => (old.id === line.id ? line : old));
    });
  };
  const run = async (line: string) => {
    const began = performance.now();
    const id = nextId.current++;
    const end = (replies: Reply[]) => put({ id, line, replies, ms: performance.now() - began });
    put({ id, line, replies: undefined, ms: 0 });
    try {
      end((await client.current?.call('consoleRun', { line })) ?? []);
    } catch (error) {
      end([{ kind: 'error', text: problemText(error) }]);
    }
  };
  const hint = useCallback(
    async (line: string) => client.current?.call('consoleHint', { line }).catch(() => undefined),
    [],
  );
  const stop = () => {
    client.current?.close();
    setLife({ phase: 'off' });
  };
  return { life, lines, start, run, hint, stop, clear: () => setLines([]) };
}

/** What was typed before, walked through with the arrows. */
interface PromptProps {
  onRun: (line: string) => void;
  onClear: () => void;
  hintFor: (line: string) => Promise<Hint | undefined>;
}

function Prompt({ onRun, onClear, hintFor }: PromptProps) {
  const [text, setText] = useState('');
  const history = useRef<string[]>([]);
  const at = useRef(0);
  const input = useRef<HTMLInputElement>(null);
  const [hint, setHint] = useState<Hint>();
  useEffect(() => input.current?.focus(), []);
  useEffect(() => {
    let isCurrent = true;
    void hintFor(text).then((found) => isCurrent && setHint(found));
    return () => {
      isCurrent = false;
    };
  }, [text, hintFor]);
  const walk = (step: number) => {
    at.current = Math.max(0, Math.min(history.current.length, at.current + step));
    setText(history.current[at.current] ?? '');
  };
  return (
    <form
      class="prompt"
      onSubmit={(event) => {
        event.preventDefault();
        const line = text.trim();
        if (line === '') return;
        history.current.push(line);
        at.current = history.current.length;
        setText('');
        if (line.toLowerCase() === 'clear') onClear();
        else onRun(line);
      }}
    >
      <span aria-hidden="true">›</span>
      <input
        ref={input}
        aria-label="Command"
        placeholder="Any Redis command"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowUp') walk(-1);
          else if (event.key === 'ArrowDown') walk(1);
          else if (event.key === 'l' && event.ctrlKey) onClear();
          else return;
          event.preventDefault();
        }}
      />
      <p class="hint">
        {hint?.syntax} <small>{hint?.summary}</small>
      </p>
    </form>
  );
}

/** Most commands are done before anybody could read that they run. */
const RUNNING_AFTER_MS = 250;

/** For how long a command has been running. */
function Running() {
  const [seconds, setSeconds] = useState<number>();
  useEffect(() => {
    const began = performance.now();
    const tick = () => setSeconds(Math.floor((performance.now() - began) / 1000));
    const timer = setInterval(tick, RUNNING_AFTER_MS);
    return () => clearInterval(timer);
  }, []);
  return <small>{seconds !== undefined && `running… ${seconds} s`}</small>;
}

function Exchange({ line: { line, replies, ms } }: { line: Line }) {
  return (
    <div class="exchange" aria-busy={replies === undefined}>
      <p>
        <span aria-hidden="true">› </span>
        {line}
        {replies === undefined ? <Running /> : <small>{ms.toFixed(1)} ms</small>}
      </p>
      {replies?.map((reply, i) => (
        <ReplyText key={i} reply={reply} />
      ))}
    </div>
  );
}

function Log({ lines }: { lines: readonly Line[] }) {
  const log = useRef<HTMLDivElement>(null);
  // the same object is not drawn again
  const drawn = useRef(new WeakMap<Line, VNode>());
  const exchange = (line: Line): VNode => {
    const known = drawn.current.get(line) ?? <Exchange key={line.id} line={line} />;
    drawn.current.set(line, known);
    return known;
  };
  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [lines]);
  return (
    <div
      ref={log}
      class="log"
      role="log"
      aria-label="Replies"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: so that the keyboard can scroll it
      tabIndex={0}
    >
      {lines.map(exchange)}
    </div>
  );
}

function Starting({
  life,
  start,
  stop,
}: {
  life: Exclude<Life, { phase: 'on' }>;
  start: (withFile: boolean) => void;
  stop: () => void;
}) {
  if (life.phase === 'starting') {
    return (
      <div class="running">
        <ProgressBar progress={life.progress} sinceMs={life.sinceMs} label="Loading the dump" />
        <button type="button" class="button" onClick={stop}>
          Cancel
        </button>
      </div>
    );
  }
  return (
    <div class="console-start">
      {life.phase === 'failed' && (
        <p class="banner error" role="alert">
          {life.problem}
        </p>
      )}
      <p>
        A whole Redis-compatible engine runs in this page. It holds the data in memory, up to 4 GB;
        the file itself is never changed.
      </p>
      <p>
        <button type="button" class="button main" onClick={() => start(true)}>
          Load the dump and start
        </button>{' '}
        <button type="button" class="button" onClick={() => start(false)}>
          Start empty
        </button>
      </p>
    </div>
  );
}

export function ConsoleView({ ready }: ViewProps) {
  const { life, lines, start, run, hint, stop, clear } = useConsole(ready);
  useFocusKept(life.phase, '#view-console .running button, .console-start button');
  if (life.phase !== 'on') {
    return (
      <Card title="Console" wide>
        <Starting life={life} start={(withFile) => void start(withFile)} stop={stop} />
      </Card>
    );
  }
  const { keys, usedBytes, notes } = life.facts;
  return (
    <Card
      title="Console"
      wide
      note={
        <span class="controls">
          {count(keys)} keys loaded, {bytes(usedBytes)}
          <button type="button" class="button" onClick={stop}>
            Stop
          </button>
        </span>
      }
    >
      {notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      <div class="terminal">
        <Log lines={lines} />
        <Prompt onRun={(line) => void run(line)} onClear={clear} hintFor={hint} />
      </div>
    </Card>
  );
}
