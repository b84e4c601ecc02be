// `redis://user:password@host:port` and `--listen host:port` as directives.

import { invalidConfig } from '../config/config.js';
import { URL_HINT } from '../replication/options.js';

const DEFAULT_MASTER_PORT = 6379;

export type Directives = Record<string, string | string[]>;

/** Undoes percent-encoding; a stray `%` stays what it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export interface MasterAddress {
  directives: Directives;
  /** The path of the URL, which has no meaning for a replica; empty when there was none. */
  ignoredPath: string;
}

/** `redis://`, `rediss://` (TLS), or plain `host:port`. Throws ERR_RESPITE_INVALID_CONFIG. */
export function parseMasterUrl(text: string): MasterAddress {
  const withScheme = text.includes('://') ? text : `redis://${text}`;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch {
    throw invalidConfig({ reason: `The address of the master is not a URL: ${URL_HINT}` });
  }
  const isTls = url.protocol === 'rediss:';
  if (!isTls && url.protocol !== 'redis:') {
    const expected = 'The address of the master must begin with redis:// or rediss://';
    throw invalidConfig({ reason: `${expected}, not ${url.protocol}//` });
  }
  const host = decode(url.hostname).replace(/^\[|\]$/g, '');
  if (host === '') throw invalidConfig({ reason: 'The address of the master has no host' });
  const port = url.port === '' ? String(DEFAULT_MASTER_PORT) : url.port;
  const directives: Directives = { replicaof: [host, port] };
  if (url.username !== '') directives.masteruser = decode(url.username);
  if (url.password !== '') directives.masterauth = decode(url.password);
  if (isTls) directives['tls-replication'] = 'yes';
  return { directives, ignoredPath: url.pathname.replace(/^\/+/, '') };
}

/** `127.0.0.1:6380`, `[::1]:6380`, `*:6380`, `:6380` and `6380` (on 127.0.0.1), `/a/socket`. */
export function parseListen(text: string): Directives {
  if (text.startsWith('/')) return { unixsocket: text, port: '0' };
  const match = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d{1,5})$/.exec(text);
  if (match === null || Number(match[3]) > 65535) {
    const reason = `--listen takes an address like 127.0.0.1:6380, not '${text}'`;
    throw invalidConfig({ reason, option: 'listen' });
  }
  return { bind: [match[1] ?? (match[2] || '127.0.0.1')], port: match[3]! };
}
