// EVAL, EVALSHA and SCRIPT.

import { bytesToText } from '../../lua/index.js';
import { argText, writeHelp } from '../host-call.js';
import type { DirectHandler, HostCall, HostHandler } from '../host-commands.js';
import type { CallKind, Finder } from '../scripting.js';
import { FUNCTION_FAMILY, functionCalls } from './function.js';

const SHA_LENGTH = 40;

function call(kind: CallKind, find: Finder): DirectHandler {
  return (server, handle) => server.scripting.run(handle, kind, find);
}

const byText: Finder = (engine, words) => engine.load(words.text(1));

const bySha: Finder = (engine, words) => {
  const { latest } = engine;
  if (latest !== undefined && words.is(1, latest.name)) return latest;
  if (words.length(1) !== SHA_LENGTH) return undefined;
  return engine.find(words.text(1));
};

const WRITES = { isFunction: false, isReadOnly: false };
const READS = { isFunction: false, isReadOnly: true };

/** Commands that run Lua. */
export const SCRIPT_CALLS: Readonly<Record<string, DirectHandler>> = {
  eval: call(WRITES, byText),
  eval_ro: call(READS, byText),
  evalsha: call(WRITES, bySha),
  evalsha_ro: call(READS, bySha),
  ...functionCalls(),
};

const HELP = [
  'SCRIPT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'DEBUG (YES|SYNC|NO)',
  '    Set the debug mode for subsequent scripts executed.',
  'EXISTS <sha1> [<sha1> ...]',
  '    Return information about the existence of the scripts in the script cache.',
  'FLUSH [ASYNC|SYNC]',
  '    Flush the Lua scripts cache. Very dangerous on replicas.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the scripts cache.',
  '    * SYNC: Synchronously flush the scripts cache.',
  'KILL',
  '    Kill the currently executing Lua script.',
  'LOAD <script>',
  '    Load a script into the scripts cache without executing it.',
  'HELP',
  '    Prints this help.',
];

function load(hostCall: HostCall): void {
  const { engine } = hostCall.server.scripting;
  try {
    hostCall.out.bulk(engine.load(bytesToText(hostCall.argv[2] as Uint8Array)).name);
  } catch (error) {
    hostCall.out.error(`ERR ${(error as { message: string }).message}`);
  }
}

/** Whether a word is SYNC or ASYNC, or there is none. */
export function isFlushMode(hostCall: HostCall): boolean {
  if (hostCall.argv.length > 3) return false;
  return hostCall.argv.length === 2 || /^a?sync$/i.test(argText(hostCall, 2));
}

/** SCRIPT subcommands, and FUNCTION's. */
export const SCRIPT_FAMILY: Readonly<Record<string, HostHandler>> = {
  'script|debug': ({ argv, out }) => {
    const mode = bytesToText(argv[2] as Uint8Array).toLowerCase();
    if (mode === 'no') out.simple('OK');
    else if (mode === 'yes' || mode === 'sync') {
      out.error('ERR SCRIPT DEBUG is not available: the debugger is not part of respite');
    } else out.error('ERR Use SCRIPT DEBUG YES/SYNC/NO');
  },
  'script|exists': (hostCall) => {
    const { engine } = hostCall.server.scripting;
    hostCall.out.array(hostCall.argv.length - 2);
    for (let i = 2; i < hostCall.argv.length; i++) {
      hostCall.out.int(engine.find(argText(hostCall, i)) === undefined ? 0 : 1);
    }
  },
  'script|flush': (hostCall) => {
    if (!isFlushMode(hostCall)) {
      hostCall.out.error('ERR SCRIPT FLUSH only support SYNC|ASYNC option');
      return;
    }
    hostCall.server.scripting.engine.flush();
    hostCall.out.simple('OK');
  },
  'script|help': (hostCall) => writeHelp(hostCall, HELP),
  'script|kill': ({ out, server }) => {
    const refusal = server.scripting.engine.kill(false);
    if (refusal === undefined) out.simple('OK');
    else out.error(refusal);
  },
  'script|load': load,
  ...FUNCTION_FAMILY,
};
