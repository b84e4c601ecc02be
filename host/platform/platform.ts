// The one interface between respite and the world: clock, timers, randomness, sockets, files and
// the process. Interfaces only; nothing here imports `node:`, so that the simulator (and a browser)
// can stand in for the real thing. Node's implementation is node.ts and its neighbours.
//
// Rules every implementation keeps
// - No exception leaves a callback of the platform. A handler that throws closes its connection
//   with that error (see ConnectionHandlers.onClose); socket errors arrive there too.
// - A callback is never called from inside the call that registers it, nor does `write`, `end`,
//   `destroy`, `pauseReads` or `resumeReads` call a handler before it returns.
// - Times are milliseconds unless the name says otherwise. Sizes are bytes.

/** Something that can be cancelled. Cancelling twice, or after it fired, is harmless. */
export interface TimerHandle {
  cancel(): void;
  /** Lets the process end although this timer is pending. */
  unref(): TimerHandle;
}

export interface Clock {
  /** Wall clock, whole milliseconds since 1970. May step backwards. */
  nowMs(): number;
  /** Wall clock, whole microseconds since 1970. May step backwards. */
  nowUs(): number;
  /** Milliseconds from an arbitrary origin, with a fraction; never steps backwards. */
  monotonicMs(): number;
  /** Calls `fn` once, `ms` from now. */
  setTimer(ms: number, fn: () => void): TimerHandle;
  /** Calls `fn` every `ms` until cancelled. */
  setRepeating(ms: number, fn: () => void): TimerHandle;
  /** Holds up the whole process for a while (DEBUG SLEEP), sockets included. */
  block(ms: number): void;
  /** Calls `fn` after pending I/O had its turn: the way to slice long work. */
  defer(fn: () => void): void;
}

export interface Random {
  /** `n` unpredictable bytes. */
  bytes(n: number): Uint8Array;
}

// ---------------------------------------------------------------------------------------------
// Network

/**
 * TLS settings in Redis' words (the tls-* directives). Secure by default: TLS 1.2 or newer, peers
 * are verified, and clients send the server name. `extra` goes to node:tls as it is and wins.
 */
export interface TlsOptions {
  /** PEM text or bytes; used before the file of the same purpose. */
  cert?: string | Uint8Array;
  key?: string | Uint8Array;
  ca?: string | Uint8Array | ReadonlyArray<string | Uint8Array>;
  certFile?: string;
  keyFile?: string;
  keyFilePass?: string;
  caCertFile?: string;
  /** Directory of PEM files (`*.pem`, `*.crt`, `*.cer`, and OpenSSL's hashed `xxxxxxxx.N`). */
  caCertDir?: string;
  dhParamsFile?: string;
  /** Servers only: must clients present a certificate? Redis' default is yes. */
  authClients?: 'yes' | 'no' | 'optional';
  /** As in redis.conf: `TLSv1.2 TLSv1.3`. Empty means 1.2 and newer. */
  protocols?: string;
  /** Ciphers of TLS 1.2 and older. */
  ciphers?: string;
  /** Suites of TLS 1.3. */
  ciphersuites?: string;
  preferServerCiphers?: boolean;
  sessionCaching?: boolean;
  sessionCacheTimeoutSec?: number;
  /** Clients only: name to send and to verify; default is the host unless that is an address. */
  servername?: string;
  /** Clients only: false accepts any certificate. Default true. */
  rejectUnauthorized?: boolean;
  extra?: Readonly<Record<string, unknown>>;
}

export interface ListenOptions {
  /** Address to bind, `*` or `::*` for every IPv4 or IPv6 address. Default 127.0.0.1. */
  host?: string;
  /** 0 lets the system choose: read it back from `Listener.address`. */
  port?: number;
  /** Path of a unix socket; excludes host and port. */
  path?: string;
  /** Permission bits of the socket file, e.g. 0o700. Without it the umask decides. */
  unixPerm?: number;
  backlog?: number;
  tls?: TlsOptions;
  /** Errors of the listener after it started (out of descriptors …). It keeps listening. */
  onError?: (error: Error) => void;
}

export interface ListenerAddress {
  /** Empty for a unix socket. */
  host: string;
  /** 0 for a unix socket. */
  port: number;
  /** Set for a unix socket. */
  path?: string;
}

export interface Listener {
  readonly address: ListenerAddress;
  /** Stops accepting and removes the socket file; accepted connections stay open. */
  close(): Promise<void>;
  /** Replaces certificates for handshakes to come. Throws, changing nothing, if they are bad. */
  setTls(tls: TlsOptions): void;
}

export interface ConnectOptions {
  host?: string;
  port?: number;
  path?: string;
  tls?: TlsOptions;
  /** Time for name look-up, connecting and the TLS handshake together; an ETIMEDOUT error after. */
  timeoutMs?: number;
  localAddress?: string;
  signal?: AbortSignal;
}

export interface ConnectionHandlers {
  /**
   * Where received bytes go. A fixed array may be shared by any number of connections, because
   * the bytes are only meant to be read during `onRead`; plain sockets read straight into it.
   * A function is asked before each delivery instead and costs one copy: for linear memory that
   * can grow, where a view may die between two reads.
   */
  buffer: Uint8Array | (() => Uint8Array);
  /** The first `n` bytes of the buffer were received. They are valid during this call only. */
  onRead(n: number): void;
  /** The peer sent its last byte. Without this handler the connection does `end()`. */
  onEnd?(): void;
  /** A `write` returned false earlier, and now nothing is pending. */
  onDrain?(): void;
  /** Once, last of all; with the error unless the connection ended in order. */
  onClose(error?: Error): void;
}

export interface Connection {
  readonly isTls: boolean;
  readonly isUnix: boolean;
  /** As Redis prints it: `127.0.0.1:1234`, `[::1]:1`, `/path:0` for unix sockets. */
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** Only the address part of the peer (`127.0.0.1`, `::1`); empty for unix sockets. */
  readonly remoteHost: string;
  /** Bytes accepted by `write` that the kernel does not have yet. */
  readonly pendingBytes: number;
  /** True from `end`, `destroy` or a fault on. */
  readonly isClosing: boolean;
  /** Starts reading. Call once, at once: nothing is read, nor a close noticed, before. */
  start(handlers: ConnectionHandlers): void;
  /**
   * Sends the bytes of `view` (a Buffer is a little cheaper than a plain Uint8Array).
   * True: the kernel has them all, or the connection is closing and they were dropped; the memory
   * may be reused at once, and `onFlushed` is not called. False: the memory still belongs to the
   * connection until `onFlushed` is called: exactly once, in the order of the writes, also when
   * the connection breaks (then before onClose). May be called before `start`.
   */
  write(view: Uint8Array, onFlushed?: () => void): boolean;
  pauseReads(): void;
  resumeReads(): void;
  setNoDelay(on: boolean): void;
  /** 0 switches keep-alive probes off; otherwise the first probe comes after `sec` of silence. */
  setKeepAlive(sec: number): void;
  /**
   * Sends what is pending, then closes. Bytes still arriving are thrown away for a short while,
   * so that the peer reads our last reply before it could see a reset.
   */
  end(): void;
  /** Closes now; pending bytes are lost. */
  destroy(error?: Error): void;
}

export interface Net {
  /** Rejects with a system error (`code` EADDRINUSE, EACCES, …) when it cannot listen. */
  listen(options: ListenOptions, onConnection: (connection: Connection) => void): Promise<Listener>;
  /** Resolves when connected (with TLS: when the peer was verified). */
  connect(options: ConnectOptions): Promise<Connection>;
}

// ---------------------------------------------------------------------------------------------
// Files

export interface FileStat {
  sizeBytes: number;
  modifiedMs: number;
  isFile: boolean;
  isDirectory: boolean;
}

/** r: read; w: create or truncate; a: append; r+: read and write; wx: create, fail if there. */
export type OpenMode = 'r' | 'r+' | 'w' | 'wx' | 'a';

export interface FileHandle {
  readonly path: string;
  /** Reads up to `into.length` bytes, at `position` or where the last read ended; 0 at the end. */
  read(into: Uint8Array, position?: number): Promise<number>;
  /** Writes all of `data`, at `position` or where the last write ended. */
  write(data: Uint8Array, position?: number): Promise<void>;
  /** The same, blocking: for the appends that must be down before a reply leaves. */
  writeSync(data: Uint8Array): void;
  /** Forces data and length to the disk. */
  sync(): Promise<void>;
  syncSync(): void;
  truncate(sizeBytes: number): Promise<void>;
  stat(): Promise<FileStat>;
  close(): Promise<void>;
  closeSync(): void;
}

export interface Fs {
  open(path: string, mode: OpenMode, permissions?: number): Promise<FileHandle>;
  /** For start-up and shutdown, where blocking is right. */
  openSync(path: string, mode: OpenMode, permissions?: number): FileHandle;
  rename(from: string, to: string): Promise<void>;
  renameSync(from: string, to: string): void;
  /** A file that is not there is not an error. */
  unlink(path: string): Promise<void>;
  /** undefined when nothing is there. */
  stat(path: string): Promise<FileStat | undefined>;
  statSync(path: string): FileStat | undefined;
  mkdir(path: string): Promise<void>;
  /** Names in a directory, sorted. */
  list(path: string): Promise<string[]>;
  /** Makes renames and new names in a directory survive a power loss. */
  syncDirectory(path: string): Promise<void>;
  /** Whole file; refuses more than `maxBytes` (default 64 MiB). */
  readFile(path: string, maxBytes?: number): Promise<Uint8Array>;
  readFileSync(path: string, maxBytes?: number): Uint8Array;
  writeFile(path: string, data: Uint8Array, permissions?: number): Promise<void>;
  /**
   * Reads a file piece by piece into one buffer and calls `onChunk` for each piece; the next read
   * starts when `onChunk` (or the promise it returned) is done. Resolves to the bytes read.
   */
  readInto(
    path: string,
    buffer: Uint8Array,
    onChunk: (n: number) => void | Promise<void>,
  ): Promise<number>;
  /** Absolute form of a path, relative to the working directory. */
  resolve(...parts: string[]): string;
}

// ---------------------------------------------------------------------------------------------
// Process

export type Signal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGUSR1';

export interface ProcessInfo {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** As INFO prints it: `Linux 6.1.0 x86_64`. */
  readonly os: string;
  readonly executable: string;
  readonly totalMemoryBytes: number;
  /** Version of the JavaScript engine's host, e.g. `20.20.2`. */
  readonly runtimeVersion: string;
  readonly stdoutIsTty: boolean;
  cwd(): string;
  chdir(path: string): void;
  rssBytes(): number;
  /** CPU time used so far. */
  cpuUsage(): { userUs: number; systemUs: number };
  /** Everything on standard input, for `respite serve -`. */
  readStdin(): string;
  writeStdout(text: string): void;
  writeStderr(text: string): void;
  /** Returns the function that unsubscribes. */
  onSignal(signal: Signal, fn: () => void): () => void;
  exit(code: number): void;
}

export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly net: Net;
  readonly fs: Fs;
  readonly process: ProcessInfo;
}
