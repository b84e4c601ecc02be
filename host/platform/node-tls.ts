// Redis' tls-* settings as options of node:tls. The defaults are the safe ones: TLS 1.2 or newer,
// certificates verified in both directions, the server name sent. Nothing here opens a socket.

import { constants } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import type { TlsOptions } from './platform.js';

type Pem = string | Buffer;

const PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const;
const CA_FILE = /\.(pem|crt|cer)$|^[0-9a-f]{8}\.\d+$/;
/** A TLS handshake that takes longer is dropped; nothing can be asked of us before it ends. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

function pem(inline: string | Uint8Array | undefined, file: string | undefined): Pem | undefined {
  if (typeof inline === 'string') return inline;
  if (inline !== undefined) return Buffer.from(inline);
  return file === undefined || file === '' ? undefined : readFileSync(file);
}

function authorities(options: TlsOptions): Pem[] | undefined {
  const found: Pem[] = [];
  const { ca } = options;
  if (typeof ca === 'string') found.push(ca);
  else if (ca instanceof Uint8Array) found.push(Buffer.from(ca));
  else if (ca !== undefined) for (const one of ca) found.push(pem(one, undefined)!);
  const file = pem(undefined, options.caCertFile);
  if (file !== undefined) found.push(file);
  if (options.caCertDir) {
    for (const name of readdirSync(options.caCertDir).sort()) {
      if (CA_FILE.test(name)) found.push(readFileSync(path.join(options.caCertDir, name)));
    }
  }
  return found.length > 0 ? found : undefined;
}

/** `TLSv1.2 TLSv1.3` → the lowest and the highest named. */
function versions(
  protocols: string | undefined,
): Pick<tls.SecureContextOptions, 'minVersion' | 'maxVersion'> {
  const names = (protocols ?? '').split(/\s+/).filter((name) => name !== '');
  if (names.length === 0) return { minVersion: 'TLSv1.2' };
  const ranks = names.map((name) => {
    const rank = PROTOCOLS.findIndex((known) => known.toLowerCase() === name.toLowerCase());
    if (rank < 0) throw new Error(`Unknown TLS protocol '${name}' in tls-protocols`);
    return rank;
  });
  return { minVersion: PROTOCOLS[Math.min(...ranks)]!, maxVersion: PROTOCOLS[Math.max(...ranks)]! };
}

/** Node has one list for both generations of ciphers; the one not given keeps its default. */
function cipherList(options: TlsOptions): string | undefined {
  if (!options.ciphers && !options.ciphersuites) return undefined;
  const defaults = tls.DEFAULT_CIPHERS.split(':');
  const suites =
    options.ciphersuites || defaults.filter((name) => name.startsWith('TLS_')).join(':');
  const older = options.ciphers || defaults.filter((name) => !name.startsWith('TLS_')).join(':');
  return `${suites}:${older}`;
}

function contextOptions(options: TlsOptions): tls.SecureContextOptions {
  const context: tls.SecureContextOptions = versions(options.protocols);
  const cert = pem(options.cert, options.certFile);
  const key = pem(options.key, options.keyFile) ?? cert;
  const ca = authorities(options);
  const ciphers = cipherList(options);
  const dhparam = pem(undefined, options.dhParamsFile);
  if (cert !== undefined) context.cert = cert;
  if (cert !== undefined && key !== undefined) context.key = key;
  if (options.keyFilePass) context.passphrase = options.keyFilePass;
  if (ca !== undefined) context.ca = ca;
  if (ciphers !== undefined) context.ciphers = ciphers;
  if (dhparam !== undefined) context.dhparam = dhparam;
  if (options.preferServerCiphers !== undefined) {
    context.honorCipherOrder = options.preferServerCiphers;
  }
  if (options.sessionCaching === false) context.secureOptions = constants.SSL_OP_NO_TICKET;
  if (options.sessionCacheTimeoutSec !== undefined) {
    context.sessionTimeout = options.sessionCacheTimeoutSec;
  }
  return context;
}

/** Throws with the reason when files cannot be read or the settings contradict each other. */
export function serverTlsOptions(options: TlsOptions): tls.TlsOptions {
  const context = contextOptions(options);
  const auth = options.authClients ?? 'yes';
  if (context.cert === undefined && options.extra === undefined) {
    throw new Error('No tls-cert-file configured!');
  }
  // Without an authority node:tls would trust every public one, and let half the world in.
  if (auth !== 'no' && context.ca === undefined && options.extra?.ca === undefined) {
    throw new Error(
      'Either tls-ca-cert-file or tls-ca-cert-dir must be specified ' +
        'when tls-auth-clients is enabled',
    );
  }
  const result: tls.TlsOptions = {
    ...context,
    requestCert: auth !== 'no',
    rejectUnauthorized: auth === 'yes',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ...options.extra,
  };
  tls.createSecureContext(result); // throws now rather than at the first client
  return result;
}

export function clientTlsOptions(
  options: TlsOptions,
  host: string | undefined,
): tls.ConnectionOptions {
  const result: tls.ConnectionOptions = {
    ...contextOptions(options),
    rejectUnauthorized: options.rejectUnauthorized ?? true,
  };
  const name = options.servername ?? host;
  if (name !== undefined && isIP(name) === 0) result.servername = name;
  return { ...result, ...options.extra };
}

/** `tls-auth-clients optional`: no certificate is fine, a bad one is not. */
export function presentsBadCertificate(socket: tls.TLSSocket): boolean {
  return !socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0;
}
