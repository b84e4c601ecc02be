// Options of the replica link: what a user may write, and what the link works with.

import { RespiteError } from '../errors.js';
import type { TlsOptions } from '../platform/platform.js';
import type { DisklessLoad } from './policy.js';

export interface MasterAddress {
  host?: string;
  port?: number;
  /** Path of a unix socket; excludes host and port. */
  path?: string;
}

export interface LinkOptions {
  /**
   * `redis://[user[:password]@]host[:port]`, `rediss://…` (TLS), `unix:///path`, `host:port`, or
   * the parts.
   */
  master: string | MasterAddress;
  /** ACL user (masteruser); without it AUTH is sent with the password alone. */
  username?: string;
  /** masterauth. */
  password?: string;
  /** TLS towards the master: settings, or true for the defaults (peer verified). */
  tls?: TlsOptions | boolean;
  /** Name look-up, connecting and TLS together. Default 5 s. */
  connectTimeoutMs?: number;
  /** Silence of the master during handshake and transfer that ends the attempt. Default 60 s. */
  syncTimeoutMs?: number;
  /** Silence of the master in the stream that ends the connection. Default 60 s. */
  readTimeoutMs?: number;
  /** Bytes of ours the master does not take for so long end the connection. Default 10 s. */
  writeTimeoutMs?: number;
  /** Between two REPLCONF ACK. Default 1 s. */
  heartbeatIntervalMs?: number;
  /** Bounds of the delay before a new attempt; full jitter. Default 100 ms and 10 s. */
  reconnectMinMs?: number;
  reconnectMaxMs?: number;
  /** What the master is told about where we listen. */
  announcePort?: number;
  announceIp?: string;
  /** repl-diskless-load: see policy.ts. Default disabled. */
  disklessLoad?: DisklessLoad;
  /** replica-serve-stale-data. Default true. */
  serveStaleData?: boolean;
  /** replica-read-only. Default true. */
  readOnly?: boolean;
  /** Answer LOADING from the start until the first synchronisation. Default false, as Redis. */
  loadingUntilSynced?: boolean;
}

/** The same, complete. */
export interface LinkSettings {
  host: string;
  port: number;
  path: string | undefined;
  username: string | undefined;
  password: string | undefined;
  tls: TlsOptions | undefined;
  connectTimeoutMs: number;
  syncTimeoutMs: number;
  readTimeoutMs: number;
  writeTimeoutMs: number;
  heartbeatIntervalMs: number;
  reconnectMinMs: number;
  reconnectMaxMs: number;
  announcePort: number;
  announceIp: string | undefined;
  disklessLoad: DisklessLoad;
  serveStaleData: boolean;
  readOnly: boolean;
  loadingUntilSynced: boolean;
}

interface Target {
  host: string;
  port: number;
  path: string | undefined;
  isTls: boolean;
  username?: string;
  password?: string;
}

const DEFAULT_PORT = 6379;

function invalid(option: string, reason: string): RespiteError {
  return new RespiteError('ERR_RESPITE_INVALID_CONFIG', `${option}: ${reason}`, {
    details: { option, reason },
  });
}

function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw invalid('master', 'the port must be a number from 1 to 65535');
  }
  return port;
}

function plainTarget(master: MasterAddress): Target {
  const { host = '127.0.0.1', port = DEFAULT_PORT, path } = master;
  if (path !== undefined) return { host: '', port: 0, path, isTls: false };
  if (host === '') throw invalid('master', 'the host is empty');
  return { host, port: checkPort(port), path: undefined, isTls: false };
}

/** `host:port`, `[::1]:port` or a name alone. */
function hostAndPort(text: string): Target {
  const match = /^(?:\[([^\]]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) throw invalid('master', `cannot read ${JSON.stringify(text)}`);
  const port = match[3] === undefined ? DEFAULT_PORT : Number(match[3]);
  return plainTarget({ host: (match[1] ?? match[2]) as string, port });
}

/** What is wrong with a URL is not repeated: it may hold a password. */
export const URL_HINT =
  'it is redis://user:password@host:port, with a port up to 65535, and in user and password ' +
  '# / ? @ : % are written %23 %2F %3F %40 %3A %25';

function serverUrl(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {}
  // a # or / that was not written so has cut off what follows it
  const isCut =
    url?.protocol !== 'unix:' && /[#?@]/.test(`${url?.pathname}${url?.search}${url?.hash}`);
  if (url === undefined || isCut) throw invalid('master', `not a URL: ${URL_HINT}`);
  return url;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('master', `a % is not followed by two digits: ${URL_HINT}`);
  }
}

function urlTarget(text: string): Target {
  const url = serverUrl(text);
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'redis' && scheme !== 'rediss' && scheme !== 'unix') {
    throw invalid('master', `unknown scheme ${scheme}: use redis, rediss or unix`);
  }
  const path = scheme === 'unix' ? decoded(url.pathname) : undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const target: Target = {
    ...plainTarget(
      path === undefined
        ? { host: host || '127.0.0.1', port: url.port === '' ? DEFAULT_PORT : Number(url.port) }
        : { path },
    ),
    isTls: scheme === 'rediss',
  };
  if (url.username !== '') target.username = decoded(url.username);
  if (url.password !== '') target.password = decoded(url.password);
  return target;
}

function readTarget(master: LinkOptions['master']): Target {
  if (typeof master !== 'string') return plainTarget(master);
  if (master.startsWith('/')) return plainTarget({ path: master });
  return /^[a-z+]+:\/\//i.test(master) ? urlTarget(master) : hostAndPort(master);
}

function tlsOf(tls: LinkOptions['tls'], isTls: boolean): TlsOptions | undefined {
  if (tls === undefined || tls === false) return isTls ? {} : undefined;
  return tls === true ? {} : tls;
}

function positive(options: LinkOptions, name: keyof LinkOptions, standard: number): number {
  const value = options[name] as number | undefined;
  if (value === undefined) return standard;
  if (!Number.isFinite(value) || value <= 0) throw invalid(name, 'must be a positive number');
  return value;
}

/** Checks and completes options; throws ERR_RESPITE_INVALID_CONFIG. */
export function linkSettings(options: LinkOptions): LinkSettings {
  const target = readTarget(options.master);
  return {
    host: target.host,
    port: target.port,
    path: target.path,
    username: options.username ?? target.username,
    password: options.password ?? target.password,
    tls: tlsOf(options.tls, target.isTls),
    connectTimeoutMs: positive(options, 'connectTimeoutMs', 5000),
    syncTimeoutMs: positive(options, 'syncTimeoutMs', 60_000),
    readTimeoutMs: positive(options, 'readTimeoutMs', 60_000),
    writeTimeoutMs: positive(options, 'writeTimeoutMs', 10_000),
    heartbeatIntervalMs: positive(options, 'heartbeatIntervalMs', 1000),
    reconnectMinMs: positive(options, 'reconnectMinMs', 100),
    reconnectMaxMs: positive(options, 'reconnectMaxMs', 10_000),
    announcePort: options.announcePort ?? 0,
    announceIp: options.announceIp,
    disklessLoad: options.disklessLoad ?? 'disabled',
    serveStaleData: options.serveStaleData ?? true,
    readOnly: options.readOnly ?? true,
    loadingUntilSynced: options.loadingUntilSynced ?? false,
  };
}

/** `host:port`, `[::1]:port` or the path: for messages. */
export function addressText(settings: LinkSettings): string {
  if (settings.path !== undefined) return settings.path;
  const { host, port } = settings;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
