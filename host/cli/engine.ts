// The one place where the command line meets the server. Loaded only when a command needs it, so
// that --help and configuration errors answer without compiling the core.

import type { Config } from '../config/index.js';
import type { Logger } from '../log.js';
import type { Platform } from '../platform/platform.js';

/** What the command line needs of a server it started. */
export interface RunningServer {
  /** `127.0.0.1:6380`, `[::1]:6380` or `/path:0`; one for each listener. */
  readonly address: readonly string[];
  /** Saves what must be saved and closes. Rejects, and keeps running, when it could not. */
  close(): Promise<void>;
  /** Settles when the server ended by itself: SHUTDOWN resolves, a fault rejects. */
  readonly done: Promise<void>;
}

export type StartServer = (
  config: Config,
  platform: Platform,
  log: Logger,
) => Promise<RunningServer>;

export async function loadEngine(): Promise<StartServer> {
  const { startServer } = await import('../serve.js');
  return startServer;
}
