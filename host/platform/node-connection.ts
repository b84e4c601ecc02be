// One TCP, unix or TLS socket as the Connection of platform.ts.
//
// Reads. A plain socket is accepted paused and unread; `start` takes its handle away and wraps it
// as `new net.Socket({ handle, onread: { buffer } })`, so that the kernel's bytes land in the
// owner's buffer (linear memory) with no Buffer and no stream machinery per read. All sockets may
// share one buffer because libuv fills it and calls back before it reads the next socket. TLS
// sockets, and buffers given as a function, get `data` events whose bytes are copied over in
// pieces of at most the buffer's length.
//
// Writes. Plain sockets are written to below the stream (direct-write.ts). `socket.write`, the way
// of all others, tries the kernel at once as well; when `writableLength` is 0 afterwards all bytes
// are gone and the memory is free. Otherwise the write waits in `#waiting` until its callback.
// Callbacks come in order, one for each write, so counting them is enough; one bound function
// serves all writes of a connection.
//
// Closing. `end()` sends FIN after the pending bytes, then throws away what still arrives until
// the peer closes too or LINGER_MS is over: closing with unread input would send RST, and RST
// can destroy the reply the peer has not read yet.

import net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { getSystemErrorName } from 'node:util';
import { type DirectWriter, directWriter, WRITE_DONE, WRITE_WAITS } from './direct-write.js';
import type { Connection, ConnectionHandlers } from './platform.js';

const LINGER_MS = 1000;

/** What we use of the handle below a net.Socket; Node does not type it. */
interface HandleOwner {
  _handle: object | null;
}

interface OnReadSocketOptions extends net.SocketConstructorOpts {
  handle: object;
  onread: { buffer: Uint8Array; callback: (n: number) => boolean };
}

interface WaitingWrite {
  /** Number of the write, counted from 1. */
  seq: number;
  onFlushed: (() => void) | undefined;
}

export type ReportError = (error: unknown) => void;

export interface NodeConnectionOptions {
  socket: net.Socket | TLSSocket;
  isTls: boolean;
  /** Path of the unix socket; undefined for TCP. */
  unixPath: string | undefined;
  /** Told of exceptions thrown by handlers that have no connection left to close. */
  report: ReportError;
}

/** `127.0.0.1:6380` or `[::1]:6380`; IPv4 addresses mapped into IPv6 are unwrapped. */
export function formatAddress(host: string | undefined, port: number | undefined): string {
  const plain = plainHost(host);
  return plain.includes(':') ? `[${plain}]:${port ?? 0}` : `${plain}:${port ?? 0}`;
}

function plainHost(host: string | undefined): string {
  if (host === undefined) return '?';
  return host.startsWith('::ffff:') && host.includes('.') ? host.slice(7) : host;
}

export class NodeConnection implements Connection {
  readonly isTls: boolean;
  readonly isUnix: boolean;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly remoteHost: string;

  #socket: net.Socket;
  #handlers: ConnectionHandlers | undefined;
  readonly #report: ReportError;
  #closing = false;
  #closed = false;
  #error: Error | undefined;
  #peerEnded = false;
  #endDelivered = false;
  #lingering = false;
  #linger: NodeJS.Timeout | undefined;

  /** A plain socket that reads into the owner's buffer. */
  #isDirect = false;
  #writer: DirectWriter | undefined;
  #issued = 0;
  #done = 0;
  #waiting: WaitingWrite[] = [];
  #needDrain = false;

  #paused = false;
  /** Bytes of a `data` event not yet delivered because reads were paused within it. */
  #rest: Uint8Array | undefined;
  #delivering = false;

  constructor(options: NodeConnectionOptions) {
    const { socket, unixPath } = options;
    this.isTls = options.isTls;
    this.isUnix = unixPath !== undefined;
    this.#report = options.report;
    this.#socket = socket;
    if (unixPath !== undefined) {
      this.remoteAddress = `${unixPath}:0`;
      this.localAddress = `${unixPath}:0`;
      this.remoteHost = '';
    } else {
      this.remoteAddress = formatAddress(socket.remoteAddress, socket.remotePort);
      this.localAddress = formatAddress(socket.localAddress, socket.localPort);
      this.remoteHost = plainHost(socket.remoteAddress);
    }
    this.#listenTo(socket);
  }

  get pendingBytes(): number {
    return this.#socket.writableLength + (this.#writer?.pendingBytes ?? 0);
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  start(handlers: ConnectionHandlers): void {
    if (this.#handlers !== undefined) throw new Error('Connection.start was called twice');
    this.#handlers = handlers;
    if (this.#closed) {
      process.nextTick(() => this.#call(() => handlers.onClose(this.#error)));
      return;
    }
    if (this.#closing) return;
    const { buffer } = handlers;
    // Bytes written before `start` that still wait belong to the old socket object: keep it then.
    if (typeof buffer === 'function' || this.isTls || this.#socket.writableLength > 0) {
      this.#socket.on('data', this.#onData);
    } else {
      this.#rewrap(buffer);
    }
    if (this.#paused) this.#socket.pause();
    else this.#socket.resume();
  }

  write(view: Uint8Array, onFlushed?: () => void): boolean {
    if (this.#closing || view.length === 0) return true;
    this.#issued++;
    if (this.#writer !== undefined ? this.#writeDirectly(this.#writer, view) : this.#write(view)) {
      return true;
    }
    this.#waiting.push({ seq: this.#issued, onFlushed });
    this.#needDrain = true;
    return false;
  }

  #write(view: Uint8Array): boolean {
    const socket = this.#socket;
    if (this.#isDirect && socket.writableLength === 0) {
      this.#writer = directWriter(socket, this.#onWritten);
      if (this.#writer !== undefined) return this.#writeDirectly(this.#writer, view);
    }
    socket.write(view, this.#onUsual);
    return socket.writableLength === 0;
  }

  #writeDirectly(writer: DirectWriter, view: Uint8Array): boolean {
    const result = writer.write(view);
    if (result === WRITE_WAITS) return false;
    this.#done++;
    if (result !== WRITE_DONE) this.#failWrite(result);
    return true;
  }

  #failWrite(errno: number): void {
    if (this.#closing) return;
    const code = getSystemErrorName(errno);
    this.#onError(Object.assign(new Error(`write ${code}`), { errno, code, syscall: 'write' }));
  }

  pauseReads(): void {
    if (this.#paused) return;
    this.#paused = true;
    if (this.#handlers !== undefined && !this.#lingering) this.#socket.pause();
  }

  resumeReads(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#handlers === undefined || this.#closed) return;
    if (this.#rest === undefined && !this.#peerEnded) this.#socket.resume();
    else if (!this.#delivering) process.nextTick(() => this.#deliverRest());
  }

  setNoDelay(on: boolean): void {
    if (!this.isUnix && !this.#closed) this.#socket.setNoDelay(on);
  }

  setKeepAlive(sec: number): void {
    if (!this.isUnix && !this.#closed) this.#socket.setKeepAlive(sec > 0, sec * 1000);
  }

  end(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#lingering = true;
    this.#rest = undefined;
    const socket = this.#socket;
    socket.once('finish', () => {
      if (this.#peerEnded) {
        socket.destroy();
        return;
      }
      this.#linger = setTimeout(() => socket.destroy(), LINGER_MS);
    });
    socket.end();
    socket.resume();
  }

  destroy(error?: Error): void {
    this.#closing = true;
    this.#error ??= error;
    if (!this.#closed) this.#socket.destroy();
  }

  // -------------------------------------------------------------------------------------------

  #listenTo(socket: net.Socket): void {
    socket.on('error', this.#onError);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClosed);
  }

  /** Moves the handle of the accepted socket into one that reads into `buffer`. */
  #rewrap(buffer: Uint8Array): void {
    const old = this.#socket;
    const owner = old as unknown as HandleOwner;
    const handle = owner._handle;
    if (handle === null) return; // closing already: 'close' is on its way
    owner._handle = null;
    old.removeAllListeners();
    old.on('error', () => {});
    old.destroy(); // only the empty object: it also leaves its server's count of connections
    const options: OnReadSocketOptions = {
      handle,
      allowHalfOpen: true,
      readable: true,
      writable: true,
      onread: { buffer, callback: (n: number) => this.#onDirectRead(n) },
    };
    this.#socket = new net.Socket(options);
    this.#isDirect = true;
    // Write callbacks of the old object may still come: the count simply goes on.
    this.#listenTo(this.#socket);
  }

  #onDirectRead(n: number): boolean {
    if (this.#closing) return true;
    try {
      this.#handlers!.onRead(n);
    } catch (error) {
      this.#fail(error);
    }
    return true;
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#closing) return;
    this.#rest = chunk;
    this.#deliverRest();
  };

  #deliverRest(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    const handlers = this.#handlers!;
    try {
      while (this.#rest !== undefined && !this.#paused && !this.#closing) {
        const { buffer } = handlers;
        const target = typeof buffer === 'function' ? buffer() : buffer;
        const rest: Uint8Array = this.#rest;
        const n = Math.min(rest.length, target.length);
        target.set(rest.subarray(0, n));
        this.#rest = n < rest.length ? rest.subarray(n) : undefined;
        handlers.onRead(n);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#delivering = false;
    if (this.#rest !== undefined || this.#paused || this.#closing) return;
    if (this.#peerEnded) this.#deliverEnd();
    else this.#socket.resume();
  }

  readonly #onEnd = (): void => {
    this.#peerEnded = true;
    if (this.#closing) {
      if (this.#lingering && this.#socket.writableFinished) this.#socket.destroy();
      return;
    }
    if (this.#rest === undefined && !this.#paused) this.#deliverEnd();
  };

  #deliverEnd(): void {
    if (this.#endDelivered || this.#closing) return;
    this.#endDelivered = true;
    const handlers = this.#handlers;
    if (handlers?.onEnd === undefined) {
      this.end();
      return;
    }
    try {
      handlers.onEnd();
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #onError = (error: Error): void => {
    this.#closing = true;
    this.#error ??= error;
    // A half-open TLS socket emits 'error' for an alert of its peer without closing itself.
    this.#socket.destroy();
  };

  readonly #onUsual = (): void => this.#onWritten(0);

  readonly #onWritten = (status: number): void => {
    this.#done++;
    if (status < 0) this.#failWrite(status);
    const waiting = this.#waiting;
    while (waiting.length > 0 && waiting[0]!.seq <= this.#done) {
      const { onFlushed } = waiting.shift()!;
      if (onFlushed !== undefined) this.#call(onFlushed);
    }
    if (this.#needDrain && !this.#closing && this.pendingBytes === 0) {
      this.#needDrain = false;
      const handlers = this.#handlers;
      if (handlers?.onDrain !== undefined) this.#call(() => handlers.onDrain!());
    }
  };

  readonly #onClosed = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing = true;
    clearTimeout(this.#linger);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { onFlushed } of waiting) if (onFlushed !== undefined) this.#call(onFlushed);
    const handlers = this.#handlers;
    if (handlers !== undefined) this.#call(() => handlers.onClose(this.#error));
  };

  /** A handler threw: that is the end of this connection, not of the process. */
  #fail(error: unknown): void {
    this.destroy(error instanceof Error ? error : new Error(String(error)));
  }

  #call(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      if (this.#closed) this.#report(error);
      else this.#fail(error);
    }
  }
}
