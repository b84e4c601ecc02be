// Opening what the configuration asks for: TCP on every bound address, TLS, a unix socket.

import { type Config, serverTlsOf } from '../config/index.js';
import { RespiteError } from '../errors.js';
import type {
  Connection,
  Listener,
  ListenOptions,
  Platform,
  TlsOptions,
} from '../platform/platform.js';

/** Addresses to bind; those marked `-` may fail (an address family the machine does not have). */
function bindings(config: Config): { host: string; optional: boolean }[] {
  return config.list('bind').map((word) => {
    const optional = word.startsWith('-');
    return { host: optional ? word.slice(1) : word, optional };
  });
}

export class Listeners {
  readonly #open: Listener[] = [];
  readonly #config: Config;
  readonly #platform: Platform;
  readonly #onConnection: (socket: Connection) => void;
  readonly #onError: (error: Error) => void;

  constructor(
    config: Config,
    platform: Platform,
    onConnection: (socket: Connection) => void,
    onError: (error: Error) => void,
  ) {
    this.#config = config;
    this.#platform = platform;
    this.#onConnection = onConnection;
    this.#onError = onError;
  }

  /** Opens all of them or none. */
  async open(): Promise<void> {
    try {
      await this.#openTcp(this.#config.int('port'), undefined);
      await this.#openTcp(this.#config.int('tls-port'), () => serverTlsOf(this.#config));
      await this.#openUnix();
    } catch (error) {
      await this.close();
      throw error;
    }
    if (this.#open.length === 0) {
      throw new RespiteError('ERR_RESPITE_LISTEN', 'Configured to not listen anywhere', {
        details: { address: '' },
      });
    }
  }

  async #openTcp(port: number, tls: (() => TlsOptions) | undefined): Promise<void> {
    if (port === 0 && (tls !== undefined || this.#config.str('unixsocket') !== '')) return;
    for (const { host, optional } of bindings(this.#config)) {
      const used = this.#open.find((l) => l.address.port !== 0 && tls === undefined);
      // Port 0 chooses once: the other addresses take the same port.
      const actual = port === 0 && used !== undefined ? used.address.port : port;
      try {
        await this.#listen({ host, port: actual, tls: tls?.() });
      } catch (error) {
        const code = (error as { code?: string }).code;
        const isAbsent = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
        if (!(optional && isAbsent)) throw this.#failed(`${host}:${actual}`, error);
      }
    }
  }

  async #openUnix(): Promise<void> {
    const path = this.#config.str('unixsocket');
    if (path === '') return;
    const perm = this.#config.int('unixsocketperm');
    try {
      await this.#listen({ path, unixPerm: perm === 0 ? undefined : perm });
    } catch (error) {
      throw this.#failed(path, error);
    }
  }

  async #listen(options: ListenOptions): Promise<void> {
    const backlog = this.#config.int('tcp-backlog');
    const listener = await this.#platform.net.listen(
      { ...options, backlog, onError: this.#onError },
      this.#onConnection,
    );
    this.#open.push(listener);
  }

  #failed(address: string, cause: unknown): RespiteError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new RespiteError('ERR_RESPITE_LISTEN', `cannot listen on ${address}: ${reason}`, {
      cause,
      details: { address },
    });
  }

  /** Ports and paths in use, the first is the main one. */
  get addresses(): readonly Listener['address'][] {
    return this.#open.map((listener) => listener.address);
  }

  /**
   * Moves to the addresses the configuration says now. If that fails nothing is open: the caller
   * puts the old configuration back and calls it again, as CONFIG SET does.
   */
  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }

  /** New certificates for the TLS listeners. */
  reloadTls(): void {
    const tls = serverTlsOf(this.#config);
    for (const listener of this.#open) {
      if (listener.address.port === this.#config.int('tls-port')) listener.setTls(tls);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((listener) => listener.close()));
  }
}
