// MIGRATE: keys are dumped here, restored on another server, and deleted here once that server has
// acknowledged them.
//
// Redis holds up everybody meanwhile. Here others are served, so a key may change between its dump
// and the acknowledgement: a key is deleted only if it still dumps to what was sent (the look and
// the DEL are one turn), and sent again if not. Each MIGRATE opens a connection of its own.

import { type Argument, encodeRequest, LocalClient } from '../../core/local.js';
import type { ReplyValue } from '../../core/resp-value.js';
import type { Connection, TimerHandle } from '../../platform/platform.js';
import type { HostCall, HostHandler } from '../host-commands.js';
import { argText, parseInteger } from '../host-commands.js';

/** How often keys that keep changing are sent again. */
const ROUNDS_MAX = 5;
const TIMEOUT_DEFAULT_MS = 1000;

interface Plan {
  host: string;
  port: number;
  db: number;
  /** Longest silence. */
  timeoutMs: number;
  keys: Uint8Array[];
  isCopy: boolean;
  replaces: boolean;
  /** Arguments of AUTH. */
  auth: Uint8Array[] | undefined;
}

/** What a dump of a key is to be compared with. */
interface Sent {
  key: Uint8Array;
  payload: Uint8Array;
  expireAt: number;
}

class MigrateError extends Error {}

const SYNTAX = 'ERR syntax error';

/** The options behind the first six words; a text is what is wrong with them. */
function parseOptions(call: HostCall): Omit<Plan, 'host' | 'port' | 'db' | 'timeoutMs'> | string {
  const { argv } = call;
  const plan = {
    keys: [argv[3]!],
    isCopy: false,
    replaces: false,
    auth: undefined as Plan['auth'],
  };
  for (let i = 6; i < argv.length; i++) {
    const word = argText(call, i).toLowerCase();
    const takes = word === 'auth' ? 1 : word === 'auth2' ? 2 : 0;
    if (i + takes >= argv.length) return SYNTAX;
    if (word === 'copy') plan.isCopy = true;
    else if (word === 'replace') plan.replaces = true;
    else if (takes > 0) plan.auth = argv.slice(i + 1, i + 1 + takes);
    else if (word !== 'keys') return SYNTAX;
    else if (argv[3]!.length > 0) {
      return 'ERR When using MIGRATE KEYS option, the key argument must be set to the empty string';
    } else {
      plan.keys = argv.slice(i + 1);
      break;
    }
    i += takes;
  }
  return plan;
}

function parsePlan(call: HostCall): Plan | string {
  const options = parseOptions(call);
  if (typeof options === 'string') return options;
  const timeoutMs = parseInteger(argText(call, 5));
  const db = parseInteger(argText(call, 4));
  if (timeoutMs === undefined || db === undefined) {
    return 'ERR value is not an integer or out of range';
  }
  return {
    ...options,
    host: argText(call, 1),
    port: Number.parseInt(argText(call, 2), 10) || 0,
    db,
    timeoutMs: timeoutMs > 0 ? timeoutMs : TIMEOUT_DEFAULT_MS,
  };
}

/** A connection that is asked for one line after the other. */
class Target {
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #setTimer: (ms: number, fn: () => void) => TimerHandle;
  readonly #buffer = new Uint8Array(4096);
  #text = '';
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(connection: Connection, call: HostCall, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#setTimer = (ms, fn) => call.server.platform.clock.setTimer(ms, fn);
    connection.setNoDelay(true);
    connection.start({
      buffer: this.#buffer,
      onRead: (n) => {
        this.#text += latin1.decode(this.#buffer.subarray(0, n));
        this.#wake();
      },
      onClose: () => {
        this.#isClosed = true;
        this.#wake();
      },
    });
  }

  /** Sends a request; resolves when the system has it. */
  async send(request: readonly Argument[]): Promise<void> {
    let isFlushed = this.#connection.write(encodeRequest(request), () => {
      isFlushed = true;
      this.#wake();
    });
    await this.#until(() => isFlushed, 'writing');
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    await this.#until(() => this.#text.includes('\r\n'), 'reading');
    const end = this.#text.indexOf('\r\n');
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 2);
    return line;
  }

  async #until(isDone: () => boolean, what: string): Promise<void> {
    let isLate = false;
    while (!isDone()) {
      if (this.#isClosed || isLate) {
        throw new MigrateError(`IOERR error or timeout ${what} to target instance`);
      }
      await new Promise<void>((resolve) => {
        const timer = this.#setTimer(this.#timeoutMs, () => {
          isLate = true;
          resolve();
        });
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
  }

  close(): void {
    this.#connection.destroy();
  }
}

const latin1 = new TextDecoder('latin1');

class Migration {
  readonly #call: HostCall;
  readonly #plan: Plan;
  readonly #local: LocalClient;
  /** The first thing the target refused. */
  #refusal: string | undefined;

  constructor(call: HostCall, plan: Plan, local: LocalClient) {
    this.#call = call;
    this.#plan = plan;
    this.#local = local;
  }

  /** The reply's text: a status or an error. */
  async run(): Promise<string> {
    const present = this.#plan.keys.filter((key) => this.#ask('EXISTS', key) === 1);
    if (present.length === 0) return '+NOKEY';
    const target = await this.#connect();
    try {
      const { auth, db } = this.#plan;
      if (auth !== undefined) await this.#must(target, ['AUTH', ...auth]);
      await this.#must(target, ['SELECT', db]);
      if (this.#refusal === undefined) await this.#moveAll(target, present);
    } finally {
      target.close();
    }
    if (this.#refusal === undefined) return '+OK';
    return `-ERR Target instance replied with error: ${this.#refusal}`;
  }

  #ask(...args: readonly Argument[]): ReplyValue {
    return this.#local.callRaw(args);
  }

  async #connect(): Promise<Target> {
    const { host, port, timeoutMs } = this.#plan;
    const { net } = this.#call.server.platform;
    try {
      const connection = await net.connect({ host, port, timeoutMs });
      return new Target(connection, this.#call, timeoutMs);
    } catch (error) {
      // Redis: whether a connection was refused shows when it is written to.
      const { code } = error as { code?: string };
      const isRefused = code === 'ECONNREFUSED' || code === 'ERR_SOCKET_BAD_PORT';
      throw new MigrateError(
        isRefused
          ? 'IOERR error or timeout writing to target instance'
          : 'IOERR error or timeout connecting to the client',
      );
    }
  }

  async #must(target: Target, request: readonly Argument[]): Promise<void> {
    await target.send(request);
    this.#note(await target.line());
  }

  /** Whether the target did it; the first refusal is kept. */
  #note(line: string): boolean {
    if (!line.startsWith('-')) return true;
    this.#refusal ??= line.slice(1);
    return false;
  }

  async #moveAll(target: Target, keys: readonly Uint8Array[]): Promise<void> {
    let left = keys;
    for (let round = 0; left.length > 0; round++) {
      if (round === ROUNDS_MAX) {
        throw new MigrateError('ERR the keys changed again and again while they were migrated');
      }
      left = await this.#moveOnce(target, left, round > 0);
    }
  }

  /** Sends keys and deletes what arrived; gives those that have changed meanwhile. */
  async #moveOnce(
    target: Target,
    keys: readonly Uint8Array[],
    isAgain: boolean,
  ): Promise<Uint8Array[]> {
    const arrived: Sent[] = [];
    try {
      for (const key of keys) {
        const sent = await this.#restore(target, key, isAgain || this.#plan.replaces);
        if (sent !== undefined) arrived.push(sent);
      }
    } catch (error) {
      this.#forget(arrived);
      throw error;
    }
    return this.#forget(arrived);
  }

  /** RESTORE of one key; undefined: it is gone, or the target does not take it. */
  async #restore(target: Target, key: Uint8Array, replaces: boolean): Promise<Sent | undefined> {
    const sent = this.#dump(key);
    if (sent === undefined) return undefined;
    const { payload, expireAt } = sent;
    const ttl = expireAt < 0 ? 0 : Math.max(1, expireAt - this.#call.server.nowMs());
    await target.send(['RESTORE', key, ttl, payload, ...(replaces ? ['REPLACE'] : [])]);
    return this.#note(await target.line()) ? sent : undefined;
  }

  #dump(key: Uint8Array): Sent | undefined {
    const payload = this.#ask('DUMP', key);
    if (!(payload instanceof Uint8Array)) {
      if (payload instanceof Error) throw new MigrateError(payload.message);
      return undefined;
    }
    return { key, payload, expireAt: Number(this.#ask('PEXPIRETIME', key)) };
  }

  /** Deletes the keys that are still what was sent, in one DEL; gives the others. */
  #forget(arrived: readonly Sent[]): Uint8Array[] {
    if (this.#plan.isCopy || arrived.length === 0) return [];
    const same: Uint8Array[] = [];
    const changed: Uint8Array[] = [];
    for (const { key, payload, expireAt } of arrived) {
      const now = this.#dump(key);
      if (now === undefined) continue;
      const isSame = now.expireAt === expireAt && equalBytes(now.payload, payload);
      (isSame ? same : changed).push(key);
    }
    if (same.length === 0) return changed;
    const reply = this.#ask('DEL', ...same);
    if (reply instanceof Error) throw new MigrateError(reply.message);
    return changed;
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

async function migrate(call: HostCall, plan: Plan): Promise<void> {
  const { core, platform } = call.server;
  const db = core.x.localDb(call.handle);
  // The core is running our command: calls into it have to wait until it has returned.
  await new Promise<void>((resolve) => platform.clock.defer(resolve));
  const local = new LocalClient(core, platform.clock);
  try {
    local.call('SELECT', db);
    const text = await new Migration(call, plan, local).run();
    if (text.startsWith('-')) call.out.error(text.slice(1));
    else call.out.simple(text.slice(1));
  } catch (error) {
    if (!(error instanceof MigrateError)) throw error;
    call.out.error(error.message);
  } finally {
    local.close();
    call.server.drainSoon();
  }
}

function cmdMigrate(call: HostCall): void | Promise<void> {
  const plan = parsePlan(call);
  if (typeof plan === 'string') {
    call.out.error(plan);
    return;
  }
  if (!call.inExec) return migrate(call, plan);
  call.out.error('ERR MIGRATE takes its time, so it cannot be part of a transaction');
}

export const MIGRATE_FAMILY: Readonly<Record<string, HostHandler>> = { migrate: cmdMigrate };
