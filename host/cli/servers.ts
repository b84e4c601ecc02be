// `respite serve` and `respite replicate`. Loaded when one of them is asked for: other commands
// need neither configuration nor server.

import { invalidConfig } from '../config/config.js';
import { formatConfigError } from '../config/index.js';
import { RESPITE_VERSION as VERSION } from '../server/version.js';
import { loadEngine } from './engine.js';
import { EXIT } from './exit.js';
import { parseListen, parseMasterUrl } from './master-url.js';
import type { ProgramOptions } from './program.js';
import { run } from './run.js';

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

export async function serve(options: ProgramOptions, args: readonly string[]): Promise<number> {
  const load = options.load ?? loadEngine;
  return run(options.platform, { args, load: () => load('serve') });
}

export async function replicate(options: ProgramOptions, args: readonly string[]): Promise<number> {
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
