// What the core leaves to its host, as far as a page can answer it: COMMAND, TIME, INFO, scripts
// and functions, a few CONFIG parameters. Whatever needs a server (files, other servers) says so.

import { COMMAND_NAMES } from '../../commands/generated/table.js';
import type { Core } from '../../core/core.js';
import { readDatabaseStatistics, readStatistics } from '../../core/statistics.js';
import { COMMAND_FAMILY } from '../../server/commands/command.js';
import { SCRIPT_CALLS, SCRIPT_FAMILY } from '../../server/commands/scripting.js';
import type { ServerContext } from '../../server/context.js';
import { type ReplyWriter, RespWriter } from '../../server/reply-writer.js';
import { Scripting } from '../../server/scripting.js';
import { RESPITE_VERSION } from '../../server/version.js';

type Handler = (argv: readonly Uint8Array[], out: ReplyWriter) => void;

const decoder = new TextDecoder('latin1');
const text = (bytes: Uint8Array | undefined): string => decoder.decode(bytes);

/** What CONFIG GET tells; nothing of it can be changed. */
const CONFIG: Readonly<Record<string, string>> = {
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
  save: '',
  appendonly: 'no',
};

export class HostCommands {
  readonly #core: Core;
  /** As much of a server as scripts and functions look at. */
  readonly #server: ServerContext;
  readonly #databases: number;
  readonly #nowMs: () => number;
  readonly #startedMs = performance.now();
  readonly #handlers: Readonly<Record<string, Handler>>;

  constructor(core: Core, databases: number, nowMs: () => number) {
    this.#core = core;
    this.#databases = databases;
    const scripting = scriptingOf(core);
    this.#server = { core, scripting } as Pick<
      ServerContext,
      'core' | 'scripting'
    > as ServerContext;
    this.#nowMs = nowMs;
    this.#handlers = {
      ...COMMAND_FAMILY,
      time: (_, out) => this.#time(out),
      info: (argv, out) => out.verbatim('txt', this.#info(argv.slice(1).map(text))),
      'config|get': (argv, out) => configGet(argv, out, databases),
      'config|resetstat': (_, out) => {
        this.#core.x.statisticsReset();
        out.simple('OK');
      },
      lastsave: (_, out) => out.int(Math.floor(this.#nowMs() / 1000)),
      lolwut: (_, out) => out.verbatim('txt', `respite ${RESPITE_VERSION}, in your browser\n`),
      role: (_, out) => {
        out.array(3);
        out.bulk('master');
        out.int(0);
        out.array(0);
      },
      'module|list': (_, out) => out.array(0),
      'slowlog|get': (_, out) => out.array(0),
      'slowlog|len': (_, out) => out.int(0),
      'slowlog|reset': (_, out) => out.simple('OK'),
      'latency|latest': (_, out) => out.array(0),
      'memory|purge': (_, out) => out.simple('OK'),
      readonly: (_, out) => out.error('ERR This instance has cluster support disabled'),
      readwrite: (_, out) => out.error('ERR This instance has cluster support disabled'),
    };
  }

  /** The core's `hostCommand` import; always answered at once. */
  run(handle: number, id: number): number {
    const core = this.#core;
    const out = new RespWriter(core.x.clientProtocol(handle) === 3 ? 3 : 2);
    const name = COMMAND_NAMES[id] as string;
    const call = SCRIPT_CALLS[name];
    if (call !== undefined) {
      // never a promise: no script has less time than it needs
      void call(this.#server, handle);
      return 0;
    }
    const argv = core.commandArgs();
    const script = SCRIPT_FAMILY[name];
    const handler = this.#handlers[name];
    if (handler !== undefined) handler(argv, out);
    else if (script !== undefined) {
      void script({ argv, out, handle, server: this.#server, inExec: false, isLocal: true });
    } else out.error(`ERR ${name.replace('|', ' ').toUpperCase()} needs a server; this is a page`);
    core.reply(handle, out.bytes());
    return 0;
  }

  /** Loads a library of the dump; what is wrong with it, if anything. */
  loadFunctions(source: string): string[] {
    try {
      this.#server.scripting.engine.functions.load(source, true);
      return [];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return [`A function library was not loaded: ${reason}`];
    }
  }

  #time(out: ReplyWriter): void {
    const us = Math.floor(this.#nowMs() * 1000);
    out.array(2);
    out.bulk(String(Math.floor(us / 1e6)));
    out.bulk(String(us % 1e6));
  }

  #info(wanted: readonly string[]): string {
    const core = this.#core;
    const stats = readStatistics(core);
    const used = core.x.replicaUsedBytes();
    const keyspace: Record<string, string> = {};
    for (let db = 0; db < this.#databases; db++) {
      const { keys, expires, avgTtlMs } = readDatabaseStatistics(core, db);
      if (keys === 0) continue;
      keyspace[`db${db}`] = `keys=${keys},expires=${expires},avg_ttl=${Math.round(avgTtlMs)}`;
    }
    const seconds = Math.floor((performance.now() - this.#startedMs) / 1000);
    const sections: Record<string, Record<string, string | number>> = {
      Server: { respite_version: RESPITE_VERSION, where: 'page', uptime_in_seconds: seconds },
      Memory: { used_memory: used, used_memory_human: `${(used / 2 ** 20).toFixed(2)}M` },
      Stats: {
        total_commands_processed: stats.commands,
        keyspace_hits: stats.keyspaceHits,
        keyspace_misses: stats.keyspaceMisses,
        expired_keys: stats.expiredKeys,
      },
      Keyspace: keyspace,
    };
    const names = new Set(wanted.map((name) => name.toLowerCase()));
    const isAll = names.size === 0 || ['all', 'everything', 'default'].some((n) => names.has(n));
    const isWanted = (name: string) => isAll || names.has(name.toLowerCase());
    return Object.entries(sections)
      .filter(([name]) => isWanted(name))
      .map(([name, fields]) => {
        const lines = Object.entries(fields).map(([field, value]) => `${field}:${value}`);
        return `${[`# ${name}`, ...lines].join('\r\n')}\r\n`;
      })
      .join('\r\n');
  }
}

/**
 * Scripts run to their end, however long it takes: nobody else waits, and the console can be
 * stopped.
 */
function scriptingOf(core: Core): Scripting {
  const silent = () => undefined;
  return new Scripting({
    core,
    config: { int: () => Number.POSITIVE_INFINITY },
    platform: { clock: { monotonicMs: () => performance.now(), defer: queueMicrotask } },
    log: { debug: silent, verbose: silent, notice: silent, warning: silent },
    watchClient: () => () => true,
    drainSoon: silent,
  });
}

/** Globs of CONFIG GET with nothing but `*` and `?`. */
function globTest(pattern: string): RegExp {
  const plain = pattern.toLowerCase().replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${plain.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

function configGet(argv: readonly Uint8Array[], out: ReplyWriter, databases: number): void {
  const tests = argv.slice(2).map((pattern) => globTest(text(pattern)));
  const all = Object.entries({ databases: String(databases), ...CONFIG });
  const found = all.filter(([name]) => tests.some((test) => test.test(name)));
  out.map(found.length);
  for (const [name, value] of found) {
    out.bulk(name);
    out.bulk(value);
  }
}
