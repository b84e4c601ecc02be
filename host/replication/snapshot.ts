// The data of a live server as RDB bytes: a replica for one full synchronisation, which then goes.
// The server does what it does for any replica (one fork); its keys are not scanned.

import { RespiteError } from '../errors.js';
import type { Connection, Platform } from '../platform/platform.js';
import type { RdbPullSource } from '../rdb/source.js';
import { ANNOUNCED_VERSION, Handshake } from './handshake.js';
import { addressText, type LinkOptions, type LinkSettings, linkSettings } from './options.js';
import { psyncRequest, readPsyncAnswer } from './psync.js';
import { type PayloadHeader, readPayloadHeader } from './transfer.js';
import { encodeRequest, LineReader } from './wire.js';

const READ_BYTES = 1 << 18;
/** PSYNC came with 2.8. */
const UNKNOWN_COMMAND = /^-ERR unknown command/i;

/** Options of the link that matter here. */
export type SnapshotOptions = Pick<
  LinkOptions,
  'master' | 'username' | 'password' | 'tls' | 'connectTimeoutMs' | 'syncTimeoutMs'
>;

/**
 * Connects, asks for everything and resolves when the first bytes are about to come. Rejects with
 * ERR_RESPITE_CONNECTION, _TIMEOUT, _AUTH, _PSYNC_REFUSED, _SYNC or _PROTOCOL. Whoever reads it to
 * its end or calls `close` ends the connection; before it resolves `signal` does
 * (ERR_RESPITE_ABORTED).
 */
export async function openSnapshot(
  platform: Platform,
  options: SnapshotOptions,
  signal?: AbortSignal,
): Promise<RdbPullSource & { readonly address: string; position(): number }> {
  const settings = linkSettings(options);
  let snapshot: Snapshot | undefined;
  const onAbort = (): void => snapshot?.close();
  try {
    snapshot = new Snapshot(platform, settings, await connect(platform, settings, signal));
    signal?.addEventListener('abort', onAbort);
    if (!signal?.aborted) await snapshot.begin();
    if (!signal?.aborted) return snapshot;
    throw new RespiteError('ERR_RESPITE_ABORTED');
  } catch (error) {
    snapshot?.close();
    throw signal?.aborted ? new RespiteError('ERR_RESPITE_ABORTED') : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function connect(
  platform: Platform,
  settings: LinkSettings,
  signal: AbortSignal | undefined,
): Promise<Connection> {
  const { host, port, path, tls, connectTimeoutMs: timeoutMs } = settings;
  const target = path === undefined ? { host, port } : { path };
  const address = addressText(settings);
  try {
    return await platform.net.connect({
      ...target,
      tls,
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (cause) {
    const message = `No connection to ${address}: ${(cause as Error).message}`;
    if ((cause as { code?: string }).code === 'ETIMEDOUT') {
      const details = { operation: 'connect', timeoutMs };
      throw new RespiteError('ERR_RESPITE_TIMEOUT', message, { cause, details });
    }
    throw new RespiteError('ERR_RESPITE_CONNECTION', message, { cause, details: { address } });
  }
}

class Snapshot implements RdbPullSource {
  readonly address: string;
  readonly #platform: Platform;
  readonly #settings: LinkSettings;
  readonly #connection: Connection;
  readonly #buffer = new Uint8Array(READ_BYTES);
  /** What is there to be taken: [at, end) of the buffer. */
  #at = 0;
  #end = 0;
  #wake: (() => void) | undefined;
  #isWaiting = false;
  #isLost = false;
  #lostBy: Error | undefined;
  readonly #lines = new LineReader();
  #header: PayloadHeader = {};
  #taken = 0;
  /** The last bytes of the payload, as long as the mark. */
  #tail = '';

  constructor(platform: Platform, settings: LinkSettings, connection: Connection) {
    this.address = addressText(settings);
    this.#platform = platform;
    this.#settings = settings;
    this.#connection = connection;
    const lost = (error?: Error): void => {
      this.#isLost = true;
      this.#lostBy ??= error;
      this.#wake?.();
    };
    connection.setKeepAlive(60);
    connection.start({
      buffer: this.#buffer,
      onRead: (length) => {
        // nothing more before this was taken
        connection.pauseReads();
        this.#at = 0;
        this.#end = length;
        this.#wake?.();
      },
      onEnd: lost,
      onClose: lost,
    });
  }

  /** Bytes of the RDB, where the server says it before. */
  get size(): number | undefined {
    return this.#header.length;
  }

  position(): number {
    return this.#taken;
  }

  /** Everything up to the first byte of the RDB. */
  async begin(): Promise<void> {
    const { username, password } = this.#settings;
    const { address } = this;
    const version = ANNOUNCED_VERSION;
    const handshake = new Handshake({ address, username, password, announcePort: 0, version });
    this.#connection.write(handshake.begin());
    for (;;) {
      const next = handshake.reply(await this.#line());
      if (next === true) break;
      if (next.length > 0) this.#connection.write(next);
    }
    // Known from 7.0 on: the server keeps no stream for us. Others say an error.
    this.#connection.write(encodeRequest(['REPLCONF', 'rdb-only', '1']));
    await this.#line();
    this.#connection.write(psyncRequest(undefined));
    const line = await this.#line();
    if (UNKNOWN_COMMAND.test(line)) {
      this.#connection.write(encodeRequest(['SYNC']));
    } else {
      const answer = readPsyncAnswer(line, undefined, address);
      if (answer.kind === 'later') {
        throw new RespiteError(
          'ERR_RESPITE_SYNC',
          `${address} cannot give its data now: ${answer.reply}`,
          { details: { phase: 'psync', retries: 0 } },
        );
      }
    }
    this.#header = readPayloadHeader(await this.#line());
  }

  async pull(into: Uint8Array): Promise<number> {
    const { length, mark } = this.#header;
    if (length !== undefined ? this.#taken === length : this.#tail === mark) return 0;
    await this.#received();
    const left = length === undefined ? into.length : Math.min(into.length, length - this.#taken);
    const part = this.#buffer.subarray(this.#at, Math.min(this.#end, this.#at + left));
    into.set(part);
    this.#at += part.length;
    this.#taken += part.length;
    if (mark !== undefined) {
      const last = String.fromCharCode(...part.subarray(-mark.length));
      this.#tail = (this.#tail + last).slice(-mark.length);
    }
    return part.length;
  }

  close(): void {
    // who waits for the server has given up
    if (this.#isWaiting) this.#connection.destroy();
    else this.#connection.end();
  }

  /** The next line that says something; empty ones are signs of life. */
  async #line(): Promise<string> {
    for (;;) {
      await this.#received();
      const isWhole = this.#lines.take(this.#buffer.subarray(this.#at, this.#end));
      this.#at += this.#lines.used;
      if (isWhole && this.#lines.line !== '') return this.#lines.line;
    }
  }

  /** Resolves when bytes are there to be taken. */
  async #received(): Promise<void> {
    if (this.#at < this.#end) return;
    const { syncTimeoutMs: timeoutMs } = this.#settings;
    let isLate = false;
    const timer = this.#platform.clock.setTimer(timeoutMs, () => {
      isLate = true;
      this.#wake?.();
    });
    this.#connection.resumeReads();
    this.#isWaiting = true;
    while (this.#at >= this.#end && !this.#isLost && !isLate) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isWaiting = false;
    timer.cancel();
    if (this.#at < this.#end) return;
    const { address } = this;
    if (isLate) {
      const message = `${address} was silent for ${timeoutMs} ms`;
      const details = { operation: 'synchronise', timeoutMs };
      throw new RespiteError('ERR_RESPITE_TIMEOUT', message, { details });
    }
    const cause = this.#lostBy;
    const why = cause === undefined ? 'the server closed it' : cause.message;
    const message = `The connection to ${address} broke: ${why}`;
    throw new RespiteError('ERR_RESPITE_CONNECTION', message, { cause, details: { address } });
  }
}
