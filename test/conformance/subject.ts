// Starts a server to be compared with redis-server 7.0.15.

import { type Server, type ServerKind, startServer } from '../support/servers.js';

/**
 * Redis 7.0 has no listpack encoding of sets: 0 entries keep respite from using it, so that
 * encodings, DUMP payloads and memory of sets can be compared.
 */
const RESPITE_DIRECTIVES = { 'set-max-listpack-entries': 0 };

export function startSubject(kind: ServerKind): Promise<Server> {
  return startServer(kind, kind === 'respite' ? { directives: RESPITE_DIRECTIVES } : {});
}
