// Write redirection: what a read-only replica may not do itself, done by its master. Requests of
// all clients share one connection for each protocol and database, in order; a reply comes back as
// it is. Beside the link, with its address, user, password and TLS.
//
// A request is sent once. When its answer is lost nobody knows whether it was carried out, and the
// error says so.

import { concat, encodeRequest } from '../core/local.js';
import { ReplyReader } from '../core/resp-value.js';
import { RespiteError } from '../errors.js';
import type { Connection, Platform, TimerHandle } from '../platform/platform.js';
import type { Redirect } from '../server/context.js';
import type { Forward } from '../storage/storage.js';
import { addressText, type LinkSettings } from './options.js';
import { ReplyFrame } from './reply-frame.js';

const READ_BYTES = 1 << 16;

interface Pending {
  readonly isOurs: boolean;
  resolve(reply: Uint8Array): void;
  reject(error: Error): void;
}

/** One connection, of one protocol, in one database. */
class Lane {
  readonly #platform: Platform;
  readonly #settings: LinkSettings;
  readonly #protocol: number;
  readonly #db: number;
  readonly #onEnd: () => void;
  readonly #pending: Pending[] = [];
  #connection: Connection | undefined;
  readonly #opening: Promise<Connection>;
  #frame = new ReplyFrame();
  #parts: Uint8Array[] = [];
  #silence: TimerHandle | undefined;
  #isOver = false;

  constructor(
    platform: Platform,
    settings: LinkSettings,
    [protocol, db]: readonly [number, number],
    onEnd: () => void,
  ) {
    this.#platform = platform;
    this.#settings = settings;
    this.#protocol = protocol;
    this.#db = db;
    this.#onEnd = onEnd;
    this.#opening = this.#open();
    this.#opening.catch((error: Error) => this.end(error));
  }

  async #open(): Promise<Connection> {
    const { host, port, path, tls, connectTimeoutMs: timeoutMs } = this.#settings;
    const target = path === undefined ? { host, port } : { path };
    const connection = await this.#platform.net.connect({ ...target, tls, timeoutMs });
    if (this.#isOver) {
      connection.destroy();
      throw new RespiteError('ERR_RESPITE_CLOSED');
    }
    this.#connection = connection;
    connection.setKeepAlive(60);
    connection.setNoDelay(true);
    const buffer = new Uint8Array(READ_BYTES);
    connection.start({
      buffer,
      onRead: (length) => this.#onRead(buffer.subarray(0, length)),
      onClose: (error) => this.end(error),
    });
    await this.#introduce();
    return connection;
  }

  /** AUTH, protocol, database; a refusal is an error. */
  async #introduce(): Promise<void> {
    const { username, password } = this.#settings;
    const words: string[] = [];
    if (this.#protocol === 3) {
      words.push('HELLO', '3');
      if (password) words.push('AUTH', username ?? 'default', password);
    } else if (password) {
      words.push('AUTH', ...(username ? [username] : []), password);
    }
    if (words.length > 0) await this.#ask(words, 'ERR_RESPITE_AUTH');
    if (this.#db !== 0) await this.#ask(['SELECT', String(this.#db)], 'ERR_RESPITE_PROTOCOL');
  }

  async #ask(words: readonly string[], code: 'ERR_RESPITE_AUTH' | 'ERR_RESPITE_PROTOCOL') {
    const reply = errorOf(await this.#send(encodeRequest(words), true));
    if (reply === undefined) return;
    const address = addressText(this.#settings);
    const message = `The master ${address} answered ${words[0]} with: ${reply}`;
    throw new RespiteError(code, message, { details: { address, reply } });
  }

  async call(request: Uint8Array): Promise<Uint8Array> {
    await this.#opening;
    if (this.#isOver) throw new RespiteError('ERR_RESPITE_NOT_CONNECTED');
    return this.#send(request, false);
  }

  #send(request: Uint8Array, isOurs: boolean): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ isOurs, resolve, reject });
      if (this.#pending.length === 1) this.#watch();
      this.#connection?.write(request);
    });
  }

  /** Silence ends the connection: nobody waits for ever. */
  #watch(): void {
    this.#silence?.cancel();
    this.#silence = undefined;
    if (this.#pending.length === 0) return;
    const timeoutMs = this.#settings.readTimeoutMs;
    this.#silence = this.#platform.clock
      .setTimer(timeoutMs, () => {
        const details = { operation: 'redirection', timeoutMs };
        this.end(new RespiteError('ERR_RESPITE_TIMEOUT', undefined, { details }));
      })
      .unref();
  }

  #onRead(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const end = this.#frame.take(bytes, at);
      this.#parts.push(bytes.slice(at, end < 0 ? bytes.length : end));
      if (end < 0) break;
      at = end;
      const reply = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : concat(this.#parts);
      this.#parts = [];
      this.#pending.shift()?.resolve(reply);
    }
    this.#watch();
  }

  /** Once: whoever waits gets an error. */
  end(cause?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#silence?.cancel();
    this.#connection?.destroy();
    this.#onEnd();
    const address = addressText(this.#settings);
    const lost = new RespiteError(
      'ERR_RESPITE_CONNECTION',
      `The connection to the master ${address} broke: whether it ran the command is unknown`,
      { cause, details: { address } },
    );
    for (const { isOurs, reject } of this.#pending.splice(0))
      reject(isOurs && cause ? cause : lost);
  }
}

/** Sends requests to the master and brings replies back. */
export class Redirector {
  readonly #platform: Platform;
  readonly #settings: LinkSettings;
  /** By protocol and database. */
  readonly #lanes = new Map<string, Lane>();
  #isClosed = false;

  constructor(platform: Platform, settings: LinkSettings) {
    this.#platform = platform;
    this.#settings = settings;
  }

  /**
   * The reply to a request, as bytes, in protocol 2 or 3. Rejects with _NOT_CONNECTED (nothing was
   * sent), _CONNECTION (the answer was lost), _AUTH, _TIMEOUT, _PROTOCOL or _CLOSED.
   */
  readonly request: Redirect = async (db, protocol, request) => {
    if (this.#isClosed) throw new RespiteError('ERR_RESPITE_CLOSED');
    try {
      return await this.#lane(db, protocol).call(request);
    } catch (error) {
      throw error instanceof RespiteError ? error : this.#unreachable(error as Error);
    }
  };

  #lane(db: number, protocol: number): Lane {
    const key = `${protocol}/${db}`;
    const there = this.#lanes.get(key);
    if (there !== undefined) return there;
    const lane: Lane = new Lane(this.#platform, this.#settings, [protocol, db], () => {
      if (this.#lanes.get(key) === lane) this.#lanes.delete(key);
    });
    this.#lanes.set(key, lane);
    return lane;
  }

  #unreachable(cause: Error): RespiteError {
    const address = addressText(this.#settings);
    const message = `No connection to the master ${address}, nothing was sent: ${cause.message}`;
    return new RespiteError('ERR_RESPITE_NOT_CONNECTED', message, { cause, details: { address } });
  }

  /** For calls in the process: an error reply rejects. */
  readonly forward: Forward = async (db, args) => {
    const value = new ReplyReader(await this.request(db, 2, encodeRequest(args))).next();
    if (value instanceof RespiteError) throw value;
    return value;
  };

  close(): void {
    this.#isClosed = true;
    for (const lane of [...this.#lanes.values()]) lane.end(new RespiteError('ERR_RESPITE_CLOSED'));
  }
}

/** The text of an error reply. */
function errorOf(reply: Uint8Array): string | undefined {
  if (reply[0] !== 45) return undefined;
  return new TextDecoder().decode(reply.subarray(1)).trimEnd();
}
