// The worker's side of protocol.ts: calls run beside each other, each with a signal of its own, so
// that a reading can be ended at any time. Each worker has its own table of operations.

import { isRespiteError } from '../../errors.js';
import type {
  FromWorker,
  Operation,
  Operations,
  Progress,
  ToWorker,
  WireError,
} from '../protocol.js';

/** What a running operation may use. */
export interface Task<Part = unknown> {
  signal: AbortSignal;
  progress(progress: Progress): void;
  part(part: Part): void;
}

export type Handlers<Some extends Operation> = {
  [O in Some]: (
    args: Operations[O]['in'],
    task: Task<Operations[O]['part']>,
  ) => Promise<Operations[O]['out']> | Operations[O]['out'];
};

const PROGRESS_EVERY_MS = 100;

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
  return { code: 'ERROR', message };
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

type Call = Extract<ToWorker, { op: Operation }>;

async function run(handlers: Handlers<never>, { id, op, args }: Call): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const handler = (handlers as Handlers<Operation>)[op] as (args: unknown, task: Task) => unknown;
    scope.postMessage({ id, result: await handler(args, taskOf(id, controller.signal)) });
  } catch (error) {
    scope.postMessage({ id, error: wireError(error) });
  } finally {
    running.delete(id);
  }
}

/** Answers calls of these operations. */
export function serve<Some extends Operation>(handlers: Handlers<Some>): void {
  scope.onmessage = ({ data }) => {
    if ('cancel' in data) running.get(data.id)?.abort();
    else void run(handlers, data);
  };
}
