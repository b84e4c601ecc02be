// The tls-* directives as the platform's TlsOptions.

import type { TlsOptions } from '../platform/platform.js';
import type { Config } from './config.js';

function common(config: Config): TlsOptions {
  return {
    caCertFile: config.str('tls-ca-cert-file'),
    caCertDir: config.str('tls-ca-cert-dir'),
    protocols: config.str('tls-protocols'),
    ciphers: config.str('tls-ciphers'),
    ciphersuites: config.str('tls-ciphersuites'),
  };
}

/** For the listener at tls-port. */
export function serverTlsOf(config: Config): TlsOptions {
  return {
    ...common(config),
    certFile: config.str('tls-cert-file'),
    keyFile: config.str('tls-key-file'),
    keyFilePass: config.str('tls-key-file-pass'),
    dhParamsFile: config.str('tls-dh-params-file'),
    authClients: config.str('tls-auth-clients') as 'yes' | 'no' | 'optional',
    preferServerCiphers: config.bool('tls-prefer-server-ciphers'),
    sessionCaching: config.bool('tls-session-caching'),
    sessionCacheTimeoutSec: config.int('tls-session-cache-timeout'),
  };
}

/**
 * For the link to a master, or undefined when tls-replication is off. Redis: without client
 * certificates of its own, the server's are shown.
 */
export function clientTlsOf(config: Config): TlsOptions | undefined {
  if (!config.bool('tls-replication')) return undefined;
  const hasOwn = config.str('tls-client-cert-file') !== '';
  const part = hasOwn ? 'tls-client-' : 'tls-';
  return {
    ...common(config),
    certFile: config.str(`${part}cert-file`),
    keyFile: config.str(`${part}key-file`),
    keyFilePass: config.str(`${part}key-file-pass`),
  };
}
