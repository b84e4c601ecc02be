// Commands, options and help texts. Everything after `serve` goes to the configuration as it is,
// because there any directive of redis.conf may be an option.

import { Argument, Command, CommanderError } from 'commander';
import type { Platform } from '../platform/platform.js';
import { RESPITE_VERSION as VERSION } from '../server/version.js';
import { completion, SHELLS, type Shell } from './completion.js';
import type { StartServer } from './engine.js';
import { EXIT } from './exit.js';
import { addInspect } from './inspect.js';
import { addRdb } from './rdb/index.js';
import type { RdbIo } from './rdb/io.js';

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

function wantsHelp(args: readonly string[]): boolean {
  return args.at(-1) === '--help' || args.at(-1) === '-h';
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
  const add = (name: 'serve' | 'replicate', summary: string, usage: string, help: string): void => {
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
        else code = await (await import('./servers.js'))[name](options, args);
      });
  };
  add('serve', 'start a server', '[file] [--directive value…] [-]', SERVE_HELP);
  add(
    'replicate',
    'keep a live read-only copy of a Redis or Valkey server',
    'redis://[user:password@]host[:port] [--listen address] [--directive value…]',
    REPLICATE_HELP,
  );
  addInspect(program, options.platform, (ended) => {
    code = ended;
  });
  const rdb = await addRdb(program, argv, options.io);
  program
    .command('completion')
    .description('print a script that completes commands and options')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action((shell: Shell) => process.writeStdout(completion(program, shell)));
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 && argv.length > 0 ? EXIT.ok : EXIT.usage;
  }
  return code === EXIT.ok ? rdb.code : code;
}
