// A client's command done by the master, with write redirection (docs/replication.md).

import { encodeRequest } from '../core/local.js';
import { RespiteError } from '../errors.js';
import type { Redirect, ServerContext } from './context.js';

/** Marks the id of a command that the core would have refused; assembly/commands/process.ts. */
export const REDIRECTED = 1 << 16;

/** Sends the command in the arguments; resolves when its reply is the client's. */
export async function redirect(
  server: Pick<ServerContext, 'core' | 'watchClient'>,
  handle: number,
  request: Redirect,
): Promise<void> {
  const { core } = server;
  const isThere = server.watchClient(handle);
  const words = encodeRequest(core.commandArgs());
  let reply: Uint8Array;
  try {
    reply = await request(core.x.localDb(handle), core.x.clientProtocol(handle), words);
  } catch (error) {
    reply = new TextEncoder().encode(`-${failure(error)}\r\n`);
  }
  if (isThere()) core.replyLate(handle, reply);
}

function failure(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/[\r\n]/g, ' ');
  const isUnsent = error instanceof RespiteError && error.code === 'ERR_RESPITE_NOT_CONNECTED';
  return `${isUnsent ? 'MASTERDOWN' : 'ERR'} ${text}`;
}
