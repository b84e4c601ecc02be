// Writes that go to a socket's handle without the stream above it. Most replies fit into the
// kernel's buffer at once; for those `socket.write` costs an object for the request, bookkeeping of
// the stream and a callback by nextTick, together more than the core needs for the command.
//
// Node does not export the class of the requests, so it is taken from the first write that goes the
// usual way. Where that does not come about (another engine, a later Node) all writes go that way.

import type net from 'node:net';

/** A request that waits in libuv; Node calls `oncomplete` once. */
interface WriteRequest {
  buffer: Uint8Array | undefined;
  oncomplete: (status: number) => void;
  /** Below 0 until libuv has the request. */
  getAsyncId(): number;
}

/** What we use of the handle below a net.Socket; Node does not type it. */
interface WriteHandle {
  /** Bytes that wait in libuv. */
  readonly writeQueueSize: number;
  /** 0, or an errno; the request is used only if bytes had to wait. */
  writeBuffer(request: WriteRequest, view: Uint8Array): number;
}

let Request: (new () => WriteRequest) | undefined;
/** Serves all writes that are done at once. */
let idle: WriteRequest | undefined;

/** Takes the class of the requests from the next usual write to a handle. */
function watchForRequest(handle: WriteHandle): void {
  const usual = handle.writeBuffer;
  const own = handle as { writeBuffer?: WriteHandle['writeBuffer'] };
  own.writeBuffer = function (this: WriteHandle, request, view) {
    delete own.writeBuffer;
    Request ??= request.constructor as new () => WriteRequest;
    return usual.call(this, request, view);
  };
}

export const WRITE_DONE = 0;
export const WRITE_WAITS = 1;

export class DirectWriter {
  readonly #handle: WriteHandle;
  /** Called for each write that waited, in order; below 0: an errno. */
  readonly #onWritten: (status: number) => void;

  constructor(handle: WriteHandle, onWritten: (status: number) => void) {
    this.#handle = handle;
    this.#onWritten = onWritten;
  }

  /** Bytes that wait. */
  get pendingBytes(): number {
    return this.#handle.writeQueueSize;
  }

  /** WRITE_DONE, WRITE_WAITS (the view must live until `onWritten`), or an errno below 0. */
  write(view: Uint8Array): number {
    const request = idle ?? new (Request as new () => WriteRequest)();
    idle = undefined;
    request.oncomplete = this.#onWritten;
    const error = this.#handle.writeBuffer(request, view);
    if (error < 0) return error;
    if (request.getAsyncId() < 0) {
      idle = request;
      return WRITE_DONE;
    }
    request.buffer = view;
    return WRITE_WAITS;
  }
}

/** A writer for a plain socket; undefined: it is to be written to in the usual way, for now. */
export function directWriter(
  socket: net.Socket,
  onWritten: (status: number) => void,
): DirectWriter | undefined {
  const handle = (socket as unknown as { _handle: Partial<WriteHandle> | null })._handle;
  if (typeof handle?.writeBuffer !== 'function' || typeof handle.writeQueueSize !== 'number') {
    return undefined;
  }
  if (Request === undefined) {
    watchForRequest(handle as WriteHandle);
    return undefined;
  }
  if (typeof Request.prototype.getAsyncId !== 'function') return undefined;
  return new DirectWriter(handle as WriteHandle, onWritten);
}
