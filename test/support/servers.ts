// Servers for tests: a real redis-server, respite from build/js, and the optional others of
// RESPITE_SERVERS_DIR (a folder made by get-servers.sh). Each gets a free port, a folder of its
// own under the temp folder and keeps its output; none outlives the process that started it
// (PDEATHSIG through setpriv where there is one, and an exit handler).

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawConnection } from './connection.js';
import { sleep, waitFor } from './wait.js';

export type ServerKind = 'redis' | 'respite' | 'redis80' | 'redis86' | 'valkey80' | 'valkey91';
export type Directives = Record<string, string | number | readonly (string | number)[]>;

export interface StartOptions {
  directives?: Directives;
  /** Keep this folder instead of a new one (it is then not removed). */
  dir?: string;
  port?: number;
  nodeArgs?: readonly string[];
  env?: Record<string, string>;
  readyTimeoutMs?: number;
}

export const ROOT = new URL('../../', import.meta.url).pathname;
export const RESPITE_MAIN = join(ROOT, 'build/js/cli/main.js');
const OUTPUT_MAX = 1 << 20;
const running = new Set<Server>();
process.once('exit', () => {
  for (const server of running) server.dispose();
});

export class Server {
  readonly kind: ServerKind;
  readonly port: number;
  readonly dir: string;
  readonly process: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  output = '';
  #keepDir: boolean;

  constructor(kind: ServerKind, port: number, dir: string, keepDir: boolean, child: ChildProcess) {
    this.kind = kind;
    this.port = port;
    this.dir = dir;
    this.process = child;
    this.#keepDir = keepDir;
    const keep = (chunk: Buffer) => {
      this.output = (this.output + chunk.toString('latin1')).slice(-OUTPUT_MAX);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    this.exited = new Promise((resolve) => {
      const ended = (code: number | null, signal: NodeJS.Signals | null) => {
        this.exit = { code, signal };
        running.delete(this);
        resolve(this.exit);
      };
      child.once('exit', ended);
      child.once('error', (error) => {
        this.output += `\n${error.message}`;
        ended(127, null);
      });
    });
    running.add(this);
  }

  /** The process of the server itself (setpriv and get-servers' run replace themselves). */
  get pid(): number {
    return this.process.pid ?? 0;
  }

  connect(): Promise<RawConnection> {
    return RawConnection.open(this.port);
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** Ends the server by SIGTERM (SIGKILL after graceMs) and removes its folder. */
  async stop(graceMs = 5000): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    this.signal('SIGTERM');
    this.signal('SIGCONT');
    await Promise.race([this.exited, sleep(graceMs)]);
    if (this.exit === undefined) this.signal('SIGKILL');
    const ended = await this.exited;
    this.#removeDir();
    return ended;
  }

  /** Kills at once; for exit handlers. */
  dispose(): void {
    this.process.kill('SIGKILL');
    this.#removeDir();
  }

  #removeDir(): void {
    if (!this.#keepDir) rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

const DEFAULTS: Directives = {
  bind: '127.0.0.1',
  save: '',
  appendonly: 'no',
  loglevel: 'notice',
  'enable-debug-command': 'yes',
  'enable-protected-configs': 'yes',
};

function programOf(kind: ServerKind, nodeArgs: readonly string[]): string[] {
  if (kind === 'redis') return ['redis-server'];
  if (kind === 'respite') return [process.execPath, ...nodeArgs, RESPITE_MAIN, 'serve'];
  return [join(process.env.RESPITE_SERVERS_DIR ?? '', 'run'), kind];
}

/** Directives as command line arguments: --name value… */
export function directiveArgs(directives: Directives): string[] {
  return Object.entries(directives).flatMap(([name, value]) => [
    `--${name}`,
    ...(Array.isArray(value) ? value : [value]).map(String),
  ]);
}

/** Starts a server and resolves when it says that it accepts connections. */
export async function startServer(kind: ServerKind, options: StartOptions = {}): Promise<Server> {
  for (let attempt = 0; ; attempt++) {
    const server = await launch(kind, options);
    const up = await waitFor(
      () => server.exit ?? server.output.includes('Ready to accept connections'),
      { timeoutMs: options.readyTimeoutMs ?? 20_000, what: `${kind} to start` },
    ).catch((error: Error) => {
      server.dispose();
      throw new Error(`${error.message}\n${server.output}`);
    });
    if (up === true) return server;
    server.dispose();
    const portTaken = /already in use|EADDRINUSE/.test(server.output);
    if (!portTaken || options.port !== undefined || attempt >= 4) {
      throw new Error(`${kind} ended with code ${server.exit?.code} at start:\n${server.output}`);
    }
  }
}

async function launch(kind: ServerKind, options: StartOptions): Promise<Server> {
  const port = options.port ?? (await freePort());
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), `respite-${kind}-`));
  const directives = { port, ...DEFAULTS, dir, ...options.directives };
  const words = [...programOf(kind, options.nodeArgs ?? []), ...directiveArgs(directives)];
  const command = hasSetpriv() ? ['setpriv', '--pdeathsig', 'KILL', ...words] : words;
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  return new Server(kind, port, dir, options.dir !== undefined, child);
}

let setpriv: boolean | undefined;
function hasSetpriv(): boolean {
  setpriv ??= has('setpriv', '--pdeathsig', 'KILL', 'true');
  return setpriv;
}

function has(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whether a kind of server can be started here; when not, `why` says it for a visible skip. */
export function available(kind: ServerKind): { ok: boolean; why: string } {
  if (kind === 'redis') {
    return { ok: has('redis-server', '--version'), why: 'redis-server is not installed' };
  }
  if (kind === 'respite') {
    return { ok: existsSync(RESPITE_MAIN), why: 'build/js/cli/main.js is not built' };
  }
  const folder = process.env.RESPITE_SERVERS_DIR;
  if (folder === undefined) return { ok: false, why: `${kind}: RESPITE_SERVERS_DIR is not set` };
  const ok = has(join(folder, 'run'), kind, '--version');
  return { ok, why: `${kind} is not in RESPITE_SERVERS_DIR (${folder})` };
}
