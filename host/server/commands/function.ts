// FUNCTION and FCALL.

import { globMatches } from '../../config/glob.js';
import {
  bytesToText,
  FLAG_NAMES,
  type FunctionEntry,
  type Library,
  readPayload,
  ScriptProblem,
  textToBytes,
} from '../../lua/index.js';
import { writeHelp } from '../host-call.js';
import type { DirectHandler, HostCall, HostHandler } from '../host-commands.js';
import type { Finder } from '../scripting.js';

const POLICIES = ['flush', 'append', 'replace'] as const;

const byName: Finder = (engine, words) => engine.functions.find(words.text(1));

function call(isReadOnly: boolean): DirectHandler {
  const kind = { isFunction: true, isReadOnly };
  return (server, handle) => server.scripting.run(handle, kind, byName);
}

/** Commands that run functions. */
export function functionCalls(): Record<string, DirectHandler> {
  return { fcall: call(false), fcall_ro: call(true) };
}

function text(hostCall: HostCall, index: number): string {
  return bytesToText(hostCall.argv[index] as Uint8Array);
}

/** Runs a change of the libraries: its reply, or the problem with it. */
function change(hostCall: HostCall, make: () => void): void {
  try {
    make();
    hostCall.server.core.x.functionChanged();
  } catch (error) {
    if (!(error instanceof ScriptProblem)) throw error;
    hostCall.out.error(`ERR ${error.message}`);
  }
}

function load(hostCall: HostCall): void {
  const { argv, out, server } = hostCall;
  let isReplacing = false;
  for (let i = 2; i < argv.length - 1; i++) {
    const option = text(hostCall, i);
    if (option.toLowerCase() !== 'replace') {
      out.error(`ERR Unknown option given: ${option}`);
      return;
    }
    isReplacing = true;
  }
  change(hostCall, () => {
    const code = text(hostCall, argv.length - 1);
    out.bulk(textToBytes(server.scripting.engine.functions.load(code, isReplacing)));
  });
}

interface ListOptions {
  pattern: string | undefined;
  isWithCode: boolean;
}

/** The options of FUNCTION LIST, or what is wrong with them. */
function listOptions(hostCall: HostCall): ListOptions | string {
  const options: ListOptions = { pattern: undefined, isWithCode: false };
  for (let i = 2; i < hostCall.argv.length; i++) {
    const word = text(hostCall, i);
    const name = word.toLowerCase();
    if (name === 'withcode' && !options.isWithCode) options.isWithCode = true;
    else if (name === 'libraryname' && options.pattern === undefined) {
      if (i + 1 >= hostCall.argv.length) return 'ERR library name argument was not given';
      options.pattern = text(hostCall, ++i);
    } else return `ERR Unknown argument ${word}`;
  }
  return options;
}

function list(hostCall: HostCall): void {
  const { out, server } = hostCall;
  const options = listOptions(hostCall);
  if (typeof options === 'string') {
    out.error(options);
    return;
  }
  const { pattern, isWithCode } = options;
  const found = [...server.scripting.engine.functions.libraries].filter(
    ({ name }) => pattern === undefined || globMatches(pattern, name),
  );
  out.array(found.length);
  for (const library of found) writeLibrary(hostCall, library, isWithCode);
}

function writeLibrary({ out }: HostCall, library: Library, isWithCode: boolean): void {
  out.map(isWithCode ? 4 : 3);
  out.bulk('library_name');
  out.bulk(library.name);
  out.bulk('engine');
  out.bulk('LUA');
  out.bulk('functions');
  out.array(library.functions.length);
  for (const entry of library.functions) writeFunction(out, entry);
  if (!isWithCode) return;
  out.bulk('library_code');
  out.bulk(textToBytes(library.code));
}

function writeFunction(out: HostCall['out'], entry: FunctionEntry): void {
  out.map(3);
  out.bulk('name');
  out.bulk(textToBytes(entry.name));
  out.bulk('description');
  if (entry.description === undefined) out.null();
  else out.bulk(textToBytes(entry.description));
  out.bulk('flags');
  const flags = Object.entries(FLAG_NAMES).filter(([, bit]) => entry.flags & bit);
  out.set(flags.length);
  for (const [name] of flags) out.simple(name);
}

function stats({ out, server }: HostCall): void {
  const { engine } = server.scripting;
  const { running } = engine;
  out.map(2);
  out.bulk('running_script');
  if (running?.isFunction) {
    out.map(3);
    out.bulk('name');
    out.bulk(textToBytes(running.name));
    out.bulk('command');
    out.array(running.command.length);
    for (const word of running.command) out.bulk(textToBytes(word));
    out.bulk('duration_ms');
    out.int(engine.runningMs);
  } else out.null();
  out.bulk('engines');
  out.map(1);
  out.bulk('LUA');
  out.map(2);
  out.bulk('libraries_count');
  out.int(engine.functions.libraryCount);
  out.bulk('functions_count');
  out.int(engine.functions.functionCount);
}

function restore(hostCall: HostCall): void {
  const { argv, out, server } = hostCall;
  const word = argv.length > 3 ? text(hostCall, 3).toLowerCase() : 'append';
  const policy = POLICIES.find((name) => name === word);
  if (argv.length > 4) {
    const name = text(hostCall, 1);
    out.error(
      `ERR unknown subcommand or wrong number of arguments for '${name}'. Try FUNCTION HELP.`,
    );
  } else if (policy === undefined) {
    out.error('ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.');
  } else {
    const payload = argv[2] as Uint8Array;
    const { core } = server;
    if (core.withBytes(payload, (ptr, len) => core.x.functionPayloadOk(ptr, len)) === 0) {
      out.error('ERR DUMP payload version or checksum are wrong');
      return;
    }
    change(hostCall, () => {
      server.scripting.engine.functions.restore(readPayload(payload), policy);
      out.simple('OK');
    });
  }
}

function flush(hostCall: HostCall): void {
  const { argv, out, server } = hostCall;
  if (argv.length > 3) {
    const name = text(hostCall, 1);
    out.error(
      `ERR unknown subcommand or wrong number of arguments for '${name}'. Try FUNCTION HELP.`,
    );
  } else if (argv.length === 3 && !/^a?sync$/i.test(text(hostCall, 2))) {
    out.error('ERR FUNCTION FLUSH only supports SYNC|ASYNC option');
  } else {
    server.scripting.engine.functions.flush();
    server.core.x.functionChanged();
    out.simple('OK');
  }
}

const HELP = [
  'FUNCTION <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'LOAD [REPLACE] <FUNCTION CODE>',
  '    Create a new library with the given library name and code.',
  'DELETE <LIBRARY NAME>',
  '    Delete the given library.',
  'LIST [LIBRARYNAME PATTERN] [WITHCODE]',
  '    Return general information on all the libraries:',
  '    * Library name',
  '    * The engine used to run the Library',
  '    * Library description',
  '    * Functions list',
  '    * Library code (if WITHCODE is given)',
  '    It also possible to get only function that matches a pattern using LIBRARYNAME argument.',
  'STATS',
  '    Return information about the current function running:',
  '    * Function name',
  '    * Command used to run the function',
  '    * Duration in MS that the function is running',
  '    If no function is running, return nil',
  '    In addition, returns a list of available engines.',
  'KILL',
  '    Kill the current running function.',
  'FLUSH [ASYNC|SYNC]',
  '    Delete all the libraries.',
  '    When called without the optional mode argument, the behavior is determined by the',
  '    lazyfree-lazy-user-flush configuration directive. Valid modes are:',
  '    * ASYNC: Asynchronously flush the libraries.',
  '    * SYNC: Synchronously flush the libraries.',
  'DUMP',
  '    Return a serialized payload representing the current libraries, can be restored using ' +
    'FUNCTION RESTORE command',
  'RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]',
  '    Restore the libraries represented by the given payload, it is possible to give a restore ' +
    'policy to',
  '    control how to handle existing libraries (default APPEND):',
  '    * FLUSH: delete all existing libraries.',
  '    * APPEND: appends the restored libraries to the existing libraries. On collision, abort.',
  '    * REPLACE: appends the restored libraries to the existing libraries, On collision, ' +
    'replace the old',
  '      libraries with the new libraries (notice that even on this option there is a chance of ' +
    'failure',
  '      in case of functions name collision with another library).',
  'HELP',
  '    Prints this help.',
];

export const FUNCTION_FAMILY: Readonly<Record<string, HostHandler>> = {
  'function|delete': (hostCall) => {
    const { out, server } = hostCall;
    if (!server.scripting.engine.functions.delete(text(hostCall, 2))) {
      out.error('ERR Library not found');
      return;
    }
    server.core.x.functionChanged();
    out.simple('OK');
  },
  'function|flush': flush,
  'function|list': list,
  'function|load': load,
  'function|restore': restore,
  'function|stats': stats,
  'function|help': (call) => writeHelp(call, HELP),
  'function|kill': ({ out, server }) => {
    const refusal = server.scripting.engine.kill(true);
    if (refusal === undefined) out.simple('OK');
    else out.error(refusal);
  },
};
