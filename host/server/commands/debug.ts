// The subcommands of DEBUG that the core leaves to the host (assembly/commands/server-debug.ts has
// the others, and decides who may use DEBUG at all), and REPLCONF of clients.

import type { HostCall, HostHandler } from '../host-commands.js';
import { argText } from '../host-commands.js';

const SLEEP_MAX_SEC = 3600;

function debugSleep(call: HostCall): void {
  const seconds = Number.parseFloat(argText(call, 2)) || 0;
  const ms = Math.min(Math.max(seconds, 0), SLEEP_MAX_SEC) * 1000;
  if (ms > 0) call.server.platform.clock.block(ms);
  call.out.simple('OK');
}

function debugLog(call: HostCall): void {
  call.server.log.warning(`DEBUG LOG: ${argText(call, 2)}`);
  call.out.simple('OK');
}

function debugChangeReplId(call: HostCall): void {
  call.server.newReplId();
  call.out.simple('OK');
}

function debugPauseCron(call: HostCall): void {
  call.server.isCronPaused = Number.parseInt(argText(call, 2), 10) > 0;
  call.out.simple('OK');
}

/** What would end or harm the process on purpose. */
const HARM = new Set([
  'segfault',
  'panic',
  'oom',
  'assert',
  'leak',
  'restart',
  'crash-and-recover',
]);

const SUBCOMMANDS: Readonly<Record<string, (call: HostCall) => void>> = {
  sleep: debugSleep,
  log: debugLog,
  'change-repl-id': debugChangeReplId,
  'pause-cron': debugPauseCron,
};

function cmdDebug(call: HostCall): void {
  const name = argText(call, 1).toLowerCase();
  const run = SUBCOMMANDS[name];
  if (run !== undefined) run(call);
  else if (HARM.has(name)) {
    call.out.error(`ERR DEBUG ${name.toUpperCase()} is refused: respite does not crash on purpose`);
  } else call.out.error(`ERR DEBUG ${name.toUpperCase()} is not available in respite yet`);
}

/** Options a replica may announce; nothing here follows us yet, so they are only checked. */
const REPLCONF_OPTIONS = new Set(['listening-port', 'ip-address', 'capa', 'getack', 'rdb-only']);

function cmdReplconf(call: HostCall): void {
  const { argv, out } = call;
  if (argv.length % 2 === 0) {
    out.error('ERR syntax error');
    return;
  }
  for (let i = 1; i < argv.length; i += 2) {
    const option = argText(call, i);
    const name = option.toLowerCase();
    // An acknowledgement is never answered.
    if (name === 'ack') return;
    if (!REPLCONF_OPTIONS.has(name)) {
      out.error(`ERR Unrecognized REPLCONF option: ${option}`);
      return;
    }
    if (name === 'listening-port' && !/^-?\d{1,9}$/.test(argText(call, i + 1))) {
      out.error('ERR value is not an integer or out of range');
      return;
    }
  }
  out.simple('OK');
}

export const DEBUG_FAMILY: Readonly<Record<string, HostHandler>> = {
  debug: cmdDebug,
  replconf: cmdReplconf,
};
