// Commands, options and help texts. Everything after `serve` goes to the configuration as it is,
// because there any directive of redis.conf may be an option.

import { Command, CommanderError } from 'commander';
import { invalidConfig } from '../config/config.js';
import { formatConfigError } from '../config/index.js';
import type { Platform } from '../platform/platform.js';
import { RESPITE_VERSION as VERSION } from '../server/version.js';
import { loadEngine, type StartServer } from './engine.js';
import { addInspect } from './inspect.js';
import { parseListen, parseMasterUrl } from './master-url.js';
import { addRdb } from './rdb/index.js';
import type { RdbIo } from './rdb/io.js';
import { EXIT, run } from './run.js';

export interface ProgramOptions {
  platform: Platform;
  /** Stands in for the server in tests. */
  load?: (kind: 'serve' | 'replicate') => Promise<StartServer>;
  /** What `respite rdb` reads and writes in tests. */
  io?: RdbIo;
}

const DIRECTIVE_HELP = `
Every directive of redis.conf is an option: --name value. Directives may be repeated, and a
configuration file may come first; \`-\` as the last word reads one from standard input.
Environment: RESPITE_<DIRECTIVE>, such as RESPITE_PORT, RESPITE_REQUIREPASS, RESPITE_MASTERAUTH.
Order: defaults, file (or RESPITE_CONFIG), environment, options.`;

const EXIT_HELP = `
Exit codes: 0 ended in order, 1 could not start or failed, 2 wrong option or configuration,
130 or 143 ended by a second SIGINT or SIGTERM.`;

const SERVE_HELP = `${DIRECTIVE_HELP}

Examples:
  respite serve                                 a server at port 6380
  respite serve --port 7000 --dir /data         loads /data/dump.rdb when it is there
  respite serve my.conf --maxmemory 1gb --save ""
  respite serve --replicaof 10.0.0.1 6379       a replica of a Redis or Valkey server
${EXIT_HELP}
`;

const REPLICATE_HELP = `${DIRECTIVE_HELP}

Examples:
  respite replicate redis://10.0.0.1:6379
  respite replicate redis://user:password@db.example:6379 --listen 127.0.0.1:6380
  RESPITE_MASTERAUTH=… respite replicate rediss://db.example:6380 --listen '*:6380'

rediss:// speaks TLS and verifies the certificate; --tls-ca-cert-file names your own authority.
Better than in the URL, where others can see it, a password is given in RESPITE_MASTERAUTH.
${EXIT_HELP}
`;

interface ReplicateArgs {
  url: string;
  listen: string | undefined;
  rest: string[];
}

/** `--listen` and the URL are ours, all else is configuration. */
function splitReplicateArgs(args: readonly string[]): ReplicateArgs {
  const rest: string[] = [];
  let url: string | undefined;
  let listen: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === '--listen') {
      listen = args[++i];
      if (listen === undefined) throw invalidConfig({ reason: '--listen needs an address' });
    } else if (arg.startsWith('--listen=')) {
      listen = arg.slice('--listen='.length);
    } else if (url === undefined && !arg.startsWith('-') && rest.length === 0) {
      url = arg;
    } else if (url === undefined && /^rediss?:\/\//.test(arg)) {
      url = arg;
    } else {
      rest.push(arg);
    }
  }
  if (url === undefined) {
    throw invalidConfig({ reason: 'The address of the master is missing: redis://host:port' });
  }
  return { url, listen, rest };
}

function wantsHelp(args: readonly string[]): boolean {
  return args.at(-1) === '--help' || args.at(-1) === '-h';
}

async function serve(options: ProgramOptions, args: readonly string[]): Promise<number> {
  const load = options.load ?? loadEngine;
  return run(options.platform, { args, load: () => load('serve') });
}

async function replicate(options: ProgramOptions, args: readonly string[]): Promise<number> {
  const { platform } = options;
  const load = options.load ?? loadEngine;
  try {
    const { url, listen, rest } = splitReplicateArgs(args);
    const master = parseMasterUrl(url);
    const notes =
      master.ignoredPath === ''
        ? []
        : [`A replica copies every database: '/${master.ignoredPath}' in the URL is ignored`];
    return await run(platform, {
      args: rest,
      defaults: { save: '', ...parseListen('127.0.0.1:6380') },
      options: { ...(listen === undefined ? {} : parseListen(listen)), ...master.directives },
      load: () => load('replicate'),
      notes,
    });
  } catch (error) {
    platform.process.writeStderr(formatConfigError(error, VERSION));
    return EXIT.usage;
  }
}

/** Runs one command line (without node and script); the result is the exit code. */
export async function runProgram(argv: readonly string[], options: ProgramOptions) {
  const { process } = options.platform;
  let code: number = EXIT.ok;
  const program = new Command('respite');
  program
    .description('A Redis-compatible server and live replica on a WebAssembly core.')
    .version(VERSION, '-v, --version', 'print the version')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => process.writeStdout(text),
      writeErr: (text) => process.writeStderr(text),
    })
    .addHelpText(
      'after',
      `
Examples:
  respite serve --port 6380
  respite replicate redis://user:password@host:6379 --listen 127.0.0.1:6380
  respite rdb info dump.rdb
  respite inspect dump.rdb
  respite help serve
${EXIT_HELP}`,
    );
  const add = (
    name: string,
    summary: string,
    usage: string,
    help: string,
    action: (o: ProgramOptions, args: readonly string[]) => Promise<number>,
  ): void => {
    const command = program.command(name);
    command
      .description(summary)
      .usage(usage)
      .argument('[arguments...]')
      .allowUnknownOption()
      .passThroughOptions()
      .addHelpText('after', help)
      .action(async (args: string[]) => {
        if (wantsHelp(args)) command.outputHelp();
        else code = await action(options, args);
      });
  };
  add('serve', 'start a server', '[file] [--directive value…] [-]', SERVE_HELP, serve);
  add(
    'replicate',
    'keep a live read-only copy of a Redis or Valkey server',
    'redis://[user:password@]host[:port] [--listen address] [--directive value…]',
    REPLICATE_HELP,
    replicate,
  );
  addInspect(program, options.platform, (ended) => {
    code = ended;
  });
  const rdb = addRdb(program, options.io);
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const isAnswer = error.exitCode === 0 || error.code === 'commander.help';
    return isAnswer && argv.length > 0 ? EXIT.ok : EXIT.usage;
  }
  return code === EXIT.ok ? rdb.code : code;
}
