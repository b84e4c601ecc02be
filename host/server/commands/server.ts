// INFO, TIME, ROLE, SHUTDOWN, REPLICAOF, FAILOVER, LOLWUT, and what is to be said about saving.

import { busyText } from '../../lua/index.js';
import type { RoleReply } from '../context.js';
import type { HostCall, HostHandler } from '../host-commands.js';
import { argText, parseInteger } from '../host-commands.js';
import { infoText } from '../info.js';
import { lolwutText } from '../lolwut.js';
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

const SHUTDOWN_WORDS = ['nosave', 'save', 'now', 'force', 'abort'];

/** SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]. Saving comes with persistence. */
function cmdShutdown(call: HostCall): void | Promise<void> {
  const words = new Set(lowerWords(call, 1));
  const isKnown = [...words].every((word) => SHUTDOWN_WORDS.includes(word));
  const isBoth = words.has('nosave') && words.has('save');
  if (!isKnown || isBoth || (words.has('abort') && words.size > 1)) {
    call.out.error('ERR syntax error');
    return;
  }
  if (words.has('abort')) {
    call.out.error('ERR No shutdown in progress.');
    return;
  }
  const { running } = call.server.scripting.engine;
  if (running !== undefined && !words.has('nosave')) {
    call.out.error(busyText(running.isFunction));
    return;
  }
  if (words.has('save') && !words.has('force')) {
    call.out.error(`${NO_SAVING}: SHUTDOWN NOSAVE ends the server without saving`);
    return;
  }
  // The client sees its connection closed, as with Redis; there is nothing to answer.
  return call.server.shutdown('SHUTDOWN command').then(() => call.out.reset());
}

const NO_SAVING = 'ERR respite cannot save yet';

function cmdSave(call: HostCall): void {
  call.out.error(NO_SAVING);
}

function cmdBgsave(call: HostCall): void {
  const isPlain = call.argv.length === 1;
  const isScheduled = call.argv.length === 2 && argText(call, 1).toLowerCase() === 'schedule';
  call.out.error(isPlain || isScheduled ? NO_SAVING : 'ERR syntax error');
}

/** Arguments in lower case. */
function lowerWords(call: HostCall, from: number): string[] {
  return call.argv.slice(from).map((_, i) => argText(call, from + i).toLowerCase());
}

/**
 * FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT ms]. Nothing replicates from us yet, so all that
 * can be said is why it cannot be.
 */
function cmdFailover(call: HostCall): void {
  const error = failoverError(call);
  call.out.error(`ERR ${error}`);
}

function failoverError(call: HostCall): string {
  const words = lowerWords(call, 1);
  const seen = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const more = words.length - 1 - i;
    const needs = word === 'to' ? 2 : word === 'timeout' ? 1 : 0;
    const isKnown = ['to', 'timeout', 'force', 'abort'].includes(word);
    if (!isKnown || seen.has(word) || more < needs) return 'syntax error';
    if (word === 'abort' && words.length > 1) return 'syntax error';
    seen.add(word);
    const number = needs === 0 ? 1 : parseInteger(words[i + needs]!);
    if (number === undefined) return 'value is not an integer or out of range';
    if (word === 'timeout' && number <= 0) return 'FAILOVER timeout must be greater than 0';
    i += needs;
  }
  if (seen.has('abort')) return 'No failover in progress.';
  if (call.server.replication !== undefined) {
    return 'FAILOVER is not valid when server is a replica.';
  }
  return 'FAILOVER requires connected replicas.';
}

/** LOLWUT [VERSION n] [number …]. */
function cmdLolwut(call: HostCall): void {
  const { argv, out, server } = call;
  const hasVersion = argv.length >= 3 && argText(call, 1).toLowerCase() === 'version';
  const version = hasVersion ? parseInteger(argText(call, 2)) : 0;
  const isPicture = version === 5 || version === 6;
  const numbers = (isPicture ? lowerWords(call, 3) : []).slice(0, version === 5 ? 3 : 2);
  const parsed = numbers.map(parseInteger);
  if (version === undefined || parsed.includes(undefined)) {
    out.error('ERR value is not an integer or out of range');
    return;
  }
  const [seed = 0] = new Uint32Array(server.platform.random.bytes(4).slice().buffer);
  out.verbatim('txt', lolwutText(version, parsed as number[], seed));
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
  const now = call.server.replication?.info();
  if (now?.master_host === host && now.master_port === Number(port)) {
    call.out.simple('OK Already connected to specified master');
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
  failover: cmdFailover,
  lastsave: (call) => call.out.int(call.server.lastSaveSec),
  save: cmdSave,
  bgsave: cmdBgsave,
  bgrewriteaof: cmdSave,
  lolwut: cmdLolwut,
};
