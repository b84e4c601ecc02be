// INFO, ROLE, SHUTDOWN, REPLICAOF and SLAVEOF.

import type { RoleReply } from '../context.js';
import type { HostCall, HostHandler } from '../host-commands.js';
import { argText } from '../host-commands.js';
import { infoText } from '../info.js';
import type { RespWriter } from '../reply-writer.js';

function cmdInfo(call: HostCall): void {
  const sections: string[] = [];
  for (let i = 1; i < call.argv.length; i++) sections.push(argText(call, i).toLowerCase());
  call.out.verbatim('txt', infoText(call.server, sections));
}

function cmdTime(call: HostCall): void {
  const us = call.server.platform.clock.nowUs();
  call.out.array(2);
  call.out.bulk(String(Math.floor(us / 1e6)));
  call.out.bulk(String(us % 1e6));
}

function writeRole(out: RespWriter, value: string | number | RoleReply): void {
  if (typeof value === 'number') out.int(value);
  else if (typeof value === 'string') out.bulk(value);
  else {
    out.array(value.length);
    for (const item of value) writeRole(out, item as string | number | RoleReply);
  }
}

function cmdRole(call: HostCall): void {
  const offset = 0;
  writeRole(call.out, call.server.replication?.role() ?? ['master', offset, []]);
}

/** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]. Saving comes with persistence. */
function cmdShutdown(call: HostCall): void | Promise<void> {
  const words = new Set<string>();
  for (let i = 1; i < call.argv.length; i++) words.add(argText(call, i).toLowerCase());
  for (const word of words) {
    if (['nosave', 'save', 'now', 'force', 'abort'].includes(word)) continue;
    call.out.error('ERR syntax error');
    return;
  }
  if (words.has('abort')) {
    if (words.size > 1) call.out.error('ERR syntax error');
    else call.out.error('ERR No shutdown in progress.');
    return;
  }
  if (words.has('save')) {
    call.out.error('ERR respite cannot save yet: SHUTDOWN NOSAVE ends the server without saving');
    return;
  }
  // The client sees its connection closed, as with Redis; there is nothing to answer.
  return call.server.shutdown('SHUTDOWN command').then(() => call.out.reset());
}

function cmdReplicaof(call: HostCall): void {
  const host = argText(call, 1);
  const port = argText(call, 2);
  if (host.toLowerCase() === 'no' && port.toLowerCase() === 'one') {
    call.server.follow(undefined);
    call.out.simple('OK');
    return;
  }
  if (!/^\d+$/.test(port) || Number(port) > 65535) {
    call.out.error('ERR Invalid master port');
    return;
  }
  call.server.follow({ host, port: Number(port) });
  call.out.simple('OK');
}

export const SERVER_FAMILY: Readonly<Record<string, HostHandler>> = {
  info: cmdInfo,
  role: cmdRole,
  time: cmdTime,
  shutdown: cmdShutdown,
  replicaof: cmdReplicaof,
  slaveof: cmdReplicaof,
};
