// The data of a core, in the process: a replica's, or (open.ts) one's own. Reads without a socket
// and without a promise: `get` takes the shortest way there is; everything else is a command like
// any client's, with the same answers and errors (LOADING, READONLY, WRONGTYPE), thrown as
// RespiteError.

import { CLEANUP_PRESETS, type CleanupConfig } from '../config/index.js';
import type { Core } from '../core/core.js';
import { type Argument, LocalClient, type LocalClock } from '../core/local.js';
import type { ReplyValue } from '../core/resp-value.js';
import { type DatabaseStatistics, readDatabaseStatistics } from '../core/statistics.js';
import { RespiteError } from '../errors.js';

export type Key = string | Uint8Array;

export interface ScanOptions {
  match?: Key;
  count?: number;
  /** Only keys of this type, as TYPE names it. */
  type?: string;
}

export interface ScanPage {
  /** Goes into the next call; '0' at the end. */
  cursor: string;
  keys: Uint8Array[];
}

const decoder = new TextDecoder();
/** Redis' defaults; without an LFU policy nothing reads them. */
const LFU_LOG_FACTOR = 10;
const LFU_DECAY_MINUTES = 1;

/** Runs a command at the master, in a database; an error reply rejects. */
export type Forward = (db: number, args: readonly Argument[]) => Promise<ReplyValue>;

export interface StorageHooks {
  /** As in LocalClient. */
  onReady?: () => void;
  /** Write redirection: what takes the scripts that may write. */
  forward?: Forward;
}

/** What is behind a storage, for those that build on it (host/lua/engine.ts). */
export interface StorageParts {
  readonly core: Core;
  readonly client: LocalClient;
  readonly forward: Forward | undefined;
}

let partsOf: (storage: Storage) => StorageParts;

export function storageParts(storage: Storage): StorageParts {
  return partsOf(storage);
}

export class Storage {
  readonly #core: Core;
  readonly #client: LocalClient;
  readonly #forward: Forward | undefined;
  #db = 0;
  #cleanup: CleanupConfig = { ...CLEANUP_PRESETS.default! };

  static {
    partsOf = (storage) => ({
      core: storage.#core,
      client: storage.#client,
      forward: storage.#forward,
    });
  }

  constructor(core: Core, clock: LocalClock, defaultDatabase = 0, hooks: StorageHooks = {}) {
    this.#core = core;
    this.#client = new LocalClient(core, clock, hooks.onReady);
    this.#forward = hooks.forward;
    if (defaultDatabase !== 0) this.select(defaultDatabase);
  }

  /** Any command. Bulk strings come as bytes. An error reply is thrown. */
  call(...args: readonly Argument[]): ReplyValue {
    const value = this.#client.call(...args);
    if (/^select$/i.test(String(args[0]))) this.#db = Number(args[1]);
    return value;
  }

  // ---- reading

  get(key: Key): Uint8Array | null {
    return this.#client.get(key, this.#db);
  }

  /** The value as text (UTF-8). */
  getText(key: Key): string | null {
    return this.#client.getText(key, this.#db);
  }

  mget(...keys: readonly Key[]): (Uint8Array | null)[] {
    return this.call('MGET', ...keys) as (Uint8Array | null)[];
  }

  /** How many of the keys exist. */
  exists(...keys: readonly Key[]): number {
    return this.call('EXISTS', ...keys) as number;
  }

  /** Seconds; -1 without expiry, -2 without key. */
  ttl(key: Key): number {
    return this.call('TTL', key) as number;
  }

  pttl(key: Key): number {
    return this.call('PTTL', key) as number;
  }

  type(key: Key): string {
    return this.call('TYPE', key) as string;
  }

  keys(pattern: Key = '*'): Uint8Array[] {
    return this.call('KEYS', pattern) as Uint8Array[];
  }

  scan(cursor: string | number = '0', options: ScanOptions = {}): ScanPage {
    const args: Argument[] = ['SCAN', cursor];
    if (options.match !== undefined) args.push('MATCH', options.match);
    if (options.count !== undefined) args.push('COUNT', options.count);
    if (options.type !== undefined) args.push('TYPE', options.type);
    const [next, keys] = this.call(...args) as [Uint8Array, Uint8Array[]];
    return { cursor: decoder.decode(next), keys };
  }

  /** Every key that is there throughout, each at least once. */
  *scanKeys(options: ScanOptions = {}): Generator<Uint8Array> {
    let cursor = '0';
    do {
      const page = this.scan(cursor, options);
      yield* page.keys;
      cursor = page.cursor;
    } while (cursor !== '0');
  }

  /** Entries of the selected database; expired ones the master has not deleted are counted. */
  dbsize(): number {
    return this.#core.x.localDbSize(this.#db);
  }

  /** Entries of all databases. */
  get keyCount(): number {
    return this.#core.x.replicaKeyCount();
  }

  /** Bytes the core has in use. */
  get memoryUsage(): number {
    return this.#core.x.replicaUsedBytes();
  }

  /** Keys, keys with an expiry and average TTL of a database, or of the selected one. */
  databaseInfo(db = this.#db): DatabaseStatistics {
    return readDatabaseStatistics(this.#core, db);
  }

  /**
   * Writes of clients are refused with OOM beyond so many bytes; 0 = no limit. The master's stream
   * is not held back by it: a copy must stay whole (`maxMemory` of the replica bounds that).
   */
  setMemoryLimit(bytes: number): void {
    this.#core.x.configureMemory(bytes, false, LFU_LOG_FACTOR, LFU_DECAY_MINUTES);
  }

  /** How expired keys are looked for while this data is nobody's replica. */
  get cleanupConfig(): CleanupConfig {
    return this.#cleanup;
  }

  /** A preset of PARITY's six by name, or parameters of one's own; takes effect at once. */
  setCleanupConfig(config: string | CleanupConfig): void {
    const chosen = typeof config === 'string' ? CLEANUP_PRESETS[config] : config;
    if (chosen === undefined) {
      const names = Object.keys(CLEANUP_PRESETS).join(', ');
      throw new RespiteError(
        'ERR_RESPITE_INVALID_CONFIG',
        `there is no preset ${JSON.stringify(config)}: the presets are ${names}`,
        { details: { option: 'cleanup', reason: 'unknown preset' } },
      );
    }
    const { sampleSize, maxRounds, batchSize, expiredThreshold } = chosen;
    this.#core.x.configureExpire(sampleSize, maxRounds, batchSize, expiredThreshold);
    this.#cleanup = { ...chosen };
  }

  info(section?: string): string {
    const text = section === undefined ? this.call('INFO') : this.call('INFO', section);
    return text instanceof Uint8Array ? decoder.decode(text) : String(text);
  }

  // ---- databases

  get currentDb(): number {
    return this.#db;
  }

  /** Only for this storage: every client and the master's stream have a selection of their own. */
  select(db: number): void {
    this.call('SELECT', db);
  }

  // ---- writing: refused with ERR_RESPITE_READ_ONLY unless the replica may be written to

  set(key: Key, value: Key | number, options: { expireMs?: number } = {}): void {
    if (options.expireMs === undefined) this.call('SET', key, value);
    else this.call('SET', key, value, 'PX', options.expireMs);
  }

  del(...keys: readonly Key[]): number {
    return this.call('DEL', ...keys) as number;
  }

  expire(key: Key, seconds: number): boolean {
    return this.call('EXPIRE', key, seconds) === 1;
  }

  flushAll(): void {
    this.call('FLUSHALL');
  }

  /** Runs commands as one transaction; an error of one is its value. */
  multi(commands: readonly (readonly Argument[])[]): ReplyValue[] {
    this.call('MULTI');
    for (const command of commands) {
      const queued = this.#client.callRaw(command);
      if (queued instanceof RespiteError) {
        this.#client.callRaw(['DISCARD']);
        throw queued;
      }
    }
    return this.call('EXEC') as ReplyValue[];
  }

  close(): void {
    this.#client.close();
  }
}
