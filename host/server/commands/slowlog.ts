// SLOWLOG GET, LEN, RESET, HELP.

import type { HostCall, HostHandler } from '../host-commands.js';
import { argText, parseInteger, writeHelp } from '../host-commands.js';

const HELP = [
  'SLOWLOG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'GET [<count>]',
  '    Return top <count> entries from the slowlog (default: 10, -1 mean all).',
  '    Entries are made of:',
  '    id, timestamp, time in microseconds, arguments array, client IP and port,',
  '    client name',
  'LEN',
  '    Return the length of the slowlog.',
  'RESET',
  '    Reset the slowlog.',
  'HELP',
  '    Prints this help.',
];

const COUNT_DEFAULT = 10;

function cmdSlowlogGet(call: HostCall): void {
  const { argv, out } = call;
  if (argv.length > 3) {
    out.error(
      `ERR unknown subcommand or wrong number of arguments for '${argText(call, 1)}'. ` +
        'Try SLOWLOG HELP.',
    );
    return;
  }
  const count = argv.length === 3 ? parseInteger(argText(call, 2)) : COUNT_DEFAULT;
  if (count === undefined || count < -1 || count > Number.MAX_SAFE_INTEGER) {
    out.error('ERR count should be greater than or equal to -1');
    return;
  }
  const { entries } = call.server.slowlog;
  const shown = count === -1 ? entries : entries.slice(0, count);
  out.array(shown.length);
  for (const entry of shown) {
    out.array(6);
    out.int(entry.id);
    out.int(entry.timeSec);
    out.int(entry.us);
    out.array(entry.argv.length);
    for (const argument of entry.argv) out.bulk(argument);
    out.bulk(entry.address);
    out.bulk(entry.name);
  }
}

function cmdSlowlogLen(call: HostCall): void {
  call.out.int(call.server.slowlog.entries.length);
}

function cmdSlowlogReset(call: HostCall): void {
  call.server.slowlog.clear();
  call.out.simple('OK');
}

export const SLOWLOG_FAMILY: Readonly<Record<string, HostHandler>> = {
  'slowlog|get': cmdSlowlogGet,
  'slowlog|len': cmdSlowlogLen,
  'slowlog|reset': cmdSlowlogReset,
  'slowlog|help': (call) => writeHelp(call, HELP),
};
