// A respite server that answers over TCP, a unix socket and TLS, for the client libraries.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Directives, freePort, type Server, startServer } from '../support/servers.js';

export type Way = 'tcp' | 'unix' | 'tls';
export const WAYS: readonly Way[] = ['tcp', 'unix', 'tls'];

export interface Endpoint {
  server: Server;
  tlsPort: number;
  socketPath: string;
  ca: string;
  close(): Promise<void>;
}

function certificates(dir: string): void {
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  openssl(
    ...['req', '-x509', ...key, '-days', '2', '-subj', '/CN=localhost', ...names],
    ...['-keyout', 'server.key', '-out', 'server.crt'],
  );
}

export async function startEndpoint(directives: Directives = {}): Promise<Endpoint> {
  const dir = mkdtempSync(join(tmpdir(), 'respite-clients-'));
  certificates(dir);
  const tlsPort = await freePort();
  const socketPath = join(dir, 'respite.sock');
  const server = await startServer('respite', {
    directives: {
      'tls-port': tlsPort,
      'tls-cert-file': join(dir, 'server.crt'),
      'tls-key-file': join(dir, 'server.key'),
      'tls-auth-clients': 'no',
      unixsocket: socketPath,
      ...directives,
    },
  });
  return {
    server,
    tlsPort,
    socketPath,
    ca: readFileSync(join(dir, 'server.crt'), 'utf8'),
    async close() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
