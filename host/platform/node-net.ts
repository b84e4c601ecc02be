// Listeners and outgoing connections over node:net and node:tls. What happens on a connection once
// it stands is in node-connection.ts; how TLS settings are read is in node-tls.ts.

import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { NodeConnection, type ReportError } from './node-connection.js';
import { clientTlsOptions, presentsBadCertificate, serverTlsOptions } from './node-tls.js';
import type {
  Connection,
  ConnectOptions,
  Listener,
  ListenerAddress,
  ListenOptions,
  Net,
} from './platform.js';

const DEFAULT_BACKLOG = 511;
/** TLS clients in the middle of their handshake; nobody else counts these. */
const HANDSHAKES_MAX = 1024;

type OnConnection = (connection: Connection) => void;

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

// ---------------------------------------------------------------------------------------------
// Listening

/**
 * Removes the socket file a crashed process left behind. A file that is no socket, or a socket
 * that somebody answers on, is left alone and reported.
 */
async function removeStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) {
    throw systemError('EADDRINUSE', `${path} exists and is not a socket`);
  }
  const alive = await new Promise<boolean>((resolve) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
  if (alive) throw systemError('EADDRINUSE', `${path} is in use by another process`);
  unlinkSync(path);
}

function bindTarget(options: ListenOptions): net.ListenOptions {
  const backlog = options.backlog ?? DEFAULT_BACKLOG;
  if (options.path !== undefined) return { path: options.path, backlog };
  const port = options.port ?? 0;
  const host = options.host ?? '127.0.0.1';
  if (host === '*') return { host: '0.0.0.0', port, backlog };
  if (host === '::*') return { host: '::', port, backlog, ipv6Only: true };
  return { host, port, backlog, ipv6Only: net.isIPv6(host) };
}

class NodeListener implements Listener {
  readonly address: ListenerAddress;
  readonly #server: net.Server | tls.Server;

  constructor(server: net.Server | tls.Server) {
    this.#server = server;
    const bound = server.address();
    if (bound === null) throw new Error('The listener has no address');
    this.address =
      typeof bound === 'string'
        ? { host: '', port: 0, path: bound }
        : { host: bound.address, port: bound.port };
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      // The server's own callback would wait for every connection; the port is free at once.
      if (this.#server.listening) this.#server.close();
      setImmediate(resolve);
    });
  }

  setTls(options: Parameters<Listener['setTls']>[0]): void {
    if (!(this.#server instanceof tls.Server)) throw new Error('This listener has no TLS');
    this.#server.setSecureContext(serverTlsOptions(options));
  }
}

function hand(
  socket: net.Socket | tls.TLSSocket,
  options: { isTls: boolean; unixPath: string | undefined; report: ReportError },
  onConnection: OnConnection,
): void {
  const connection = new NodeConnection({ socket, ...options });
  try {
    onConnection(connection);
  } catch (error) {
    connection.destroy();
    options.report(error);
  }
}

function createTlsServer(
  options: ListenOptions,
  report: ReportError,
  onConnection: OnConnection,
): tls.Server {
  const isOptional = options.tls!.authClients === 'optional';
  const server = tls.createServer({
    ...serverTlsOptions(options.tls!),
    allowHalfOpen: true,
    noDelay: options.path === undefined,
  });
  const shaking = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    if (shaking.size >= HANDSHAKES_MAX) {
      socket.destroy();
      return;
    }
    shaking.add(socket);
    socket.once('close', () => shaking.delete(socket));
  });
  server.on('secureConnection', (socket) => {
    const raw = (socket as unknown as { _parent?: net.Socket })._parent;
    if (raw !== undefined) shaking.delete(raw);
    socket.pause();
    if (isOptional && presentsBadCertificate(socket)) {
      socket.on('error', () => {});
      socket.destroy();
      return;
    }
    hand(socket, { isTls: true, unixPath: options.path, report }, onConnection);
  });
  server.on('tlsClientError', (_error, socket) => {
    socket.on('error', () => {});
    socket.destroy();
  });
  return server;
}

function createPlainServer(
  options: ListenOptions,
  report: ReportError,
  onConnection: OnConnection,
): net.Server {
  return net.createServer(
    { pauseOnConnect: true, allowHalfOpen: true, noDelay: options.path === undefined },
    (socket) => hand(socket, { isTls: false, unixPath: options.path, report }, onConnection),
  );
}

async function listen(
  options: ListenOptions,
  report: ReportError,
  onConnection: OnConnection,
): Promise<Listener> {
  if (options.path !== undefined) await removeStaleSocket(options.path);
  const create = options.tls === undefined ? createPlainServer : createTlsServer;
  const server = create(options, report, onConnection);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(bindTarget(options), () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => {
    if (options.onError === undefined) report(error);
    else options.onError(error);
  });
  if (options.path !== undefined && options.unixPerm !== undefined) {
    try {
      chmodSync(options.path, options.unixPerm);
    } catch (error) {
      server.close();
      throw error;
    }
  }
  return new NodeListener(server);
}

// ---------------------------------------------------------------------------------------------
// Connecting

function openSocket(options: ConnectOptions): net.Socket {
  const { path, localAddress } = options;
  const host = options.host ?? '127.0.0.1';
  const port = options.port ?? 6379;
  const target: net.NetConnectOpts =
    path !== undefined ? { path } : { host, port, ...(localAddress ? { localAddress } : {}) };
  if (options.tls === undefined) {
    return net.connect({ ...target, allowHalfOpen: true, noDelay: true });
  }
  const security = clientTlsOptions(options.tls, path === undefined ? host : undefined);
  const merged = { ...target, ...security, allowHalfOpen: true };
  const socket = tls.connect(merged as tls.ConnectionOptions);
  socket.setNoDelay(true);
  return socket;
}

function connect(options: ConnectOptions, report: ReportError): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const { signal, timeoutMs } = options;
    if (signal?.aborted) {
      reject(systemError('ABORT_ERR', 'The connection attempt was aborted'));
      return;
    }
    const socket = openSocket(options); // may throw for bad certificates: rejects
    socket.pause(); // nothing is read before Connection.start
    let timer: NodeJS.Timeout | undefined;
    const stop = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onFailure);
      socket.off('close', onEarlyClose);
    };
    const fail = (error: Error): void => {
      stop();
      socket.on('error', () => {});
      socket.destroy();
      reject(error);
    };
    const onFailure = (error: Error): void => fail(error);
    const onEarlyClose = (): void => {
      fail(systemError('ECONNRESET', 'The connection was closed before it was ready'));
    };
    const onAbort = (): void => {
      fail(systemError('ABORT_ERR', 'The connection attempt was aborted'));
    };
    socket.on('error', onFailure);
    socket.on('close', onEarlyClose);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (timeoutMs !== undefined && timeoutMs > 0) {
      const where = options.path ?? `${options.host ?? '127.0.0.1'}:${options.port ?? 6379}`;
      timer = setTimeout(() => {
        fail(systemError('ETIMEDOUT', `No connection to ${where} within ${timeoutMs} ms`));
      }, timeoutMs);
    }
    socket.once(options.tls === undefined ? 'connect' : 'secureConnect', () => {
      stop();
      const isTls = options.tls !== undefined;
      resolve(new NodeConnection({ socket, isTls, unixPath: options.path, report }));
    });
  });
}

export function createNodeNet(report: ReportError): Net {
  return {
    listen: (options, onConnection) => listen(options, report, onConnection),
    connect: (options) => connect(options, report),
  };
}
