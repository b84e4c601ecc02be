// The commands the core hands to the host: one table from full name to function. A handler writes
// its reply to `call.out`; one that returns a promise keeps its client waiting, nobody else.

import { COMMAND_NAMES } from '../commands/generated/table.js';
import type { Core } from '../core/core.js';
import { ACL_FAMILY } from './commands/acl.js';
import { CLUSTER_FAMILY } from './commands/cluster.js';
import { COMMAND_FAMILY } from './commands/command.js';
import { CONFIG_FAMILY } from './commands/config.js';
import { DEBUG_FAMILY } from './commands/debug.js';
import { LATENCY_FAMILY } from './commands/latency.js';
import { MEMORY_FAMILY } from './commands/memory.js';
import { MIGRATE_FAMILY } from './commands/migrate.js';
import { MODULE_FAMILY } from './commands/module.js';
import { SCRIPT_CALLS, SCRIPT_FAMILY } from './commands/scripting.js';
import { SERVER_FAMILY } from './commands/server.js';
import { SLOWLOG_FAMILY } from './commands/slowlog.js';
import type { ServerContext } from './context.js';
import { REDIRECTED, redirect } from './redirect.js';
import { RespWriter } from './reply-writer.js';

export { argText, writeHelp } from './host-call.js';

/** One call of a host command. */
export interface HostCall {
  readonly argv: readonly Uint8Array[];
  readonly out: RespWriter;
  readonly handle: number;
  readonly server: ServerContext;
  /** Runs inside EXEC: the handler must not return a promise. */
  readonly inExec: boolean;
  /** The client is on this machine, or this process. */
  readonly isLocal: boolean;
}

/** A command that reads its arguments and writes its reply itself. */
export type DirectHandler = (server: ServerContext, handle: number) => Promise<void> | undefined;

export type HostHandler = (call: HostCall) => void | Promise<void>;

const FAMILIES = [
  ACL_FAMILY,
  ...[CLUSTER_FAMILY, CONFIG_FAMILY, DEBUG_FAMILY, LATENCY_FAMILY, MEMORY_FAMILY],
  ...[MIGRATE_FAMILY, MODULE_FAMILY, SCRIPT_FAMILY, SERVER_FAMILY, SLOWLOG_FAMILY],
];

function table(): Map<string, HostHandler> {
  const out = new Map<string, HostHandler>();
  for (const [name, handler] of Object.entries(COMMAND_FAMILY)) {
    out.set(name, (call) => handler(call.argv, call.out));
  }
  for (const family of FAMILIES) {
    for (const [name, handler] of Object.entries(family)) out.set(name, handler);
  }
  return out;
}

/** Addresses as Redis writes them; those of unix sockets are paths. */
const LOCAL = /^(127\.|\[::1\]:|\/|local:)/;
const decoder = new TextDecoder('latin1');

/** A number as Redis reads one: no sign but minus, no leading zeros; undefined beyond 2^53. */
export function parseInteger(text: string): number | undefined {
  const value = /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Runs host commands for one server. */
export class HostCommands {
  readonly #server: ServerContext;
  readonly #core: Core;
  readonly #handlers: (HostHandler | undefined)[];
  readonly #direct: (DirectHandler | undefined)[];

  constructor(server: ServerContext, extra: Readonly<Record<string, HostHandler>>) {
    this.#server = server;
    this.#core = server.core;
    const byName = table();
    for (const [name, handler] of Object.entries(extra)) byName.set(name, handler);
    this.#handlers = COMMAND_NAMES.map((name) => byName.get(name));
    this.#direct = COMMAND_NAMES.map((name) => SCRIPT_CALLS[name]);
  }

  /** The core's `hostCommand` import: 0 = answered, 1 = will be. */
  run(handle: number, id: number): number {
    if (id & REDIRECTED) return this.#redirect(handle);
    const direct = this.#direct[id];
    if (direct !== undefined) return this.#runDirect(direct, handle, id);
    const core = this.#core;
    const out = new RespWriter(core.x.clientProtocol(handle) === 3 ? 3 : 2);
    const handler = this.#handlers[id];
    const inExec = core.x.clientInExec(handle) !== 0;
    const call = {
      ...{ argv: core.commandArgs(), out, handle, server: this.#server, inExec },
      get isLocal() {
        return LOCAL.test(decoder.decode(core.blob(core.x.clientAddress(handle))));
      },
    };
    let pending: Promise<void> | undefined;
    try {
      if (handler === undefined) throw new Error(`no handler for ${COMMAND_NAMES[id]}`);
      pending = handler(call) ?? undefined;
    } catch (error) {
      this.#fail(call, id, error);
    }
    if (pending === undefined) {
      core.reply(handle, out.bytes());
      return 0;
    }
    const isThere = this.#server.watchClient(handle);
    void pending
      .catch((error: unknown) => this.#fail(call, id, error))
      .then(() => {
        if (!isThere()) return;
        core.replyLate(handle, out.bytes());
        this.#server.resumeClient(handle);
      });
    return 1;
  }

  /** A write that is its master's to do. */
  #redirect(handle: number): number {
    const request = this.#server.redirect;
    const direct: DirectHandler = (server) => request && redirect(server, handle, request);
    return this.#runDirect(direct, handle, 0);
  }

  #runDirect(handler: DirectHandler, handle: number, id: number): number {
    const fail = (error: unknown): Uint8Array => {
      const text = error instanceof Error ? error.message : String(error);
      this.#server.log.warning(`${COMMAND_NAMES[id]} failed: ${text}`, { error });
      return new TextEncoder().encode(`-ERR ${text.replace(/[\r\n]/g, ' ')}\r\n`);
    };
    try {
      const pending = handler(this.#server, handle);
      if (pending === undefined) return 0;
      const isThere = this.#server.watchClient(handle);
      void pending
        .catch((error: unknown) => {
          if (isThere()) this.#core.replyLate(handle, fail(error));
        })
        .then(() => {
          if (isThere()) this.#server.resumeClient(handle);
        });
      return 1;
    } catch (error) {
      this.#core.reply(handle, fail(error));
      return 0;
    }
  }

  #fail(call: HostCall, id: number, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#server.log.warning(`${COMMAND_NAMES[id]} failed: ${text}`, { error });
    call.out.reset();
    call.out.error(`ERR ${text}`);
  }
}
