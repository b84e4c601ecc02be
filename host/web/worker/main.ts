// The worker's side of protocol.ts: one table from operation to function. Calls run beside each
// other; each has a signal of its own, so that a reading can be ended at any time.

import { isRespiteError } from '../../errors.js';
import type {
  FromWorker,
  Operation,
  Operations,
  Progress,
  ToWorker,
  WireError,
} from '../protocol.js';
import { analyse } from './analyse.js';
import { hintFor } from './command-hints.js';
import { compare } from './compare.js';
import { Console } from './console.js';
import { exportFile } from './exports.js';
import { search } from './search.js';
import { readValue } from './value.js';

/** What a running operation may use. */
export interface Task<Part = unknown> {
  signal: AbortSignal;
  progress(progress: Progress): void;
  part(part: Part): void;
}

type Handlers = {
  [O in Operation]: (
    args: Operations[O]['in'],
    task: Task<Operations[O]['part']>,
  ) => Promise<Operations[O]['out']> | Operations[O]['out'];
};

const PROGRESS_EVERY_MS = 100;

let console: Console | undefined;

const HANDLERS: Handlers = {
  analyse,
  search,
  value: readValue,
  compare,
  export: exportFile,
  async consoleStart(args, task) {
    console = undefined; // the old core's memory goes first
    const started = await Console.start(args, task);
    console = started.console;
    return started.facts;
  },
  consoleHint: ({ line }) => hintFor(line),
  consoleRun({ line }) {
    if (console === undefined) throw new Error('the console has not been started');
    return console.run(line);
  },
};

/** The part of DedicatedWorkerGlobalScope that is used; the DOM library has no name for it. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}
const scope = globalThis as unknown as WorkerScope;
const running = new Map<number, AbortController>();

function wireError(error: unknown): WireError {
  if (error instanceof DOMException && error.name === 'AbortError') {
    return { code: 'ERR_RESPITE_ABORTED', message: 'Cancelled' };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (isRespiteError(error)) return { code: error.code, message, ...error.details };
  const isUnreadable = error instanceof DOMException && error.name === 'NotReadableError';
  return { code: isUnreadable ? 'ERR_RESPITE_IO' : 'ERROR', message };
}

function taskOf(id: number, signal: AbortSignal): Task {
  let last = 0;
  return {
    signal,
    progress(progress) {
      const now = performance.now();
      if (now - last < PROGRESS_EVERY_MS) return;
      last = now;
      scope.postMessage({ id, progress });
    },
    part: (part) => scope.postMessage({ id, part }),
  };
}

async function run({ id, op, args }: Extract<ToWorker, { op: Operation }>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const handler = HANDLERS[op] as (args: unknown, task: Task) => unknown;
    scope.postMessage({ id, result: await handler(args, taskOf(id, controller.signal)) });
  } catch (error) {
    scope.postMessage({ id, error: wireError(error) });
  } finally {
    running.delete(id);
  }
}

scope.onmessage = ({ data }) => {
  if ('cancel' in data) running.get(data.id)?.abort();
  else void run(data);
};
