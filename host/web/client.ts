// The page's side of protocol.ts: calls as promises, with progress, parts and an AbortSignal. A
// worker that dies rejects what was under way, and the next call starts another.

import type {
  FromWorker,
  Operation,
  Operations,
  Progress,
  ToWorker,
  WireError,
} from './protocol.js';

/** What the worker rejected with. */
export class CallError extends Error {
  readonly wire: WireError;

  constructor(wire: WireError) {
    super(wire.message);
    this.wire = wire;
  }

  get isAborted(): boolean {
    return this.wire.code === 'ERR_RESPITE_ABORTED';
  }
}

const CANCELLED: WireError = { code: 'ERR_RESPITE_ABORTED', message: 'Cancelled' };

export interface CallOptions<O extends Operation> {
  signal?: AbortSignal | undefined;
  onProgress?: (progress: Progress) => void;
  onPart?: (part: Operations[O]['part']) => void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  onProgress?: ((progress: Progress) => void) | undefined;
  onPart?: ((part: never) => void) | undefined;
}

/** One worker, which may hold something between calls. */
export class WorkerClient {
  readonly #make: () => Worker;
  #worker: Worker | undefined;
  #nextId = 1;
  readonly #pending = new Map<number, Pending>();

  constructor(make: () => Worker) {
    this.#make = make;
  }

  call<O extends Operation>(
    op: O,
    args: Operations[O]['in'],
    { signal, onProgress, onPart }: CallOptions<O> = {},
  ): Promise<Operations[O]['out']> {
    const id = this.#nextId++;
    const worker = this.#started();
    return new Promise<Operations[O]['out']>((resolve, reject) => {
      const pending = { resolve: resolve as Pending['resolve'], reject, onProgress, onPart };
      this.#pending.set(id, pending as Pending);
      const cancel = () => worker.postMessage({ id, cancel: true } satisfies ToWorker);
      worker.postMessage({ id, op, args } satisfies ToWorker);
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Ends the worker and gives its memory back. */
  close(why: WireError = CANCELLED): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#pending.values()) reject(new CallError(why));
    this.#pending.clear();
  }

  #started(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = this.#make();
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#heard(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.close({ code: 'ERROR', message: `The worker failed: ${event.message}` });
    };
    this.#worker = worker;
    return worker;
  }

  #heard(message: FromWorker): void {
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if ('progress' in message) pending.onProgress?.(message.progress);
    else if ('part' in message) pending.onPart?.(message.part as never);
    else {
      this.#pending.delete(message.id);
      if ('error' in message) pending.reject(new CallError(message.error));
      else pending.resolve(message.result);
    }
  }
}

/** A cancelled worker that has not answered by then is ended. */
const GRACE_MS = 200;

/**
 * Workers for calls that have nothing to do with each other: each call has one to itself, so that
 * none waits for another. A cancelled call rejects at once, whatever its worker is busy with.
 */
export class WorkerPool {
  readonly #make: () => Worker;
  /** Kept for the next call. */
  #idle: WorkerClient | undefined;

  constructor(make: () => Worker) {
    this.#make = make;
  }

  call<O extends Operation>(
    op: O,
    args: Operations[O]['in'],
    { signal, onProgress, onPart }: CallOptions<O> = {},
  ): Promise<Operations[O]['out']> {
    if (signal?.aborted) return Promise.reject(new CallError(CANCELLED));
    const client = this.#idle ?? new WorkerClient(this.#make);
    this.#idle = undefined;
    return new Promise<Operations[O]['out']>((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const cancel = () => {
        reject(new CallError(CANCELLED));
        timer = setTimeout(() => client.close(), GRACE_MS);
      };
      signal?.addEventListener('abort', cancel, { once: true });
      const options: CallOptions<O> = {
        signal,
        onProgress: (progress) => signal?.aborted || onProgress?.(progress),
        onPart: (part) => signal?.aborted || onPart?.(part),
      };
      const over = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        this.#idle ??= client;
        if (this.#idle !== client) client.close();
      };
      client.call(op, args, options).then(resolve, reject).finally(over);
    });
  }
}
