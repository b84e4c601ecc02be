// A whole server without a world: core and host commands in this process, clients that are only
// numbers, a clock that moves when told. Sockets and files of the platform refuse everything. Used
// by the fuzzers and the replay test; bytes go in through the read buffer, as from a socket.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '../../host/config/index.js';
import {
  CLIENT_AUTHENTICATED,
  Core,
  type CoreOptions,
  STATUS_BLOCKED,
  STATUS_CLOSE_AFTER_REPLY,
  STATUS_CLOSE_NOW,
  STATUS_HOST_BUSY,
  STATUS_RESUME,
} from '../../host/core/core.js';
import type { CoreImports } from '../../host/core/load.js';
import { silentLogger } from '../../host/log.js';
import type { Platform, TimerHandle } from '../../host/platform/platform.js';
import { RespiteServer } from '../../host/server/server.js';
import { Prng } from '../support/prng.js';
import { ROOT } from '../support/servers.js';

export type Build = 'core' | 'core-scalar';
const modules = new Map<Build, WebAssembly.Module>();

/**
 * A compiled build of the core, once per process. RESPITE_CORE names another file, such as a build
 * with names in it: asc assembly/index.ts -o /tmp/named.wasm --enable simd --debug
 */
export function coreModule(build: Build = 'core'): WebAssembly.Module {
  let module = modules.get(build);
  if (module === undefined) {
    module = new WebAssembly.Module(
      readFileSync(process.env.RESPITE_CORE ?? join(ROOT, `build/${build}.wasm`)),
    );
    modules.set(build, module);
  }
  return module;
}

/** Later than every deadline. */
const END_OF_TIME_MS = 1e19;

export const START_MS = 1_700_000_000_000;

/** Sixteen seed bytes from a number. */
export function seedBytes(seed: number): Uint8Array {
  return new Uint8Array(new Prng(seed ^ 0x5eed).bytes(16));
}

type MakeCore = (module: WebAssembly.Module, imports: CoreImports, options: CoreOptions) => Core;

export interface MemoryHostOptions {
  seed?: number;
  build?: Build;
  memory?: Pick<CoreOptions, 'memoryBytesMax' | 'reserve'>;
  /** redis.conf directives. */
  directives?: Record<string, string | number>;
  make?: MakeCore;
}

function refuse(): never {
  throw new Error('there is no world here');
}

/** A platform with a clock and random bytes, and nothing else. */
function emptyPlatform(host: { nowMs: number }, seed: number): Platform {
  const timer: TimerHandle = { cancel: () => {}, unref: () => timer };
  const random = new Prng(seed);
  const nothing = new Proxy({}, { get: () => refuse }) as never;
  return {
    clock: {
      nowMs: () => host.nowMs,
      nowUs: () => host.nowMs * 1000,
      monotonicMs: () => host.nowMs,
      setTimer: () => timer,
      setRepeating: () => timer,
      defer: () => {},
      block: refuse,
    },
    random: { bytes: (n) => new Uint8Array(random.bytes(n)) },
    net: nothing,
    fs: nothing,
    process: {
      ...{ pid: 1, argv: [], env: {}, os: 'none', executable: '/none', totalMemoryBytes: 2 ** 32 },
      ...{ runtimeVersion: '0.0.0', stdoutIsTty: false, cwd: () => '/', chdir: refuse },
      ...{ rssBytes: () => 0, cpuUsage: () => ({ userUs: 0, systemUs: 0 }), readStdin: refuse },
      ...{ writeStdout: () => {}, writeStderr: () => {}, onSignal: () => () => {}, exit: () => {} },
    },
  };
}

const makePlain: MakeCore = (module, imports, options) => new Core(module, imports, options);

export class MemoryHost {
  nowMs = START_MS;
  readonly core: Core;
  readonly server: RespiteServer;
  /** Commands of a master's stream that were not applied. */
  problems = 0;

  constructor(options: MemoryHostOptions = {}) {
    const seed = options.seed ?? 1;
    const module = coreModule(options.build);
    const later: { server?: RespiteServer } = {};
    this.core = (options.make ?? makePlain)(
      module,
      {
        hostCommand: (handle, id) => later.server?.runHostCommand(handle, id) ?? 0,
        applyProblem: () => {
          this.problems++;
        },
      },
      { memoryBytesMax: 64 << 20, ...options.memory, seed: seedBytes(seed) },
    );
    this.server = new RespiteServer({
      config: loadConfig({ options: options.directives ?? {} }).config,
      platform: emptyPlatform(this, seed),
      log: silentLogger(),
      module,
      core: this.core,
    });
    later.server = this.server;
  }

  open(flags = CLIENT_AUTHENTICATED): MemoryClient {
    return new MemoryClient(this, flags);
  }

  cron(passedMs = 100): void {
    this.nowMs += passedMs;
    this.core.x.cron(this.nowMs);
    this.core.x.serveDeadlines(this.nowMs, this.nowMs);
  }

  /** Gives promises of host commands their turn. */
  async settle(): Promise<void> {
    for (let i = 0; i < 4; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  /** CLIENT PAUSE is over, and everybody's waiting too. */
  endPauses(): void {
    // Deadlines count from when the core is first told the time.
    this.core.x.armDeadlines(this.nowMs);
    this.core.x.serveDeadlines(END_OF_TIME_MS, this.nowMs);
  }
}

/** One client: bytes in, bytes out. */
export class MemoryClient {
  readonly handle: number;
  readonly #host: MemoryHost;
  #status = 0;
  #closed = false;

  constructor(host: MemoryHost, flags: number) {
    this.#host = host;
    this.handle = host.core.openClient(flags, '127.0.0.1:1000', '127.0.0.1:6380');
  }

  /** The core wants this connection ended (or it was). */
  get isClosing(): boolean {
    return this.#closed || (this.#status & (STATUS_CLOSE_AFTER_REPLY | STATUS_CLOSE_NOW)) !== 0;
  }

  get isBusy(): boolean {
    return (this.#status & STATUS_HOST_BUSY) !== 0;
  }

  /** Feeds bytes in pieces no larger than the read buffer; waits for host commands. */
  async send(bytes: Uint8Array): Promise<void> {
    const { core } = this.#host;
    for (let at = 0; at < bytes.length && !this.isClosing; ) {
      const room = core.readBuffer;
      const piece = bytes.subarray(at, at + room.length);
      room.set(piece);
      at += piece.length;
      this.#status = core.x.feed(this.handle, piece.length, this.#host.nowMs);
      await this.#settle();
    }
  }

  /** Everything there is to say to this client. */
  take(): Buffer {
    const { core } = this.#host;
    const parts: Buffer[] = [];
    for (;;) {
      const block = core.x.takeReply(this.handle) >>> 0;
      if (block === 0) break;
      parts.push(Buffer.from(core.blockView(block)));
      core.x.recycleReply(block);
    }
    return Buffer.concat(parts);
  }

  /** What one write of commands is answered with; those that block are answered as if in vain. */
  async ask(bytes: Uint8Array): Promise<Buffer> {
    await this.send(bytes);
    await this.#unblock();
    return this.take();
  }

  /** Ends pauses and waiting until all commands have run. Who waits for ever is disconnected. */
  async #unblock(): Promise<void> {
    const { x } = this.#host.core;
    while (!this.isClosing) {
      const status = x.clientStatus(this.handle);
      if ((status & (STATUS_BLOCKED | STATUS_RESUME)) === 0) return;
      // Deadlines count from when the core is first told the time.
      x.armDeadlines(this.#host.nowMs);
      if (status & STATUS_BLOCKED) x.serveDeadlines(END_OF_TIME_MS, this.#host.nowMs);
      if (x.clientStatus(this.handle) & STATUS_BLOCKED) x.disconnectBlocked();
      this.#status = x.resume(this.handle, this.#host.nowMs);
      await this.#settle();
    }
  }

  /** Waits for host commands. */
  async #settle(): Promise<void> {
    for (let turns = 0; this.isBusy && !this.isClosing; turns++) {
      if (turns > 50) throw new Error('a host command never ended');
      await this.#host.settle();
      this.#status = this.#host.core.x.resume(this.handle, this.#host.nowMs);
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.core.x.clientClose(this.handle);
  }
}
