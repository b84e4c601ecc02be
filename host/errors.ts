// Every error respite throws to its users: one class, one table of stable codes. Match on `code`,
// never on the message. docs/errors.md explains each code; a unit test keeps the two in step.
// Portable: no `node:` import.

/** Code → what it says in one line. The keys are API and never change their meaning. */
export const ERROR_CODES = {
  ERR_RESPITE_NOT_CONNECTED: 'There is no connection to the master',
  ERR_RESPITE_SYNC_IN_PROGRESS: 'The data set is still being loaded',
  ERR_RESPITE_READ_ONLY: 'A write was sent to a read only replica',
  ERR_RESPITE_INVALID_COMMAND: 'The command does not exist or its arguments are wrong',
  ERR_RESPITE_INVALID_CONFIG: 'An option or configuration line is wrong',
  ERR_RESPITE_TIMEOUT: 'Something did not happen in time',
  ERR_RESPITE_CLOSED: 'The object was closed',
  ERR_RESPITE_ABORTED: 'The operation was aborted by its signal',
  ERR_RESPITE_SYNC: 'Synchronisation with the master failed',
  ERR_RESPITE_CONNECTION: 'The connection to a server failed',
  ERR_RESPITE_AUTH: 'The server refused the user or password',
  ERR_RESPITE_PSYNC_REFUSED: 'The master does not allow replication',
  ERR_RESPITE_PROTOCOL: 'The peer sent bytes that are not the protocol',
  ERR_RESPITE_RDB_FORMAT: 'The RDB data is damaged or of an unknown kind',
  ERR_RESPITE_RDB_LOSS: 'The RDB file to be written cannot hold something of its source',
  ERR_RESPITE_OUT_OF_MEMORY: 'The data does not fit into the memory allowed',
  ERR_RESPITE_DIVERGED: 'The copy no longer equals the master',
  ERR_RESPITE_REPLY: 'A command was answered with an error',
  ERR_RESPITE_LISTEN: 'A listener could not be opened',
  ERR_RESPITE_IO: 'A file could not be read or written',
  ERR_RESPITE_UNSUPPORTED: 'This is not available here',
  ERR_RESPITE_CORE: 'The core failed; this instance is dead',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Where a synchronisation was when it failed. */
export type SyncPhase = 'connect' | 'handshake' | 'psync' | 'transfer' | 'load' | 'stream';

interface DetailsOf {
  ERR_RESPITE_NOT_CONNECTED: { address?: string };
  ERR_RESPITE_INVALID_COMMAND: { command?: string };
  ERR_RESPITE_INVALID_CONFIG: {
    /** Directive or option, when one is to blame. */
    option?: string;
    /** File the line stands in; absent for options of the command line. */
    file?: string;
    /** 1-based; absent when no single line is to blame. */
    line?: number;
    /** The line, secrets removed. */
    lineText?: string;
    reason: string;
  };
  ERR_RESPITE_TIMEOUT: { operation?: string; timeoutMs?: number };
  ERR_RESPITE_SYNC: { phase: SyncPhase; retries: number };
  ERR_RESPITE_CONNECTION: { address: string };
  ERR_RESPITE_AUTH: { address?: string; reply?: string };
  ERR_RESPITE_PSYNC_REFUSED: { address?: string; reply: string };
  ERR_RESPITE_PROTOCOL: { data?: string; offset?: number };
  ERR_RESPITE_RDB_FORMAT: { offset: number; reason: string; key?: string; db?: number };
  ERR_RESPITE_RDB_LOSS: { kind: string; db: number; key: string; count: number };
  ERR_RESPITE_OUT_OF_MEMORY: {
    limitBytes?: number;
    neededBytes?: number;
    /** Of an RDB file: how far it was read, and the key that was read there. */
    offset?: number;
    key?: string;
    db?: number;
  };
  ERR_RESPITE_DIVERGED: { command?: string; offset?: number; count?: number };
  ERR_RESPITE_REPLY: { reply: string; command?: string };
  ERR_RESPITE_LISTEN: { address: string };
  ERR_RESPITE_IO: { path: string };
  ERR_RESPITE_UNSUPPORTED: { feature?: string };
}

/** Facts that come with a code; codes without any have an empty record. */
export type ErrorDetails<C extends ErrorCode> = C extends keyof DetailsOf
  ? DetailsOf[C]
  : Record<string, never>;

export interface RespiteErrorOptions<C extends ErrorCode> {
  cause?: unknown;
  details?: ErrorDetails<C> | undefined;
}

export class RespiteError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly details: Readonly<ErrorDetails<C>>;

  /** Without a message the code's own line is used. */
  constructor(code: C, message?: string, options: RespiteErrorOptions<C> = {}) {
    super(
      message ?? ERROR_CODES[code],
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.name = 'RespiteError';
    this.code = code;
    this.details = options.details ?? ({} as ErrorDetails<C>);
  }
}

/** Narrows to one code, or to any RespiteError without a second argument. */
export function isRespiteError<C extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: C,
): error is RespiteError<C> {
  return error instanceof RespiteError && (code === undefined || error.code === code);
}
